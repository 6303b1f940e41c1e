"""The numbers of a column, text or typed, with what is missing and what cannot be a number."""

import math
import numbers as kinds
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from sweep.data.readers.table import Table
from sweep.data.readers.text.cells import APOSTROPHES, BLANKS, MISSING, is_number
from sweep.data.types import Array

OTHER = {",": ".", ".": ","}
WORDS_MOST = 1000  # different cells that do not end with a digit; a column with more is text. Our choice
CURRENCY = re.compile(r"[$€£¥₹]|\b(?:EUR|USD|GBP|CHF|JPY)\b")


@dataclass(frozen=True)
class Numbers:
    """The numbers of a column."""

    values: Array  # (row,), float64; NaN where missing or not a number
    missing: Array  # (row,), whether a cell holds no value
    problems: tuple[
        str, ...
    ] = ()  # a line that names file, column and first row, and what to do; empty: none


def missing(table: Table, column: str) -> Array:
    """Return which cells of a column hold no value, (row,): empty ones and texts such as NA or -."""
    cells = table.frame[column]
    if cells.dtype.kind in "biufcmM":
        return np.asarray(cells.isna(), dtype=bool)
    return np.fromiter((_is_missing(cell) for cell in cells), dtype=bool, count=len(cells))


def numbers(table: Table, column: str) -> Numbers:
    """Return the numbers of a column, each as Python's `float` reads it.

    Numbers such as -999 that stand for missing values in some files are values here. A text that is not a number, or
    an infinite value, is a problem of the column.
    """
    values, gaps = _parsed(table, column)
    bad = ~np.isfinite(values) & ~gaps
    problems = (_problem(table, column, values, gaps, bad),) if bad.any() else ()
    return Numbers(np.where(bad, np.nan, values), gaps, problems)


def looks_numeric(table: Table, column: str) -> float:
    """Return the share of numbers, infinite ones included, of the cells that are not missing; 0 if all are missing."""
    values, gaps = _parsed(table, column)
    present = int((~gaps).sum())
    return float((~np.isnan(values)).sum() / present) if present else 0.0


def _parsed(table: Table, column: str) -> tuple[Array, Array]:
    """Return values and what is missing, parsed once; a cell that is neither a number nor missing is NaN."""
    if column not in table.parsed:
        table.parsed[column] = _parse(table, column)
    return table.parsed[column]


def _parse(table: Table, column: str) -> tuple[Array, Array]:
    cells = table.frame[column]
    if isinstance(cells.dtype, np.dtype) and cells.dtype.kind in "biuf":
        values = cells.to_numpy(dtype=np.float64, copy=True)
        return values, np.isnan(values)
    if isinstance(cells.dtype, np.dtype) and cells.dtype.kind in "cmM":
        return np.full(len(cells), np.nan), np.asarray(cells.isna(), dtype=bool)
    listed = cells.astype(object).tolist()
    fast = _fast(listed, table)
    if fast is not None:
        return fast
    pattern = _pattern(table)
    values, gaps = np.full(len(listed), np.nan), np.zeros(len(listed), dtype=bool)
    for row, cell in enumerate(listed):
        if _is_missing(cell):
            gaps[row] = True
        elif isinstance(cell, str):
            values[row] = _of_text(cell, pattern, table)
        elif isinstance(cell, (kinds.Real, Decimal, np.bool_)):
            values[row] = _of_number(cell)
    return values, gaps


def _fast(cells: Sequence[Any], table: Table) -> tuple[Array, Array] | None:
    """Return the same as `_parsed`, faster, if all cells are missing or numbers without marks between digits."""
    values = _plain(cells, table)
    if values is not None:
        return values, np.zeros(len(values), dtype=bool)
    try:
        words = {cell for cell in cells if not cell[-1:].isdigit()}
    except (TypeError, AttributeError):
        return None
    # no text for a missing value ends with a digit
    empty = {word for word in words if _is_missing(word)} if len(words) <= WORDS_MOST else set()
    if not empty:
        return None
    values = _plain([cell for cell in cells if cell not in empty], table)
    if values is None:
        return None
    gaps = np.fromiter((cell in empty for cell in cells), dtype=bool, count=len(cells))
    every = np.full(len(cells), np.nan)
    every[~gaps] = values
    return every, gaps


