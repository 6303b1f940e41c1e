"""The past and the known inputs that a user gives, as networks read them: arrays or data frames."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sweep.config.errors import DataError
from sweep.config.text import plural
from sweep.data.readers.frames import table_of
from sweep.data.types import Array
from sweep.forecast.export.card import Card, Step

EVEN = 0.01  # of the step; a larger deviation is another step; our choice
HOUR = pd.Timedelta(hours=1)  # by which local clocks change, from Friday to Sunday before MORNING
FRIDAY, MORNING = 4, 5


@dataclass(frozen=True)
class Given:
    """What the networks read, and the form of the answer."""

    past: Array  # (series, past step, channel), data units
    known: Array  # (series, warm-up + steps, feature)
    rows: Array  # (series,), rows of statistics
    frame: pd.DataFrame | None  # (series x steps) columns of the answer before the channels; None: an array
    channels: tuple[str, ...]
    flat: bool  # whether the past was one series without an axis for it

    def answer(self, values: Array) -> Any:
        """Return forecasts (series, step, channel) in the form of the past."""
        if self.frame is None:
            return values[0] if self.flat else values
        forecast = pd.DataFrame(values.reshape(-1, values.shape[-1]), columns=list(self.channels))
        return pd.concat([self.frame, forecast], axis=1)


def given_past(card: Card, past: Any, steps: int, known: Any) -> Given:
    """Return what the networks of a card read; see `LoadedForecaster.forecast`.

    Raises:
        DataError: the past or the known inputs do not fit the networks.
    """
    if steps < 1:
        raise DataError(f"wanted at least 1 step to forecast, got {steps}")
    if isinstance(past, pd.DataFrame):
        return _from_frames(card, past, steps, known)
    return _from_arrays(card, np.asarray(past), steps, known)


@dataclass(frozen=True)
class _Series:
    """One series: its last rows and what is known of the steps after them."""

    label: str  # for messages
    values: Array  # (past step, channel)
    inputs: Array  # (past step + steps, input), data units
    times: pd.DatetimeIndex | None  # of the same rows


def _read(
    card: Card, series: Sequence[_Series], rows: Sequence[int], steps: int
) -> tuple[Array, Array, Array]:
    coding, length = card.coding, card.coding.warmup + steps
    known = [
        coding.known_inputs(
            None if one.times is None else np.asarray(one.times.as_unit("ns"))[-length:], one.inputs[-length:]
        )
        for one in series
    ]
    return np.stack([one.values for one in series]), np.stack(known), np.asarray(rows)


def _from_arrays(card: Card, past: Array, steps: int, known: Any) -> Given:
    coding, channels, inputs = card.coding, len(card.coding.channels), len(card.coding.known)
    if coding.calendar:
        raise DataError(
            f"the networks read the calendar ({', '.join(coding.calendar)}): give the past as a data frame with the "
            f"column of times {card.columns.time!r}"
        )
    if coding.series and not (coding.mean == coding.mean[0]).all():
        raise DataError(
            "each series is scaled by its own statistics: give the past as a data frame with the column of names "
            f"{card.columns.series!r}"
        )
    flat = past.ndim == 2
    names = ", ".join((*coding.channels, *coding.known))
    values = _numbers(past[None] if flat else past, f"the past, columns {names}", channels + inputs)
    later = np.zeros((len(values), steps, inputs))
    if known is not None:
        ahead = np.asarray(known)
        later = _numbers(
            ahead[None] if ahead.ndim == 2 else ahead, f"known, columns {', '.join(coding.known)}", inputs
        )
        if later.shape[:2] != (len(values), steps):
            raise DataError(f"known: wanted {plural(steps, 'row')} for each series, got shape {ahead.shape}")
    elif inputs:
        _require_static(card)
        later = np.repeat(values[:, -1:, channels:], steps, axis=1)
    need = coding.past_steps
    _require_rows("the past", values.shape[1], need)
    last = values[:, -need:]
    series = [
        _Series("", one[:, :channels], np.concatenate([one[:, channels:], ahead]), None)
        for one, ahead in zip(last, later, strict=True)
    ]
    read = _read(card, series, [coding.row_of("")] * len(series), steps)
    return Given(*read, None, coding.channels, flat)


def _from_frames(card: Card, past: pd.DataFrame, steps: int, known: Any) -> Given:
    column, time = card.columns.series, card.columns.time
    groups = _groups(past, "past", card)
    if known is None:
        later: dict[str, pd.DataFrame] = {}
        _require_static(card)
    elif isinstance(known, pd.DataFrame):
        later = _groups(known, "known", card)
    else:
        raise DataError("known: wanted a data frame, as the past is one")
    series, frames = [], []
    for name, frame in groups.items():
        one = _series_of(card, name, frame, later.get(name), steps, known is not None)
        series.append(one)
        head = {column: [name] * steps} if name else {}
        if one.times is not None:
            head[time] = one.times[-steps:]
        frames.append(pd.DataFrame(head, index=range(steps)))
    read = _read(card, series, [card.coding.row_of(name) for name in groups], steps)
    return Given(*read, pd.concat(frames, ignore_index=True), card.coding.channels, False)


def _series_of(
    card: Card, name: str, frame: pd.DataFrame, later: pd.DataFrame | None, steps: int, given: bool
) -> _Series:
    coding, need = card.coding, card.coding.past_steps
    label = f"series {name!r}" if name else "the past"
    _require_rows(label, len(frame), need)
    frame = frame.iloc[-need:]
    values = _columns(frame, (*coding.channels, *coding.known), label)
    channels = len(coding.channels)
    ahead = np.repeat(values[-1:, channels:], steps, axis=0)
    if given:
        if later is None or len(later) < steps:
            rows = 0 if later is None else len(later)
            raise DataError(f"{label}: wanted {plural(steps, 'row')} of known inputs, got {rows}")
        later = later.iloc[:steps]
        for k, key in enumerate(coding.known):
            if key in later or key not in coding.static:
                ahead[:, k] = _columns(later, (key,), f"{label}, known")[:, 0]
    times = _times(card, frame, label)
    if times is not None:
        after = None if later is None or not given else _times(card, later, label, required=False)
        _require_even(times, card.step, label)
        times = times.append(times_after(times, steps, card.step) if after is None else after)
    return _Series(label, values[:, :channels], np.concatenate([values[:, channels:], ahead]), times)


def times_after(times: pd.DatetimeIndex, steps: int, step: Step | None) -> pd.DatetimeIndex:
    """Return the times of the next steps on the local clock: months keep their day, weekdays skip weekends."""
    assert step is not None
    last, ahead = times[-1], np.arange(1, steps + 1)
    clock = last - last.normalize()
    if step.unit == "month":
        months = last.to_period("M") + ahead * int(step.number)
        days = pd.PeriodIndex(months)
        day = np.minimum(times.day.max(), days.days_in_month)
        return days.to_timestamp() + pd.to_timedelta(day - 1, unit="D") + clock
    if step.unit == "weekday":
        dates = np.busday_offset(np.datetime64(last.date()), ahead * int(step.number), roll="forward")
        return pd.DatetimeIndex(dates) + clock
    return last + pd.to_timedelta(ahead * step.number, unit="s")


def _groups(frame: pd.DataFrame, what: str, card: Card) -> dict[str, pd.DataFrame]:
    """Return the rows of each series by name; "" without a column of names. An index of times is a column."""
    table = table_of(frame, what).frame
    if "" in table and card.columns.time and card.columns.time not in table:
        table = table.rename(columns={"": card.columns.time})
    if not len(table):
        raise DataError(f"{what}: no rows")
    if card.columns.series not in table:
        return {"": table}
    return {str(name): rows for name, rows in table.groupby(card.columns.series, sort=False)}


def _columns(frame: pd.DataFrame, names: Sequence[str], label: str) -> Array:
    missing = [name for name in names if name not in frame]
    if missing:
        raise DataError(f"{label}: no column {missing[0]!r}; wanted {', '.join(names)}")
    values = frame[list(names)].to_numpy()[None]
    return np.asarray(_numbers(values, f"{label}, columns {', '.join(names)}", len(names))[0])


def _numbers(values: Array, label: str, width: int) -> Array:
    if values.ndim != 3 or values.shape[2] != width:
        raise DataError(f"{label}: wanted {plural(width, 'column')}, got shape {values.shape}")
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{label}: wanted numbers, got {error}") from None
    if not np.isfinite(numbers).all():
        raise DataError(f"{label}: a value is missing or not finite: fill it in")
    return np.asarray(numbers)


def _times(card: Card, frame: pd.DataFrame, label: str, required: bool = True) -> pd.DatetimeIndex | None:
    """Return the times of rows on the local clock; None if the networks' data have none."""
    name = card.columns.time
    if not name or (name not in frame and not required):
        return None
    if name not in frame:
        raise DataError(f"{label}: no column of times {name!r}")
    try:
        times = pd.DatetimeIndex(pd.to_datetime(frame[name], format="ISO8601"))
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{label}, column {name!r}: wanted times, got {' '.join(str(error).split())}"
        ) from None
    if times.hasnans:
        raise DataError(f"{label}, column {name!r}: a time is missing")
    return times.tz_localize(None)


