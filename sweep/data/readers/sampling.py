"""The reader of time columns: dates or numbers, which must rise in even steps."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sweep.config.errors import DataError
from sweep.data.types import Array

EVEN = 0.01  # of the step; a larger deviation is irregular, a smaller one is rounding in the file; our choice
SHORTEST_MONTH = 28  # days
OFFSET = r"[T ]\d.*?(Z|[+-]\d{2}(?::?\d{2})?)$"  # from UTC, at the end of a date with a time of day
UNITS = {"day": 86_400, "hour": 3_600, "minute": 60}  # seconds

# What to do where a file seems to hold several series.
SEVERAL = "; if the file contains several series, name the column of their ids in data.id_column"


@dataclass(frozen=True)
class Times:
    """The times at which a series was sampled."""

    stamps: Array | None  # (time,) datetime64; None if the column holds numbers
    step: float | None  # usual distance of two rows; None for a single row
    unit: str  # of the step: "", "month" or "second"

    def differs(self, other: "Times") -> bool:
        """Return whether another series has a different step."""
        if self.step is None or other.step is None:
            return False
        return self.unit != other.unit or abs(self.step - other.step) > EVEN * self.step

    def step_text(self) -> str:
        """Return the step with its unit, such as "15 minutes"."""
        step, unit = self.step or 0.0, self.unit
        if unit == "second":
            unit = next((name for name, seconds in UNITS.items() if step and step % seconds == 0), unit)
            step /= UNITS.get(unit, 1)
        return f"{step:g} {unit}{'' if step == 1 or not unit else 's'}".strip()


def read_times(label: str, column: str, cells: pd.Series, lines: Array, alone: bool = False) -> Times:
    """Return the times of one series, dates or numbers, and their step.

    Dates are ISO 8601, such as 2024-01-31 or 2024-01-31T13:00. Steps of whole months count as even if the day of the
    month is always the same, or always the last. Dates with an offset keep their local time.

    Args:
        label: file and series, for messages.
        column: name of the column, for messages.
        cells: the text of the rows of one series, in the order of the file.
        lines: their lines in the file.
        alone: whether all rows of the file are one series, because it has no column of ids.

    Raises:
        DataError: times are neither dates nor numbers, or are repeated, unsorted, missing or irregular.
    """
    place = f"{label}, column {column!r}, line"
    text = cells.astype(object).str.strip()
    empty = (text == "").to_numpy(dtype=bool)
    if empty.any():
        raise DataError(f"{place} {lines[int(np.argmax(empty))]}: the time is missing: fill it in")
    numbers = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64)
    stamps, times, unit = None, numbers, ""
    if not np.isfinite(numbers).all():
        dates = _stamps(place, text, lines)
        stamps, months = np.asarray(dates), _whole_months(dates)
        seconds = np.asarray((dates - dates[0]) / pd.Timedelta(seconds=1), dtype=np.float64)
        times, unit = (seconds, "second") if months is None else (months, "month")
    known = Times(stamps, float(np.median(np.diff(times))) if len(times) > 1 else None, unit)
    _require_even(place, known, times, text, lines, SEVERAL if alone else "")
    return known


def _stamps(place: str, text: pd.Series, lines: Array) -> pd.DatetimeIndex:
    offsets = text.str.extract(OFFSET, expand=False).fillna("")
    changed = (offsets != offsets.iloc[0]).to_numpy(dtype=bool)
    if changed.any():
        row = int(np.argmax(changed))
        raise DataError(
            f"{place} {lines[row]}: the offset from UTC changes from {offsets.iloc[0] or 'none'} to "
            f"{offsets.iloc[row] or 'none'}: write all times in UTC"
        )
    stamps = pd.to_datetime(text, format="ISO8601", errors="coerce")
    wrong = stamps.isna().to_numpy(dtype=bool)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"{place} {lines[row]}: {text.iloc[row]!r} is neither a number nor an ISO 8601 date: write it as "
            "2024-01-31 or 2024-01-31T13:00"
        )
    return pd.DatetimeIndex(stamps).tz_localize(None)


def _whole_months(stamps: pd.DatetimeIndex) -> Array | None:
    """Return the number of each month if the dates step by whole months, otherwise None."""
    if len(stamps) < 2:
        return None
    steps = np.diff(stamps.to_numpy()) / np.timedelta64(1, "D")
    if np.median(np.abs(steps)) < SHORTEST_MONTH:
        return None
    same_clock = len(set(stamps - stamps.normalize())) == 1
    same_day = len(set(stamps.day)) == 1 or bool(stamps.is_month_end.all())
    if not (same_clock and same_day):
        return None
    return np.asarray(stamps.year * 12 + stamps.month, dtype=np.float64)


def _require_even(
    place: str, known: Times, times: Array, text: pd.Series, lines: Array, several: str
) -> None:
    """Refuse the first step that is zero, negative or different from the usual step."""
    steps, step = np.diff(times), known.step
    if step is None or not _uneven(times).any():
        return
    bad = _uneven(times)
    if (steps < 0).any() and not _uneven(np.sort(times)).any():
        bad = steps < 0  # nothing is missing: rows are out of order
    row = int(np.argmax(bad)) + 1
    before, here, at = text.iloc[row - 1], text.iloc[row], f"{place} {lines[row]}"
    if steps[row - 1] == 0:
        raise DataError(
            f"{at}: {here} is also the time of the line before: keep one row for each time{several}"
        )
    if steps[row - 1] < 0:
        raise DataError(
            f"{at}: {here} comes after the later {before}: sort the rows of a series by time{several}"
        )
    ratio = steps[row - 1] / step if step > 0 else np.nan
    if ratio > 1.5 and abs(ratio - np.rint(ratio)) < EVEN:
        raise DataError(
            f"{at}: a gap: {here} follows {before}, {int(np.rint(ratio)) - 1} missing at a step of "
            f"{known.step_text()}: fill the gap, or cut the series there"
        )
    raise DataError(
        f"{at}: irregular sampling, which is not supported: {here} follows {before}, but the usual step is "
        f"{known.step_text()}: resample to even steps"
    )


def _uneven(times: Array) -> Array:
    """Return which steps are zero, negative or different from the usual step, (time - 1,)."""
    steps = np.diff(times)
    step = np.median(steps)
    return np.asarray((steps <= 0) | (np.abs(steps - step) > EVEN * step))
