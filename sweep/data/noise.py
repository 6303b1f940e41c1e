"""The level of measurement noise in the data, estimated from differences that remove what is smooth."""

import math
from collections.abc import Sequence

import numpy as np

from sweep.data.types import Array

HIGHEST_ORDER = 6  # of the differences; higher ones leave few independent values. Our choice


def noise_shares(series: Sequence[Array]) -> Array:
    """Return the share of a channel's standard deviation that looks like white noise, in [0, 1], (channel,).

    A k-th difference of white noise has the standard deviation of the noise times sqrt(binom(2k, k)), and of a smooth
    signal almost none. The smallest over k = 1 .. 6 of std(k-th difference) / sqrt(binom(2k, k)) is the noise of a
    series, an upper bound: a signal with few steps per oscillation is not smooth. Noise and standard deviation are
    root mean squares over the series, weighted by their samples. 0 for a constant channel; series with fewer than
    3 samples are left out.

    Source: Gasser, Sroka and Jennen-Steinmetz (1986), Biometrika 73, 625, for k = 2; Hall, Kay and Titterington (1990),
    Biometrika 77, 521, for differences of any order.

    Args:
        series: each (time, channel), finite.
    """
    channels = series[0].shape[1]
    noise, total = np.zeros(channels), np.zeros(channels)
    for values in series:
        if len(values) < 3:
            continue
        noise += len(values) * _noise(values) ** 2
        total += len(values) * values.std(axis=0) ** 2
    shares = np.sqrt(np.divide(noise, total, out=np.zeros(channels), where=total > 0))
    return np.asarray(np.minimum(shares, 1.0))


def _noise(values: Array) -> Array:
    """Return the noise of one series in data units, (channel,)."""
    difference = values
    smallest = values.std(axis=0)
    for order in range(1, min(HIGHEST_ORDER, len(values) - 2) + 1):
        difference = np.diff(difference, axis=0)
        smallest = np.minimum(smallest, difference.std(axis=0) / math.sqrt(math.comb(2 * order, order)))
    return np.asarray(smallest)
