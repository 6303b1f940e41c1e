"""The trend of the training data, and a warning if it is strong: a rollout would have to extrapolate it."""

from collections.abc import Sequence

import numpy as np

from sweep.data.codec import flat_channels
from sweep.data.transforms import TRANSFORMS, Difference, Transform
from sweep.data.types import Array

STRONG = 0.5  # share of the training variance that a straight line explains; our choice


def trend_shares(train: Sequence[Array]) -> Array:
    """Return the share of the variance that a straight line in time explains, in [0, 1], (channel,).

    Each series has its own line; sums of squares around the mean of each series are added over the series.
    """
    explained = np.zeros(train[0].shape[1])
    total = np.zeros(train[0].shape[1])
    for values in train:
        time = np.arange(len(values)) - (len(values) - 1) / 2
        centred = values - values.mean(axis=0)
        explained += (time @ centred) ** 2 / max(float(time @ time), 1.0)
        total += (centred**2).sum(axis=0)
    return np.divide(explained, total, out=np.zeros_like(total), where=total > 0)


def trend_warnings(
    train: Sequence[Array],
    channels: Sequence[str],
    names: Sequence[str],
    transforms: Sequence[Transform],
) -> tuple[str, ...]:
    """Return a warning for each channel with a strong trend that no transform removes.

    It advises a difference only where that leaves something to learn in every channel.

    Args:
        train: per series (time, channel), data units.
        channels: their names.
        names: of the transforms.
        transforms: of the same names.
    """
    if any(TRANSFORMS[name].removes_trend for name in names):
        return ()
    flat = flat_channels(train, (*transforms, Difference(1)))
    wanted = ", ".join(f'"{name}"' for name in (*names, "difference"))
    advice = "" if flat.any() else f"; consider data.transforms = [{wanted}]"
    return tuple(
        f"channel {name!r} is a straight line, to rounding: a line through two values forecasts it exactly, and there "
        "is nothing to learn"
        if line
        else f"channel {name!r} has a strong trend: a straight line explains {share:.0%} of its training variance "
        f"and a rollout would have to extrapolate it{advice}"
        for name, share, line in zip(channels, trend_shares(train), flat, strict=True)
        if share >= STRONG
    )
