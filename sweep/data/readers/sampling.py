"""The time column of a series: dates or numbers, which must rise in even steps."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sweep.config.errors import DataError
from sweep.data.types import Array

EVEN = 0.01  # of the step: more is irregular, less is rounding in the file; our choice
SHORTEST_MONTH = 28  # days
OFFSET = r"[T ]\d.*?(Z|[+-]\d{2}(?::?\d{2})?)$"  # from UTC, at the end of a date with a time of day


SEVERAL = "; if the file holds several series, name the column that tells them apart as data.id_column"


@dataclass(frozen=True)
class Times:
    """When a series was sampled."""

    stamps: Array | None  # (time,) datetime64; None where the column holds numbers
    step: float | None  # usual distance of two rows; None where there is one row
    unit: str  # of the step: "", "months" or "seconds"

    def unlike(self, other: "Times") -> bool:
        """Return whether another series has other steps than this one."""
        if self.step is None or other.step is None:
            return False
        return self.unit != other.unit or abs(self.step - other.step) > EVEN * self.step

    def words(self) -> str:
        """Return the step as text: `1 hour` is `0 days 01:00:00`, as pandas writes it."""
        step = self.step or 0.0
        return str(pd.Timedelta(seconds=step)) if self.unit == "seconds" else f"{step:g} {self.unit}".strip()


def read_times(label: str, column: str, cells: pd.Series, lines: Array, alone: bool = False) -> Times:
    """Return the dates, or the counted times, of one series and their step.

    Dates are ISO 8601, such as 2024-01-31 or 2024-01-31T13:00. Steps of whole months count as even when the
    day of the month stays the same, or is always the last. Dates with an offset keep their local time.

    Args:
        label: file and series, for messages.
        column: name of the column, for messages.
        cells: the text of the rows of one series, in the order of the file.
        lines: their lines in the file.
        alone: whether the file has no column of ids, so that all of its rows are one series.

    Raises:
        DataError: not dates or numbers, twice the same, unsorted, gaps, irregular.
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
        times, unit = (seconds, "seconds") if months is None else (months, "months")
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
    """Return the number of each month if the dates step by whole months, else None."""
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
    """Refuse the first step that is zero, negative or unlike the usual one."""
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
            f"{at}: {here} stands here and in the line before: keep one row for each time{several}"
        )
    if steps[row - 1] < 0:
        raise DataError(
            f"{at}: {here} comes after the later {before}: sort the rows of a series by time{several}"
        )
    ratio = steps[row - 1] / step if step > 0 else np.nan
    if ratio > 1.5 and abs(ratio - np.rint(ratio)) < EVEN:
        raise DataError(
            f"{at}: a gap: {here} follows {before}, {int(np.rint(ratio)) - 1} missing at a step of "
            f"{known.words()}: fill the gap, or cut the series there"
        )
    raise DataError(
        f"{at}: irregular sampling, which is not supported: {here} follows {before}, but the usual step is "
        f"{known.words()}: resample to even steps"
    )


def _uneven(times: Array) -> Array:
    """Return which steps are zero, negative or unlike the usual one."""
    steps = np.diff(times)
    step = np.median(steps)
    return np.asarray((steps <= 0) | (np.abs(steps - step) > EVEN * step))
