"""The names of the columns of a text, or that it has none."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sweep.config.errors import DataError
from sweep.data.facts import Fact
from sweep.data.readers.text.cells import is_date, is_missing, is_number, is_text, is_value, is_whole

NAMELESS = re.compile(r"Unnamed: [0-9]+")  # what pandas calls a column without a name
COUNTER = 10  # rows from which 0, 1, 2, ... is certainly a counter; our choice


@dataclass(frozen=True)
class Header:
    """The names of columns."""

    names: tuple[str, ...]
    in_first_row: bool
    facts: tuple[Fact, ...] = ()


def recognise(
    name: str,
    rows: Sequence[Sequence[str]],
    line: int,
    given: bool | None,
    comment: tuple[int, Sequence[str]] | None = None,
) -> Header:
    """Return the names of the columns of a text.

    Args:
        name: of the file, for messages.
        rows: cells of its first rows; the first row may have a cell less than the others.
        line: of the first row.
        given: the setting; None is recognised.
        comment: line and cells of a comment just above the first row, which may hold the names.

    Raises:
        DataError: two readings are possible, or names are not different; the message names the line.
    """
    columns = len(rows[-1])
    present = given
    if present is None:
        present = _is_header(rows)
    if (
        not present
        and given is None
        and comment
        and len(comment[1]) == columns > 1
        and _are_names(comment[1])
    ):
        text = f"in the comment of line {comment[0]}"
        return Header(tuple(comment[1]), False, (Fact("header", text, "header = false", True),))
    if present is None and len(rows) == 1:
        raise DataError(
            f"{name}, line {line}: the only row: write column names and values, one row for each time"
        )
    if present is None:
        raise DataError(
            f"{name}, line {line}: {_shown(rows[0])} can be names of columns or values: set data.header = true "
            "or data.header = false"
        )
    if not present:
        names = ("y",) if columns == 1 else tuple(f"x{number}" for number in range(columns))
        shown = names[0] if columns == 1 else f"{names[0]} to {names[-1]}"
        fact = Fact("header", f"none, columns are named {shown}", "header = false", given is None)
        return Header(names, False, (fact,))
    guessed = given is None and not any(is_text(cell) for cell in rows[0])
    return Header(
        _names(name, rows[0], columns, line),
        True,
        (Fact("header", f"line {line}", "header = true", True),) if guessed else (),
    )


def _is_header(rows: Sequence[Sequence[str]]) -> bool | None:
    """Return whether the first row holds names, or None if both readings are possible."""
    first, below = rows[0], rows[1:]
    if not below:
        return True if any(is_text(cell) for cell in first) else None
    if len(first) != len(rows[-1]):
        return True  # one less, as R writes it
    if _is_counted(rows):
        return True
    texts = [column for column, cell in enumerate(first) if is_text(cell)]
    dates = [column for column, cell in enumerate(first) if is_date(cell)]
    if any(_is_above(is_value, rows, column) for column in texts):
        return True
    if any(_is_above(is_number, rows, column) for column in dates):
        return True
    if any(first[column] in (row[column] for row in below) for column in texts):
        return False
    values = [cell for cell in first if not is_text(cell) and not is_missing(cell)]
    if not values:
        gaps = [column for column, cell in enumerate(first) if is_missing(cell)]
        return None if any(_is_above(is_value, rows, column) for column in gaps) else True
    fraction = any(is_number(cell) and not is_whole(cell) for cell in values)
    if fraction or dates or len({*first}) < len(first) or not _can_be_names(first, values):
        return False
    return None


def _can_be_names(first: Sequence[str], cells: Sequence[str]) -> bool:
    """Return whether the whole numbers of a row can be names: not below 0; of a single column, 0, 1 or a year."""
    if any(cell.startswith("-") for cell in cells):
        return False
    return len(first) > 1 or cells[0] in ("0", "1") or (len(cells[0]) == 4 and 1800 <= int(cells[0]) <= 2200)


def _is_above(is_kind: Callable[[str], bool], rows: Sequence[Sequence[str]], column: int) -> bool:
    """Return whether most cells below the first one of a column are of a kind."""
    cells = [row[column] for row in rows[1:] if not is_missing(row[column])]
    return sum(is_kind(cell) for cell in cells) > len(cells) / 2


def _is_counted(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether names and first column are the counters, or the dates, that pandas writes by default."""
    names = ["", *(str(number) for number in range(len(rows[0]) - 1))]
    counter = [row[0] for row in rows[1:]]
    return (
        list(rows[0]) == names
        and len(names) > 1
        and (
            all(is_date(cell) for cell in counter)
            or (len(counter) >= COUNTER and counter == [str(number) for number in range(len(counter))])
        )
    )


def _are_names(cells: Sequence[str]) -> bool:
    return all(is_text(cell) for cell in cells) and len({*cells}) == len(cells)


def _names(name: str, cells: Sequence[str], columns: int, line: int) -> tuple[str, ...]:
    names = ["" if NAMELESS.fullmatch(cell) else cell for cell in cells]
    if len(names) == columns - 1:
        names.insert(0, "")
    place = f"{name}, line {line}"
    problems = []
    nameless = [number for number, one in enumerate(names, start=1) if not one]
    if len(nameless) > 1:
        numbers = " and ".join(str(number) for number in nameless[1:4])
        problems.append(
            f"{place}: columns {nameless[0]} and {numbers} have no names, which only one may lack: name them, or "
            "delete them, or the line if it is a title"
        )
    for column in dict.fromkeys(one for one in names if one and names.count(one) > 1):
        problems.append(f"{place}: {names.count(column)} columns are named {column!r}: rename all but one")
    if problems:
        raise DataError(*problems)
    return tuple(names)


def _shown(cells: Sequence[str]) -> str:
    return ", ".join(cells[:4]) + (", ..." if len(cells) > 4 else "")
