"""What a change does to the rollout error: two arms on the same seeds, compared seed by seed.

Rollout errors differ by factors, so they are compared in decades: log10 of their ratio, below 0 where the changed
arm is better. A training that failed counts as an error of 1.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sweep.data.types import Array
from sweep.stats.bootstrap import percentile_interval
from sweep.stats.ranking import LEAST_SEEDS, LEVEL, REPS

FLOOR = 1e-3  # rollout errors below are alike: of no use to a forecaster; our choice
LEAST_TO_CLAIM = 5  # seeds; with 4 even equal signs have a chance of 1/16, above LEVEL

Verdict = Literal["helps", "no difference shown", "harms", "no claim"]


def decades_worse(errors: Array, reference: Array) -> Array:
    """Return log10(errors / reference), both raised to FLOOR where they lie below: -1 is ten times better.

    Args:
        errors: in [0, 1].
        reference: in [0, 1], same shape.
    """
    return np.asarray(np.log10(np.maximum(errors, FLOOR) / np.maximum(reference, FLOOR)))


@dataclass(frozen=True)
class Effect:
    """One arm minus another on the same seeds; below 0 the first one is better."""

    decades: float  # mean over seeds of log10(error / reference)
    low: float | None  # of its 95 % interval; None below LEAST_SEEDS
    high: float | None
    better: int  # seeds on which the arm is better, worse, and equal
    worse: int
    equal: int

    @property
    def verdict(self) -> Verdict:
        """Return what may be said.

        A claim needs both: an interval on one side of 0, and signs that are as good by chance in at most 5 % of
        cases. From 5 seeds the interval alone is too narrow, and claims far too often; the signs alone say
        nothing of size. With 5 seeds all five must point one way (1/32), with 8 seven.
        """
        if self.better + self.worse + self.equal < LEAST_TO_CLAIM or self.low is None or self.high is None:
            return "no claim"
        if self.high < 0 and sign_p(self.better, self.worse) <= LEVEL:
            return "helps"
        if self.low > 0 and sign_p(self.worse, self.better) <= LEVEL:
            return "harms"
        return "no difference shown"


def effect(errors: Array, reference: Array, rng: np.random.Generator) -> Effect:
    """Return what an arm's rollout errors are beside another's, paired by seed.

    The interval is the percentile bootstrap of the mean, drawing seeds with replacement from both arms at once.

    Args:
        errors: (seed,), in [0, 1].
        reference: (seed,), on the same seeds.
        rng: draws the seeds.

    Raises:
        ValueError: shapes differ, there is no seed, or an error lies outside [0, 1].
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
    """Return how often fair coins fall so at least `hits` times: the one-sided p of the exact sign test.

    If two arms were the same, each seed's difference would be as likely to have either sign. Seeds without a
    difference are left out.

    Source: Dixon and Mood (1946), "The statistical sign test", JASA 41.

    Args:
        hits: seeds with the sign in question.
        misses: seeds with the other one.
    """
    tosses = hits + misses
    return float(sum(math.comb(tosses, k) for k in range(hits, tosses + 1)) / 2**tosses)
