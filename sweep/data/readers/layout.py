"""The layout of a table: its rows become series, each in rising even steps of time."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.config.text import plural
from sweep.data.facts import Fact
from sweep.data.readers.input_like import input_facts
from sweep.data.readers.numbers import numbers
from sweep.data.readers.roles import roles_of
from sweep.data.readers.table import Table
from sweep.data.readers.times.grid import Grid, grid_of
from sweep.data.readers.times.joined_times import with_joined_times
from sweep.data.readers.times.resample import resampled
from sweep.data.readers.times.time_column import TimeColumn, read_time_column
from sweep.data.readers.times.timeline import GridTimeline
from sweep.data.recording import Recording, Series
from sweep.data.types import Array

MOST_PROBLEMS = 5  # lines of one kind in a message


def recording_of(table: Table, config: DataConfig, name: str) -> Recording:
    """Return the series of a table; NaN and jumps of `steps` mark what is missing.

    Args:
        table: of a file.
        config: its settings.
        name: of the recording.

    Raises:
        DataError: with a line for each problem: a column, a cell, a time or an id that cannot be understood.
    """
    if not len(table.frame):
        raise DataError(f"{table.name}: no rows below the column names: add the values")
    table = with_joined_times(table, config)
    roles = roles_of(table, config)
    columns = [numbers(table, name) for name in (*roles.channels, *roles.known)]
    problems = [problem for column in columns for problem in column.problems]
    times = None
    if roles.time is not None:
        try:
            times = read_time_column(table, roles.time, config.time_format, config.time_zone)
        except DataError as error:
            problems += error.problems
    if problems:
        raise DataError(*problems)
    values = np.stack([column.values for column in columns], axis=1)
    groups, facts = _groups(table, roles.series)
    placed: list[_Placed] = []
    for group in groups:
        try:
            placed.append(_placed(table, group, times, values, config))
        except DataError as error:
            problems += error.problems
    problems += _unlike_steps(placed)
    if problems:
        more = len(problems) - MOST_PROBLEMS
        raise DataError(
            *problems[:MOST_PROBLEMS], *([f"and {plural(more, 'more problem')}"] if more > 0 else [])
        )
    grids = [one.grid for one in placed if one.grid is not None]
    span = (min(grid.first for grid in grids), max(grid.last for grid in grids)) if grids else None
    return Recording(
        name,
        roles.channels,
        tuple(one.series for one in placed),
        known=roles.known,
        step=grids[0].step.text if grids else "",
        span=span,
        facts=(
            *table.facts,
            *roles.facts,
            *input_facts(roles.channels, values[:, : len(roles.channels)], config),
            *(times.facts if times else ()),
            *facts,
            *_common(grids),
        ),
    )


@dataclass(frozen=True)
class _Group:
    name: str  # the id; empty: the file has no ids
    label: str  # for messages
    rows: Array  # of the file


@dataclass(frozen=True)
class _Placed:
    series: Series
    grid: Grid | None


def _groups(table: Table, column: str | None) -> tuple[list[_Group], list[Fact]]:
    """Return the rows of each series, in the order in which the ids first appear."""
    if column is None:
        return [_Group("", table.name, np.arange(len(table.frame)))], []
    cells = table.frame[column]
    ids = cells.astype(str).str.strip() if cells.dtype == object else cells.astype(str)
    missing = (ids == "").to_numpy() | cells.isna().to_numpy()
    if missing.any():
        row = int(np.argmax(missing))
        raise DataError(f"{table.name}, column {column!r}, {table.place(row)}: the id is missing: fill it in")
    codes, names = pd.factorize(ids)
    order = np.argsort(codes, kind="stable")
    edges = np.searchsorted(codes[order], np.arange(len(names) + 1))
    groups = [
        _Group(str(name), f"{table.name}, series {str(name)!r}", order[edges[index] : edges[index + 1]])
        for index, name in enumerate(names)
    ]
    mixed = int((np.diff(codes) != 0).sum()) + 1 > len(names)
    return groups, [Fact("order", "rows of the series are mixed; put together by id")] if mixed else []


def _placed(
    table: Table, group: _Group, times: TimeColumn | None, values: Array, config: DataConfig
) -> _Placed:
    rows = group.rows
    if times is None:
        if config.resample:
            raise DataError(f"{table.name}: data.resample needs a column of times: set data.time_column")
        lines = None if table.lines is None else table.lines[rows]
        return _Placed(Series(group.label, values[rows], lines=lines, name=group.name), None)
    lines = None
    if config.resample:
        grid, kept = resampled(group.label, times, rows, values[rows], config.resample, config.time_zone)
    else:
        grid = grid_of(group.label, times, rows, table.place, config.time_zone, values[rows])
        kept = values[grid.order]
        lines = None if table.lines is None else table.lines[grid.order]
    steps = None if len(grid.position) == grid.position[-1] + 1 else grid.position
    series = Series(
        group.label,
        kept,
        stamps=grid.stamps,
        lines=lines,
        name=group.name,
        steps=steps,
        timeline=GridTimeline(grid),
    )
    return _Placed(series, grid)


def _unlike_steps(placed: list[_Placed]) -> list[str]:
    known = [one for one in placed if one.grid is not None and len(one.series.values) > 1]
    if not known:
        return []
    first = known[0]
    assert first.grid is not None
    return [
        f"{one.series.label}: the step is {one.grid.step.text}, but that of {first.series.label} is "
        f"{first.grid.step.text}: set data.resample, or drop the series"
        for one in known
        if one.grid is not None and one.grid.step.differs(first.grid.step)
    ]


def _common(grids: list[Grid]) -> list[Fact]:
    """Return what was understood of the times, once for all series."""
    facts = dict.fromkeys(fact for grid in grids for fact in grid.facts)
    by_name: dict[str, list[Fact]] = {}
    for fact in facts:
        by_name.setdefault(fact.name, []).append(fact)
    return [same[0] for same in by_name.values()]
