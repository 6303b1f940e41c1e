"""A feature: one number of a case, by name, with its meaning."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from sweep.diagnosis.causes.case import Case

SMALLEST = 1e-12  # what a logarithm takes for 0


@dataclass(frozen=True)
class Feature:
    """One number read from a case; NaN where it cannot be read."""

    name: str
    meaning: str  # as it stands in an explanation
    read: Callable[[Case], float]


def decades(value: float) -> float:
    """Return log10 of a number >= 0, of SMALLEST where it is smaller; NaN stays."""
    return math.nan if math.isnan(value) else math.log10(min(max(value, SMALLEST), 1 / SMALLEST))
