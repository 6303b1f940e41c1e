"""Steps of time: even numbers, months and weekdays, and how a step is written."""

import math
import re
from dataclasses import dataclass

import numpy as np

from sweep.data.types import Array

EVEN = 0.01  # of the step; a larger deviation is irregular, a smaller one is rounding in the file; our choice
HOLE = 10  # steps; a longer distance of two samples is a hole, not sampling; our choice
USUAL = 0.5  # least share of the distances that are one weekday; our choice
SECONDS = {"day": 86_400, "hour": 3_600, "minute": 60}
MONTHS = {"year": 12, "quarter": 3}
UNITS = {  # seconds, as pandas writes them
    **{"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3_600.0, "D": 86_400.0},
    **{"sec": 1.0, "T": 60.0, "H": 3_600.0, "d": 86_400.0, "W": 604_800.0, "w": 604_800.0},
}
ROUND = {  # counts of a unit that people use, each with the unit's text in data.resample
    "s": (1, 2, 5, 10, 15, 20, 30),
    "min": (1, 2, 5, 10, 15, 20, 30),
    "h": (1, 2, 3, 6, 12),
    "D": (1, 2, 5, 10, 15, 20, 30),
}


@dataclass(frozen=True)
class Step:
    """The distance of two rows of a series."""

    number: float | None  # an int if it is whole; None for a single row
    unit: str  # "", "second", "month" or "weekday"
    one_week: bool = False  # of days without a weekend between them: may be weekdays as well

    @property
    def text(self) -> str:
        """Return the step with its unit, such as "15 minutes", "1 quarter" or "10000"."""
        if self.number is None:
            return "unknown"
        number, unit = self.number, self.unit
        larger = {"second": SECONDS, "month": MONTHS}.get(unit, {})
        for name, size in larger.items():
            if number and number % size == 0:
                number, unit = number // size, name
                break
        figure = str(int(number)) if number == int(number) and abs(number) < 1e15 else f"{number:.5g}"
        return f"{figure} {unit}{'' if number == 1 or not unit else 's'}".strip()

    def differs(self, other: "Step") -> bool:
        """Return whether another series has a different step; a step that is not known does not differ."""
        if self.number is None or other.number is None:
            return False
        if self.unit != other.unit:
            days, weekdays = (self, other) if other.unit == "weekday" else (other, self)
            return not (weekdays.unit == "weekday" and days.one_week)
        return abs(self.number - other.number) > EVEN * self.number


def whole_steps(times: Array) -> tuple[Array, float | None] | None:
    """Return the positions of rising numbers in steps, and the step; None if they are irregular.

    The step is the median distance, the lower one of two. Times are regular if each distance is one step within EVEN,
    or a gap of several whole steps; so at least half are one step. Integers are compared as integers.

    Args:
        times: (row,), int64 or float64, strictly rising.

    Returns:
        (row,) int64 from 0, and the step, an int for integers; None for a single row.
    """
    if len(times) < 2:
        return np.zeros(len(times), dtype=np.int64), None
    distances = np.diff(times)
    step = np.sort(distances)[(len(distances) - 1) // 2]
    one = np.abs(distances - step) <= EVEN * step
    mean = float(np.mean(distances[one]))  # of rounded times, closer than the median
    ratio = distances / mean
    whole = np.rint(ratio)
    tolerance = np.minimum(0.25, EVEN * (1 + ratio / one.sum()))
    if ((np.abs(ratio - whole) > tolerance) & ~one).any() or (whole < 1).any():
        return None
    steps = np.where(one, 1, whole).astype(np.int64)
    return np.concatenate([[0], np.cumsum(steps)]), step.item()


def month_numbers(local: Array) -> Array | None:
    """Return the month of each date, counted from 1970, if the dates mark months; otherwise None.

    They mark months if there is one for a month, at the same time of day, and all are on the same day of the month (the
    last one where a month is shorter), or on the first or last weekday.

    Args:
        local: (row,), datetime64[ns], rising.
    """
    days, months = local.astype("datetime64[D]"), local.astype("datetime64[M]")
    number = months.astype(np.int64)
    if len(local) < 2 or (np.diff(number) < 1).any() or not same_clock(local):
        return None
    return (
        number if any((days == marked).all() for marked in month_days(months, day_of_month(days))) else None
    )


def month_days(months: Array, day: int) -> tuple[Array, Array, Array]:
    """Return the days that can mark months: the same day of each, the last weekday, the first weekday.

    Args:
        months: (row,), datetime64[M].
        day: of the month, from 1; the last one where a month is shorter.
    """
    first, after = months.astype("datetime64[D]"), (months + 1).astype("datetime64[D]")
    length = (after - first).astype(np.int64)
    return (
        first + (np.minimum(day, length) - 1),
        np.busday_offset(after, -1, roll="forward"),
        np.busday_offset(first, 0, roll="forward"),
    )


def day_of_month(days: Array) -> int:
    """Return the latest day of the month among some days, from 1."""
    return int((days - days.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64).max()) + 1


def weekday_positions(local: Array) -> Array | None:
    """Return the weekdays, Monday to Friday, since the first date; None if the dates are not those of weekdays.

    Args:
        local: (row,), datetime64[ns], rising.

    Returns:
        (row,) int64 from 0. None also where no weekend is between two of the dates: these are plain days.
    """
    days = local.astype("datetime64[D]")
    if len(days) < 2 or not same_clock(local) or not np.is_busday(days).all():
        return None
    position = np.busday_count(days[0], days).astype(np.int64)
    if (np.diff(position) < 1).any() or position[-1] == (days[-1] - days[0]).astype(np.int64):
        return None
    return position if (np.diff(position) == 1).mean() >= USUAL else None


def evenness(times: Array) -> float:
    """Return the share of distances that are the usual one, of all different times of a column, 0 to 1.

    Dates may also be even as months or weekdays.
    """
    different = np.sort(times[~np.isnat(times)] if times.dtype.kind == "M" else times)
    different = (
        different[np.concatenate([[True], different[1:] != different[:-1]])] if len(different) else different
    )
    if len(different) < 3:
        return 1.0
    readings = [different]
    if different.dtype.kind == "M":
        months, weekdays = month_numbers(different), weekday_positions(different)
        readings = [different.astype(np.int64), *(one for one in (months, weekdays) if one is not None)]
    shares = []
    for reading in readings:
        distances = np.diff(reading)
        step = np.sort(distances)[(len(distances) - 1) // 2]
        shares.append(float((np.abs(distances - step) <= EVEN * step).mean()))
    return max(shares)


def parse_step(text: str) -> float:
    """Return a step such as "10s", "15min", "0.5h" or "1D" in seconds, or a plain number as it is.

    Raises:
        ValueError: the text is neither, or not positive and finite.
    """
    match = re.fullmatch(r"\s*(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)?\s*([A-Za-z]*)\s*", text)
    known = match is not None and (match[2] in UNITS or (match[2] == "" and match[1] is not None))
    value = float(match[1] or 1) * UNITS.get(match[2], 1.0) if match and known else 0.0
    if not 0 < value < math.inf:
        raise ValueError(f"wanted a step such as 10s, 15min, 1h or 1D, or a number such as 0.5, got {text!r}")
    return value


def has_unit(text: str) -> bool:
    """Return whether a step is written with a unit of time."""
    return bool(re.search(r"[A-Za-z]\s*$", text))


def resample_text(times: Array, dates: bool) -> str:
    """Return the step to which irregular times can be resampled, as data.resample takes it.

    It is their mean distance without the holes, rounded to a usual number.

    Args:
        times: (row,), rising; nanoseconds for dates.
        dates: whether the times are dates.
    """
    distances = np.diff(np.unique(times)).astype(np.float64)
    if len(distances) == 0:
        return "1s" if dates else "1"
    mean = float(distances[distances <= HOLE * np.median(distances)].mean())
    if not dates:
        return f"{_one_two_five(mean):.12g}"
    seconds = mean / 1e9
    if seconds < ROUND["s"][0] * 0.75:
        unit = next((name for name in ("ms", "us") if seconds >= 0.75 * UNITS[name]), "ns")
        return f"{max(1.0, _one_two_five(seconds / UNITS[unit])):.12g}{unit}"
    sizes = [(count * UNITS[unit], f"{count}{unit}") for unit, counts in ROUND.items() for count in counts]
    if seconds > 1.5 * sizes[-1][0]:
        return f"{_one_two_five(seconds / UNITS['D']):.12g}D"
    return min(sizes, key=lambda size: abs(math.log(size[0] / seconds)))[1]


def same_clock(local: Array) -> bool:
    """Return whether all dates have the same time of day."""
    clock = local - local.astype("datetime64[D]")
    return bool((clock == clock[0]).all())


def _one_two_five(value: float) -> float:
    """Return the nearest number 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return min((count * power for count in (1, 2, 5, 10)), key=lambda one: abs(math.log(one / value)))
