"""The reader of text tables: CSV and its relatives, as spreadsheets, pandas, R and instruments write them."""

import csv
import gzip
import io
import json
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.data.facts import Fact
from sweep.data.readers.table import Table
from sweep.data.readers.text import dialect, header, notation
from sweep.data.readers.text.dialect import SEPARATORS as WORDS
from sweep.data.readers.text.dialect import Dialect
from sweep.data.readers.text.encoding import utf8_text
from sweep.data.readers.text.rows import ONE_COLUMN, Rows, find_rows, split_cells

GZIP = b"\x1f\x8b"  # first bytes
BLOCK = 100_000  # rows that are read together, which bounds the memory
SAMPLE = 1000  # rows by which a header is recognised; our choice


def read_text(path: Path, config: DataConfig) -> Table:
    """Return the table of a text file, which may be packed with gzip.

    What the settings leave open is recognised and becomes a fact of the table. Columns without names are named "y" if
    there is one, else "x0", "x1" and so on.

    Raises:
        DataError: the file is not a table, its rows differ in length, or two readings are possible; the message names
            the line or the settings.
    """
    name = path.name
    text, facts = utf8_text(name, _unpacked(name, path.read_bytes()), config.encoding)
    text = _with_plain_line_ends(text)
    spoken = dialect.recognise(name, text, config.separator, config.decimal, config.thousands, config.comment)
    if spoken.first > 1:
        text, _ = dialect.without_excel_line(text)
    if not spoken.separator and ONE_COLUMN.encode() in text:
        raise DataError(f"{name}: contains control characters: export it again as .csv")
    rows = find_rows(name, text, spoken.separator, spoken.marks, spoken.first)
    if not len(rows.lines):
        raise DataError(f"{name}: only blank lines and comments: write the column names first, values below")
    frame = _cells(name, rows, _columns(name, rows, spoken), spoken.separator)
    first = frame.head(SAMPLE).values.tolist()
    first[0] = first[0][: rows.cells[0]]
    head = header.recognise(name, first, int(rows.lines[0]), config.header, _comment_above(rows, spoken))
    begin, end = int(head.in_first_row), _end(frame)
    if begin >= end:
        raise DataError(f"{name}: no rows below the column names: add the values")
    frame, lines = frame.iloc[begin:end].reset_index(drop=True), rows.lines[begin:end]
    frame.columns = pd.Index(head.names, dtype=object)
    written = notation.recognise(name, frame, spoken.separator, config.decimal, config.thousands)
    facts += _facts_of_lines(rows, spoken, frame.shape[1]) + spoken.facts + written.facts + head.facts
    return Table(name, frame, lines, written.decimal, written.thousands, facts)


def _unpacked(name: str, data: bytes) -> bytes:
    if not data.startswith(GZIP):
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{name}: cannot be unpacked ({error}): copy or pack it again") from None


def _with_plain_line_ends(text: bytes) -> bytes:
    """Return the text with a newline after each line, and without the end-of-file mark of DOS."""
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if text.endswith(b"\x1a"):
        text = text.rstrip(b"\x1a")
    return text if text.endswith(b"\n") else text + b"\n"


def _columns(name: str, rows: Rows, spoken: Dialect) -> int:
    """Return the number of columns; a line of names may have one cell less, as R writes it."""
    counts = rows.cells[1:] if len(rows.cells) > 1 else rows.cells
    wanted = Counter(counts.tolist()).most_common(1)[0][0]
    different = rows.cells != wanted
    if not different[1:].any() and rows.cells[0] in (wanted, wanted - 1):
        return int(wanted)
    row = int(np.argmax(different))
    top = int(np.argmin(different)) if row == 0 else 0  # how many rows at the top differ
    place = f"{name}, line {rows.lines[row]}: wanted {wanted} cells, as in most rows, got {rows.cells[row]}"
    if top and top == different.sum():
        which = f"line {rows.lines[0]}" if top == 1 else f"lines {rows.lines[0]} to {rows.lines[top - 1]}"
        mark = spoken.marks[0].decode() if spoken.marks else "#"
        raise DataError(
            f"{place}: correct {which} if part of the table; otherwise delete {which}, or write {mark} at the "
            "beginning"
        )
    kind = WORDS.get(spoken.separator, repr(spoken.separator))
    number = f" ({different.sum()} such rows)" if different.sum() > 1 else ""
    raise DataError(
        f"{place}{number}: correct the row; cells with separators in them need quotes, and data.separator is for "
        f"cells that are not separated by {kind}"
    )


