"""A feature: one number of a case, by name, with its meaning."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from sweep.diagnosis.causes.case import Case

LOGARITHM = "log10 of "  # how the meaning of a logarithm begins
SMALLEST = 1e-12  # what a logarithm takes for 0


@dataclass(frozen=True)
class Feature:
    """One number read from a case; NaN where it cannot be read."""

    name: str
    meaning: str  # as it stands in an explanation
    read: Callable[[Case], float]
    none_below: float = 0.0  # of a logarithm: values up to here stand for nothing at all, and are told so

    @property
    def subject(self) -> str:
        """Return the meaning as a sentence's subject: a logarithm is told by what it is the logarithm of."""
        return f"the {self.meaning.removeprefix(LOGARITHM)}" if self._logarithmic else f"the {self.meaning}"

    def said(self, value: float) -> str:
        """Return a value as a reader wants it, logarithms undone."""
        if not self._logarithmic:
            return _short(value)
        return "none" if 10**value <= self.none_below * (1 + 1e-9) else _short(10**value)

    @property
    def _logarithmic(self) -> bool:
        return self.meaning.startswith(LOGARITHM)


def _short(value: float) -> str:
    """Return two digits, of numbers from 100 to 100 000 all before the point: 0.063, 1e-07, 128."""
    return f"{value:.0f}" if 100 <= abs(value) < 1e5 else f"{value:.2g}"


def decades(value: float) -> float:
    """Return log10 of a number >= 0, of SMALLEST where it is smaller; NaN stays."""
    return math.nan if math.isnan(value) else math.log10(min(max(value, SMALLEST), 1 / SMALLEST))
