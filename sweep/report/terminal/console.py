"""How every command prints: lines of plain text, in which nothing is taken for markup, facts and tables."""

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sweep.config.text import wrapped
from sweep.results.wording.text_table import TextTable

NAME_LEAST = 16  # columns of a terminal for the folded names of a table's rows


def print_line(console: Console, text: str, style: str = "", wrap: bool = True) -> None:
    """Print a line of plain text; nothing in it is taken for markup."""
    console.print(Text(plain(text), style=style), soft_wrap=not wrap, highlight=False)


def print_facts(console: Console, facts: Iterable[tuple[str, str]]) -> None:
    """Print names and values, the values below each other."""
    facts = list(facts)
    width = max((len(name) for name, _ in facts), default=0)
    room = max(10, console.width - width - 4)
    for name, value in facts:
        for index, line in enumerate(wrapped(value, room) or [""]):
            print_line(console, f"  {'' if index else name:<{width}}  {line}")


def print_table(console: Console, table: TextTable) -> None:
    """Print a table; cells that do not fit are folded, long names rather than numbers."""
    shown = new_table()
    cells = [table.head, *table.rows]
    numbers = sum(max(len(row[column]) for row in cells) + 2 for column in range(1, len(table.head)))
    whole = numbers + NAME_LEAST <= console.width  # whether all numbers fit beside a folded name
    for index, name in enumerate(table.head):
        shown.add_column(
            Text(name), justify="right" if index else "left", overflow="fold", no_wrap=bool(index) == whole
        )
    for row in table.rows:
        shown.add_row(*(Text(plain(cell)) for cell in row))
    console.print(shown)


def new_table(title: str | None = None) -> Table:
    """Return an empty table in the style of all tables."""
    return Table(
        title=title,
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        header_style="bold",
        padding=(0, 1),
        collapse_padding=True,
    )


def plain(text: str) -> str:
    """Return the text without control characters, which could steer the terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)
