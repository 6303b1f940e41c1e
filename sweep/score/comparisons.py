"""Numbers that compare one forecast with another: skill, one-step skill, exposure gap.

Axes as in `sweep.score.metrics`: (start, step, channel) in data units, `scale` (start, channel).
"""

import math
from collections.abc import Mapping

import numpy as np

from sweep.data.types import Array
from sweep.score.metrics import nrmse, nrmse_by_step

EXACT = 1e-9  # rollout error; a baseline below it is exact, and a ratio to it would measure rounding


def skill(error: float, baseline_error: float) -> float | None:
    """Return 1 - error / baseline_error: 1 is perfect, 0 no better than the baseline, negative worse.

    Args:
        error: rollout error of the forecaster, >= 0.
        baseline_error: rollout error of the baseline on the same starts, >= 0.

    Returns:
        At most 1, or None if the baseline is exact (an error below 1e-9): nothing can beat it.

    Raises:
        ValueError: an error is negative or NaN.
    """
    if not (error >= 0 and baseline_error >= 0):
        raise ValueError(f"rollout errors are >= 0, got {error} and {baseline_error}")
    return None if baseline_error < EXACT else 1 - error / baseline_error


def exposure_gap_by_step(self_fed: Array, swapped: Array, truth: Array, scale: Array) -> Array:
    """Return (step,), nrmse of the rollout minus nrmse of single steps from its own state with true inputs.

    A gap near the rollout's error means that the network is fine and its own input misleads it. A gap near 0 while the
    rollout is bad means that true inputs do not help, so the hidden state has drifted. The gap is 0 where both
    errors are infinite, +inf where only the rollout's is, -inf where only the swapped one is.

    Args:
        self_fed: (start, step, channel), the rollout.
        swapped: (start, step, channel), forecasts from the rollout's states with the true value as input.
        truth: same shape and units, finite.
        scale: (start, channel), > 0.

    Raises:
        ValueError: shapes differ, the truth is not finite, or a scale is not positive.
    """
    own, helped = nrmse_by_step(self_fed, truth, scale), nrmse_by_step(swapped, truth, scale)
    both = np.isinf(own) & np.isinf(helped)
    gap: Array = np.where(both, 0.0, np.where(both, 0.0, own) - np.where(both, 0.0, helped))
    return gap


def one_step_references(past: Array, truth: Array) -> dict[str, Array]:
    """Return one-step forecasts that need no training, from the true steps before each step.

    Args:
        past: (start, time, channel), data units, ending just before the truth.
        truth: (start, step, channel), data units.

    Returns:
        "persistence", y[t-1], and, if the past has two steps or more, "linear", 2 y[t-1] - y[t-2].
    """
    steps = truth.shape[1]
    whole = np.concatenate([past[:, -2:], truth], axis=1)
    references = {"persistence": whole[:, -steps - 1 : -1]}
    if past.shape[1] >= 2:
        references["linear"] = 2 * whole[:, 1:-1] - whole[:, :-2]
    return references


def one_step_skill(
    one_step: Array, truth: Array, scale: Array, references: Mapping[str, Array], eps: float
) -> dict[str, float]:
    """Return log10(nrmse of the reference / nrmse of the forecaster), by reference: larger is better.

    0 is as good as the reference, 1 ten times better, -1 ten times worse. Errors below eps count as eps, so that two
    forecasts that are exact to rounding score 0. A forecaster that is not finite scores -inf.

    For a sine of 126 steps per period, persistence already reaches a mean squared error of 1.2e-3, so that a loss of
    1e-3 is a skill of 0.05. The informative reference is the autoregression.

    Args:
        one_step: (start, step, channel), teacher-forced forecasts.
        truth: same shape and units, finite.
        scale: (start, channel), > 0.
        references: forecasts of the same steps by name: those of `one_step_references`, and an AR(p)'s.
        eps: relative precision of the forecaster's floats, such as 1.2e-7 for float32, > 0.

    Raises:
        ValueError: eps is not positive, shapes differ, the truth is not finite, or a scale is not positive.
    """
    if not eps > 0:
        raise ValueError(f"eps is positive, got {eps}")
    own = max(nrmse(one_step, truth, scale), eps)
    result = {}
    for name, reference in references.items():
        theirs = max(nrmse(reference, truth, scale), eps)
        both_lost = math.isinf(own) and math.isinf(theirs)
        result[name] = 0.0 if both_lost else _log10(theirs) - _log10(own)
    return result


def _log10(value: float) -> float:
    return math.inf if math.isinf(value) else math.log10(value)
