"""The reader of a time column: dates or numbers, the whole column at once."""

import datetime
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from sweep.config.errors import DataError
from sweep.data.facts import Fact
from sweep.data.readers.table import Table
from sweep.data.readers.times.clocks import require_zone
from sweep.data.readers.times.compact_dates import compact_dates, dotted_months
from sweep.data.readers.times.date_forms import in_range, spread
from sweep.data.readers.times.steps import evenness
from sweep.data.readers.times.time_cells import TimeCells, empty_cells, numbers_in, typed_dates
from sweep.data.readers.times.time_text import TextTimes, offset_ns, text_times
from sweep.data.types import Array

SINCE_1970 = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}  # nanoseconds


@dataclass(frozen=True)
class TimeColumn:
    """The times of all rows of a file."""

    name: str
    kind: Literal["dates", "numbers"]
    values: Array  # (row,), datetime64[ns], in UTC if `utc`; or int64 if all are whole numbers, else float64
    local: Array | None  # (row,), datetime64[ns], the local clock, for calendars; None for numbers
    text: pd.Series  # (row,), cells as written, for messages
    facts: tuple[Fact, ...]
    utc: bool = False  # whether `values` are in UTC; otherwise dates have no zone, and `values` is `local`


def read_time_column(table: Table, column: str, time_format: str = "", time_zone: str = "") -> TimeColumn:
    """Return the times of a column; its format is recognised if it is not given.

    Local times without an offset stay local: which of two equal hours at a change of clocks is the first is found for
    each series, see `sweep.data.readers.times.grid`.

    Args:
        table: the file.
        column: name of the column.
        time_format: data.time_format; as in strptime; or s, ms, us, ns: numbers since 1970; empty: recognised.
        time_zone: data.time_zone, the zone of local times, and the local clock of others; empty: none.

    Raises:
        DataError: cells are empty, not times, or fit several formats, or a setting is invalid; one line for each.
    """
    require_zone(time_zone)
    if time_format and "%" not in time_format and time_format not in SINCE_1970:
        raise DataError(
            f"data.time_format: wanted directives of strptime such as %Y-%m-%d %H:%M, or one of "
            f"{', '.join(SINCE_1970)} for numbers since 1970, got {time_format!r}"
        )
    cells = _plain(table.frame[column])
    empty = empty_cells(cells)
    if empty.all():
        raise DataError(
            f"{table.name}, column {column!r}: no cell holds a time: fill them in, or drop the column"
        )
    every = TimeCells(table, column, cells, np.arange(len(cells)))
    problems = every.problems(empty, "the time is missing", "fill it in, or drop the row")
    if not problems:
        return _times(every, time_format, time_zone)
    rows = np.flatnonzero(~empty)
    try:  # so that the other problems of the column are in the same message
        _times(
            TimeCells(table, column, cells.iloc[rows].reset_index(drop=True), rows), time_format, time_zone
        )
    except DataError as error:
        problems += error.problems
    raise DataError(*problems)


def looks_like_times(table: Table, column: str) -> bool:
    """Return whether the cells of a column are dates, not plain numbers, judged on a sample."""
    cells = _plain(table.frame[column])
    if isinstance(cells.dtype, pd.DatetimeTZDtype | pd.PeriodDtype) or cells.dtype.kind == "M":
        return True
    if pd.api.types.is_bool_dtype(cells.dtype) or cells.dtype.kind in "mfc" or not len(cells):
        return False
    if cells.dtype.kind in "iu":
        return compact_dates(cells.to_numpy()) is not None
    sample = cells.iloc[spread(len(cells))].astype(object)
    sample = sample[~empty_cells(sample)]
    if not len(sample):
        return False
    if not all(isinstance(cell, str) for cell in sample):
        return all(isinstance(cell, datetime.date | pd.Period | np.datetime64) for cell in sample)
    if numbers_in(sample, table) is not None:
        whole = (
            numbers_in(cells[~empty_cells(cells)], table)
            if sample.str.fullmatch(r"\d{6,14}|\d\d\.\d{4}").all()
            else None
        )
        return whole is not None and (compact_dates(whole) is not None or dotted_months(cells) is not None)
    readings = text_times(pd.unique(sample).astype(object))
    return bool(readings) and bool(np.isnat(readings[0].local).mean() <= 0.1)


