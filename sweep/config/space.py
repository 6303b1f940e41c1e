"""The search space: which hyperparameters are sampled, from which ranges, and who owns whom."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sweep.config.ranges import Range, Value

# Settings that own conditional hyperparameters: where a component's name goes, and where its settings go.
COMPONENTS = {
    "optimizer": (("training", "optimizer"), ("training", "optimizer")),
    "scheduler": (("training", "scheduler"), ("training", "scheduler")),
    "model": (("model", "kind"), ("model", "options")),
}


@dataclass(frozen=True)
class Condition:
    """True where the parameter `on` has been sampled as one of `values`."""

    on: str
    values: frozenset[Value]

    def holds(self, params: Mapping[str, Value]) -> bool:
        """Return whether the parameters sampled so far meet the condition."""
        return params.get(self.on) in self.values


@dataclass(frozen=True)
class Axis:
    """A hyperparameter: its flat name (`cell`, `sgd.lr`), its range, and when it exists.

    `path` is where its value goes in a trial's configuration, such as ("training", "optimizer", "lr").
    """

    name: str
    path: tuple[str, ...]
    span: Range
    condition: Condition | None = None

    def exists(self, params: Mapping[str, Value]) -> bool:
        """Return whether the hyperparameter belongs to a trial with these parameters."""
        return self.condition is None or self.condition.holds(params)


@dataclass(frozen=True)
class Space:
    """Axes in the order in which they are sampled: an owner stands before what it owns."""

    axes: tuple[Axis, ...]
    fixed: tuple[tuple[Condition, tuple[str, ...], Value], ...] = ()  # settings given for one owner's value

    @property
    def conditional(self) -> bool:
        """Return whether some hyperparameter exists only for some values of another."""
        return any(axis.condition is not None for axis in self.axes)

    def draw(self, value_of: Callable[[Axis], Value]) -> dict[str, Value]:
        """Return parameters by flat name, asking `value_of` for each axis that exists, in order."""
        params: dict[str, Value] = {}
        for axis in self.axes:
            if axis.exists(params):
                params[axis.name] = value_of(axis)
        return params

    def placed(self, params: Mapping[str, Value]) -> list[tuple[tuple[str, ...], Any]]:
        """Return (path, value) pairs for the sampled and the owner-specific fixed settings."""
        pairs: list[tuple[tuple[str, ...], Any]] = [
            (axis.path, params[axis.name]) for axis in self.axes if axis.name in params
        ]
        pairs += [(path, value) for condition, path, value in self.fixed if condition.holds(params)]
        return pairs
