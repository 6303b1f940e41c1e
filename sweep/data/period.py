"""The dominant period of the training data."""

from collections.abc import Sequence

import numpy as np

from sweep.data.precision import rounding_of
from sweep.data.types import Array

PADDING = 8  # a finer frequency grid shows the centre of a narrow peak
BAND = (
    0.2  # a peak reaches 20 % to both sides of its frequency; our choice: sunspot cycles last 9 to 14 years
)
# Excess share of the power in the band that makes a peak clear; our choice, no published value. It is 0.48 for the
# sunspots, 0.80 for Mackey-Glass, 0.31 for Lorenz; of 200 samples of AR(1) noise or of a random walk 2 % pass.
CLEAR = 0.45
# Points of the spectra of all series. Of more, the products of lags are added up and have one spectrum, which differs
# by rounding: thousands of spectra as fine as the longest series needs take minutes. Our choice.
POINTS_MOST = 1 << 26
AT_ONCE_MOST = (
    1 << 24
)  # points of the spectra of a series' channels that are computed at once; a bound on memory
FEWEST_CYCLES = 3  # in the longest series; fewer are a trend or chance; our choice
TOOTH = 2  # cycles in the longest series: half width of a spectral line, whose taper is Hann's
APART = 0.5  # share of all frequencies that the lines may cover, so at least 8 cycles; noise fills more. Our choice
ALIKE = (
    0.1  # excess share by which a multiple of the period may be clearer than the period itself; our choice
)


