"""The table of transforms, which are applied in the order named before scaling. Each has an inverse."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sweep.config.errors import DataError
from sweep.config.registry import Registry
from sweep.data.types import Array

Pointwise = Callable[[Array], Array]


@dataclass(frozen=True)
class Map:
    """A transform of each value alone."""

    forward: Pointwise
    inverse: Pointwise
    allowed: Callable[[Array], Array]  # True where `forward` is defined
    needs: str  # the allowed values, for messages
    lag: int = 0

    def encode(self, values: Array) -> Array:
        """Return the transformed values, (..., time, channel)."""
        return self.forward(values)

    def decode(self, forecast: Array, past: Array) -> Array:
        """Return the inverse of a rollout; values that are not finite stay as they are."""
        with np.errstate(all="ignore"):
            return np.where(np.isfinite(forecast), self.inverse(forecast), forecast)

    def decode_one_step(self, forecast: Array, before: Array) -> Array:
        """Return the inverse of forecasts that each start from the truth."""
        return self.decode(forecast, before)


@dataclass(frozen=True)
class Difference:
    """Each value minus the value `lag` steps before: a straight line becomes a constant, a season becomes 0."""

    lag: int
    needs: str = "any values"

    @staticmethod
    def allowed(values: Array) -> Array:
        """Return True: every value has a difference."""
        return np.ones(values.shape, dtype=bool)

    def encode(self, values: Array) -> Array:
        """Return the differences, (..., time - lag, channel)."""
        return np.asarray(values[..., self.lag :, :] - values[..., : -self.lag, :])

    def decode(self, forecast: Array, past: Array) -> Array:
        """Return a rollout: its differences, added up from the last `lag` steps of the past.

        A forecast that is not finite makes that step and every `lag`-th step after it non-finite, and no others.
        """
        batch, steps, channels = forecast.shape
        rounds = -(-steps // self.lag)
        padded = np.zeros((batch, rounds * self.lag, channels))
        padded[:, :steps] = forecast
        chains = padded.reshape(batch, rounds, self.lag, channels)
        with np.errstate(all="ignore"):  # inf - inf is NaN, as it should be
            sums = past[:, None, past.shape[1] - self.lag :, :] + np.cumsum(chains, axis=1)
        return np.asarray(sums.reshape(batch, rounds * self.lag, channels)[:, :steps])

    def decode_one_step(self, forecast: Array, before: Array) -> Array:
        """Return forecasts, each the sum of a difference and the true value `lag` steps before.

        Args:
            forecast: (start, step, channel), differences.
            before: (start, lag + step, channel), the truth; it begins `lag` steps before the first forecast.
        """
        with np.errstate(all="ignore"):
            return np.asarray(forecast + before[:, : forecast.shape[1]])


Transform = Map | Difference


@dataclass(frozen=True)
class TransformSpec:
    """An entry of the table, with a function that makes the transform from the season."""

    name: str
    build: Callable[[int], Transform]
    removes_trend: bool = False
    needs_season: bool = False


def _square(values: Array) -> Array:
    # a forecast below 0, the lowest value of a root, counts as 0
    return np.asarray(np.square(np.maximum(values, 0.0)))


LOG = Map(np.log, np.exp, lambda values: values > 0, "values above 0")
SQRT = Map(np.sqrt, _square, lambda values: values >= 0, "values of 0 or more")

TRANSFORMS: Registry[TransformSpec] = Registry(
    "transform",
    [
        TransformSpec("log", lambda season: LOG),
        TransformSpec("sqrt", lambda season: SQRT),
        TransformSpec("difference", lambda season: Difference(1), removes_trend=True),
        TransformSpec("seasonal_difference", Difference, removes_trend=True, needs_season=True),
    ],
)


def transformed(values: Array, transforms: Sequence[Transform]) -> Array:
    """Return the values after all transforms, in their order."""
    for transform in transforms:
        values = transform.encode(values)
    return values


def build_transforms(names: Sequence[str], season: int | None) -> tuple[Transform, ...]:
    """Return the named transforms in their order.

    Raises:
        UnknownName: no transform has this name.
        DataError: the season is missing, or no transform uses it.
    """
    specs = [TRANSFORMS[name] for name in names]
    seasonal = [spec.name for spec in specs if spec.needs_season]
    if seasonal and season is None:
        raise DataError(f"data.transforms: {seasonal[0]} needs data.season, its lag in steps, such as 12")
    if season is not None and not seasonal:
        raise DataError(
            f"data.season = {season} has no effect without seasonal_difference: "
            "add it to data.transforms or drop data.season"
        )
    return tuple(spec.build(season or 1) for spec in specs)
