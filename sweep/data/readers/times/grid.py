"""The grid of a series: its rows in rising time, and their positions in even steps."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from sweep.config.errors import DataError
from sweep.data.facts import Fact
from sweep.data.readers.times.clocks import guessed_zone, reading_order, utc_of
from sweep.data.readers.times.steps import (
    Step,
    month_numbers,
    resample_text,
    weekday_positions,
    whole_steps,
)
from sweep.data.readers.times.time_column import TimeColumn
from sweep.data.types import Array

DAY = 86_400_000_000_000  # nanoseconds
FEW = 0.05  # share of equal times up to which irregular times are only rounded; our choice
SEVERAL = (
    "; if the file contains several series, name the column of their ids in data.id_column (if ids take two columns, "
    "join them in the file)"
)


@dataclass(frozen=True)
class Grid:
    """The rows of a series on an even grid of times."""

    order: Array  # (row,), the rows of the series in rising time, as indices into the file
    position: Array  # (row,), int64, steps since the first, rising; a difference above 1 is a gap
    stamps: Array | None  # (row,), datetime64[ns], local clock, in this order; None for numbers
    step: Step
    first: str  # as written
    last: str
    facts: tuple[Fact, ...]
    keys: (
        Array  # (row,), the times to sort by, in this order: datetime64[ns] in UTC if it is known; or numbers
    )
    zone: str = ""  # of the local clock; empty: unknown


def grid_of(
    label: str,
    times: TimeColumn,
    rows: Array,
    place: Callable[[int], str],
    time_zone: str = "",
    values: Array | None = None,
) -> Grid:
    """Return the grid of one series. Rows newest first or out of order are sorted.

    Even are: seconds, within EVEN of the step; whole months on the same day, at the end, or on the first or last
    weekday; weekdays; numbers. Missing times at whole multiples of the step are gaps. Local times without a zone are
    even if the changes of clocks of a zone make them so. Of rows with the same time and the same values, if all rows of
    equal times are so, only the first is kept.

    Args:
        label: file and series, for messages.
        times: the time column of the file.
        rows: (row,), the rows of the series in the file, in its order.
        place: the place of a row of the file, such as "line 7".
        time_zone: data.time_zone; empty: none.
        values: (row, channel), aligned with `rows`, by which copies are known; None: there are none.

    Raises:
        DataError: times are equal or irregular, or do not exist in the zone.
    """
    rows = np.asarray(rows)
    series = _Series(label, times, rows, place)
    keys, zone, zone_facts = series.keys(time_zone)
    order, facts = _sorted(keys)
    rising = keys[order]
    if values is not None:
        single = _without_copies(rising, order, values)
        if len(single) < len(rows):
            grid = grid_of(label, times, rows[single], place, time_zone)
            copies = Fact("copies", "of rows with the same time and values, the first is kept")
            return replace(grid, facts=(*grid.facts, copies))
    series.refuse_equal(rising, order)
    local = None if times.local is None else times.local[rows][order]
    if local is None:
        even = whole_steps(rising)
        found = None if even is None else (even[0], Step(even[1], ""))
    else:
        found = _dates(rising, local)
    if found is None:
        raise DataError(series.irregular(rising, order))
    position, step = found
    if step.unit == "weekday":
        facts += (Fact("weekdays", "Monday to Friday only: weekends are no gaps"),)
    text = times.text
    return Grid(
        rows[order],
        position,
        local,
        step,
        str(text.iloc[rows[order[0]]]),
        str(text.iloc[rows[order[-1]]]),
        facts + zone_facts,
        rising,
        zone,
    )


@dataclass(frozen=True)
class _Series:
    """The rows of one series, with what messages need."""

    label: str
    times: TimeColumn
    rows: Array
    place: Callable[[int], str]

    def at(self, row: int) -> str:
        """Return the place of a row of the series."""
        return f"{self.label}, column {self.times.name!r}, {self.place(int(self.rows[row]))}"

    def cell(self, row: int) -> str:
        """Return the time of a row of the series as written."""
        return str(self.times.text.iloc[self.rows[row]])

    def keys(self, time_zone: str) -> tuple[Array, str, tuple[Fact, ...]]:
        """Return the times to sort by, in the order of the file: UTC if it is known; the zone, and facts of it."""
        keys = self.times.values[self.rows]
        if self.times.local is None:
            return keys, "", ()
        if self.times.utc:
            return keys, time_zone, ()
        order = reading_order(keys)
        utc = np.empty_like(keys)
        if time_zone:
            utc[order] = utc_of(keys[order], time_zone)
            if np.isnat(utc).any():
                row = int(np.argmax(np.isnat(utc)))
                raise DataError(
                    f"{self.at(row)}: {self.cell(row)} does not exist in {time_zone}, whose clocks skip it "
                    f"({int(np.isnat(utc).sum())} such times): correct data.time_zone"
                )
            return utc, time_zone, ()
        ordered = keys[order]
        if (np.diff(ordered) > np.timedelta64(0)).all() and _without_gaps(_dates(ordered, ordered)):
            return keys, "", ()
        guess = guessed_zone(ordered)
        if guess is None:
            return keys, "", ()
        zone, utc[order] = guess
        text = f"local times with the changes of clocks of {zone}, which make them even"
        return utc, zone, (Fact("time zone", text, f'time_zone = "{zone}"', guessed=True),)

    def refuse_equal(self, rising: Array, order: Array) -> None:
        """Refuse equal times."""
        equal = rising[1:] == rising[:-1]
        if not equal.any():
            return
        different = np.unique(rising)
        if (
            equal.mean() < FEW and whole_steps(_numbers(different)) is None
        ):  # averaging them is what irregular times need
            raise DataError(self.irregular(different, order[np.concatenate([[True], ~equal])]))
        later = order[1:][equal]
        pick = int(np.argmin(later))
        before = order[:-1][equal][pick]
        row = int(later[pick])
        several = SEVERAL if len(self.rows) == len(self.times.values) else ""
        more = f" ({int(equal.sum())} such rows)" if equal.sum() > 1 else ""
        raise DataError(
            f"{self.at(row)}: {self.cell(row)} is also the time of {self.place(int(self.rows[before]))}{more}: "
            f"keep one row for each time{several}"
        )

    def irregular(self, rising: Array, order: Array) -> str:
        """Return the message about irregular times, with the step that mends them."""
        dates = self.times.local is not None
        numbers = _numbers(rising)
        distances = np.diff(numbers)
        median = np.sort(distances)[(len(distances) - 1) // 2]
        row = int(np.argmax(np.abs(distances - median) > 0.01 * median))
        usual = Step(median / 1e9 if dates else median.item(), "second" if dates else "").text
        return (
            f"{self.at(int(order[row + 1]))}: irregular times: {self.cell(int(order[row + 1]))} follows "
            f"{self.cell(int(order[row]))}, but the median step is {usual}: set data.resample = "
            f'"{resample_text(numbers, dates)}" to average them on an even grid'
        )


def _without_copies(rising: Array, order: Array, values: Array) -> Array:
    """Return the rows, in the order of the file, without copies; all rows if some rows of equal times differ."""
    equal = rising[1:] == rising[:-1]
    before, after = values[order[:-1]][equal], values[order[1:]][equal]
    if not np.array_equal(before, after, equal_nan=True):
        return np.arange(len(order))
    return np.sort(order[np.concatenate([[True], ~equal])])


def _sorted(keys: Array) -> tuple[Array, tuple[Fact, ...]]:
    """Return the order that makes times rise, and the fact that rows were sorted."""
    steps = np.diff(keys)
    zero = steps.dtype.type(0)
    if (steps >= zero).all():
        return np.arange(len(keys)), ()
    text = "newest first: sorted" if (steps <= zero).all() else "out of order: sorted by time"
    return np.argsort(keys, kind="stable"), (Fact("order of rows", text),)


def _numbers(times: Array) -> Array:
    """Return times as numbers: nanoseconds of dates."""
    return times.astype(np.int64) if times.dtype.kind == "M" else times


def _without_gaps(found: tuple[Array, Step] | None) -> bool:
    return found is not None and bool((np.diff(found[0]) == 1).all())


def _dates(rising: Array, local: Array) -> tuple[Array, Step] | None:
    """Return positions and step of dates; None if they are irregular.

    Months come first: a month is not a number of seconds. Then seconds in UTC and on the local clock without gaps,
    weekdays, and seconds with gaps.

    Args:
        rising: (row,), datetime64[ns], rising; UTC if it is known.
        local: (row,), datetime64[ns], the local clock.
    """
    months = month_numbers(local)
    if months is not None:
        even = whole_steps(months)
        if even is not None:
            return even[0], Step(even[1], "month")
    plain, clock = _seconds(rising, local), None
    if _without_gaps(plain):
        return plain
    if (
        plain is None and (np.diff(local) > np.timedelta64(0)).all()
    ):  # even on the wall: days of 23 or 25 hours
        clock = _seconds(local, local)
        if _without_gaps(clock):
            return clock
    weekdays = weekday_positions(local)
    if weekdays is not None:
        return weekdays, Step(1, "weekday")
    if clock is not None and clock[1].number is not None and clock[1].number % 86_400 == 0:
        return clock
    return plain


def _seconds(rising: Array, local: Array) -> tuple[Array, Step] | None:
    even = whole_steps(rising.astype(np.int64))
    if even is None:
        return None
    position, step = even
    if step is None:
        return position, Step(None, "second")
    days = local.astype("datetime64[D]")
    one_week = step == DAY and bool(
        (days[-1] - days[0]).astype(np.int64) == np.busday_count(days[0], days[-1])
        and np.is_busday(days[[0, -1]]).all()
    )
    seconds = step / 1_000_000_000
    return position, Step(int(seconds) if seconds == int(seconds) else seconds, "second", one_week)
