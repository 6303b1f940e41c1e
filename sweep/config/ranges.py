"""Typed ranges of hyperparameters, each with its Optuna distribution and its map to the unit interval.

A range that is accepted has a width above 0 on its own scale, and its map gives finite values inside its bounds.
"""

import json
import math
import numbers
import sys
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from sweep.config.errors import SweepError

Value = float | int | str | bool | tuple[Any, ...]

# Optuna and the map to the unit interval calculate with halves between integers, which float64 holds up to 2^52;
# a margin of 16, our choice, keeps their sums exact.
LARGEST_INTEGER = 2**48
LARGEST_EXPONENT = math.log(sys.float_info.max)  # exp of more overflows


class SpaceError(SweepError):
    """An invalid range."""


@dataclass(frozen=True)
class LogUniform:
    """A positive float whose logarithm is uniform on [log low, log high]."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 < self.low < self.high < math.inf:
            raise SpaceError(f"log needs 0 < low < high, got [{self.low}, {self.high}]")
        low, high = _exact("log", self.low, self.high)
        _require_width("log", self.low, self.high, math.log(high) - math.log(low), "log(high) - log(low)")

    def key(self, name: str) -> str:
        """Return the name of the Optuna parameter."""
        return name

    def distribution(self) -> BaseDistribution:
        """Return the distribution from which Optuna samples."""
        return FloatDistribution(self.low, self.high, log=True)

    def value(self, sampled: Any) -> Value:
        """Return the hyperparameter for a sampled value."""
        return float(sampled)

    def sampled(self, value: Value) -> Any:
        """Return the sampled value for a hyperparameter: the inverse of `value`."""
        return _number(value)

    def from_unit(self, u: float) -> Value:
        """Return the value at u in [0, 1]."""
        low, high = math.log(self.low), math.log(self.high)
        exponent = min(LARGEST_EXPONENT, low + (high - low) * u)
        return float(min(self.high, max(self.low, math.exp(exponent))))

    def to_unit(self, value: Value) -> float:
        """Return u in [0, 1] for a value: the inverse of `from_unit`."""
        low, high = math.log(self.low), math.log(self.high)
        return (math.log(_number(value)) - low) / (high - low)


@dataclass(frozen=True)
class Uniform:
    """A float uniform on [low, high]."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not -math.inf < self.low < self.high < math.inf:
            raise SpaceError(f"linear needs low < high, got [{self.low}, {self.high}]")
        low, high = _exact("linear", self.low, self.high)
        _require_width("linear", self.low, self.high, high - low, "high - low")

    def key(self, name: str) -> str:
        """Return the name of the Optuna parameter."""
        return name

    def distribution(self) -> BaseDistribution:
        """Return the distribution from which Optuna samples."""
        return FloatDistribution(self.low, self.high)

    def value(self, sampled: Any) -> Value:
        """Return the hyperparameter for a sampled value."""
        return float(sampled)

    def sampled(self, value: Value) -> Any:
        """Return the sampled value for a hyperparameter: the inverse of `value`."""
        return _number(value)

    def from_unit(self, u: float) -> Value:
        """Return the value at u in [0, 1]."""
        return float(min(self.high, max(self.low, self.low + (self.high - self.low) * u)))

    def to_unit(self, value: Value) -> float:
        """Return u in [0, 1] for a value: the inverse of `from_unit`."""
        return (_number(value) - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class OneMinusLog:
    """A float x in [low, high] below 1 whose distance to 1 is log-uniform: the scale of momentum.

    Optuna has the parameter "1-<name>", because its distributions do not have this scale.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high < 1:
            raise SpaceError(f"log1m needs 0 <= low < high < 1, got [{self.low}, {self.high}]")
        width = math.log((1 - self.low) / (1 - self.high))
        _require_width("log1m", self.low, self.high, width, "log(1 - low) - log(1 - high)")

    def key(self, name: str) -> str:
        """Return the name of the Optuna parameter."""
        return f"1-{name}"

    def distribution(self) -> BaseDistribution:
        """Return the distribution from which Optuna samples 1 - x."""
        return FloatDistribution(1 - self.high, 1 - self.low, log=True)

    def value(self, sampled: Any) -> Value:
        """Return the hyperparameter for a sampled value, clipped to the bounds."""
        return float(min(self.high, max(self.low, 1 - float(sampled))))

    def sampled(self, value: Value) -> Any:
        """Return the sampled value for a hyperparameter: the inverse of `value`, clipped to the bounds."""
        return min(1 - self.low, max(1 - self.high, 1 - _number(value)))

    def from_unit(self, u: float) -> Value:
        """Return the value at u in [0, 1]."""
        return self.value((1 - self.low) * ((1 - self.high) / (1 - self.low)) ** u)

    def to_unit(self, value: Value) -> float:
        """Return u in [0, 1] for a value: the inverse of `from_unit`."""
        return math.log((1 - _number(value)) / (1 - self.low)) / math.log((1 - self.high) / (1 - self.low))


@dataclass(frozen=True)
class IntUniform:
    """An integer uniform on low..high, both included."""

    low: int
    high: int

    def __post_init__(self) -> None:
        whole = all(isinstance(bound, int) or float(bound).is_integer() for bound in (self.low, self.high))
        if not (whole and self.low < self.high):
            raise SpaceError(f"int needs whole numbers low < high, got [{self.low}, {self.high}]")
        if not -LARGEST_INTEGER <= self.low < self.high <= LARGEST_INTEGER:
            raise SpaceError(
                f"int needs bounds from {-LARGEST_INTEGER} to {LARGEST_INTEGER}, got [{self.low}, {self.high}]"
            )
        object.__setattr__(self, "low", int(self.low))
        object.__setattr__(self, "high", int(self.high))

    def key(self, name: str) -> str:
        """Return the name of the Optuna parameter."""
        return name

    def distribution(self) -> BaseDistribution:
        """Return the distribution from which Optuna samples."""
        return IntDistribution(self.low, self.high)

    def value(self, sampled: Any) -> Value:
        """Return the hyperparameter for a sampled value."""
        return int(sampled)

    def sampled(self, value: Value) -> Any:
        """Return the sampled value for a hyperparameter: the inverse of `value`."""
        return int(_number(value))

    def from_unit(self, u: float) -> Value:
        """Return the value at u in [0, 1]."""
        return min(self.high, self.low + int(u * (self.high - self.low + 1)))

    def to_unit(self, value: Value) -> float:
        """Return u in [0, 1] for a value: the middle of its interval."""
        return (_number(value) - self.low + 0.5) / (self.high - self.low + 1)


@dataclass(frozen=True)
class Choice:
    """One of several values. Lists, such as the sizes of a head's layers, are sampled as their JSON text."""

    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise SpaceError("a choice needs at least one value, got an empty list")
        if len({_label(value) for value in self.values}) < len(self.values):
            raise SpaceError(f"a choice contains a value twice: {list(self.values)}")

    def key(self, name: str) -> str:
        """Return the name of the Optuna parameter."""
        return name

    def distribution(self) -> BaseDistribution:
        """Return the distribution from which Optuna samples."""
        return CategoricalDistribution([_label(value) for value in self.values])

    def value(self, sampled: Any) -> Value:
        """Return the hyperparameter for a sampled value."""
        for value in self.values:
            if _label(value) == sampled:
                return value
        raise ValueError(f"{sampled!r} is not among {list(self.values)}")

    def sampled(self, value: Value) -> Any:
        """Return the sampled value for a hyperparameter: the inverse of `value`."""
        return _label(tuple(value) if isinstance(value, list) else value)

    def from_unit(self, u: float) -> Value:
        """Return the value at u in [0, 1]."""
        return self.values[min(len(self.values) - 1, int(u * len(self.values)))]

    def to_unit(self, value: Value) -> float:
        """Return u in [0, 1] for a value: the middle of its interval."""
        labels = [_label(known) for known in self.values]
        return (labels.index(self.sampled(value)) + 0.5) / len(labels)


Range = LogUniform | Uniform | OneMinusLog | IntUniform | Choice

RANGE_WORDS: dict[str, type[LogUniform] | type[Uniform] | type[OneMinusLog] | type[IntUniform]] = {
    "log": LogUniform,
    "linear": Uniform,
    "log1m": OneMinusLog,
    "int": IntUniform,
}


def contains(span: Range, value: Value) -> bool:
    """Return whether a value lies in the range, bounds included."""
    if isinstance(span, Choice):
        return span.sampled(value) in [_label(known) for known in span.values]
    if isinstance(value, bool) or not isinstance(value, int if isinstance(span, IntUniform) else int | float):
        return False
    return span.low <= value <= span.high


def suggest(trial: optuna.Trial, name: str, span: Range) -> Value:
    """Return a value of the range, sampled by Optuna."""
    key, dist = span.key(name), span.distribution()
    if isinstance(dist, FloatDistribution):
        return span.value(trial.suggest_float(key, dist.low, dist.high, log=dist.log))
    if isinstance(dist, IntDistribution):
        return span.value(trial.suggest_int(key, dist.low, dist.high))
    assert isinstance(dist, CategoricalDistribution)
    return span.value(trial.suggest_categorical(key, dist.choices))


def ends(span: Range) -> list[Any]:
    """Return every value of a choice, or the bounds of a range, as floats unless it is a range of integers."""
    if isinstance(span, Choice):
        return list(span.values)
    return [span.low, span.high] if isinstance(span, IntUniform) else [float(span.low), float(span.high)]


def _exact(word: str, low: float, high: float) -> tuple[float, float]:
    """Return the bounds as floats; TOML integers may be too large for them.

    Raises:
        SpaceError: float64 does not hold a bound exactly.
    """
    try:
        bounds = float(low), float(high)
    except OverflowError:
        bounds = (math.nan, math.nan)
    if bounds != (low, high):
        raise SpaceError(f"{word} needs bounds that float64 holds exactly, got [{low}, {high}]")
    return bounds


def _require_width(word: str, low: float, high: float, width: float, formula: str) -> None:
    """Refuse a range whose width is 0, infinite, or so small that dividing by it overflows.

    Raises:
        SpaceError: with the bounds and the way out.
    """
    if not math.isfinite(width):
        raise SpaceError(
            f"{word} needs a finite {formula}, got [{low}, {high}]: bring the bounds closer together"
        )
    if width < sys.float_info.min:
        raise SpaceError(
            f"{word} needs {formula} above 0 in float64, got [{low}, {high}]: move the bounds further apart"
        )


def _number(value: Value) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"wanted a number, got {value!r}")
    return int(value) if isinstance(value, numbers.Integral) else float(value)


def _label(value: Value) -> Any:
    return json.dumps(value) if isinstance(value, tuple) else value
