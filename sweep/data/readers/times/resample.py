"""Irregular series on an even grid: each value is the mean over its cell of the line between the samples."""

import numpy as np

from sweep.config.errors import DataError
from sweep.data.facts import Fact
from sweep.data.readers.times.clocks import reading_order, utc_of
from sweep.data.readers.times.grid import Grid
from sweep.data.readers.times.steps import HOLE, Step, has_unit, parse_step
from sweep.data.readers.times.time_column import TimeColumn
from sweep.data.types import Array

DAY = 86_400_000_000_000  # nanoseconds
ROUNDING = 1e-9  # of a step; our choice
LARGEST = 10_000_000  # cells; a step that gives more is taken for a mistake; our choice


def resampled(
    label: str, times: TimeColumn, rows: Array, values: Array, step: str, time_zone: str = ""
) -> tuple[Grid, Array]:
    """Return a series on an even grid, and its values there.

    A value is the exact mean over its cell [t - step/2, t + step/2) of the straight lines between the samples: dense
    samples do not alias, and sparse ones need not hit each cell. Samples that are NaN are skipped in their channel, and
    equal times are averaged. Cells that are not wholly within the series are left out, and so are cells that touch a
    hole: a distance of samples of more than HOLE steps.

    The grid of dates has whole steps since midnight, on the local clock, of the first day if the step divides a day;
    otherwise, and for numbers, since the first time.

    Args:
        label: file and series, for messages.
        times: the time column of the file.
        rows: (row,), the rows of the series in the file, in its order.
        values: (row, channel), aligned with `rows`; NaN is missing.
        step: data.resample, such as "10s" for dates, or "0.5" for numbers.
        time_zone: data.time_zone; empty: none.

    Returns:
        The grid, whose `order` holds the row of the file nearest to each cell, and (cell, channel) values. A channel is
        NaN where only this channel has a hole.

    Raises:
        DataError: the step is invalid, gives no cell, or too many.
    """
    rows = np.asarray(rows)
    number = _step(times, step)
    keys, local = times.values[rows], None if times.local is None else times.local[rows]
    if local is not None and not times.utc and time_zone:
        first_to_last = reading_order(keys)
        keys = keys.copy()
        keys[first_to_last] = utc_of(keys[first_to_last], time_zone)
        if np.isnat(keys).any():
            row = int(rows[np.argmax(np.isnat(keys))])
            raise DataError(
                f"{label}, column {times.name!r}: {times.text.iloc[row]} does not exist in {time_zone}, whose clocks "
                "skip it: correct data.time_zone"
            )
    order = np.argsort(keys, kind="stable")
    keys, values = keys[order], np.asarray(values, dtype=np.float64)[order]
    origin, size = keys[0], number
    if local is not None:
        size = number * 1e9
        if abs(DAY / size - np.rint(DAY / size)) < ROUNDING:
            first = local[order[0]]
            origin = origin - (first - first.astype("datetime64[D]"))
    position = _since(keys, origin) / size  # (row,), in steps
    begin, end = np.ceil(position[0] + 0.5 - ROUNDING), np.floor(position[-1] - 0.5 + ROUNDING) + 1
    if not 1 <= end - begin <= LARGEST:
        raise DataError(
            f'{label}: data.resample = "{step}" gives {max(0, int(end - begin))} values from {len(rows)} rows between '
            f"{times.text.iloc[rows[order[0]]]} and {times.text.iloc[rows[order[-1]]]}: set another step"
        )
    inside = np.arange(begin, end)
    means = np.stack([_means(position, column, inside) for column in values.T], axis=1)
    kept = ~np.isnan(means).all(axis=1)
    if not kept.any():
        raise DataError(
            f'{label}: with data.resample = "{step}" every sample is more than {HOLE} steps from the next: set a '
            "longer step"
        )
    cells, means = inside[kept], means[kept]
    nearest = _nearest(position, cells)
    stamps = None
    if local is None:
        even = origin + cells * size
    else:
        even = origin + np.rint(cells * size).astype("timedelta64[ns]")
        stamps = even + (local[order] - keys)[nearest]
    holes = len(inside) - len(cells)
    text = f"{len(rows)} rows to {len(cells)} at a step of {step}" + (
        f", {holes} left out in holes" if holes else ""
    )
    ends = [
        str(stamps[n])[:19].replace("T", " ") if stamps is not None else f"{origin + cells[n] * size:g}"
        for n in (0, -1)
    ]
    unit = "" if local is None else "second"
    whole = int(number) if number == int(number) else number
    fact = Fact("resampled", text, f'resample = "{step}"')
    grid = Grid(
        rows[order][nearest],
        (cells - cells[0]).astype(np.int64),
        stamps,
        Step(whole, unit),
        ends[0],
        ends[1],
        (fact,),
        even,
        time_zone if local is not None else "",
    )
    return grid, means


