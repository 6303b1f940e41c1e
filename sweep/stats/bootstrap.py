"""Intervals by resampling, rank correlation, and an average that is robust to a few failures."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sweep.data.types import Array

LEAST_GROUPS = 8  # starts that do not overlap; fewer give no reliable interval. Our choice
LEAST_PAIRS = 8  # of a rank correlation; our choice
LEVEL = 0.95


def start_groups(position: Array, series: Array, horizon: int) -> list[Array]:
    """Return the indices of starts that overlap, group by group.

    From the earliest start of a series on, a group takes every start that overlaps its first one; the next start opens
    a new group. So the number of groups is the largest number of starts that do not overlap. Neighbouring groups may
    still share some steps.

    Starts of different series never overlap. Those of series that training never saw all have the series -1: they are
    ordered by series, and their positions rise within a series, so a position that does not rise begins another one.
    (Two unseen series whose positions happen to rise count as one: that gives too few groups, never too many.)

    Args:
        position: (start,), index of the first forecast step in its series.
        series: (start,), index of the series; -1: a series that training never saw.
        horizon: steps of a rollout, > 0.

    Raises:
        ValueError: shapes differ, there are no starts, or the horizon is not positive.
    """
    if position.shape != series.shape or position.ndim != 1 or not len(position) or horizon < 1:
        raise ValueError(
            f"needs (start,) positions and series and a positive horizon, got {position.shape}, "
            f"{series.shape} and {horizon}"
        )
    owner = np.asarray(series, dtype=np.int64).copy()
    unseen = np.flatnonzero(owner < 0)
    falls = np.diff(position[unseen], prepend=position[unseen[:1]] - 1) <= 0
    owner[unseen] = -1 - np.cumsum(falls)
    groups: list[list[int]] = []
    for number in np.unique(owner):
        members = np.flatnonzero(owner == number)
        opened = -np.inf
        for index in members[np.argsort(position[members], kind="stable")]:
            if position[index] - opened >= horizon:
                groups.append([])
                opened = position[index]
            groups[-1].append(int(index))
    return [np.array(group) for group in groups]


def block_bootstrap(
    values: Array,
    position: Array,
    series: Array,
    horizon: int,
    statistic: Callable[[Array], float],
    rng: np.random.Generator,
    reps: int = 2000,
) -> tuple[float, float] | None:
    """Return the 95 % interval of a statistic of per-start values; None with fewer than 8 groups of starts.

    Overlapping starts are nearly equal, so whole groups of them are drawn with replacement. If they were drawn one by
    one, 32 starts in the space of 8 would make the interval up to twice too narrow.

    Source: Kuensch (1989), Annals of Statistics 17; Efron and Tibshirani (1993), ch. 13, percentile interval.

    Args:
        values: (start,), may hold inf, no NaN.
        position: (start,), index of the first forecast step in its series.
        series: (start,), as in `start_groups`.
        horizon: steps of a rollout.
        statistic: function of an array of values, such as `np.mean`; must not return NaN.
        rng: draws the groups.
        reps: number of draws.

    Returns:
        (low, high): statistics of two draws, not interpolated, so that inf never gives NaN.

    Raises:
        ValueError: shapes differ, or a value or a statistic is NaN.
    """
    if values.shape != position.shape or np.isnan(values).any():
        raise ValueError(f"needs a value that is not NaN per start, got {values.shape} for {position.shape}")
    groups = start_groups(position, series, horizon)
    if len(groups) < LEAST_GROUPS:
        return None
    draws = rng.integers(0, len(groups), size=(reps, len(groups)))
    drawn = np.array([statistic(values[np.concatenate([groups[i] for i in draw])]) for draw in draws])
    if np.isnan(drawn).any():
        raise ValueError("the statistic gave NaN")
    return percentile_interval(drawn)


def percentile_interval(drawn: Array) -> tuple[float, float]:
    """Return the draws that leave 2.5 % on either side; defined for inf, unlike interpolation."""
    tail = (1 - LEVEL) / 2
    low = np.quantile(drawn, tail, method="lower")
    high = np.quantile(drawn, 1 - tail, method="higher")
    return float(low), float(high)


@dataclass(frozen=True)
class Correlation:
    """A rank correlation in [-1, 1] with its 95 % interval and the number of pairs."""

    rho: float
    low: float
    high: float
    pairs: int


def spearman(x: Array, y: Array, rng: np.random.Generator, reps: int = 2000) -> Correlation | None:
    """Return Spearman's rank correlation with a bootstrap interval, None if it is not defined or the pairs are few.

    Ties share their mean rank. Every non-finite value (NaN, inf, -inf) counts as the largest, all tied: a run
    that diverged is the worst and not a missing one. For the interval, pairs are drawn with replacement; draws in
    which one side is constant are skipped.

    Args:
        x: (pair,).
        y: (pair,).
        rng: draws the pairs.
        reps: number of draws.

    Returns:
        None with fewer than 8 pairs, or if x or y is constant.

    Raises:
        ValueError: x and y differ in shape.
    """
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"needs two (pair,) arrays, got {x.shape} and {y.shape}")
    ranks = [_ranks(np.asarray(side, dtype=np.float64)[None]) for side in (x, y)]
    if len(x) < LEAST_PAIRS or any(np.ptp(side) == 0 for side in ranks):
        return None
    draws = rng.integers(0, len(x), size=(reps, len(x)))
    drawn = _correlations(*(_ranks(side[0][draws]) for side in ranks))
    low, high = percentile_interval(drawn[np.isfinite(drawn)])
    return Correlation(float(_correlations(*ranks)[0]), low, high, len(x))


def iqm(values: Array, axis: int | None = None) -> Any:
    """Return the interquartile mean: the mean of the middle half of the values.

    The quarters are cut exactly: a value that lies partly in the middle half counts with that part. Of 3 values the
    outer ones have the weight 1/6 each, of 5 values the middle ones have 0.3, 0.4 and 0.3. (scipy's trim_mean(0.25),
    which rliable uses, cuts whole values: none of 3, so that one failure then decides. Both are equal if the number
    of values is a multiple of 4.)

    Non-finite values count as +inf. The result is +inf if a part of one is in the middle half, and never NaN.

    Source: Agarwal et al. (2021), "Deep RL at the edge of the statistical precipice".

    Args:
        values: any shape.
        axis: along which, None: over all values.

    Returns:
        A float, or an array without that axis.

    Raises:
        ValueError: no values.
    """
    if not values.size:
        raise ValueError("the interquartile mean needs at least one value")
    ordered = np.sort(np.where(np.isfinite(values), values, np.inf), axis=axis)
    ordered = np.moveaxis(ordered, 0 if axis is None else axis, -1)
    count = ordered.shape[-1]
    edges = np.arange(count + 1) / count
    weights = np.clip(edges[1:], 0.25, 0.75) - np.clip(edges[:-1], 0.25, 0.75)
    middle = weights > 1e-12  # an infinite value without weight must not give NaN
    mean = (ordered[..., middle] * weights[middle]).sum(axis=-1) / weights[middle].sum()
    return float(mean) if axis is None else mean


def _ranks(values: Array) -> Array:
    """Return (draw, pair) mean ranks along the last axis, non-finite last."""
    from scipy.stats import rankdata  # here: no worker needs it, and its import takes half a second

    ranks: Array = rankdata(np.where(np.isfinite(values), values, np.inf), axis=1)
    return ranks


def _correlations(x: Array, y: Array) -> Array:
    """Return (draw,) Pearson correlations of rows, NaN where a row is constant."""
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    norm = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.clip((x * y).sum(axis=1) / norm, -1, 1))