def _plain(cells: pd.Series) -> pd.Series:
    """Return the cells of a categorical column by their own type, others as they are."""
    categorical = isinstance(cells.dtype, pd.CategoricalDtype)
    return cells.astype(cells.cat.categories.dtype) if categorical else cells


def _times(part: TimeCells, time_format: str, time_zone: str) -> TimeColumn:
    cells = part.cells
    typed = typed_dates(part)
    if typed is not None:
        stamps, utc = typed
        fact = Fact("time format", "dates, as the file stores them")
        return _dates(part, stamps, utc, time_zone, (fact,))
    text = cells if cells.dtype.kind == "m" else cells.astype(object)  # durations are numbers
    if (
        cells.dtype.kind != "m"
        and not all(isinstance(cell, str) for cell in text)
        and not pd.api.types.is_numeric_dtype(cells.dtype)
    ):
        bad = np.array([not isinstance(cell, str | int | float | np.number) for cell in text])
        part.refuse(bad, "{cell} is neither a date nor a number", "correct it")
        text = text.map(str)
    if time_format in SINCE_1970:
        return _since_1970(part, text, time_format, time_zone)
    numbers = numbers_in(text, part.table)
    if time_format:
        whole = numbers is not None and numbers.dtype.kind == "i" and not isinstance(text.iloc[0], str)
        return _by_format(part, (pd.Series(numbers) if whole else text).map(str), time_format, time_zone)
    if numbers is not None:
        return _dates_in_numbers(part, text, numbers, time_zone)
    codes, different = pd.factorize(text.map(str).to_numpy(dtype=object))
    readings = text_times(different)
    chosen, facts = _chosen(part, codes, different, readings)
    clock = chosen.local[codes]
    wrong = np.isnat(clock)
    example = different[int(np.argmin(np.isnat(chosen.local)))]
    offset = "no offset" if chosen.utc is not None else "an offset"
    problems = [
        *part.problems(wrong, "{cell}" + f" is not a time like {example!r}", _remedy(chosen.format)),
        *part.problems(
            chosen.unlike[codes] & ~wrong,
            "{cell}" + f" has {offset} from UTC, unlike other cells",
            "write all times with an offset, or all without",
        ),
    ]
    if problems:
        raise DataError(*problems)
    return _dates(part, clock, None if chosen.utc is None else chosen.utc[codes], time_zone, facts)


def _remedy(format_: str) -> str:
    return f"correct it, or set data.time_format{f' (now understood as {format_})' if format_ else ''}"


def _chosen(
    part: TimeCells, codes: Array, different: Array, readings: list[TextTimes]
) -> tuple[TextTimes, tuple[Fact, ...]]:
    """Return the reading of the column, and the fact of it."""
    if not readings or np.isnat(readings[0].local).all():
        words = pd.to_numeric(pd.Series(different), errors="coerce").isna().to_numpy()[codes]
        if words.mean() < 0.5:
            part.refuse(words, "{cell} is not a number, unlike most cells", "correct it")
        part.refuse(
            np.ones(len(codes), dtype=bool),
            "{cell} is neither a number nor a date in a known form, from 1678 to 2262",
            'write times as 2024-01-31 13:00, or set data.time_format, such as "%d.%m.%Y %H:%M"',
        )
    if len(readings) == 1:
        (only,) = readings
        example = different[int(np.argmin(np.isnat(only.local)))]
        text = f"{only.format or 'dates'}, such as {example}"
        open_ = only.format in ("%b-%y", "%b %y", "%b/%y")
        key = f'time_format = "{only.format}"' if only.format else ""
        return only, (Fact("time format", text, key, guessed=open_),)
    even = [one for one in readings if evenness(one.local) == 1.0]
    keys = " or ".join(f'data.time_format = "{one.format}"' for one in readings)
    if len(even) != 1:
        part.refuse(np.ones(len(codes), dtype=bool), "{cell} can be read in several ways", f"set {keys}")
    others = ", ".join(one.format for one in readings if one is not even[0])
    key = f'time_format = "{even[0].format}"'
    text = f"{even[0].format}, such as {different[0]} (with it the steps are even; {others} also fits)"
    return even[0], (Fact("time format", text, key, guessed=True),)


