"""Climate: whether a forecast has the statistics of the data, even where it no longer follows the truth."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from sweep.data.types import Array

QUANTILES = np.linspace(0.02, 0.98, 25)
BINS = (
    1.5  # bins of the spectrum: width of its smoothing; our choice for records of ten to twenty oscillations
)
WRONG_AT = (
    0.99  # quantile of the distances among true records; a single forecast beyond 1.5 times it is wrong
)
SHIFTED = 0.9  # quantile of true distances that the median of right forecasts rarely reaches. Our choice
FEW = 4  # records; a median of fewer means little


def climate_distances(forecasts: Array, true: Array) -> tuple[Array, Array]:
    """Return the distances of forecasts from the pooled truth, and those of each true record from the others.

    In each channel a record's distance is the sum of three terms, each 0 for equal records: the Hellinger distance
    of smoothed power spectra, and the mean quantile differences of the values and of the steps between them, both
    divided by the truth's spread. The sum is divided by its median over true records, then averaged over channels.
    A true record is compared with the pool of the others: that is the distance of a perfect climate.

    Args:
        forecasts: (record, step, channel), finite.
        true: (record, step, channel), the truth, with the same number of steps.

    Returns:
        (record,) for the forecasts and (record,) for the truth; the latter has a median of about 1.

    Source: Hellinger distance of spectra after Mikhaeil, Monfared, Durstewitz (2022), NeurIPS; the quantile
    difference is the Wasserstein distance in one dimension; the sum is our choice.
    """
    distances, null = np.zeros(len(forecasts)), np.zeros(len(true))
    count, channels = len(true), true.shape[2]
    for channel in range(channels):
        features = [_features(values) for values in true[..., channel]]
        pooled = [np.mean([f[k] for f in features], axis=0) for k in range(3)]
        spread = (
            max(float(true[..., channel].std()), 1e-12),
            max(float(np.diff(true[..., channel], axis=1).std()), 1e-12),
        )
        among = np.empty(count)
        for record, own in enumerate(features):
            others = [(count * p - f) / max(count - 1, 1) for p, f in zip(pooled, own, strict=True)]
            among[record] = _distance(own, others if count > 1 else pooled, spread)
        usual = max(float(np.median(among)), 1e-12) * channels
        null += among / usual
        distances += [
            _distance(_features(values), pooled, spread) / usual for values in forecasts[..., channel]
        ]
    return distances, null


def climate_is_right(forecasts: Array, true: Array) -> Array:
    """Return (record,), whether each forecast could be a record of the data.

    A record is wrong beyond 1.5 times the WRONG_AT quantile of true distances. Where the median forecast lies
    beyond their SHIFTED quantile, the forecasts as a group are off, and a record is wrong beyond that quantile.

    Args:
        forecasts: (record, step, channel), finite.
        true: (record, step, channel), at least two records.
    """
    distances, null = climate_distances(forecasts, true)
    usual = float(np.quantile(null, SHIFTED))
    shifted = min(len(null), len(distances)) >= FEW and np.median(distances) >= usual
    limit = usual if shifted else 1.5 * float(np.quantile(null, WRONG_AT))
    right: Array = distances <= limit
    return right


def _features(values: Array) -> list[Array]:
    power = np.abs(np.fft.rfft((values - values.mean()) * np.hanning(len(values)))) ** 2
    power = gaussian_filter1d(power, BINS)
    total = power.sum()
    spectrum = power / total if total > 0 else np.zeros(len(power))
    return [spectrum, np.quantile(values, QUANTILES), np.quantile(np.diff(values), QUANTILES)]


def _distance(own: list[Array], others: list[Array], spread: tuple[float, float]) -> float:
    hellinger = np.sqrt(np.square(np.sqrt(own[0]) - np.sqrt(np.maximum(others[0], 0))).sum() / 2)
    values = np.abs(own[1] - others[1]).mean() / spread[0]
    steps = np.abs(own[2] - others[2]).mean() / spread[1]
    return float(hellinger + values + steps)
