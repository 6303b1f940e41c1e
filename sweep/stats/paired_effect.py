"""The effect of a change on the rollout error: two arms on the same seeds, compared seed by seed.

Rollout errors differ by factors, so they are compared in decades: log10 of their ratio, below 0 if the changed arm
is better. A training that failed counts as an error of 1.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sweep.data.types import Array
from sweep.stats.bootstrap import percentile_interval
from sweep.stats.ranking import LEAST_SEEDS, LEVEL, REPS

FLOOR = 1e-9  # rollout error; below it an error is rounding. Our choice
LEAST_TO_CLAIM = 5  # seeds; with 4, equal signs have a chance of 1/16, above LEVEL

Verdict = Literal["helps", "no difference shown", "harms", "no claim"]


def decades_worse(errors: Array, reference: Array) -> Array:
    """Return log10(errors / reference), with smaller errors raised to FLOOR: -1 is ten times better.

    Args:
        errors: in [0, 1].
        reference: in [0, 1], same shape.
    """
    return np.asarray(np.log10(np.maximum(errors, FLOOR) / np.maximum(reference, FLOOR)))


@dataclass(frozen=True)
class Effect:
    """One arm minus another on the same seeds; below 0 the first arm is better."""

    decades: float  # mean over seeds of log10(error / reference)
    low: float | None  # of its 95 % interval; None below LEAST_SEEDS
    high: float | None
    better: int  # number of seeds on which the first arm is better
    worse: int
    equal: int

    @property
    def verdict(self) -> Verdict:
        """Return the verdict that the seeds support.

        A claim needs both an interval on one side of 0 and signs that chance gives in at most 5 % of cases. With 5
        seeds the interval alone is too narrow and claims far too often; the signs alone ignore sizes. With 5 seeds
        all five must have the same sign (1/32), with 8 seeds seven.
        """
        if self.better + self.worse + self.equal < LEAST_TO_CLAIM or self.low is None or self.high is None:
            return "no claim"
        if self.high < 0 and sign_p(self.better, self.worse) <= LEVEL:
            return "helps"
        if self.low > 0 and sign_p(self.worse, self.better) <= LEVEL:
            return "harms"
        return "no difference shown"


def effect(errors: Array, reference: Array, rng: np.random.Generator) -> Effect:
    """Return the effect of one arm relative to another, paired by seed.

    The interval is the percentile bootstrap of the mean; seeds are drawn with replacement, from both arms at once.

    Args:
        errors: (seed,), in [0, 1].
        reference: (seed,), on the same seeds.
        rng: draws the seeds.

    Raises:
        ValueError: shapes differ, there are no seeds, or an error lies outside [0, 1].
    """
    both = np.stack([errors, reference]) if errors.shape == reference.shape else np.empty((2, 0))
    if both.ndim != 2 or not both.size or not ((both >= 0) & (both <= 1)).all():
        raise ValueError(f"needs two (seed,) arrays of errors in [0, 1], got {errors} and {reference}")
    gaps = decades_worse(errors, reference)
    low = high = None
    if len(gaps) >= LEAST_SEEDS:
        draws = gaps[rng.integers(0, len(gaps), size=(REPS, len(gaps)))].mean(axis=1)
        low, high = percentile_interval(draws)
    better, worse = int((gaps < 0).sum()), int((gaps > 0).sum())
    return Effect(float(gaps.mean()), low, high, better, worse, len(gaps) - better - worse)


def sign_p(hits: int, misses: int) -> float:
    """Return the one-sided p of the exact sign test: how often fair coins give at least `hits` hits.

    If two arms were the same, each sign of a seed's difference would be equally likely. Seeds without a difference
    are left out.

    Source: Dixon and Mood (1946), "The statistical sign test", JASA 41.

    Args:
        hits: seeds with the sign in question.
        misses: seeds with the other sign.
    """
    tosses = hits + misses
    return float(sum(math.comb(tosses, k) for k in range(hits, tosses + 1)) / 2**tosses)
