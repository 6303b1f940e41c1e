"""Errors of rollouts, from arrays alone. docs/metrics.md explains what each number means and where it misleads.

Axes: forecasts and truths are (start, step, channel) in data units; `scale` and `std` are (start, channel).
An error above 1e150 scales counts as infinite, as a non-finite forecast does. No result is ever NaN.
"""

import math
from collections.abc import Callable

import numpy as np

from sweep.data.types import Array

BLOCKS_MOST, BLOCKS_LEAST = (
    20,
    5,
)  # blocks per horizon; our choice: about a period each, and enough blocks to grade
VALID_BELOW = 0.5  # in scales, after Vlachas et al. (2020); for a sine, a phase error of 0.505 rad
DIVERGED_BEYOND = (
    10.0  # scales, or training standard deviations, from the truth; our choice, far outside any data
)
# (forecast, truth, scale, block) -> a number in [0, 1], smaller is better; arrays as in `rollout_error`
Objective = Callable[[Array, Array, Array, int], float]
LARGEST = 1e150  # scales; squares of larger errors, and their sums, could overflow


def block_length(period: float | None, horizon: int) -> int:
    """Return the steps of a block: one dominant period, bounded to horizon/20..horizon/5, at least 1.

    Pointwise errors of an oscillating series pass through zero and mean nothing; their RMS over a period does.

    Args:
        period: dominant period of the training data in steps, > 0; None, no period, gives horizon/20.
        horizon: steps of the rollout, > 0.

    Raises:
        ValueError: the period or the horizon is not positive.
    """
    if horizon < 1 or (period is not None and not period > 0):
        raise ValueError(f"block_length needs positive numbers, got period={period}, horizon={horizon}")
    least, most = horizon / BLOCKS_MOST, horizon / BLOCKS_LEAST
    return max(1, round(least if period is None else min(max(period, least), most)))


def block_edges(horizon: int, block: int) -> Array:
    """Return (blocks + 1,), rising integers from 0 to the horizon: the edges of horizon/block nearly equal blocks.

    Raises:
        ValueError: the block is not within 1..horizon.
    """
    if not 1 <= block <= horizon:
        raise ValueError(f"a block has 1..horizon steps, got block={block}, horizon={horizon}")
    blocks = max(1, round(horizon / block))
    return np.rint(np.linspace(0, horizon, blocks + 1)).astype(int)


def block_errors(forecast: Array, truth: Array, scale: Array, edges: Array) -> Array:
    """Return (start, block, channel), the RMS of error/scale in each block: 0 is exact, may be +inf.

    Args:
        forecast: (start, step, channel), data units; inf and NaN allowed.
        truth: same shape and units, finite.
        scale: (start, channel), > 0.
        edges: from `block_edges` for the same number of steps.

    Raises:
        ValueError: shapes differ, the truth is not finite, or a scale is not positive and finite.
    """
    squares = squared_errors(forecast, truth, scale)
    counts = np.diff(edges)[None, :, None]
    root: Array = np.sqrt(np.add.reduceat(squares, edges[:-1], axis=1) / counts)
    return root


def rollout_error(forecast: Array, truth: Array, scale: Array, block: int) -> float:
    """Return the default objective, in [0, 1]: the mean over starts, channels and blocks of min(1, block error).

    On a sine, a constant at the training mean scores about 1, an unrelated phase about 0.84, a forecast that is right
    for 30 % of the horizon about 0.7. Non-finite forecasts count as 1.

    Args:
        forecast: (start, step, channel), data units; inf and NaN allowed.
        truth: same shape and units, finite.
        scale: (start, channel), > 0.
        block: steps of a block, from `block_length`.

    Raises:
        ValueError: as `block_edges` and `block_errors`.
    """
    errors = block_errors(forecast, truth, scale, block_edges(truth.shape[1], block))
    return float(np.minimum(errors, 1.0).mean())


def prefix_steps(share: float, horizon: int) -> int:
    """Return ceil(share * horizon), at least 1; rounding of the product does not add a step."""
    return min(horizon, max(1, math.ceil(share * horizon - 1e-9)))


def error_of_prefix(
    forecast: Array,
    truth: Array,
    scale: Array,
    block: int,
    share: float,
    objective: Objective = rollout_error,
) -> float:
    """Return the objective over the first ceil(share * horizon) steps; a block is at most that long.

    Args:
        forecast: (start, step, channel), data units; inf and NaN allowed.
        truth: same shape and units, finite.
        scale: (start, channel), > 0.
        block: steps of a block over the whole horizon.
        share: of the horizon, in (0, 1].
        objective: the study's.

    Raises:
        ValueError: the share lies outside (0, 1]; or as `rollout_error`.
    """
    if not 0 < share <= 1:
        raise ValueError(f"a share lies in (0, 1], got {share}")
    steps = prefix_steps(share, truth.shape[1])
    return objective(forecast[:, :steps], truth[:, :steps], scale, min(block, steps))


