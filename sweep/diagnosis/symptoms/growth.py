"""Error growth of a rollout: as a power of the steps, or exponential."""

from dataclasses import dataclass

import numpy as np

from sweep.data.types import Array
from sweep.diagnosis.symptoms.demodulation import straight_line

SATURATES = 0.5  # in scales; a larger error no longer grows freely
FEWEST = 4  # points of a fit
POINTS = 40  # log-spaced steps, so that each decade of steps counts alike


@dataclass(frozen=True)
class Growth:
    """Fits of the logarithm of the error, on the steps before it reaches SATURATES."""

    exponent: float | None  # alpha of error ~ step^alpha: 0.5 noise, 1 a steady frequency error or drift
    exponent_r2: float | None
    rate: float | None  # lambda of error ~ exp(lambda step), per step: an unstable loop, or chaos
    rate_r2: float | None

    @property
    def exponential(self) -> bool | None:
        """Return whether the exponential fits better; None if there are too few steps to fit."""
        if self.rate_r2 is None or self.exponent_r2 is None or self.rate is None:
            return None
        return self.rate > 0 and self.rate_r2 > self.exponent_r2


def error_growth(error: Array, block: int) -> Growth:
    """Return the growth of an error curve.

    Args:
        error: (step,), >= 0, in scales, over all starts; +inf allowed. It is smoothed here over a quarter block.
        block: steps of a block.
    """
    width = max(1, block // 4)
    finite = np.minimum(error, 1e3)
    smooth = np.sqrt(np.convolve(finite**2, np.ones(width) / width, mode="valid"))
    step = np.arange(len(smooth)) + (width + 1) / 2
    beyond = np.flatnonzero(smooth >= SATURATES)
    last = int(beyond[0]) if len(beyond) else len(smooth)
    chosen = np.unique(np.rint(np.geomspace(1, max(last, 1), POINTS)).astype(int)) - 1
    chosen = chosen[(chosen < last) & (smooth[np.minimum(chosen, len(smooth) - 1)] > 0)]
    if len(chosen) < FEWEST:
        return Growth(None, None, None, None)
    log_error = np.log(smooth[chosen])
    exponent, _, exponent_r2 = straight_line(np.log(step[chosen]), log_error, np.ones(len(chosen)))
    # a rate is fitted on evenly spaced steps: log-spaced steps would cover the first few only
    even = np.unique(np.linspace(0, last - 1, min(last, POINTS)).astype(int))
    even = even[smooth[even] > 0]
    rate, _, rate_r2 = straight_line(step[even], np.log(smooth[even]), np.ones(len(even)))
    return Growth(exponent, exponent_r2, rate, rate_r2)
