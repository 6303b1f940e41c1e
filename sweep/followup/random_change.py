"""A random change of one hyperparameter of a trial, which a prescription has to beat."""

from collections.abc import Mapping

import numpy as np

from sweep.config.ranges import Choice, Range, Value
from sweep.config.space import Space


def single_change(
    space: Space, params: Mapping[str, Value], rng: np.random.Generator
) -> tuple[str, dict[str, Value]] | None:
    """Return the name of an axis and the parameters with another value on that axis; None if no axis has another.

    Every axis of the trial that has another value is equally likely. The value is drawn from its range, as in random
    search. The hyperparameters that an owner brings with it follow: another optimizer gets a learning rate from its own
    range, and the rate of the former optimizer is dropped.

    Args:
        space: of the parameters.
        params: the trial's, by flat name.
        rng: draws the axis and the values.
    """
    free = [axis for axis in space.axes if axis.name in params and _others(axis.span, params[axis.name])]
    if not free:
        return None
    chosen = free[int(rng.integers(len(free)))]
    value = _other(chosen.span, params[chosen.name], rng)
    drawn = space.draw(
        lambda axis: (
            value
            if axis.name == chosen.name
            else params[axis.name]
            if axis.name in params
            else axis.span.from_unit(float(rng.random()))
        )
    )
    return chosen.name, drawn


def _others(span: Range, own: Value) -> bool:
    """Return whether a range has another value; a range of numbers always has."""
    return not isinstance(span, Choice) or len(_rest(span, own)) > 0


def _rest(span: Choice, own: Value) -> list[Value]:
    return [value for value in span.values if span.sampled(value) != span.sampled(own)]


def _other(span: Range, own: Value, rng: np.random.Generator) -> Value:
    if isinstance(span, Choice):
        rest = _rest(span, own)
        return rest[int(rng.integers(len(rest)))]
    while True:
        value = span.from_unit(float(rng.random()))
        if value != own:
            return value
