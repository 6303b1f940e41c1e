"""The conversion of data units to model units and back: transforms, then scaling by the training data alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sweep.config.errors import DataError
from sweep.config.text import plural
from sweep.data.pieces import joined
from sweep.data.precision import rounding_of
from sweep.data.transforms import Transform, transformed
from sweep.data.types import Array

SQUARED = 1e-150  # squares of smaller values lose digits: float64 ends at 2e-308


@dataclass(frozen=True)
class ScalingCodec:
    """Implements `sweep.data.types.Codec`. Row -1 of the statistics is for series without a training part."""

    transforms: tuple[Transform, ...]
    mean: Array  # (training series + 1, channel), after the transforms; the last row: all series together
    std: Array  # same shape, > 0

    @property
    def lag(self) -> int:
        """Return the steps at the beginning of a series that the transforms consume."""
        return sum(transform.lag for transform in self.transforms)

    def encode(self, values: Array, series: Array) -> Array:
        """Return model units, (series, time - lag, channel)."""
        mean, std = self._statistics(series)
        return np.asarray((transformed(values, self.transforms) - mean) / std)

    def decode(self, forecast: Array, past: Array, series: Array) -> Array:
        """Return a rollout in data units; inf and NaN stay within their start and channel."""
        values = self._unscaled(forecast, series)
        for level in reversed(range(len(self.transforms))):
            before = transformed(past, self.transforms[:level])
            values = self.transforms[level].decode(values, before)
        return values

    def decode_one_step(self, forecast: Array, past: Array, truth: Array, series: Array) -> Array:
        """Return teacher-forced forecasts in data units; each is inverted from the true steps before it."""
        values = self._unscaled(forecast, series)
        joined = np.concatenate([past, truth], axis=1)
        for level in reversed(range(len(self.transforms))):
            transform = self.transforms[level]
            known = transformed(joined, self.transforms[:level])
            before = known[:, known.shape[1] - truth.shape[1] - transform.lag :]
            values = transform.decode_one_step(values, before)
        return values

    def _statistics(self, series: Array) -> tuple[Array, Array]:
        rows = np.asarray(series, dtype=np.int64)
        return self.mean[rows][:, None, :], self.std[rows][:, None, :]

    def _unscaled(self, forecast: Array, series: Array) -> Array:
        mean, std = self._statistics(series)
        with np.errstate(all="ignore"):
            return np.asarray(np.asarray(forecast, dtype=np.float64) * std + mean)


def fit_codec(
    transforms: tuple[Transform, ...],
    train: Sequence[Array],
    channels: Sequence[str],
    scaling: Literal["global", "series", "none"],
    labels: Sequence[str],
    owners: Sequence[int] | None = None,
) -> ScalingCodec:
    """Return the codec with the statistics of the transformed training series.

    Args:
        transforms: applied in this order.
        train: per piece (time, channel), data units.
        channels: their names, for messages.
        scaling: "global" scales by mean and standard deviation of all series together, "series" each series by
            its own; "none" does not scale (as with mean 0 and standard deviation 1).
        labels: names of the pieces' series, for messages.
        owners: index of each piece's training series, 0, 1, ...; None: each piece is a series.

    Raises:
        DataError: a series is too short for the transforms, or a channel is constant after them.
    """
    lag = sum(transform.lag for transform in transforms)
    for values, label in zip(train, labels, strict=True):
        if len(values) < lag + 2:
            raise DataError(
                f"{label}: the training part has {plural(len(values), 'sample')}, scaling needs 2"
                + (f" and the transforms consume {lag}" if lag else "")
                + ": give more data"
                + (
                    " or lower data.season"
                    if lag
                    else " (arrays are [time, channel] or [series, time, channel])"
                )
            )
    encoded = [transformed(values, transforms) for values in train]
    pooled = np.concatenate(encoded)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, std = pooled.mean(axis=0), pooled.std(axis=0)
    if not np.isfinite(std).all():
        channel = channels[int(np.argmin(np.isfinite(std)))]
        raise DataError(f"channel {channel!r}: the values are too large to be squared: use a larger unit")
    rounding = np.max([_rounding(values, transforms) for values in train], axis=0)
    _require_spread(pooled, std, rounding, channels, "the training data")
    owners = range(len(train)) if owners is None else owners
    count, width = max(owners) + 1, len(channels)
    means, stds = np.tile(mean, (count + 1, 1)), np.tile(std, (count + 1, 1))
    if scaling == "none":
        means, stds = np.zeros_like(means), np.ones_like(stds)
    elif scaling == "series":
        own = joined([_rounding(values, transforms)[None] for values in train], owners)
        label_of = dict(zip(owners, labels, strict=True))
        for index, values in enumerate(joined(encoded, owners)):
            means[index], stds[index] = values.mean(axis=0), values.std(axis=0)
            where = f"the training part of {label_of[index]}"
            _require_spread(values, stds[index], own[index].max(axis=0), channels, where)
    return ScalingCodec(transforms, means.reshape(count + 1, width), stds.reshape(count + 1, width))


def flat_channels(train: Sequence[Array], transforms: Sequence[Transform]) -> Array:
    """Return (channel,), whether the transforms leave only rounding of a channel of the training series.

    Args:
        train: per series (time, channel), data units, longer than the transforms consume.
        transforms: applied in this order.
    """
    pooled = np.concatenate([transformed(values, transforms) for values in train])
    rounding = np.max([_rounding(values, transforms) for values in train], axis=0)
    return np.asarray(pooled.std(axis=0) <= rounding)


def _require_spread(values: Array, std: Array, rounding: Array, channels: Sequence[str], where: str) -> None:
    width = np.ptp(values, axis=0)
    tiny = np.flatnonzero((width > 0) & (width < SQUARED))
    if len(tiny):
        raise DataError(
            f"channel {channels[tiny[0]]!r}: the values are too small to be squared: use a smaller unit"
        )
    flat = np.flatnonzero(std <= rounding)
    if len(flat):
        raise DataError(
            f"channel {channels[flat[0]]!r} is constant in {where} (after the transforms, if any): "
            "drop the channel or the transform that flattens it"
        )


def _rounding(values: Array, transforms: Sequence[Transform]) -> Array:
    """Return (channel,), the spread that rounding alone gives a series after the transforms.

    A difference of large values keeps their rounding, although it is small itself.
    """
    level = np.abs(values).max(axis=0)
    for transform in transforms:
        values = transform.encode(values)
        size = np.abs(values).max(axis=0)
        level = np.maximum(level, size) if transform.lag else size
    return rounding_of(level)
