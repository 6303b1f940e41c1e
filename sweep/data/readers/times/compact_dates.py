"""Dates that are written like numbers: 20200131, 202001311300, 202001, and months such as 01.2020."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sweep.data.readers.times.date_forms import in_range
from sweep.data.readers.times.steps import evenness
from sweep.data.types import Array

FIRST_YEAR, LAST_YEAR = 1800, 2200  # other years are taken for plain numbers
FORMATS = {6: "%Y%m", 8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}  # by digits
PARTS = ("month", "day", "hour", "minute", "second")
SIZES = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}  # seconds


@dataclass(frozen=True)
class CompactDates:
    """Numbers read as dates."""

    stamps: Array  # (row,), datetime64[ns]
    format: str  # as in strptime
    guessed: bool  # whether the numbers are as even as the dates


def compact_dates(numbers: Array) -> CompactDates | None:
    """Return whole numbers as dates; None if they are plain numbers.

    They are dates if all have the digits of valid dates from 1800 to 2200, and are even as dates, or more even than as
    numbers. Six digits, which can easily be a counter, must be more even as months than as numbers.

    Args:
        numbers: (row,), finite.
    """
    if numbers.dtype.kind not in "iu" or not len(numbers) or numbers.min() <= 0:
        return None
    digits = len(str(int(numbers.max())))
    if digits not in FORMATS or len(str(int(numbers.min()))) != digits:
        return None
    different, codes = np.unique(numbers.astype(np.int64), return_inverse=True)
    year = different // 10 ** (digits - 4)
    if year[0] < FIRST_YEAR or year[-1] > LAST_YEAR:
        return None
    parts = {"month": np.ones_like(year), "day": np.ones_like(year)}
    for number, name in enumerate(PARTS[: (digits - 4) // 2], start=1):
        parts[name] = different // 10 ** (digits - 4 - 2 * number) % 100
    month = ((year - 1970) * 12 + parts["month"] - 1).astype("datetime64[M]")
    length = ((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype(np.int64)
    limits = {"month": (1, 12), "day": (1, length), "hour": (0, 23), "minute": (0, 59), "second": (0, 59)}
    if any(((part < limits[name][0]) | (part > limits[name][1])).any() for name, part in parts.items()):
        return None
    stamps = month.astype("datetime64[ns]")
    for name, size in SIZES.items():
        if name in parts:
            count = parts[name] - (name == "day")
            stamps = stamps + count * np.timedelta64(size, "s").astype("timedelta64[ns]")
    as_dates, as_numbers = evenness(stamps), evenness(different)
    if not (as_dates > as_numbers or (as_dates == 1 and digits > 6)):
        return None
    return CompactDates(stamps[codes], FORMATS[digits], guessed=as_dates <= as_numbers)


def dotted_months(text: pd.Series) -> CompactDates | None:
    """Return text such as 01.2020 as months; None if it is that of plain numbers.

    It is months if every cell is a month with two digits and a year from 1800 to 2200, one of them begins with 0, and
    they are at least as even as the numbers.
    """
    cells = text.astype(object)
    if not cells.str.fullmatch(r"(?:0[1-9]|1[0-2])\.(?:1[89]|2[01])\d\d").eq(True).all():
        return None
    if not cells.str.startswith("0").any():
        return None
    stamps = in_range(pd.to_datetime(cells, format="%m.%Y"))
    as_dates, as_numbers = evenness(stamps), evenness(cells.astype(np.float64).to_numpy())
    return CompactDates(stamps, "%m.%Y", guessed=False) if as_dates >= as_numbers else None
