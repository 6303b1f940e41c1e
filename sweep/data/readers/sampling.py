"""The time column of a series: dates or numbers, which must rise in even steps."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from sweep.config.errors import DataError
from sweep.data.types import Array

EVEN = 0.01  # of the step: more is irregular, less is rounding in the file; our choice
SHORTEST_MONTH = 28  # days
OFFSET = r"[T ]\d.*?(Z|[+-]\d{2}(?::?\d{2})?)$"  # from UTC, at the end of a date with a time of day


def read_times(label: str, column: str, cells: pd.Series, lines: Array) -> Array | None:
    """Return the stamps of dates, (time,) datetime64; None where the column holds numbers.

    Dates are ISO 8601, such as 2024-01-31 or 2024-01-31T13:00. Steps of whole months count as even when the
    day of the month stays the same, or is always the last. Dates with an offset keep their local time.

    Args:
        label: file and series, for messages.
        column: name of the column, for messages.
        cells: the text of the rows of one series, in the order of the file.
        lines: their lines in the file.

    Raises:
        DataError: not dates or numbers, twice the same, unsorted, gaps, irregular.
    """
    place = f"{label}, column {column!r}, line"
    text = cells.astype(object).str.strip()
    empty = (text == "").to_numpy(dtype=bool)
    if empty.any():
        raise DataError(f"{place} {lines[int(np.argmax(empty))]}: the time is missing: fill it in")
    numbers = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64)
    if np.isfinite(numbers).all():
        _require_even(place, numbers, text, lines, "{:g}".format)
        return None
    stamps = _stamps(place, text, lines)
    months = _whole_months(stamps)
    if months is not None:
        _require_even(place, months, text, lines, "{:g} months".format)
    else:
        seconds = np.asarray((stamps - stamps[0]) / pd.Timedelta(seconds=1), dtype=np.float64)
        _require_even(place, seconds, text, lines, lambda step: str(pd.Timedelta(seconds=step)))
    return np.asarray(stamps)


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
    place: str, times: Array, text: pd.Series, lines: Array, show: Callable[[float], str]
) -> None:
    """Refuse the first step that is zero, negative or unlike the median step."""
    steps = np.diff(times)
    if not len(steps):
        return
    step = float(np.median(steps))
    bad = (steps <= 0) | (np.abs(steps - step) > EVEN * step)
    if not bad.any():
        return
    row = int(np.argmax(bad)) + 1
    before, here, at = text.iloc[row - 1], text.iloc[row], f"{place} {lines[row]}"
    if steps[row - 1] == 0:
        raise DataError(f"{at}: {here} stands here and in the line before: keep one row for each time")
    if steps[row - 1] < 0:
        raise DataError(f"{at}: {here} comes after the later {before}: sort the rows of a series by time")
    ratio = steps[row - 1] / step if step > 0 else np.nan
    if ratio > 1.5 and abs(ratio - np.rint(ratio)) < EVEN:
        raise DataError(
            f"{at}: a gap: {here} follows {before}, {int(np.rint(ratio)) - 1} missing at a step of "
            f"{show(step)}: fill the gap, or cut the series there"
        )
    raise DataError(
        f"{at}: irregular sampling, which is not supported: {here} follows {before}, but the usual step is "
        f"{show(step)}: resample to even steps"
    )