def _require_even(times: pd.DatetimeIndex, step: Step | None, label: str) -> None:
    """Refuse times that fall, and distances that are no step; clocks may change by an hour."""
    if len(times) < 2 or step is None:
        return
    distances = times[1:] - times[:-1]
    if times[0] > times[-1]:
        raise DataError(f"{label}: wanted the oldest row first, got {times[0]} before {times[-1]}")
    if step.unit != "second":
        return
    size = pd.Timedelta(seconds=step.number)
    odd = np.abs(distances - size) > EVEN * size
    night = (times[1:].day_of_week >= FRIDAY) & (times[1:].hour < MORNING)
    odd &= ~night | (np.abs(np.abs(distances - size) - HOUR) > EVEN * size)
    if odd.any():
        row = int(np.argmax(odd))
        raise DataError(
            f"{label}: wanted rows {step.text} apart, got {times[row]}, then {times[row + 1]}: fill in what is missing"
        )


def _require_rows(label: str, rows: int, need: int) -> None:
    if rows < need:
        raise DataError(f"{label}: wanted at least {plural(need, 'row')}, got {rows}: give a longer past")


def _require_static(card: Card) -> None:
    """Refuse to go without the future of an input that is not constant."""
    inputs = [name for name in card.coding.known if name not in card.coding.static]
    if inputs:
        raise DataError(f"the networks need the future of {', '.join(inputs)}: give it as `known`")