def valid_steps(forecast: Array, truth: Array, scale: Array, block: int) -> Array:
    """Return (start,), integers in 0..horizon: the steps before the trailing error of a start reaches 0.5.

    The trailing error at step t is the RMS of error/scale over all channels and the `block` steps that end
    with t, or the first t + 1 steps. A non-finite forecast reaches it.

    Source: Vlachas et al. (2020), Neural Networks 126, valid prediction time. The trailing block is ours:
    pointwise, a 1 % frequency error of a sine gives about 750 steps, where a whole period is right for 1000.

    Args:
        forecast: (start, step, channel), data units; inf and NaN allowed.
        truth: same shape and units, finite.
        scale: (start, channel), > 0.
        block: steps of a block, >= 1.

    Raises:
        ValueError: the block is below 1; or as `block_errors`.
    """
    if block < 1:
        raise ValueError(f"a block has at least 1 step, got {block}")
    horizon = truth.shape[1]
    squares = squared_errors(forecast, truth, scale).mean(axis=2)
    # A single step at `block` lifts every mean that contains it above the threshold. So the cap changes no
    # result, and differences of the running sum stay exact enough.
    total = np.cumsum(np.minimum(squares, float(block)), axis=1)
    total[:, block:] -= total[:, :-block].copy()
    trailing = total / np.minimum(np.arange(1, horizon + 1), block)
    reached = trailing >= VALID_BELOW**2
    steps: Array = np.where(reached.any(axis=1), reached.argmax(axis=1), horizon)
    return steps


def nrmse_by_step(forecast: Array, truth: Array, scale: Array) -> Array:
    """Return (step,), the error at each step: sqrt(mean over starts and channels of (error/scale)^2).

    0 is exact, 1 is as bad as the best trivial forecast over the whole horizon. It is +inf from the first non-finite
    forecast of any start.

    Args:
        forecast: (start, step, channel), data units; inf and NaN allowed.
        truth: same shape and units, finite.
        scale: (start, channel), > 0.

    Raises:
        ValueError: as `block_errors`.
    """
    squares = squared_errors(forecast, truth, scale)
    squares[np.maximum.accumulate(np.isinf(squares).any(axis=2), axis=1)] = np.inf
    root: Array = np.sqrt(squares.mean(axis=(0, 2)))
    return root


def nrmse(forecast: Array, truth: Array, scale: Array) -> float:
    """Return sqrt(mean over starts, steps and channels of (error/scale)^2), uncapped: >= 0 or +inf.

    The best trivial forecast has 1. On a sine it prefers a collapse to the mean (1) to the right oscillation in an
    unrelated phase (sqrt 2); `rollout_error` does not.

    Args:
        forecast: (start, step, channel), data units; inf and NaN allowed.
        truth: same shape and units, finite.
        scale: (start, channel), > 0.

    Raises:
        ValueError: as `block_errors`.
    """
    return float(np.sqrt(squared_errors(forecast, truth, scale).mean()))


def rmse_by_channel(forecast: Array, truth: Array) -> Array:
    """Return (channel,), sqrt(mean over starts and steps of (forecast - truth)^2), data units: >= 0 or +inf.

    It is +inf where a forecast is not finite, or too large to be squared.

    Args:
        forecast: (start, step, channel), data units; inf and NaN allowed.
        truth: same shape and units, finite.

    Raises:
        ValueError: as `block_errors`.
    """
    return np.asarray(np.sqrt(squared_errors(forecast, truth, np.ones(truth[:, 0].shape)).mean(axis=(0, 1))))


def diverged(forecast: Array, truth: Array, scale: Array, std: Array) -> Array:
    """Return (start,), whether a forecast left the data.

    A start has diverged if, at any step and in any channel, its forecast is not finite or is further from the truth
    than 10 times the larger of scale and training standard deviation. It counts as diverged even if the forecast
    returns.

    Args:
        forecast: (start, step, channel), data units; inf and NaN allowed.
        truth: same shape and units, finite.
        scale: (start, channel), > 0.
        std: (start, channel), of the training data.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        distance = np.abs(forecast - truth) / np.maximum(scale, std)[:, None]
    # not "distance > 10": NaN must count as diverged
    lost: Array = (~(distance <= DIVERGED_BEYOND)).any(axis=(1, 2))
    return lost


def diverged_fraction(forecast: Array, truth: Array, scale: Array, std: Array) -> float:
    """Return the share of starts, in [0, 1], whose forecast has `diverged`."""
    return float(diverged(forecast, truth, scale, std).mean())


def squared_errors(forecast: Array, truth: Array, scale: Array) -> Array:
    """Return (start, step, channel), ((forecast - truth) / scale)^2; +inf where not finite or too large.

    Raises:
        ValueError: shapes differ, the truth is not finite, or a scale is not positive and finite.
    """
    if forecast.shape != truth.shape or truth.ndim != 3 or scale.shape != (truth.shape[0], truth.shape[2]):
        raise ValueError(
            "forecast and truth are (start, step, channel), scale is (start, channel); "
            f"got {forecast.shape}, {truth.shape} and {scale.shape}"
        )
    if not np.isfinite(truth).all():
        raise ValueError("the truth is not finite")
    if not (np.isfinite(scale) & (scale > 0)).all():
        raise ValueError(f"a scale is positive and finite, got {scale.min()}..{scale.max()}")
    with np.errstate(over="ignore", invalid="ignore"):
        distance = np.abs(forecast.astype(np.float64) - truth) / scale[:, None]
    lost = ~(distance <= LARGEST)
    squares: Array = np.square(np.where(lost, 0.0, distance))
    squares[lost] = np.inf
    return squares
