"""The scale of errors: what the best of the three trivial forecasts gets wrong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sweep.data.precision import rounding_of
from sweep.data.trivial import TITLES, trivial_forecasts
from sweep.data.types import Array, Starts

# Of the training standard deviation: the scale of exact data at least, eight times the relative precision of float32,
# in which networks compute by default. Rounding of the data would grade nothing. Our choice.
EXACT_SCALE = 2.0**-20


@dataclass(frozen=True)
class Scales:
    """The scale of each start and channel; equal for all starts of a series."""

    scale: Array  # (start, channel), > 0
    source: Array  # (start, channel), name of the trivial forecast that set it
    exact: Array  # (start, channel), whether that forecast is right to rounding


def scales_of(past: Array, truth: Array, mean: Array, std: Array, owner: Array) -> Scales:
    """Return per series and channel the smallest RMS error of the trivial forecasts over all its starts.

    A forecast is exact if its RMS error is rounding of the largest value. The drift multiplies the rounding of its
    slope by the horizon over the past. Then the scale is that rounding, or EXACT_SCALE training standard deviations
    if that is more. Of equal errors the first of mean, persistence and drift counts.

    Args:
        past: (start, past step, channel), data units.
        truth: (start, step, channel).
        mean: (start, channel), of the training data.
        std: (start, channel), of the training data, > 0.
        owner: (start,), index of each start's series.
    """
    horizon = truth.shape[1]
    forecasts = trivial_forecasts(past, mean, horizon)
    reach = [max(1.0, horizon / (past.shape[1] - 1)) if name == "drift" else 1.0 for name in forecasts]
    squares = [np.mean((truth - forecast) ** 2, axis=1) for forecast in forecasts.values()]
    errors = np.sqrt(np.stack([_by_series(square, owner, np.mean) for square in squares]))
    sizes = [np.abs(past).max(axis=1), np.abs(truth).max(axis=1), np.abs(mean), std]
    level = _by_series(np.max(sizes, axis=0), owner, np.max)
    best = errors.argmin(axis=0)
    error = np.take_along_axis(errors, best[None], axis=0)[0]
    rounding = rounding_of(level) * np.asarray(reach)[best]
    exact = error <= rounding
    return Scales(
        scale=np.where(exact, np.maximum(rounding, EXACT_SCALE * std), error),
        source=np.asarray(list(forecasts))[best],
        exact=exact,
    )


def exact_warnings(
    part: str, starts: Starts, channels: Sequence[str], targets: Sequence[int]
) -> tuple[str, ...]:
    """Return a warning for each target channel that a trivial forecast foretells to rounding from some starts."""
    texts = []
    for channel in targets:
        exact = starts.exact[:, channel]
        if not exact.any():
            continue
        words = " or ".join(TITLES[name] for name in TITLES if name in starts.scale_from[exact, channel])
        where = "" if exact.all() else f" from {exact.sum()} of {len(exact)} starts"
        texts.append(
            f"{part}: channel {channels[channel]!r} is exact{where}: {words} forecasts it to rounding, and nothing can "
            "beat that"
        )
    return tuple(texts)


def _by_series(values: Array, owner: Array, reduce: Callable[..., Array]) -> Array:
    """Return (start, channel): each series' values over its starts, reduced to one."""
    result = np.empty_like(values)
    for index in np.unique(owner):
        result[owner == index] = reduce(values[owner == index], axis=0)
    return result
