"""The entry of a named source of data: options with defaults, a generator, where it was published."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sweep.config.errors import DataError
from sweep.config.known_names import Settable
from sweep.config.registry import nearest
from sweep.data.recording import Need, Recording
from sweep.data.types import Array

Options = Mapping[str, Any]


def _accept(options: Options) -> None:
    return None


def _unknown_time(options: Options) -> float | None:
    return None


@dataclass(frozen=True)
class SourceSpec:
    """A named source of data.

    `generate` is a pure function of complete options and the need: the same arguments give the same bits. Its series
    have `ends` if `makes_parts` is True, and only then.
    """

    name: str
    defaults: Options  # of all options; an option has the type of its default: bool, int, float or str
    generate: Callable[[Options, Need], Recording]
    check: Callable[[Options], None] = _accept  # raises ValueError on complete options that are invalid
    source: str = ""  # where it was published
    lyapunov_time: Callable[[Options], float | None] = _unknown_time  # steps; None where nothing is published
    makes_parts: bool = True  # it makes its own validation and test data: the shares of `split` do not apply

    def __post_init__(self) -> None:
        for name, value in self.defaults.items():
            if not isinstance(value, bool | int | float | str):
                raise TypeError(
                    f"source {self.name!r}: the default of option {name!r} must be a bool, int, float or str, "
                    f"got {value!r}"
                )

    def complete(self, options: Options) -> dict[str, Any]:
        """Return the options with defaults filled in.

        Raises:
            DataError: an unknown option, a wrong type, or an invalid value.
        """
        for name, value in options.items():
            if name not in self.defaults:
                raise DataError(
                    f"source {self.name!r} has no option {name!r}.{nearest(name, self.defaults)} "
                    f"Known: {', '.join(self.defaults) or 'none'}"
                )
            wanted = type(self.defaults[name])
            fits = type(value) is wanted or (wanted is float and type(value) is int)
            if not fits:
                raise DataError(
                    f"data.options.{name} of source {self.name!r}: wanted {wanted.__name__}, got {value!r}"
                )
        problem = self.settable().problem(options)
        if problem is not None:
            raise DataError(f"source {self.name!r}: {problem}")
        return {**self.defaults, **options}

    def settable(self) -> Settable:
        """Return the options that a study file may set."""
        return Settable(defaults=dict(self.defaults), check=self.check)


def observed(values: Array, noise: float, stream: Sequence[int]) -> Array:
    """Return the values with Gaussian noise of a standard deviation in data units; 0 adds no noise."""
    if not noise:
        return values
    return values + noise * np.random.default_rng(stream).standard_normal(values.shape)


def require_positive(options: Options, *names: str) -> None:
    """Refuse options that are not above 0.

    Raises:
        ValueError: an option is not; the text names the first.
    """
    for name in names:
        if not options[name] > 0:
            raise ValueError(f"{name} must be above 0, got {options[name]}")


def require_not_negative(options: Options, *names: str) -> None:
    """Refuse options below 0.

    Raises:
        ValueError: an option is; the text names the first.
    """
    for name in names:
        if not options[name] >= 0:
            raise ValueError(f"{name} must not be negative, got {options[name]}")