def dominant_period(train: Sequence[Array]) -> float | None:
    """Return the period in steps at which the training data repeat, None if no period is clear.

    From every series and channel its straight line is subtracted; the rest is scaled to variance 1 and tapered (Hann),
    and the power spectra are averaged. If they have no clear peak (`_peak_period`), as those of pulses have not, whose
    power is spread over many harmonics, all harmonics together may be clear (`_comb_period`).

    Args:
        train: per series (time, channel), finite.
    """
    longest = max(len(values) for values in train)
    if longest < 4 * FEWEST_CYCLES:
        return None
    size = PADDING * 2 ** int(np.ceil(np.log2(longest)))
    power, product = np.zeros(size // 2 + 1), np.zeros(longest)
    lags = np.zeros(longest)  # of the tapered series
    apart = len(train) * size <= POINTS_MOST
    for values in train:
        scaled = _scaled(values)
        tapered = scaled * np.hanning(len(values))[:, None]
        if scaled.shape[1] and apart:
            power += _mean_power(tapered, size) / longest
        elif scaled.shape[1]:
            lags[: len(values)] += _products(tapered)
        if scaled.shape[1]:
            product[: len(values)] += _autocovariance(scaled)
    if not apart:
        power = _spectrum(lags, size) / longest
    if not power.any():
        return None
    period = _peak_period(power, size, longest)
    return _comb_period(power, product, size, longest) if period is None else period


def _peak_period(power: Array, size: int, longest: int) -> float | None:
    """Return the period of the highest spectral peak, None if it is not clear.

    The highest point between FEWEST_CYCLES cycles and the Nyquist frequency is the peak. It is clear if it is a local
    maximum and the band within BAND of its frequency holds a share s of the power with (s - w) / (1 - w) >= CLEAR,
    where w is the share of the band in all frequencies, the power that white noise has there. The period is one over
    the band's centre of power, because the highest point of a broad peak, such as that of the sunspots, depends on
    noise.
    """
    lowest = int(np.ceil(FEWEST_CYCLES * size / longest))
    peak = lowest + int(np.argmax(power[lowest:-1]))
    if power[peak] <= 0 or power[peak] < max(power[peak - 1], power[peak + 1]):
        return None
    band = np.arange(int(np.floor(peak * (1 - BAND))), min(int(np.ceil(peak * (1 + BAND))) + 1, len(power)))
    if _excess(power[band].sum() / power.sum(), len(band) / len(power)) < CLEAR:
        return None
    return float(size * power[band].sum() / (band @ power[band]))


def _comb_period(power: Array, product: Array, size: int, longest: int) -> float | None:
    """Return the shortest period whose harmonics together are clear, None if there is none.

    The lag of the highest autocorrelation, after its first fall to 0 and with FEWEST_CYCLES repetitions, is one period
    or several. Of its fractions, those are periods whose harmonics, TOOTH to both sides, hold an excess share of the
    power of CLEAR, and within ALIKE of the highest. That needs power in narrow lines, which noise does not have,
    whatever its colour.
    """
    last = longest // FEWEST_CYCLES
    fallen = np.flatnonzero(product[: last + 1] <= 0)
    if not len(fallen):
        return None
    lag = int(fallen[0]) + int(np.argmax(product[fallen[0] : last + 1]))
    total = np.concatenate([[0.0], np.cumsum(power)])
    width = TOOTH * size / longest
    shares = np.array(
        [_comb_share(total, fraction * size / lag, width) for fraction in range(1, lag // 2 + 1)]
    )
    if not len(shares) or shares.max() < CLEAR:
        return None
    return lag / float(np.flatnonzero(shares >= max(CLEAR, shares.max() - ALIKE))[-1] + 1)


def _comb_share(total: Array, fundamental: float, width: float) -> float:
    """Return the excess share of the power in the harmonics of a frequency; 0 if they are not APART.

    Args:
        total: running sum of the power, from 0.
        fundamental: points of the spectrum.
        width: points to both sides of a harmonic that belong to it.
    """
    points = len(total) - 1
    if 2 * width > APART * fundamental:
        return 0.0
    teeth = fundamental * np.arange(1, int((points - 1) / fundamental) + 1)
    first = np.ceil(teeth - width).astype(int)
    end = np.minimum(np.floor(teeth + width).astype(int) + 1, points)
    share = float((total[end] - total[first]).sum() / total[-1])
    return _excess(share, float((end - first).sum()) / points)


def _excess(share: float, white: float) -> float:
    """Return the share of the power beyond that of white noise: 0 is white noise, 1 is all power."""
    return (share - white) / (1 - white) if white < 1 else 0.0


def _scaled(values: Array) -> Array:
    """Return a series without straight lines, each channel with variance 1; without channels that are lines."""
    time = np.arange(len(values)) - (len(values) - 1) / 2
    centred = values - values.mean(axis=0)
    centred = centred - time[:, None] * (time @ centred) / max(float(time @ time), 1.0)
    spread = centred.std(axis=0)
    keep = spread > rounding_of(np.abs(values).max(axis=0))
    return np.asarray(centred[:, keep] / spread[keep])


def _autocovariance(scaled: Array) -> Array:
    """Return (lag,), the mean over channels of the products of values that far apart; not fewer for long lags."""
    count = len(scaled)
    return np.asarray(_products(scaled) * count / (count - np.arange(count)))


def _mean_power(values: Array, size: int) -> Array:
    """Return (frequency,), the power spectrum of `size` points, mean over channels; of long series one by one."""
    if size * values.shape[1] <= AT_ONCE_MOST:
        return np.asarray((np.abs(np.fft.rfft(values, size, axis=0)) ** 2).mean(axis=1))
    total = np.zeros(size // 2 + 1)
    for channel in values.T:
        total += np.abs(np.fft.rfft(channel, size)) ** 2
    return np.asarray(total / values.shape[1])


def _products(values: Array) -> Array:
    """Return (lag,), the sums of the products of values that far apart, mean over channels."""
    count = len(values)
    size = 2 ** int(np.ceil(np.log2(2 * count)))
    spectrum = np.abs(np.fft.rfft(values, size, axis=0)) ** 2
    return np.asarray(np.fft.irfft(spectrum, size, axis=0)[:count].mean(axis=1))


def _spectrum(products: Array, size: int) -> Array:
    """Return (frequency,), the power spectrum of `size` points whose products of lags are given; 0 for rounding."""
    both = np.zeros(size)
    both[: len(products)] = products
    both[size - len(products) + 1 :] = products[:0:-1]
    power = np.fft.rfft(both).real
    return np.asarray(np.where(power > rounding_of(power.max()), power, 0.0))