def _step(times: TimeColumn, step: str) -> float:
    """Return the step in seconds for dates, in units of the column for numbers."""
    try:
        number = parse_step(step)
    except ValueError as error:
        raise DataError(f"data.resample: {error}") from None
    if has_unit(step) != (times.kind == "dates"):
        kind = (
            "dates: give a unit, such as 10s"
            if times.kind == "dates"
            else "numbers: give a plain number, such as 10"
        )
        raise DataError(f"data.resample: got {step!r}, but the times in column {times.name!r} are {kind}")
    return number


def _since(keys: Array, origin: Array) -> Array:
    away = keys - origin  # exact for integers and dates
    return np.asarray((away.astype(np.int64) if away.dtype.kind == "m" else away).astype(np.float64))


def _means(position: Array, values: Array, cells: Array) -> Array:
    """Return the mean over each cell of the line through the samples of one channel, NaN where it has a hole.

    The trapezoids before a place give the integral up to it, and each mean is a difference of two integrals.

    Args:
        position: (row,), rising, in steps.
        values: (row,), NaN is missing.
        cells: (cell,), whole numbers, the middles of the cells.
    """
    known = ~np.isnan(values)
    place, height = _averaged(position[known], values[known])
    if len(place) < 2:
        return np.full(len(cells), np.nan)
    level = height.mean()  # without it, sums of large values lose digits
    height = height - level
    width = np.diff(place)
    slope = np.diff(height) / width
    area = np.concatenate([[0.0], np.cumsum(width * (height[:-1] + height[1:]) / 2)])
    hole = width > HOLE * (1 + ROUNDING)
    empty = np.concatenate([[0.0], np.cumsum(width * hole)])
    edges = np.concatenate([cells - 0.5, cells[-1:] + 0.5])
    at = np.clip(np.searchsorted(place, edges, side="right") - 1, 0, len(width) - 1)
    into = edges - place[at]
    integral = area[at] + into * (height[at] + into * slope[at] / 2)
    missing = empty[at] + into * hole[at]
    means = np.diff(integral) + level
    outside = (edges[:-1] < place[0] - ROUNDING) | (edges[1:] > place[-1] + ROUNDING)
    means[outside | (np.diff(missing) > ROUNDING)] = np.nan
    return np.asarray(means)


def _averaged(position: Array, values: Array) -> tuple[Array, Array]:
    """Return different positions, and the mean of the values at each."""
    if len(position) == 0:
        return position, values
    begin = np.concatenate([[0], np.flatnonzero(np.diff(position) > 0) + 1])
    count = np.diff(np.concatenate([begin, [len(position)]]))
    return position[begin], np.add.reduceat(values, begin) / count


def _nearest(position: Array, cells: Array) -> Array:
    """Return the index of the sample nearest to each cell."""
    after = np.clip(np.searchsorted(position, cells), 1, len(position) - 1)
    return np.asarray(np.where(cells - position[after - 1] <= position[after] - cells, after - 1, after))
