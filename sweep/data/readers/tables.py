"""The reader of CSV tables, long (with a column of ids) or wide (a column per channel)."""

import csv
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from sweep.config.errors import DataError
from sweep.config.registry import nearest
from sweep.data.readers.sampling import SEVERAL, Times, read_times
from sweep.data.recording import Recording, Series
from sweep.data.types import Array

MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "-"})


@dataclass(frozen=True)
class Columns:
    """Names of the columns that are not channels. Columns of the default names are optional."""

    series_id: str = "unique_id"
    time: str = "ds"


@dataclass(frozen=True)
class Table:
    """The cells of a file as text, and the line of each row."""

    name: str
    cells: pd.DataFrame
    lines: Array  # (row,), counted from 1


def read_csv(path: Path, columns: Columns) -> Recording:
    """Return the series of a comma-separated file with column names in the first line.

    A file with a column of ids is long: the rows of one id are one series. Without it the rows are the times of one
    series. Every column except ids and time is a channel. The rows of a series are adjacent and in even steps of time;
    dates are ISO 8601.

    Raises:
        DataError: the file is different; the text names file, column and line.
    """
    table = _read_cells(path)
    header = [str(name) for name in table.cells.columns]
    for key, wanted, default in (
        ("id_column", columns.series_id, Columns.series_id),
        ("time_column", columns.time, Columns.time),
    ):
        if wanted != default and wanted not in header:
            raise DataError(
                f"{table.name}: no column {wanted!r} (data.{key}).{nearest(wanted, header)} "
                f"Columns: {', '.join(header)}"
            )
    has_time = columns.time in header
    channels = tuple(name for name in header if name not in (columns.series_id, columns.time))
    if not channels:
        raise DataError(f"{table.name}: no column with values besides ids and time: add one")
    has_ids = columns.series_id in header
    values = np.stack([_numbers(table, name, has_time, has_ids) for name in channels], axis=1)
    series: list[Series] = []
    first: tuple[str, Times] | None = None
    for name, label, rows in _groups(table, columns.series_id):
        lines = table.lines[rows]
        stamps = None
        if has_time:
            times = read_times(label, columns.time, table.cells[columns.time].iloc[rows], lines, not has_ids)
            first = first or (label, times)
            if times.differs(first[1]):
                raise DataError(
                    f"{label}, column {columns.time!r}, line {lines[0]}: the step is {times.step_text()}, but that of "
                    f"{first[0]} is {first[1].step_text()}: resample all series to the same step"
                )
            stamps = times.stamps
        else:
            _refuse_unnamed_time(label, channels, values[rows])
        series.append(Series(label, values[rows], stamps=stamps, lines=lines, name=name))
    return Recording(path.stem, channels, tuple(series))


def _read_cells(path: Path) -> Table:
    rows: list[list[str]] = []
    lines: list[int] = []
    name, empty = path.name, None
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            for row in reader:
                if not row:
                    empty = empty or reader.line_num
                    continue
                if empty and rows:
                    raise DataError(
                        f"{name}, line {empty}: empty: remove it, or fill in the row that is missing"
                    )
                if rows and len(row) != len(rows[0]):
                    raise DataError(
                        f"{name}, line {reader.line_num}: wanted {len(rows[0])} cells, as in the first line, got "
                        f"{len(row)}: correct the row (cells with commas need quotes)"
                    )
                rows.append(row)
                lines.append(reader.line_num)
    except UnicodeDecodeError as error:
        raise DataError(f"{name}: not UTF-8 text ({error.reason}): save it as UTF-8") from None
    except csv.Error as error:
        raise DataError(
            f"{name}, line {reader.line_num}: not a CSV row ({error}): correct quotes and separators"
        ) from None
    if not rows:
        raise DataError(f"{name}: the file is empty: write the column names in the first line, values below")
    header = [cell.strip() for cell in rows[0]]
    _require_names(name, header, lines[0])
    if len(rows) == 1:
        raise DataError(f"{name}: no rows below the column names: add the values")
    return Table(name, pd.DataFrame(rows[1:], columns=header, dtype=object), np.array(lines[1:]))


