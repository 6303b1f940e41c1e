"""What a named source is: options with defaults, a pure generator, where it comes from."""

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


def _no_exponent(options: Options) -> float | None:
    return None


@dataclass(frozen=True)
class Source:
    """A named source of data; `generate` is a pure function of complete options and the need."""

    name: str
    defaults: Options
    generate: Callable[[Options, Need], Recording]
    check: Callable[[Options], None]  # raises ValueError on complete options that cannot be
    citation: str
    lyapunov_time: Callable[[Options], float | None] = _no_exponent  # steps; None where nothing is published
    makes_parts: bool = True  # has validation and test data of its own: the shares of `split` do not apply

    def complete(self, options: Options) -> dict[str, Any]:
        """Return the options with defaults filled in.

        Raises:
            DataError: an unknown option, a wrong type, or values that cannot be.
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
        full = {**self.defaults, **options}
        try:
            self.check(full)
        except ValueError as error:
            raise DataError(f"source {self.name!r}: {error}") from None
        return full

    def settable(self) -> Settable:
        """Return what a study file may set."""
        return Settable(defaults=dict(self.defaults), check=self.check)


def observed(values: Array, noise: float, stream: Sequence[int]) -> Array:
    """Return the values with Gaussian noise of that standard deviation, in data units; 0 adds none."""
    if not noise:
        return values
    return values + noise * np.random.default_rng(stream).standard_normal(values.shape)


def require_positive(options: Options, *names: str) -> None:
    """Refuse options that are not above 0.

    Raises:
        ValueError: the first that is not.
    """
    for name in names:
        if not options[name] > 0:
            raise ValueError(f"{name} must be above 0, got {options[name]}")


def require_not_negative(options: Options, *names: str) -> None:
    """Refuse options below 0.

    Raises:
        ValueError: the first that is.
    """
    for name in names:
        if not options[name] >= 0:
            raise ValueError(f"{name} must not be negative, got {options[name]}")
