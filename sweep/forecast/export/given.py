"""The past and the known inputs that a user gives, as networks read them: arrays or data frames."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from sweep.config.errors import DataError
from sweep.config.text import plural
from sweep.data.readers.frames import table_of
from sweep.data.readers.numbers import numbers
from sweep.data.readers.table import Table
from sweep.data.readers.times.grid import grid_of
from sweep.data.readers.times.steps import Step as GridStep
from sweep.data.readers.times.time_column import read_time_column
from sweep.data.readers.times.timeline import GridTimeline
from sweep.data.types import Array
from sweep.forecast.export.card import Card


@dataclass(frozen=True)
class Given:
    """What the networks read, and the form of the answer."""

    past: Array  # (series, past step, channel), data units
    known: Array  # (series, warm-up + steps, feature)
    rows: Array  # (series,), rows of statistics
    names: tuple[str, ...]  # of the series, as in the tables; empty names where there are none
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

    values: Array  # (past step, channel)
    inputs: Array  # (past step + steps, input), data units
    times: Array | None  # of the same rows, datetime64[ns], the local clock


def _read(
    card: Card, series: Sequence[_Series], rows: Sequence[int], steps: int
) -> tuple[Array, Array, Array]:
    coding, length = card.coding, card.coding.warmup + steps
    known = [
        coding.known_inputs(None if one.times is None else one.times[-length:], one.inputs[-length:])
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
        _Series(one[:, :channels], np.concatenate([one[:, channels:], ahead]), None)
        for one, ahead in zip(last, later, strict=True)
    ]
    read = _read(card, series, [coding.row_of("")] * len(series), steps)
    return Given(*read, ("",) * len(series), None, coding.channels, flat)


def _from_frames(card: Card, past: pd.DataFrame, steps: int, known: Any) -> Given:
    column, time = card.columns.series, card.columns.time
    groups = _groups(past, "past", card)
    if known is None:
        later: dict[str, Table] = {}
        _require_static(card)
    elif isinstance(known, pd.DataFrame):
        later = _groups(known, "known", card)
    else:
        raise DataError("known: wanted a data frame, as the past is one")
    series, frames = [], []
    for name, table in groups.items():
        one = _series_of(card, table, later.get(name), steps, known is not None)
        series.append(one)
        head: dict[str, Any] = {column: [name] * steps} if name else {}
        if one.times is not None:
            head[time] = one.times[-steps:]
        frames.append(pd.DataFrame(head, index=range(steps)))
    read = _read(card, series, [card.coding.row_of(name) for name in groups], steps)
    return Given(*read, tuple(groups), pd.concat(frames, ignore_index=True), card.coding.channels, False)


def _series_of(card: Card, table: Table, later: Table | None, steps: int, given: bool) -> _Series:
    coding, need, label = card.coding, card.coding.past_steps, table.name
    _require_rows(label, len(table.frame), need)
    timeline = _timeline(card, table)
    order = np.arange(len(table.frame)) if timeline is None else timeline.grid.order
    values = _columns(table, (*coding.channels, *coding.known), order[-need:])
    channels = len(coding.channels)
    ahead = np.repeat(values[-1:, channels:], steps, axis=0)
    after = None
    if given:
        rows = 0 if later is None else len(later.frame)
        if later is None or rows < steps:
            raise DataError(f"{label}: wanted {plural(steps, 'row')} of known inputs, got {rows}")
        for k, key in enumerate(coding.known):
            if key in later.frame or key not in coding.static:
                ahead[:, k] = _columns(later, (key,), np.arange(steps))[:, 0]
        if card.columns.time in later.frame:
            after = _clock(card, later)[:steps]
    times = None
    if timeline is not None:
        if after is None:
            after = timeline.at(len(order) - 1, np.arange(1, steps + 1)).local
        times = np.concatenate([_stamps(timeline)[-need:], after])
    return _Series(values[:, :channels], np.concatenate([values[:, channels:], ahead]), times)


def _timeline(card: Card, table: Table) -> GridTimeline | None:
    """Return the times of a past, in the steps of the networks' data; None if these have no dates.

    Raises:
        DataError: there are no times, they are irregular or in other steps, or a row is missing among the last ones.
    """
    column, wanted = card.columns.time, card.step
    if not column or wanted is None:
        return None
    if column not in table.frame:
        raise DataError(f"{table.name}: no column of times {column!r}")
    times = read_time_column(table, column)
    if times.local is None:
        raise DataError(f"{table.name}, column {column!r}: wanted dates, got numbers")
    grid = grid_of(table.name, times, np.arange(len(table.frame)), table.place)
    step = GridStep(int(wanted.number) if wanted.number.is_integer() else wanted.number, wanted.unit)
    if grid.step.differs(step):
        raise DataError(f"{table.name}: wanted rows {wanted.text} apart, got steps of {grid.step.text}")
    last = grid.position[-card.coding.past_steps :]
    gaps = np.flatnonzero(np.diff(last) > 1)
    if len(gaps) and wanted.unit == "second":  # weekdays may be holidays
        row = len(grid.position) - len(last) + int(gaps[0])
        before, after = (pd.Timestamp(one) for one in _stamps(GridTimeline(grid))[row : row + 2])
        raise DataError(
            f"{table.name}: wanted rows {wanted.text} apart, got {before}, then {after}: fill in what is missing"
        )
    return GridTimeline(replace(grid, step=step))


def _stamps(timeline: GridTimeline) -> Array:
    """Return the dates of the rows on the local clock."""
    assert timeline.grid.stamps is not None
    return timeline.grid.stamps


def _clock(card: Card, table: Table) -> Array:
    """Return the times of rows on the local clock, in their order."""
    local = read_time_column(table, card.columns.time).local
    if local is None:
        raise DataError(f"{table.name}, column {card.columns.time!r}: wanted dates, got numbers")
    return local


def _groups(frame: pd.DataFrame, what: str, card: Card) -> dict[str, Table]:
    """Return the rows of each series by name; "" without a column of names. An index of times is a column."""
    table = table_of(frame, what).frame
    if "" in table and card.columns.time and card.columns.time not in table:
        table = table.rename(columns={"": card.columns.time})
    if not len(table):
        raise DataError(f"{what}: no rows")
    if card.columns.series not in table:
        return {"": Table(what, table)}
    return {
        str(name): Table(f"{what}, series {str(name)!r}", rows.reset_index(drop=True))
        for name, rows in table.groupby(card.columns.series, sort=False)
    }


def _columns(table: Table, names: Sequence[str], rows: Array) -> Array:
    """Return some rows of columns, (row, column), finite."""
    missing = [name for name in names if name not in table.frame]
    if missing:
        raise DataError(f"{table.name}: no column {missing[0]!r}; wanted {', '.join(names)}")
    columns = [numbers(table, name) for name in names]
    problems = [problem for column in columns for problem in column.problems]
    if problems:
        raise DataError(*problems)
    values = np.stack([column.values[rows] for column in columns], axis=1)
    return np.asarray(_numbers(values[None], f"{table.name}, columns {', '.join(names)}", len(names))[0])


def _numbers(values: Array, label: str, width: int) -> Array:
    if values.ndim != 3 or values.shape[2] != width:
        raise DataError(f"{label}: wanted {plural(width, 'column')}, got shape {values.shape}")
    try:
        finite = values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{label}: wanted numbers, got {error}") from None
    if not np.isfinite(finite).all():
        raise DataError(f"{label}: a value is missing or not finite: fill it in")
    return np.asarray(finite)


def _require_rows(label: str, rows: int, need: int) -> None:
    if rows < need:
        raise DataError(f"{label}: wanted at least {plural(need, 'row')}, got {rows}: give a longer past")


def _require_static(card: Card) -> None:
    """Refuse to go without the future of an input that is not constant."""
    inputs = [name for name in card.coding.known if name not in card.coding.static]
    if inputs:
        raise DataError(f"the networks need the future of {', '.join(inputs)}: give it as `known`")