def _require_names(name: str, header: list[str], line: int) -> None:
    for mark, word in ((";", "semicolon"), ("\t", "tab")):
        if len(header) == 1 and mark in header[0]:
            raise DataError(f"{name}, line {line}: columns are separated by {word}s: separate them by commas")
    for number, column in enumerate(header, start=1):
        if not column:
            raise DataError(
                f"{name}, line {line}: column {number} has no name: name it, or drop it "
                "(in pandas with to_csv(index=False))"
            )
        if header.index(column) + 1 != number:
            raise DataError(f"{name}, line {line}: two columns are named {column!r}: rename one")
    if not pd.to_numeric(pd.Series(header, dtype=object), errors="coerce").isna().any():
        raise DataError(f"{name}, line {line}: contains numbers instead of column names: add a line of names")


def _numbers(table: Table, column: str, has_time: bool, has_ids: bool) -> Array:
    """Return the column as finite numbers, (row,)."""
    cells = table.cells[column].astype(object).str.strip()
    missing = cells.str.lower().isin(MISSING).to_numpy(dtype=bool)
    if missing.any():
        row = int(np.argmax(missing))
        raise DataError(
            f"{table.name}, column {column!r}, line {table.lines[row]}: the value is missing "
            f"({int(missing.sum())} in the column): fill the gap, or cut the series there"
        )
    numbers = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64)
    text = np.isnan(numbers)
    if text.any():
        row = int(np.argmax(text))
        hint = "" if has_time else f'; if the column is the time, set data.time_column = "{column}"'
        hint += SEVERAL if not has_ids and text.mean() > 0.5 else ""
        raise DataError(
            f"{table.name}, column {column!r}, line {table.lines[row]}: wanted a number, got "
            f"{cells.iloc[row]!r}: correct the value, or drop the column{hint}"
        )
    infinite = np.isinf(numbers)
    if infinite.any():
        row = int(np.argmax(infinite))
        raise DataError(
            f"{table.name}, column {column!r}, line {table.lines[row]}: {cells.iloc[row]!r} is not a finite "
            "number: correct the value, or cut the series there"
        )
    return np.asarray(numbers)


def _groups(table: Table, id_column: str) -> list[tuple[str, str, Array]]:
    """Return the id, "" without one, the label and the row numbers of each series, in the order of the file."""
    if id_column not in table.cells:
        return [("", table.name, np.arange(len(table.lines)))]
    ids = table.cells[id_column].str.strip().to_numpy(dtype=object)
    edges = np.concatenate([[0], np.flatnonzero(ids[1:] != ids[:-1]) + 1, [len(ids)]])
    groups: dict[str, Array] = {}
    for begin, end in pairwise(edges):
        name, line = ids[begin], table.lines[begin]
        if name.lower() in MISSING:
            raise DataError(f"{table.name}, column {id_column!r}, line {line}: the id is missing: fill it in")
        if name in groups:
            raise DataError(
                f"{table.name}, column {id_column!r}, line {line}: more rows of {name!r} follow those of "
                f"{ids[begin - 1]!r}: sort the file by {id_column} and time"
            )
        groups[name] = np.arange(begin, end)
    return [(name, f"{table.name}, series {name!r}", rows) for name, rows in groups.items()]


def _refuse_unnamed_time(label: str, channels: tuple[str, ...], values: Array) -> None:
    """Refuse a channel with constant steps: it is a time column that data.time_column does not name."""
    if len(values) < 3:
        return
    steps = np.diff(values, axis=0)
    even = (steps[0] != 0) & (np.abs(steps - steps[0]) <= 1e-9 * np.abs(values).max(axis=0)).all(axis=0)
    for channel in np.flatnonzero(even):
        raise DataError(
            f"{label}, column {channels[channel]!r}: changes by {steps[0, channel]:g} in every row, like a time: "
            f'set data.time_column = "{channels[channel]}", or drop the column'
        )
