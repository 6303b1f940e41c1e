"""Recurrence: whether a series repeats itself, and after how many steps."""

import numpy as np

from sweep.data.types import Array

LOCKED = 1e-4  # relative RMS mismatch after a whole number of steps: a locked cycle; float32 leaves 1e-6
LONGEST = 0.5  # of the series: at least one repetition must fit


def recurrence(values: Array) -> tuple[float, int | None]:
    """Return how much a series differs from its best repetition, and the lag of that repetition.

    r(q) = mean (y[t + q] - y[t])^2 / (2 variance): 0 is a repetition, 1 is unrelated, 2 is antiphase. Returned is the
    lowest r over the lags after the first with r above 0.5, since a smooth series resembles itself at short lags.

    Args:
        values: (step,), finite.

    Returns:
        r, and its lag in steps; (1, None) for a series that does not move or never returns.
    """
    count = len(values)
    centred = values - values.mean()
    variance = float(np.square(centred).mean())
    if count < 8 or not variance > 1e-12 * max(1.0, float(np.square(values).mean())):
        return 1.0, None
    most = int(LONGEST * count)
    size = 2 ** int(np.ceil(np.log2(2 * count)))
    spectrum = np.fft.rfft(centred, size)
    product = np.fft.irfft(np.abs(spectrum) ** 2, size)[: most + 1]
    total = np.concatenate([[0.0], np.cumsum(centred**2)])
    lag = np.arange(most + 1)
    ends = total[count] - total[lag] + total[count - lag]
    r = (ends - 2 * product) / (count - lag) / (2 * variance)
    apart = np.flatnonzero(r > 0.5)
    if not len(apart) or apart[0] + 2 >= len(r):
        return 1.0, None
    best = int(apart[0] + np.argmin(r[apart[0] :]))
    return max(0.0, float(r[best])), best


def locked_period(values: Array) -> int | None:
    """Return the whole number of steps after which a series repeats itself exactly; None if it never does."""
    _, best = recurrence(values)
    if best is None:
        return None
    allowed = LOCKED**2 * float(values.var())
    # the best lag may be a multiple of the period
    lags = {best, *(round(best / k) for k in range(2, 40))}
    locked = [lag for lag in lags if lag > 1 and np.square(values[lag:] - values[:-lag]).mean() <= allowed]
    return min(locked, default=None)
