"""The search space: hyperparameters, their ranges, and the conditions under which they exist."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from optuna.distributions import BaseDistribution

from sweep.config.ranges import Choice, Range, Value

# Settings with conditional hyperparameters of their own: the place of the name, and of its settings. In this order they
# are sampled: the way to solve the readout may fix the optimizer.
COMPONENTS = {
    "readout_refit": (("training", "readout_refit"), ("training",)),
    "optimizer": (("training", "optimizer"), ("training", "optimizer")),
    "scheduler": (("training", "scheduler"), ("training", "scheduler")),
    "model": (("model", "kind"), ("model", "options")),
}


@dataclass(frozen=True)
class Condition:
    """True if the parameter `on` has been sampled as one of `values`."""

    on: str
    values: frozenset[Value]

    def holds(self, params: Mapping[str, Value]) -> bool:
        """Return whether the parameters sampled so far meet the condition."""
        return params.get(self.on) in self.values


@dataclass(frozen=True)
class Axis:
    """A hyperparameter: its flat name (`cell`, `sgd.lr`), its range, and the condition under which it exists.

    `path` is the place of its value in a trial's configuration, such as ("training", "optimizer", "lr").
    """

    name: str
    path: tuple[str, ...]
    span: Range
    condition: Condition | None = None

    @cached_property
    def key(self) -> str:
        """Return the name of its Optuna parameter."""
        return self.span.key(self.name)

    @cached_property
    def distribution(self) -> BaseDistribution:
        """Return the distribution from which Optuna samples it: one object for all trials."""
        return self.span.distribution()

    def exists(self, params: Mapping[str, Value]) -> bool:
        """Return whether the hyperparameter belongs to a trial with these parameters."""
        return self.condition is None or self.condition.holds(params)


@dataclass(frozen=True)
class Space:
    """Axes in the order in which they are sampled: the axis of a condition comes before the conditional ones."""

    axes: tuple[Axis, ...]
    # Fixed settings under a condition, the name of an optimizer before its settings.
    fixed: tuple[tuple[Condition, tuple[str, ...], Value], ...] = ()

    @property
    def conditional(self) -> bool:
        """Return whether a hyperparameter exists only for some values of another."""
        return any(axis.condition is not None for axis in self.axes)

    def choice(self, name: str) -> Choice | None:
        """Return the values of a choice that every trial has, None for any other axis."""
        for axis in self.axes:
            if axis.name == name and axis.condition is None and isinstance(axis.span, Choice):
                return axis.span
        return None

    def restricted(self, name: str, value: Value) -> "Space":
        """Return the space in which a choice has one value."""
        axes = [replace(axis, span=Choice((value,))) if axis.name == name else axis for axis in self.axes]
        return replace(self, axes=tuple(axes))

    def draw(self, value_of: Callable[[Axis], Value]) -> dict[str, Value]:
        """Return parameters by flat name; `value_of` gives the value of each axis that exists, in order."""
        params: dict[str, Value] = {}
        for axis in self.axes:
            if axis.exists(params):
                params[axis.name] = value_of(axis)
        return params

    def placed(self, params: Mapping[str, Value]) -> list[tuple[tuple[str, ...], Any]]:
        """Return (path, value) pairs of the sampled settings and of the fixed settings whose condition holds."""
        pairs: list[tuple[tuple[str, ...], Any]] = [
            (axis.path, params[axis.name]) for axis in self.axes if axis.name in params
        ]
        pairs += [(path, value) for condition, path, value in self.fixed if condition.holds(params)]
        return pairs
