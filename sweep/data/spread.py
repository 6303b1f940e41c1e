"""The difference in scale and level between training series, and a warning where one scaling cannot fit them all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sweep.config.text import plural
from sweep.data.precision import rounding_of
from sweep.data.transforms import Transform, transformed
from sweep.data.types import Array

APART = 10.0  # ratio of standard deviations, or distance of means in standard deviations; our choice


@dataclass(frozen=True)
class Spread:
    """Standard deviations and means of each training series, (series, channel)."""

    std: Array
    mean: Array
    flat: Array  # whether a series is constant in a channel, to rounding
    within: Array  # (channel,): standard deviation within the series, over all of them

    @property
    def ratio(self) -> Array:
        """Return (channel,), the largest standard deviation by the smallest, of series that are not constant; >= 1."""
        low: Array = np.where(self.flat, np.inf, self.std).min(axis=0)
        high: Array = np.where(self.flat, 0.0, self.std).max(axis=0)
        return np.asarray(np.divide(high, low, out=np.ones_like(high), where=high > 0))

    @property
    def distance(self) -> Array:
        """Return (channel,), how far the means lie apart, in standard deviations within the series; >= 0."""
        width: Array = np.ptp(self.mean, axis=0)
        return np.asarray(np.divide(width, self.within, out=np.zeros_like(width), where=self.within > 0))

    @property
    def apart(self) -> Array:
        """Return (channel,), whether one scaling does not fit all series."""
        return np.asarray((self.ratio > APART) | (self.distance > APART))


def spread_of(train: Sequence[Array]) -> Spread:
    """Return the spread of training series.

    Args:
        train: per series (time, channel), in data units or, after one scaling for all, in model units.
    """
    std = np.stack([values.std(axis=0) for values in train])
    flat = std <= np.stack([rounding_of(np.abs(values).max(axis=0)) for values in train])
    lengths = np.array([len(values) for values in train], dtype=float)[:, None]
    within = np.sqrt((lengths * np.where(flat, 0.0, std) ** 2).sum(axis=0) / lengths.sum())
    return Spread(std, np.stack([values.mean(axis=0) for values in train]), flat, within)


def spread_warnings(
    train: Sequence[Array], transforms: Sequence[Transform], channels: Sequence[str], labels: Sequence[str]
) -> tuple[str, ...]:
    """Return a warning if the training series, scaled together, differ too much in scale or level.

    Args:
        train: per series (time, channel), data units.
        transforms: applied before the scaling.
        channels: their names.
        labels: of the series.
    """
    spread = spread_of([transformed(values, transforms) for values in train])
    if not spread.apart.any():
        return ()
    scales = spread.ratio > APART
    channel = int(np.argmax(spread.ratio if scales.any() else spread.distance))
    name = f"channel {channels[channel]!r}" + (" after the transforms" if transforms else "")
    if scales.any():
        low = int(np.where(spread.flat, np.inf, spread.std)[:, channel].argmin())
        high = int(np.where(spread.flat, 0.0, spread.std)[:, channel].argmax())
        text = (
            f"the training series differ in scale by a factor of {spread.ratio[channel]:.3g}: in {name} the standard "
            f"deviation is {spread.std[low, channel]:.3g} ({labels[low]}) to {spread.std[high, channel]:.3g} "
            f"({labels[high]})"
        )
    else:
        low, high = int(spread.mean[:, channel].argmin()), int(spread.mean[:, channel].argmax())
        text = (
            f"the training series differ in level: in {name} the mean is {spread.mean[low, channel]:.3g} "
            f"({labels[low]}) to {spread.mean[high, channel]:.3g} ({labels[high]}), with a standard deviation of "
            f"{spread.within[channel]:.3g} within the series"
        )
    others = int(spread.apart.sum()) - 1
    text += f"; so it is in {plural(others, 'other channel')}" if others else ""
    text += (
        '. data.scaling = "global" scales them together, and the network hardly sees what happens in some of them: '
        'consider data.scaling = "series", which scales each by its own mean and standard deviation'
    )
    flat = int(spread.flat.any(axis=1).sum())
    return (text + _flat_text(flat),)


def _flat_text(flat: int) -> str:
    if not flat:
        return ""
    words = "1 series that is" if flat == 1 else f"the {flat} series that are"
    return f"; it needs the data without {words} constant in a channel"