def _dates(
    part: TimeCells, local: Array, utc: Array | None, time_zone: str, facts: tuple[Fact, ...]
) -> TimeColumn:
    """Return a column of dates; with a zone, times in UTC get its local clock."""
    if utc is None:
        return TimeColumn(part.column, "dates", local, local, part.cells, facts)
    if time_zone:
        local = np.asarray(
            pd.DatetimeIndex(utc)
            .tz_localize("UTC")
            .tz_convert(time_zone)
            .tz_localize(None)
            .as_unit("ns")
            .to_numpy()
        )
    return TimeColumn(part.column, "dates", utc, local, part.cells, facts, utc=True)


def _dates_in_numbers(part: TimeCells, text: pd.Series, numbers: Array, time_zone: str) -> TimeColumn:
    """Return the dates that numbers such as 20200131 or text such as 01.2020 mean, or plain numbers."""
    compact = compact_dates(numbers) or (dotted_months(text) if isinstance(text.iloc[0], str) else None)
    if compact is not None:
        note = " (as plain numbers they are even as well)" if compact.guessed else ""
        said = f"{compact.format}, such as {text.iloc[0]}{note}"
        fact = Fact("time format", said, f'time_format = "{compact.format}"', compact.guessed)
        return _dates(part, compact.stamps, None, time_zone, (fact,))
    said, middle = "numbers", float(np.median(numbers))
    for unit, size in SINCE_1970.items():
        if 3e8 < middle * size / 1e9 < 4.5e9:  # 1979 to 2112
            said = f'numbers (to read them as dates: time_format = "{unit}")'
    return TimeColumn(part.column, "numbers", numbers, None, part.cells, (Fact("time format", said),))


def _since_1970(part: TimeCells, text: pd.Series, unit: str, time_zone: str) -> TimeColumn:
    numbers = numbers_in(text, part.table)
    if numbers is None:
        single = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64)
        part.refuse(
            ~np.isfinite(single), "{cell} is not a number", f'data.time_format = "{unit}" needs numbers'
        )
        raise DataError(f"{part.table.name}, column {part.column!r}: not numbers; correct data.time_format")
    size = SINCE_1970[unit]
    outside = np.abs(numbers.astype(np.float64)) * size > 9.2e18
    part.refuse(
        outside,
        "{cell}" + f" {unit} since 1970 is outside of the years 1678 to 2262",
        "correct data.time_format",
    )
    whole = np.floor(numbers).astype(np.int64)  # apart, so that float64 keeps the fraction
    stamps = (whole * size + np.rint((numbers - whole) * size).astype(np.int64)).astype("datetime64[ns]")
    return _dates(part, stamps, stamps, time_zone, ())


def _by_format(part: TimeCells, text: pd.Series, time_format: str, time_zone: str) -> TimeColumn:
    codes, different = pd.factorize(text.to_numpy(dtype=object))
    zoned = "%z" in time_format or "%Z" in time_format
    try:
        stamps = pd.to_datetime(pd.Series(different), format=time_format, errors="coerce", utc=zoned)
    except ValueError as error:
        raise DataError(
            f"data.time_format: {time_format!r} is not a format of strptime ({error}): correct it"
        ) from None
    clock = in_range(stamps.dt.tz_localize(None) if zoned else stamps)
    if np.isnat(clock).any():  # cells that strptime cannot read, such as midnight without its time of day
        for one in text_times(different):
            if one.format == time_format and not (np.isnat(one.local) | one.unlike).any():
                return _dates(
                    part, one.local[codes], None if one.utc is None else one.utc[codes], time_zone, ()
                )
    part.refuse(
        np.isnat(clock)[codes],
        "{cell}" + f' is not a time by data.time_format = "{time_format}"',
        "correct the cell or the format",
    )
    if not zoned:
        return _dates(part, clock[codes], None, time_zone, ())
    if time_format.endswith("%z"):
        found = pd.Series(different).str.extract(r"([+-]\d\d:?\d\d|Z)$", expand=False).fillna("")
        shifts = np.array([offset_ns(one) for one in found], dtype=np.int64).astype("timedelta64[ns]")
    else:  # somewhere inside of the text
        away = [datetime.datetime.strptime(one, time_format).utcoffset() for one in different]
        shifts = np.array([np.timedelta64(one or datetime.timedelta(), "ns") for one in away])
    return _dates(part, (clock + shifts)[codes], clock[codes], time_zone, ())
