"""A feature: one number of a case, by name, with its meaning."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from sweep.diagnosis.causes.case import Case

LOGARITHM = "log10 of "  # the beginning of the meaning of a logarithm
SMALLEST = 1e-12  # replaces 0 in a logarithm


@dataclass(frozen=True)
class Feature:
    """One number of a case; NaN if it is not known."""

    name: str
    meaning: str  # words for a finding's text
    read: Callable[[Case], float]
    none_below: float = 0.0  # of a logarithm: values up to this one are shown as "none"

    @property
    def subject(self) -> str:
        """Return the meaning as the subject of a sentence, without "log10 of"."""
        return f"the {self.meaning.removeprefix(LOGARITHM)}" if self._logarithmic else f"the {self.meaning}"

    def value_text(self, value: float) -> str:
        """Return the text of a value; a logarithm is undone."""
        if not self._logarithmic:
            return _short(value)
        return "none" if 10**value <= self.none_below * (1 + 1e-9) else _short(10**value)

    @property
    def _logarithmic(self) -> bool:
        return self.meaning.startswith(LOGARITHM)


def _short(value: float) -> str:
    """Return two digits, or all digits before the point for numbers from 100 to 100 000: 0.063, 1e-07, 128."""
    return f"{value:.0f}" if 100 <= abs(value) < 1e5 else f"{value:.2g}"


def decades(value: float) -> float:
    """Return log10 of a number >= 0; smaller numbers count as SMALLEST, NaN stays NaN."""
    return math.nan if math.isnan(value) else math.log10(min(max(value, SMALLEST), 1 / SMALLEST))
