"""Reference errors of two plain forecasts: an autoregression, and the mean future of similar pasts."""

from itertools import pairwise

import numpy as np
from scipy.spatial import cKDTree

from sweep.data.types import Array

ORDERS = (2, 4, 8, 16, 32)  # of the autoregression; orders longer than the stored past are left out
RIDGE = 1e-9  # relative; stored in float32, exact sines are slightly inexact
LAGS = 6  # of the delay vector, which spans a quarter block
NEIGHBOURS = 4
REACH = 0.5  # of the horizon: length of the analogues' forecasts, since their futures must be in the record
WORST = 10.0  # scales beyond the truth's range; errors are cut there, as those of a diverged forecast are


def reference_squares(
    past: Array, truth: Array, block: int, series: Array | None, position: Array | None
) -> Array:
    """Return (start, step), the squared error of the better of two plain forecasts, mean over channels.

    The first is an autoregression by channel, the second the mean future of the nearest delay vectors among the
    other starts. The better one is chosen for each stretch of the horizon, over all starts. NaN where neither has a
    forecast. Both are fitted to the truth of these starts: an in-sample reference that measures the data and is not
    a competitor.

    Args:
        past: (start, past step, channel), in scales.
        truth: (start, step, channel), in scales.
        block: steps of a block.
        series: (start,) or None. Starts of one series whose records overlap are not analogues of each other.
        position: (start,) or None.

    Source: analogues: Lorenz (1969), J. Atmos. Sci. 26, 636; with delay vectors and averaging, Farmer and
    Sidorowich (1987), Phys. Rev. Lett. 59, 845.
    """
    squares = [_autoregressive(past, truth)]
    if len(truth) > NEIGHBOURS:
        squares.append(_analogue(past, truth, block, series, position))
    edges = stretches(truth.shape[1])
    best = np.full(truth.shape[:2], np.nan)
    for first, last in pairwise(edges.tolist()):
        means = [
            np.nanmean(s[:, first:last]) if np.isfinite(s[:, first:last]).any() else np.inf for s in squares
        ]
        best[:, first:last] = squares[int(np.argmin(means))][:, first:last]
    return best


def stretches(horizon: int) -> Array:
    """Return rising edges from 0 to the horizon; each stretch is about 1.5 times as long as the previous one."""
    edges = np.unique(
        np.rint(np.geomspace(1, horizon, max(2, round(np.log(horizon) / np.log(1.5))))).astype(int)
    )
    return np.concatenate([[0], edges])


def _autoregressive(past: Array, truth: Array) -> Array:
    whole = np.concatenate([past, truth], axis=1)
    best: Array | None = None
    for order in ORDERS:
        if order > past.shape[1] or (len(whole) * (whole.shape[1] - order)) < 4 * order:
            continue
        squares = np.mean(
            [_rolled(whole[..., c], truth[..., c], order) for c in range(truth.shape[2])], axis=0
        )
        if best is None or squares.mean() < best.mean():
            best = squares
    return np.full(truth.shape[:2], np.nan) if best is None else best


def _rolled(whole: Array, truth: Array, order: int) -> Array:
    """Return (start, step), the squared error of one channel's autoregression of that order."""
    steps = whole.shape[1] - order
    columns = [whole[:, order - lag : order - lag + steps].ravel() for lag in range(1, order + 1)]
    design = np.column_stack([*columns, np.ones(len(whole) * steps)])
    gram = design.T @ design
    gram += RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram)) * 1e-3
    weights = np.linalg.solve(gram, design.T @ whole[:, order:].ravel())
    horizon = truth.shape[1]
    values = np.empty((len(whole), order + horizon))
    values[:, :order] = whole[:, -horizon - order : -horizon]
    reverse = weights[:order][::-1]
    low, high = whole.min() - WORST, whole.max() + WORST
    for step in range(horizon):
        nearest = values[:, step : step + order] @ reverse + weights[order]
        values[:, order + step] = np.clip(nearest, low, high)
    squares: Array = np.square(values[:, order:] - truth)
    return squares


def _analogue(past: Array, truth: Array, block: int, series: Array | None, position: Array | None) -> Array:
    horizon = truth.shape[1]
    reach = max(1, int(REACH * horizon))
    whole = np.concatenate([past, truth], axis=1)
    before = past.shape[1]
    gap = max(1, min(block // (4 * LAGS) or 1, (before - 1) // LAGS))
    lags = gap * np.arange(LAGS) if gap * (LAGS - 1) < before else np.arange(1)
    rows = np.arange(
        lags[-1], whole.shape[1] - reach
    )  # the present of analogues whose future is in the record
    vectors = np.stack([whole[:, rows - lag] for lag in lags], axis=2)  # (start, row, lag, channel)
    owner = np.repeat(np.arange(len(whole)), len(rows))
    row = np.tile(rows, len(whole))
    tree = cKDTree(vectors.reshape(len(owner), -1))
    query = np.stack([whole[:, before - 1 - lag] for lag in lags], axis=1).reshape(len(whole), -1)
    squares = np.full(truth.shape[:2], np.nan)
    for start in range(len(whole)):
        allowed = ~_overlapping(start, len(whole), whole.shape[1], series, position)
        _, near = tree.query(query[start], k=min(len(owner), 40 * NEIGHBOURS))
        chosen: list[int] = []
        for index in near[allowed[owner[near]]]:
            # neighbours in time count as one analogue
            if all(owner[index] != owner[c] or abs(row[index] - row[c]) > block // 4 for c in chosen):
                chosen.append(int(index))
            if len(chosen) == NEIGHBOURS:
                break
        if not chosen:
            continue
        future = np.mean([whole[owner[c], row[c] + 1 : row[c] + 1 + reach] for c in chosen], axis=0)
        squares[start, :reach] = np.square(future - truth[start, :reach]).mean(axis=1)
    return squares


def _overlapping(start: int, starts: int, length: int, series: Array | None, position: Array | None) -> Array:
    same: Array = np.arange(starts) == start
    if series is None or position is None:
        return same
    near = (series == series[start]) & (series[start] >= 0) & (np.abs(position - position[start]) < length)
    together: Array = same | near
    return together
