"""The rows of a text: their lines and their numbers of cells, without lines that are blank or comments."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sweep.config.errors import DataError
from sweep.data.types import Array

ONE_COLUMN = "\x1f"  # takes the place of a separator where there is none; it occurs in no text
BLANK_CELL = re.compile(r'"(?:[^"]|"")*"(?![^ \t])|[^ \t]+')  # a cell between runs of blanks
# Cells of a spreadsheet that begin like a comment.
NO_COMMENT = re.compile(rb"#(?:n/?a|div/0!|num!|value!|ref!|name\?|null!)", re.IGNORECASE)


@dataclass(frozen=True)
class Rows:
    """The rows of a text, a line of column names included."""

    body: bytes  # their text alone
    lines: Array  # (row,), the first line of each, from 1
    cells: Array  # (row,), how many cells each has
    comments: dict[int, str]  # text of the lines that are comments
    blank: Array  # lines that are blank


def is_skipped(line: bytes, marks: Sequence[bytes], blanks: bytes = b" \t") -> bool | None:
    """Return True for a comment, None for a blank line, False for a row.

    Args:
        line: without its end.
        marks: what a comment begins with.
        blanks: characters that a blank line may consist of.
    """
    text = line.strip(blanks)
    if not text:
        return None
    return any(text.startswith(mark) for mark in marks) and not NO_COMMENT.match(text)


def split_cells(lines: Sequence[str], separator: str) -> list[list[str]]:
    """Return the stripped cells of some rows; a row with a quoted line break takes several lines.

    Args:
        lines: without blank lines and comments.
        separator: a character; " " is a run of blanks, "" is none.
    """
    if separator == " ":
        rows = [[_unquoted(cell) for cell in BLANK_CELL.findall(line)] for line in lines]
    else:
        rows = list(_reader((line + "\n" for line in lines), separator))
    return [[cell.strip() for cell in row] for row in rows]


def find_rows(name: str, text: bytes, separator: str, marks: Sequence[bytes], first: int = 1) -> Rows:
    """Return the rows of a text.

    Args:
        name: of the file, for messages.
        text: UTF-8; all lines end with a newline.
        separator: a character; " " is a run of blanks, "" is none.
        marks: what comments begin with.
        first: number of the first line of `text` in the file.

    Raises:
        DataError: a quote is not closed.
    """
    raw = np.frombuffer(text, dtype=np.uint8)
    ends = np.flatnonzero(raw == ord("\n"))
    starts = np.concatenate([[0], ends[:-1] + 1])
    if b'"' in text:
        skipped, begins, cells = _quoted(name, text, separator, marks, first)
    else:
        skipped = _skipped(text, raw, starts, ends, separator, marks)
        begins = np.flatnonzero(skipped == 0)
        cells = _cells(raw, starts[begins], ends[begins], separator)
    return Rows(
        _kept(text, starts, ends, skipped != 0),
        begins + first,
        cells,
        {
            int(line) + first: text[starts[line] : ends[line]].decode().strip()
            for line in np.flatnonzero(skipped == 1)
        },
        np.flatnonzero(skipped == 2) + first,
    )


def _skipped(
    text: bytes, raw: Array, starts: Array, ends: Array, separator: str, marks: Sequence[bytes]
) -> Array:
    """Return 0 for each line that is a row, 1 for a comment, 2 for a blank line."""
    skipped = np.zeros(len(starts), dtype=np.int8)
    candidates = np.isin(raw[starts], [*b" \t\n", *(mark[0] for mark in marks)])
    blanks = _line_blanks(separator)
    for line in np.flatnonzero(candidates):
        skipped[line] = _code(is_skipped(text[starts[line] : ends[line]], marks, blanks))
    return skipped


def _cells(raw: Array, starts: Array, ends: Array, separator: str) -> Array:
    """Return the number of cells of each line of a text without quotes."""
    if separator == " ":
        blank = np.isin(raw, list(b" \t\n"))
        marks = np.flatnonzero(~blank & np.concatenate([[True], blank[:-1]]))  # first characters of cells
    else:
        marks = np.flatnonzero(raw == ord(separator or ONE_COLUMN))
    counts = np.searchsorted(marks, ends) - np.searchsorted(marks, starts)
    return np.asarray(counts if separator == " " else counts + 1)


def _quoted(
    name: str, text: bytes, separator: str, marks: Sequence[bytes], first: int
) -> tuple[Array, Array, Array]:
    """Return what is skipped, where rows begin and their numbers of cells, for a text with quotes.

    Line breaks, separators and comment marks within quotes are parts of a cell.
    """
    skipped: list[int] = []
    begins: list[int] = []
    cells: list[int] = []
    inside = False  # whether the next line continues a row
    blanks = _line_blanks(separator)

    def lines() -> Iterator[str]:
        nonlocal inside
        for line in io.TextIOWrapper(io.BytesIO(text), encoding="utf-8", newline="\n"):
            code = 0
            if not inside and (line[0] in " \t\n" or any(mark[0] == ord(line[0]) for mark in marks)):
                code = _code(is_skipped(line.rstrip("\n").encode(), marks, blanks))
            skipped.append(code)
            if code:
                continue
            if not inside:
                begins.append(len(skipped) - 1)
            inside = True
            yield line
        if inside:
            raise DataError(f"{name}, line {begins[-1] + first}: a quote is not closed: correct the quotes")

    if separator == " ":
        for line in lines():
            inside = False
            found = BLANK_CELL.findall(line.rstrip("\n"))
            if any(cell.startswith('"') and not (len(cell) > 1 and cell.endswith('"')) for cell in found):
                raise DataError(
                    f"{name}, line {begins[-1] + first}: a quote is not closed: correct the quotes"
                )
            cells.append(len(found))
    else:
        try:
            for row in _reader(lines(), separator):
                inside = False
                cells.append(len(row))
        except csv.Error as error:
            raise DataError(
                f"{name}, line {begins[-1] + first}: not a row of cells ({error}): correct the quotes"
            ) from None
    return np.array(skipped, dtype=np.int8), np.array(begins, dtype=np.int64), np.array(cells, dtype=np.int64)


def _kept(text: bytes, starts: Array, ends: Array, skipped: Array) -> bytes:
    """Return the text without some lines."""
    if not skipped.any():
        return text
    edges = np.flatnonzero(np.diff(np.concatenate([[True], skipped, [True]]).astype(np.int8)))
    return b"".join(text[starts[begin] : ends[end - 1] + 1] for begin, end in edges.reshape(-1, 2))


def _code(skipped: bool | None) -> int:
    return 2 if skipped is None else int(skipped)


def _line_blanks(separator: str) -> bytes:
    """Return what a blank line may consist of; tabs that separate cells make a row of empty cells."""
    return b" " if separator == "\t" else b" \t"


def _unquoted(cell: str) -> str:
    return cell[1:-1].replace('""', '"') if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell


def _reader(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    return csv.reader(lines, delimiter=separator or ONE_COLUMN, skipinitialspace=True)
