"""The times before and after a row of a grid: how months, weekdays, clocks and numbers continue."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd

from sweep.config.errors import DataError
from sweep.data.readers.times.grid import DAY, Grid
from sweep.data.readers.times.steps import day_of_month, month_days, same_clock
from sweep.data.recording import Times
from sweep.data.types import Array


@dataclass(frozen=True)
class GridTimeline:
    """Implements `sweep.data.recording.Timeline` for the rows of a grid."""

    grid: Grid

    @property
    def keys(self) -> Array:
        """Return the times of the rows, rising: datetime64[ns], in UTC where it is known; or numbers."""
        return self.grid.keys

    def at(self, row: int, offsets: Array) -> Times:
        """Return the times that are whole steps away from that of a row.

        Months keep their day or their last or first weekday, and weekdays skip weekends. Whole days keep the local time
        of day; shorter steps are even in UTC, where the zone is known. Without a zone, the distance from UTC stays
        that of the row.

        Raises:
            DataError: the series has a single row, whose step is unknown.
        """
        grid = self.grid
        if grid.step.number is None:
            raise DataError("a single row, whose step is unknown")
        if grid.stamps is None:
            keys = grid.keys[row] + offsets * self._size()
            return Times(keys, None, pd.Index(keys))
        if grid.step.unit == "month":
            return self._of_clock(row, self._months(row, offsets))
        if grid.step.unit == "weekday":
            days = np.busday_offset(grid.stamps[row].astype("datetime64[D]"), offsets, roll="forward")
            return self._of_clock(row, days)
        size = self._size()
        if grid.zone and size % DAY == 0 and same_clock(grid.stamps):
            days = grid.stamps[row].astype("datetime64[D]") + offsets * (size // DAY)
            return self._of_clock(row, days)
        keys = grid.keys[row] + np.rint(offsets * size).astype("timedelta64[ns]")
        if not grid.zone:
            local = keys + (grid.stamps[row] - grid.keys[row])
            return Times(keys, local, pd.DatetimeIndex(local))
        shown = pd.DatetimeIndex(keys).tz_localize("UTC").tz_convert(grid.zone)
        return Times(keys, _plain(shown.tz_localize(None)), shown)

    def in_steps_of(self, other: Self) -> Self | None:
        """Return this timeline with the steps of another one; None if its own steps differ from them.

        A single row takes the steps of the other one, and so do days of one week if these are weekdays.
        """
        step = self.grid.step
        if step.differs(other.grid.step):
            return None
        return replace(self, grid=replace(self.grid, step=other.grid.step))

    def _size(self) -> Any:
        """Return the mean distance of two steps, in units of the keys; an integer where it is whole."""
        keys, position = self.grid.keys, self.grid.position
        if position[-1] == 0:
            step = self.grid.step
            return round(float(step.number or 0) * 1e9) if step.unit == "second" else step.number
        whole = keys[-1] - keys[0]
        if whole.dtype.kind == "f":
            return whole / position[-1]
        whole, steps = int(whole.astype(np.int64)), int(position[-1])
        return whole // steps if whole % steps == 0 else whole / steps

    def _months(self, row: int, offsets: Array) -> Array:
        """Return the days that mark the months after a row as the rows mark theirs."""
        assert self.grid.stamps is not None
        days = self.grid.stamps.astype("datetime64[D]")
        months, day = days.astype("datetime64[M]"), day_of_month(days)
        number = int(self.grid.step.number or 1)
        later = month_days(months[row] + offsets * number, day)
        marks = (bool((days == marked).all()) for marked in month_days(months, day))
        return next(found for found, fits in zip(later, marks, strict=True) if fits)

    def _of_clock(self, row: int, days: Array) -> Times:
        """Return the times on some days at the time of day of a row; one that the clock skips is an hour later."""
        assert self.grid.stamps is not None
        stamp = self.grid.stamps[row]
        local = days + (stamp - stamp.astype("datetime64[D]"))
        if not self.grid.zone:
            return Times(local + (self.grid.keys[row] - stamp), local, pd.DatetimeIndex(local))
        shown = pd.DatetimeIndex(local).tz_localize(
            self.grid.zone, ambiguous=np.ones(len(local), dtype=bool), nonexistent="shift_forward"
        )
        return Times(
            _plain(shown.tz_convert("UTC").tz_localize(None)), _plain(shown.tz_localize(None)), shown
        )


def _plain(times: pd.DatetimeIndex) -> Array:
    return np.asarray(times.as_unit("ns").to_numpy())
