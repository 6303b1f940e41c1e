"""The dominant period of the training data."""

from collections.abc import Sequence

import numpy as np

from sweep.data.types import Array

PADDING = 8  # a finer frequency grid shows the centre of a narrow peak
BAND = (
    0.2  # a peak reaches 20 % to both sides of its frequency; our choice: sunspot cycles last 9 to 14 years
)
# Excess share of the power in the band that makes a peak clear; our choice, no published value. It is 0.48 for the
# sunspots, 0.80 for Mackey-Glass, 0.31 for Lorenz; of 200 samples of AR(1) noise or of a random walk 2 % pass.
CLEAR = 0.45
FEWEST_CYCLES = 3  # in the longest series; fewer are a trend or chance; our choice


def dominant_period(train: Sequence[Array]) -> float | None:
    """Return the period in steps of the highest spectral peak, None if no peak is clear.

    From every series and channel its straight line is subtracted; the rest is scaled to variance 1 and tapered (Hann),
    and the power spectra are averaged. The highest point between FEWEST_CYCLES cycles and the Nyquist frequency is
    the peak. It is clear if it is a local maximum and the band within BAND of its frequency holds a share s of the
    power with (s - w) / (1 - w) >= CLEAR, where w is the share of the band in all frequencies, the power that white
    noise has there. The period is one over the band's centre of power, because the highest point of a broad peak,
    such as that of the sunspots, depends on noise.

    Args:
        train: per series (time, channel), finite.
    """
    longest = max(len(values) for values in train)
    if longest < 4 * FEWEST_CYCLES:
        return None
    size = PADDING * 2 ** int(np.ceil(np.log2(longest)))
    power = np.zeros(size // 2 + 1)
    for values in train:
        power += _power(values, size, longest)
    lowest = int(np.ceil(FEWEST_CYCLES * size / longest))
    peak = lowest + int(np.argmax(power[lowest:-1]))
    if power[peak] <= 0 or power[peak] < max(power[peak - 1], power[peak + 1]):
        return None
    band = np.arange(int(np.floor(peak * (1 - BAND))), min(int(np.ceil(peak * (1 + BAND))) + 1, len(power)))
    share, white = power[band].sum() / power.sum(), len(band) / len(power)
    if share - white < CLEAR * (1 - white):
        return None
    return float(size * power[band].sum() / (band @ power[band]))


def _power(values: Array, size: int, longest: int) -> Array:
    """Return the power spectrum of a series, the mean over channels, weighted by its length."""
    time = np.arange(len(values)) - (len(values) - 1) / 2
    centred = values - values.mean(axis=0)
    centred = centred - time[:, None] * (time @ centred) / max(float(time @ time), 1.0)
    spread = centred.std(axis=0)
    keep = spread > 1e-9 * np.abs(values).max(axis=0)
    if not keep.any():
        return np.zeros(size // 2 + 1)
    tapered = centred[:, keep] / spread[keep] * np.hanning(len(values))[:, None]
    spectrum = np.abs(np.fft.rfft(tapered, size, axis=0)) ** 2
    return np.asarray(spectrum.mean(axis=1) / longest)
