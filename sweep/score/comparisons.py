"""Numbers that compare one forecast with another: skill and exposure gap.

Axes as in `sweep.score.metrics`: (start, step, channel) in data units, `scale` (start, channel).
"""

import numpy as np

from sweep.data.types import Array
from sweep.score.metrics import nrmse_by_step

EXACT = 1e-9  # rollout error; a baseline below it is exact, and a ratio to it would measure rounding
# Baselines whose forecasts see the known inputs of their own time; a test holds the names against what each does.
SIGHTED = frozenset(
    {"seasonal_naive_calendar", "echo_state_network", "random_readout", "arx", "narx_polynomial", "fir"}
)


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
