"""Intervals by resampling, rank correlation, and an average that is robust to a few failures."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sweep.data.types import Array

LEAST_PAIRS = 8  # of a rank correlation; our choice
LEVEL = 0.95


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
