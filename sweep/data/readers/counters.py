"""Columns of numbers that count or rise: what tells times and counters from values."""

from collections.abc import Sequence

import numpy as np

from sweep.data.readers.numbers import numbers
from sweep.data.readers.table import Table

CALENDAR = 31  # longer than this are runs of numbers that are not months, days or hours


def rises(table: Table, name: str) -> bool:
    """Return whether the numbers of a column rise, or all fall, from row to row; within runs if they restart."""
    values = numbers(table, name).values
    if len(values) < 3 or not np.isfinite(values).all():
        return False
    steps = np.diff(values)
    usual = np.sign(np.median(steps))
    return usual != 0 and bool((np.sign(steps) == usual).mean() > 0.5) and bool((steps != 0).all())


def is_even(table: Table, name: str) -> bool:
    """Return whether the numbers of a column are in even steps."""
    values = numbers(table, name).values
    steps = np.diff(values)
    return bool((np.abs(steps - steps[0]) <= 1e-9 * np.abs(values).max()).all())


def restarts(table: Table, name: str, free: Sequence[str]) -> bool:
    """Return whether the numbers of a column rise in even steps and restart where another column changes."""
    steps = np.diff(numbers(table, name).values)
    back, up = steps < 0, steps[steps >= 0]
    runs = int(back.sum()) + 1
    if runs == 1 or len(steps) <= CALENDAR * runs or not np.allclose(up, up[0], rtol=1e-9):
        return False
    return any(
        cells.nunique() == runs
        and bool(((cells != cells.shift()).to_numpy()[1:] == back).all())
        and not _are_years(table, other)
        for other, cells in table.frame[[one for one in free if one != name]].items()
    )


def is_counter(table: Table, name: str) -> bool:
    """Return whether a column counts the rows from 0 or 1."""
    values = numbers(table, name).values
    return bool(values[0] in (0, 1) and (np.diff(values) == 1).all())


def are_whole(table: Table, name: str) -> bool:
    """Return whether all numbers of a column are whole."""
    values = numbers(table, name).values
    return bool((values == np.rint(values)).all())


def _are_years(table: Table, name: str) -> bool:
    values = numbers(table, name).values
    return are_whole(table, name) and 1678 <= values.min() <= values.max() <= 2262
