"""The text of a study file with a comment above each setting that says why it has its value."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sweep.config.text import toml_key, toml_text, wrapped

WIDTH = 110  # characters of a comment's line
GIVEN = "as given"


@dataclass(frozen=True)
class Setting:
    """A key of a study file, its value, and why it has this value."""

    key: str
    value: Any
    why: str = ""


@dataclass(frozen=True)
class Table:
    """A table of a study file; the name of the first one is empty."""

    name: str
    settings: tuple[Setting, ...] = ()
    why: str = ""


def with_given(tables: Sequence[Table], given: Mapping[str, Any]) -> tuple[Table, ...]:
    """Return the tables with the values that were given, by key path; they replace the tables below their path."""
    result = list(tables)
    for path, value in given.items():
        section, _, key = path.rpartition(".")
        result = [table for table in result if table.name != path and not table.name.startswith(f"{path}.")]
        names = [table.name for table in result]
        if section not in names:
            result.append(Table(section))
            names.append(section)
        place = names.index(section)
        result[place] = _with(result[place], Setting(key, value, GIVEN))
    return tuple(result)


def text_of(tables: Sequence[Table], head: str) -> str:
    """Return a TOML file that begins with a comment."""
    lines = [*_comment(head), ""]
    for table in tables:
        lines += [*_comment(table.why), *([f"[{table.name}]"] if table.name else [])]
        for setting in table.settings:
            lines += [
                *_comment(setting.why),
                f"{toml_key(setting.key)} = {toml_text(setting.value, grouped=True)}",
            ]
        lines.append("")
    return "\n".join(lines)


def _with(table: Table, setting: Setting) -> Table:
    others = [one for one in table.settings if one.key != setting.key]
    place = next((index for index, one in enumerate(table.settings) if one.key == setting.key), len(others))
    return replace(table, settings=(*others[:place], setting, *others[place:]))


def _comment(text: str) -> Iterator[str]:
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    for line in wrapped(printable, WIDTH - 2, break_long_words=False, break_on_hyphens=False):
        yield f"# {line}"
