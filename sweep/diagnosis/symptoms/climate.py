"""Whether a forecast has the statistics of the data, however far it is from this very truth."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from sweep.data.types import Array

QUANTILES = np.linspace(0.02, 0.98, 25)
BINS = 1.5  # of the spectrum: the width of its smoothing; our choice for records of ten to twenty turns
WRONG_AT = 0.99  # quantile of the distances among true records beyond which a single forecast is wrong
SHIFTED = 0.9  # quantile of true distances that the median of right forecasts hardly reaches. Our choice
FEW = 4  # records below which a median says little


def climate_distances(said: Array, true: Array) -> tuple[Array, Array]:
    """Return how far forecasts, and true records among themselves, are from the pooled truth.

    In each channel a record's distance is the sum of three, each 0 for equal: Hellinger of smoothed power
    spectra, and mean quantile difference of the values and of the steps between them, both over the truth's
    spread. It is divided by the median over true records, and the mean is taken over channels. A true record
    is compared with the pool of the others, which is what a perfect climate would show.

    Args:
        said: (record, step, channel), finite, the forecasts.
        true: (record, step, channel), the truth, of as many steps.

    Returns:
        (record,) of the forecasts and (record,) of the truth, which has a median of about 1.

    Source: Hellinger distance of spectra after Mikhaeil, Monfared, Durstewitz (2022), NeurIPS; the quantile
    difference is the Wasserstein distance of one dimension; their sum is our choice.
    """
    distances, null = np.zeros(len(said)), np.zeros(len(true))
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
        distances += [_distance(_features(values), pooled, spread) / usual for values in said[..., channel]]
    return distances, null


def climate_is_right(said: Array, true: Array) -> Array:
    """Return (record,) whether each forecast could be the data's, by distance and by all taken together.

    A record is wrong beyond 1.5 times the WRONG_AT quantile of true distances; where the median forecast is
    beyond their SHIFTED quantile, all are suspect, and one is wrong beyond that.

    Args:
        said: (record, step, channel), finite.
        true: (record, step, channel), at least two records.
    """
    distances, null = climate_distances(said, true)
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
