"""Whether a forecast has the statistics of the data, however far it is from this very truth."""

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.stats import mannwhitneyu

from sweep.data.types import Array

QUANTILES = np.linspace(0.02, 0.98, 25)
BINS = 1.5  # of the spectrum: the width of its smoothing; our choice for records of ten to twenty turns
WRONG_AT = 0.99  # quantile of the distances among true records beyond which a single forecast is wrong
SHIFTED = 1e-3  # p below which all forecasts together are further off than true records are


def climate_distances(said: Array, true: Array) -> tuple[Array, Array, float]:
    """Return distances of forecasts and of true records from the pooled truth, and p of their being alike.

    A record's distance is the sum of three, each 0 for equal: Hellinger of smoothed power spectra, and mean
    quantile difference of the values and of the steps between them, both over the truth's spread. Each
    true record is compared with the pool of the others, which is what a perfect climate would show.

    Args:
        said: (record, step), finite, the forecasts; a record may be shorter than the horizon.
        true: (record, step), the truth of as many steps.

    Returns:
        (record,) of the forecasts, (record,) of the truth, and the one-sided p of a rank test.

    Source: Hellinger distance of spectra after Mikhaeil, Monfared, Durstewitz (2022), NeurIPS; the quantile
    difference is the Wasserstein distance of one dimension; their sum is our choice.
    """
    features = [_features(values) for values in true]
    pooled = [np.mean([f[k] for f in features], axis=0) for k in range(3)]
    count = len(true)
    spread = [max(float(true.std()), 1e-12), max(float(np.diff(true).std()), 1e-12)]
    null = []
    for own in features:
        others = (
            pooled if count < 2 else [(count * p - f) / (count - 1) for p, f in zip(pooled, own, strict=True)]
        )
        null.append(_distance(own, others, spread))
    distances = [_distance(_features(values), pooled, spread) for values in said]
    if count < 3:
        return np.array(distances), np.array(null), 1.0
    p = float(mannwhitneyu(distances, null, alternative="greater").pvalue)
    return np.array(distances), np.array(null), p


def climate_is_right(said: Array, true: Array) -> Array:
    """Return (record,) whether each forecast could be the data's, by distance and by all taken together.

    A record is wrong beyond twice the WRONG_AT quantile of true distances; where all forecasts together are
    shifted (p < SHIFTED), beyond the 90 % quantile.

    Args:
        said: (record, step), finite.
        true: (record, step).
    """
    distances, null, p = climate_distances(said, true)
    limit = np.quantile(null, 0.9) if p < SHIFTED and len(null) >= 3 else 1.5 * np.quantile(null, WRONG_AT)
    right: Array = distances <= limit
    return right


def _features(values: Array) -> list[Array]:
    power = np.abs(np.fft.rfft((values - values.mean()) * np.hanning(len(values)))) ** 2
    power = gaussian_filter1d(power, BINS)
    total = power.sum()
    spectrum = power / total if total > 0 else np.zeros(len(power))
    return [spectrum, np.quantile(values, QUANTILES), np.quantile(np.diff(values), QUANTILES)]


def _distance(own: list[Array], others: list[Array], spread: list[float]) -> float:
    hellinger = np.sqrt(np.square(np.sqrt(own[0]) - np.sqrt(np.maximum(others[0], 0))).sum() / 2)
    values = np.abs(own[1] - others[1]).mean() / spread[0]
    steps = np.abs(own[2] - others[2]).mean() / spread[1]
    return float(hellinger + values + steps)