def _cells(name: str, rows: Rows, columns: int, separator: str) -> pd.DataFrame:
    """Return all rows as stripped text, without empty columns at the right."""
    cells = [np.empty(len(rows.lines), dtype=object) for _ in range(columns)]
    count = 0
    try:
        with pd.read_csv(
            io.BytesIO(rows.body),
            sep=r"\s+" if separator == " " else separator or ONE_COLUMN,
            header=None,
            names=list(range(columns)),
            index_col=False,
            dtype=object,
            keep_default_na=False,
            na_filter=False,
            skip_blank_lines=False,
            skipinitialspace=True,
            quoting=csv.QUOTE_MINIMAL if b'"' in rows.body else csv.QUOTE_NONE,
            encoding="utf-8",
            engine="c",
            chunksize=BLOCK,
        ) as parts:
            for part in parts:
                begin, count = count, count + len(part)
                for column in range(columns if count <= len(rows.lines) else 0):
                    cells[column][begin:count] = [cell.strip() for cell in part[column]]
    except pd.errors.ParserError as error:
        raise DataError(f"{name}: not rows of cells ({error}): correct quotes and separators") from None
    if count != len(rows.lines):
        raise DataError(f"{name}: quotes do not enclose whole cells: correct the quotes")
    frame = pd.DataFrame(dict(enumerate(cells)), dtype=object, copy=False)
    while frame.shape[1] > 1 and not any(frame.iloc[:, -1]):  # each row ends with a separator
        frame = frame.iloc[:, :-1]
    return frame


def _end(frame: pd.DataFrame) -> int:
    """Return the number of rows without those at the end that hold separators alone, as spreadsheets write them."""
    end = len(frame)
    while end and frame.shape[1] > 1 and not any(frame.iloc[end - 1]):
        end -= 1
    return end


def _comment_above(rows: Rows, spoken: Dialect) -> tuple[int, list[str]] | None:
    """Return line and cells of the comment just above the first row, if there is one."""
    line = int(rows.lines[0]) - 1
    text = rows.comments.get(line)
    if text is None:
        return None
    for mark in spoken.marks:
        text = text.removeprefix(mark.decode())
    return line, split_cells([text.strip()], spoken.separator)[0]


def _facts_of_lines(rows: Rows, spoken: Dialect, columns: int) -> tuple[Fact, ...]:
    """Return what was understood of comments, and of blank lines within the table."""
    facts = []
    begin, end = rows.lines[0], rows.lines[-1]
    for mark in (mark.decode() for mark in spoken.marks):
        lines = {line: text for line, text in rows.comments.items() if text.startswith(mark)}
        # A row that was made a comment has as many cells as a row whose first cell begins with the mark.
        like_rows = columns > 1 and any(
            len(split_cells([text], spoken.separator)[0]) == columns
            for line, text in lines.items()
            if line > begin
        )
        if lines:
            text = f"{len(lines)} lines" if len(lines) > 1 else f"line {next(iter(lines))}"
            text += f" with {mark}, skipped"
            facts.append(Fact("comments", text, f"comment = {json.dumps(mark)}", like_rows))
    blank = rows.blank[(rows.blank > begin) & (rows.blank < end)]
    if len(blank):
        first = f"line {blank[0]}" if len(blank) == 1 else f"{len(blank)} lines, the first is line {blank[0]}"
        facts.append(Fact("blank lines", f"{first}, skipped"))
    return tuple(facts)
