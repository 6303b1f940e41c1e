"""Facts about the data alone: sizes, distances between the parts, and whether validation leaks into training."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from sweep.data import Data
from sweep.data.pieces import joined
from sweep.data.spread import spread_of
from sweep.data.types import Array
from sweep.score.baselines.autoregression import fitted, lagged

WORD = 8  # samples of a stretch; our choice, a third of a cycle of well-sampled data
REFERENCES = 6000  # most stretches of each kind; a bound on time
BLOCK = 65_536  # stretches of a series at a time; a bound on memory
MEMORY_MOST = 400  # most lags of the autocorrelation
NEXT_TO_NOTHING = 1e-9  # scales; smaller distances are rounding
LINEAR_ORDER = 8  # order of the linear forecast; our choice


@dataclass(frozen=True)
class DataFacts:
    """Numbers of the data, in standard deviations of the training data unless another unit is given."""

    period: float | None  # dominant period of the training data, steps
    lyapunov_time: float | None  # steps, where known
    memory: float  # first lag at which the mean autocorrelation is 0 or less, steps
    samples: int  # training samples over all series
    longest: int  # samples of the longest training series
    channels: int
    input_size: float  # largest |input| in training, model units
    input_mean: float  # largest |mean| of a channel, model units
    input_spread: float  # largest standard deviation of a channel, model units
    linear_training: (
        float  # RMS one-step error of a linear autoregression on the training data, with the inputs
    )
    linear_validation: float  # the same on validation data
    leaked: float  # share of validation stretches that occur, number by number, in the training data
    # median distance of late training stretches to their nearest early one; NaN with inputs from outside, since other
    # inputs move them without another law
    nearest_training: float
    nearest_validation: float  # the same of validation stretches to their nearest early training one
    series: int = 1  # training series
    # largest ratio of two training series' standard deviations, in model units, and largest distance of their means in
    # standard deviations within the series: over all channels
    series_scales: float = 1.0
    series_levels: float = 0.0
    inputs: int = 0  # from outside that change within a series


def facts_of(data: Data) -> DataFacts:
    """Return the facts; nothing is drawn, and only a linear autoregression is fitted.

    A stretch is WORD samples of all channels; for leaks, with the inputs from outside at the same times. A stretch that
    occurs more than once in a training series, such as a night's zeros or a cycle of whole steps, is not a sign of a
    leak. Distances are per sample and channel, in standard deviations of the training data. The linear errors are NaN
    if the training series are too short.
    """
    pooled, coded = np.concatenate(data.train_raw), np.concatenate(data.train)
    spread = np.where(pooled.std(axis=0) > 0, pooled.std(axis=0), 1.0)
    fresh = data.validation.truth
    words = min(WORD, *(len(raw) // 3 for raw in data.train_raw)) or 1
    early = [raw[: 2 * len(raw) // 3] for raw in data.train_raw]
    late = [raw[2 * len(raw) // 3 :] for raw in data.train_raw]
    inputs, nearest = _changing_inputs(data), [np.nan, np.nan]
    if not inputs:
        tree = cKDTree(_stretches(early, words, spread))
        nearest = [_nearest(tree, _stretches(part, words, spread)) for part in (late, list(fresh))]
    driven, driven_fresh = _with_inputs(data)
    asked = [row.tobytes() for row in _exact(driven_fresh, words)]
    known = _once_in_a_series(driven, words, set(asked))
    training, validation = _linear_errors(data, spread)
    apart = spread_of(joined(data.train, data.train_series))
    return DataFacts(
        period=data.period,
        lyapunov_time=data.lyapunov_time,
        memory=_memory(data.train_raw),
        samples=len(pooled),
        longest=max(len(raw) for raw in data.train_raw),
        channels=pooled.shape[1],
        input_size=float(np.abs(coded).max()),
        input_mean=float(np.abs(coded.mean(axis=0)).max()),
        input_spread=float(coded.std(axis=0).max()),
        linear_training=training,
        linear_validation=validation,
        leaked=float(np.mean([row in known for row in asked])),
        nearest_training=nearest[0],
        nearest_validation=nearest[1],
        series=len(data.train),
        series_scales=float(apart.ratio.max()),
        series_levels=float(apart.distance.max()),
        inputs=inputs,
    )


def _changing_inputs(data: Data) -> int:
    """Return the number of inputs from outside that change within a training series."""
    count = len(data.known)
    if not count:
        return 0
    moves = [np.ptp(features[:, -count:], axis=0) > 0 for features in data.train_known]
    return int(np.any(moves, axis=0).sum())


def _with_inputs(data: Data, ahead: bool = False) -> tuple[list[Array], list[Array]]:
    """Return the training series and the validation truth, (time, channel + input) each, data units and model units.

    Without inputs from outside they are all the samples. With inputs, those that the transforms consume are left out.

    Args:
        data: of a trial.
        ahead: whether a row has the inputs of the next time, with which a step forecasts; the last row then has its
            own.
    """
    count, lag = len(data.known), data.codec.lag
    if not count:
        return list(data.train_raw), list(data.validation.truth)

    def joined_with(values: Array, features: Array) -> Array:
        inputs = features[:, -count:]
        inputs = np.concatenate([inputs[1:], inputs[-1:]]) if ahead else inputs
        return np.concatenate([values, inputs], axis=1)

    starts = data.validation
    horizon = starts.truth.shape[1]
    return (
        [joined_with(raw[lag:], one) for raw, one in zip(data.train_raw, data.train_known, strict=True)],
        [
            joined_with(values, one)
            for values, one in zip(starts.truth, starts.known[:, -horizon:], strict=True)
        ],
    )


def _once_in_a_series(series: list[Array], words: int, asked: set[bytes]) -> set[bytes]:
    """Return those of the stretches asked for, as bytes, that a series holds and no series holds more than once."""
    known: set[bytes] = set()
    again: set[bytes] = set()
    for values in series:
        counts = Counter(row for row in _as_bytes(values, words) if row in asked)
        known.update(counts)
        again.update(row for row, count in counts.items() if count > 1)
    return known - again


def _as_bytes(values: Array, words: int) -> Iterator[bytes]:
    """Yield the stretches of a series, a block at a time: a million of them take a gigabyte."""
    for begin in range(0, len(values) - words + 1, BLOCK):
        for row in _exact([values[begin : begin + BLOCK + words - 1]], words):
            yield row.tobytes()


def _exact(series: list[Array], words: int) -> Array:
    """Return (stretch, words * channel), contiguous rows of the unscaled values."""
    rows = np.concatenate([lagged(values[None], words)[0] for values in series])
    return np.ascontiguousarray(rows) + 0.0  # turns -0 into 0: they are equal, but their bytes differ


def _stretches(series: list[Array], words: int, spread: Array) -> Array:
    """Return (stretch, words * channel), scaled: of all stretches every n-th, at most REFERENCES."""
    usable = [values for values in series if len(values) >= words]
    counts = [len(values) - words + 1 for values in usable]
    stride = -(-sum(counts) // REFERENCES)
    begins = np.cumsum([0, *counts[:-1]])
    rows = [
        lagged(values[None] / spread, words, first, stride)[0]
        for values, first in zip(usable, (-begins) % stride, strict=True)
    ]
    return np.ascontiguousarray(np.concatenate(rows)) + 0.0


def _nearest(tree: cKDTree, stretches: Array) -> float:
    distances, _ = tree.query(stretches)
    return max(NEXT_TO_NOTHING, float(np.median(distances) / np.sqrt(stretches.shape[1])))


def _linear_errors(data: Data, spread: Array) -> tuple[float, float]:
    """Return RMS one-step errors, in standard deviations, of an autoregression fitted to two thirds of training.

    The first is on the last third of the training data, the second on the validation truth. With inputs from outside,
    the autoregression has them, too: of as many times, the last of them the one that is forecast.
    """
    series, fresh = _with_inputs(data, ahead=True)
    channels = len(data.channels)
    level = np.concatenate(series).mean(axis=0)  # without it, a large offset costs digits
    early = [values[: 2 * len(values) // 3] - level for values in series]
    late = [values[2 * len(values) // 3 :] - level for values in series]
    order = min(
        LINEAR_ORDER, min(len(values) for values in late) - 2, min(len(values) for values in early) // 4
    )
    if order < 1:
        return np.nan, np.nan
    weights = fitted(early, order)[:, :channels]

    def error(series: list[Array]) -> float:
        squares = []
        for values in series:
            forecast = lagged(values[None], order)[0, :-1] @ weights[1:] + weights[0]
            squares.append(np.square((forecast - values[order:, :channels]) / spread).mean())
        return max(NEXT_TO_NOTHING, float(np.sqrt(np.mean(squares))))

    return error(late), error([values - level for values in fresh])


def _memory(train: tuple[Array, ...]) -> float:
    """Return the first lag at which the autocorrelation of the longest series, mean over channels, is 0 or less."""
    longest = max(train, key=len)
    values = longest - longest.mean(axis=0)
    lags = min(MEMORY_MOST, len(values) - 1)
    size = 2 * len(values)
    power = np.abs(np.fft.rfft(values, size, axis=0)) ** 2
    correlation = np.fft.irfft(power, size, axis=0)[: lags + 1]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nanmean(correlation / correlation[0], axis=1)
    below = np.flatnonzero(mean <= 0)
    return float(below[0]) if len(below) else float(lags)