def _plain(cells: Sequence[Any], table: Table) -> Array | None:
    """Return the values of texts, all of them numbers without marks between groups of digits; else None."""
    if table.thousands:
        return None
    try:
        text = "\n".join(cells)
    except TypeError:
        return None
    if not text.isascii() or "_" in text:  # `float` reads 1_000 and digits of other alphabets
        return None
    if table.decimal == "," and "." in text:
        return None
    points = (cell.replace(",", ".") for cell in cells) if table.decimal == "," else cells
    try:
        values = np.fromiter(map(float, points), dtype=np.float64, count=len(cells))
    except ValueError:
        return None
    return None if np.isnan(values).any() else values


def _pattern(table: Table) -> re.Pattern[str]:
    mark = _class(table.thousands)
    whole = rf"(?:[1-9][0-9]{{0,2}}(?:{mark}[0-9]{{3}})+|[0-9]+)" if mark else "[0-9]+"
    point = re.escape(table.decimal)
    return re.compile(
        rf"[+-]?(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?inf(?:inity)?", re.I
    )


def _class(thousands: str) -> str:
    """Return the pattern of a mark between groups of digits; all kinds of blanks are one mark."""
    for alike in (BLANKS, APOSTROPHES):
        if thousands and thousands in alike:
            return f"[{alike}]"
    return re.escape(thousands)


def _of_text(cell: str, pattern: re.Pattern[str], table: Table) -> float:
    cell = cell.strip().replace("\u2212", "-")  # a minus sign of typesetters
    if not pattern.fullmatch(cell):
        return math.nan
    if table.thousands:
        cell = re.sub(_class(table.thousands), "", cell)
    return float(cell.replace(table.decimal, "."))


def _of_number(cell: object) -> float:
    try:
        return float(cell)  # type: ignore[arg-type]
    except OverflowError:
        return math.inf


def _is_missing(cell: object) -> bool:
    if isinstance(cell, str):
        return cell.strip().lower() in MISSING
    if isinstance(cell, Decimal):
        return cell.is_nan()
    return cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, kinds.Real) and cell != cell)


def _problem(table: Table, column: str, values: Array, gaps: Array, bad: Array) -> str:
    row = int(np.argmax(bad))
    cell = table.frame[column].iloc[row]
    shown = repr(cell) if isinstance(cell, str) else str(cell)
    name = f"column {column!r}" if column else "the column without a name"
    place = f"{table.name}, {name}, {table.place(row)}"
    count = f" ({int(bad.sum())} such cells)" if bad.sum() > 1 else ""
    if np.isinf(values[row]):
        return f"{place}: {shown} is not a finite number{count}: correct the value, or leave the cell empty"
    return f"{place}: wanted a number, got {shown}{count}: {_remedy(table, cell, row, bad, gaps)}"


def _remedy(table: Table, cell: object, row: int, bad: Array, gaps: Array) -> str:
    """Return what to do about a cell that is not a number."""
    if isinstance(cell, str):
        if "%" in cell:
            return "write the numbers without percent signs"
        if CURRENCY.search(cell):
            return "write the numbers without currency"
        if is_number(cell):
            decimal = OTHER.get(table.decimal, ".")
            groups = f'data.thousands = "{table.thousands}"' if table.thousands else "no data.thousands"
            return (
                f'numbers are read with data.decimal = "{table.decimal}" and {groups}; correct the value, or set '
                f'data.decimal = "{decimal}" or data.thousands for the whole file'
            )
        if row == 0 and bad.sum() == 1 and len(bad) > 2:
            return "if the line holds units, delete it; otherwise correct the value"
    if bad.sum() > (~bad & ~gaps).sum():
        return "the column holds no numbers: name the columns to forecast in data.channels"
    return "correct the value, leave the cell empty, or name the columns to forecast in data.channels"
