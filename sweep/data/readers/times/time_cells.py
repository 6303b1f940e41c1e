"""The cells of a time column: which are empty, dates already, or numbers."""

import datetime
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sweep.config.errors import DataError
from sweep.data.readers.table import Table
from sweep.data.readers.times.date_forms import in_range
from sweep.data.types import Array

EMPTY = frozenset({"", "na", "n/a", "#n/a", "nan", "nat", "none", "null", "-"})
EXACT = 2**53  # the largest whole number up to which float64 holds all of them


@dataclass(frozen=True)
class TimeCells:
    """The cells of a time column that are not empty, with what messages need."""

    table: Table
    column: str
    cells: pd.Series  # (row,)
    rows: Array  # (row,), of the table

    def problems(self, bad: Array, what: str, remedy: str) -> list[str]:
        """Return a message about the bad cells, (row,) bool; none without bad cells.

        It names the first of them, whose text replaces {cell} in `what`.
        """
        wrong = np.flatnonzero(bad)
        if not len(wrong):
            return []
        more = f" ({len(wrong)} in all)" if len(wrong) > 1 else ""
        text = what.replace("{cell}", repr(self.cells.iloc[wrong[0]]))
        place = self.table.place(int(self.rows[wrong[0]]))
        return [f"{self.table.name}, column {self.column!r}, {place}: {text}{more}: {remedy}"]

    def refuse(self, bad: Array, what: str, remedy: str) -> None:
        """Refuse the bad cells, see `problems`.

        Raises:
            DataError: there is a bad cell.
        """
        problems = self.problems(bad, what, remedy)
        if problems:
            raise DataError(*problems)


def empty_cells(cells: pd.Series) -> Array:
    """Return which cells hold nothing, or a word for nothing, (row,) bool."""
    missing = cells.isna().to_numpy(dtype=bool)
    if cells.dtype == object or pd.api.types.is_string_dtype(cells.dtype):
        texts = cells.to_numpy(dtype=object)
        short = np.array(
            [isinstance(cell, str) and len(cell) < 5 and cell.lower() in EMPTY for cell in texts]
        )
        return np.asarray(missing | short)
    return np.asarray(missing)


def typed_dates(part: TimeCells) -> tuple[Array, Array | None] | None:
    """Return local clock and UTC of a column whose cells are dates already; None if it holds text or numbers."""
    cells = part.cells
    if isinstance(cells.dtype, pd.PeriodDtype):
        cells = cells.dt.to_timestamp()
    elif cells.dtype == object:
        first = cells.iloc[0]
        if isinstance(first, pd.Period):
            cells = pd.Series(
                [cell.to_timestamp() if isinstance(cell, pd.Period) else None for cell in cells]
            )
        elif isinstance(first, datetime.date | np.datetime64):
            bad = np.array([not isinstance(cell, datetime.date | np.datetime64) for cell in cells])
            part.refuse(bad, "{cell} is not a date, unlike other cells", "correct it")
            stamps = [pd.Timestamp(cell) for cell in cells]
            zoned = np.array([stamp.tzinfo is not None for stamp in stamps])
            part.refuse(
                zoned != zoned[0],
                "{cell} " + ("has no" if zoned[0] else "has a") + " time zone, unlike other cells",
                "write all times with a zone, or all without",
            )
            local = in_range(pd.Series([stamp.tz_localize(None) for stamp in stamps]))
            part.refuse(np.isnat(local), "{cell} is outside of the years 1678 to 2262", "correct it")
            utc = (
                pd.Series([stamp.tz_convert("UTC").tz_localize(None) for stamp in stamps])
                if zoned[0]
                else None
            )
            return local, None if utc is None else in_range(utc)
    if isinstance(cells.dtype, pd.DatetimeTZDtype):
        return in_range(cells.dt.tz_localize(None)), in_range(cells.dt.tz_convert("UTC").dt.tz_localize(None))
    if cells.dtype.kind == "M":
        stamps_ = in_range(cells)
        part.refuse(np.isnat(stamps_), "{cell} is outside of the years 1678 to 2262", "correct it")
        return stamps_, None
    return None


def numbers_in(text: pd.Series, table: Table) -> Array | None:
    """Return finite numbers, int64 if all are whole; None if a cell is not a number."""
    cells = text
    if cells.dtype.kind == "m":
        return np.asarray(cells.to_numpy().astype("timedelta64[ns]").astype(np.int64))
    if cells.dtype == object and isinstance(cells.iloc[0], str) and (table.thousands or table.decimal != "."):
        if table.thousands:
            mark, point = (f"\\{one}" for one in (table.thousands, table.decimal))
            grouped = cells.str.fullmatch(rf"[+-]?\d{{1,3}}(?:{mark}\d{{3}})+(?:{point}\d*)?").fillna(False)
            cells = cells.where(~grouped.astype(bool), cells.str.replace(table.thousands, "", regex=False))
        if table.decimal != ".":
            if cells.str.contains(".", regex=False).any():
                return None
            cells = cells.str.replace(table.decimal, ".", regex=False)
    try:
        numbers = pd.to_numeric(cells, errors="raise").to_numpy()
    except (ValueError, TypeError):
        return None
    if numbers.dtype.kind not in "iuf" or not np.isfinite(numbers).all():
        return None
    if numbers.dtype.kind == "f" and (np.abs(numbers) < EXACT).all() and (numbers == np.rint(numbers)).all():
        return np.asarray(numbers.astype(np.int64))
    if numbers.dtype.kind == "u" and (numbers > np.iinfo(np.int64).max).any():
        return np.asarray(numbers.astype(np.float64))
    return np.asarray(numbers.astype(np.int64 if numbers.dtype.kind in "iu" else np.float64))
