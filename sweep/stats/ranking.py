"""Ranking of arms by rollout errors on new seeds: averages with intervals, and which arms differ.

An *arm* is a configuration; all arms were trained on the same seeds. Every function takes rollout errors in
[0, 1], smaller is better; a training that failed counts as 1. Seeds are few and errors heavy-tailed, so
averages are interquartile means, intervals are percentile bootstraps over seeds, and a claim needs an exact
rank-sum test: impossible with 3 seeds per arm, possible with 4 or 5.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sweep.data.types import Array
from sweep.stats.bootstrap import iqm, percentile_interval

REPS = 5000  # bootstrap draws; our choice, rliable takes 50 000 for published figures
LEAST_SEEDS = 3  # of an interval: the bootstrap of two values only returns their range
SPLITS_MOST = 20_000  # most ways to assign seeds that are all tried; of more, so many are drawn
LEVEL = 0.05  # of the test that separates two arms


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval; the ends are None if there are too few seeds."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Difference:
    """An arm relative to the leader: how much worse, how often worse, and how likely by chance."""

    iqm: Estimate  # its interquartile mean minus the leader's, >= 0
    leader_wins: float  # probability that the leader is better, on independent seeds; ties count half
    p: float  # two-sided, of the exact rank-sum test

    @property
    def told_apart(self) -> bool:
        """Return whether the leader is better and chance is an unlikely explanation."""
        return self.p <= LEVEL and self.leader_wins > 0.5


@dataclass(frozen=True)
class Ranking:
    """Arms by interquartile mean over seeds, best first."""

    order: tuple[int, ...]  # indices of arms
    estimates: tuple[Estimate, ...]  # by arm
    differences: tuple[Difference | None, ...]  # by arm, None for the leader

    @property
    def leader(self) -> int:
        """Return the arm with the lowest interquartile mean; the first of equal ones."""
        return self.order[0]

    @property
    def equals(self) -> tuple[int, ...]:
        """Return the other arms that cannot be distinguished from the leader, best first."""
        pairs = ((arm, self.differences[arm]) for arm in self.order[1:])
        return tuple(arm for arm, difference in pairs if difference is not None and not difference.told_apart)


def ranking(errors: Array, rng: np.random.Generator) -> Ranking:
    """Return the arms in order, with intervals and their differences from the leader.

    The same numbers choose the leader and compare it. The test accounts for that: the leader is called the best only
    if a two-sided test separates every other arm from it. The probability that a chosen leader passes all of them by
    chance is greatest with two arms, where it is the level of the test.
    Source: Gutmann and Maymin (1987), "Is the selected population the best?", Annals of Statistics 15.

    Args:
        errors: (arm, seed), at least one of each, in [0, 1].
        rng: draws the bootstraps, and the splits if there are too many to try all.

    Raises:
        ValueError: no arm, no seed, or an error outside [0, 1].
    """
    if errors.ndim != 2 or not errors.size or not ((errors >= 0) & (errors <= 1)).all():
        raise ValueError(f"needs (arm, seed) errors in [0, 1], got shape {errors.shape}: {errors}")
    means = iqm(errors, axis=1)
    order = tuple(int(arm) for arm in np.argsort(means, kind="stable"))
    best = errors[order[0]]
    estimates = tuple(iqm_with_interval(row, rng) for row in errors)
    differences = tuple(
        None
        if arm == order[0]
        else Difference(
            difference_with_interval(row, best, rng),
            probability_of_improvement(best, row),
            rank_sum_p(row, best, rng),
        )
        for arm, row in enumerate(errors)
    )
    return Ranking(order, estimates, differences)


def iqm_with_interval(errors: Array, rng: np.random.Generator) -> Estimate:
    """Return the interquartile mean of an arm, with the percentile interval of draws over its seeds.

    Source: Agarwal et al. (2021): bootstrap stratified by task, here by arm.

    Args:
        errors: (seed,).
        rng: draws seeds with replacement.
    """
    draws = errors[rng.integers(0, len(errors), size=(REPS, len(errors)))]
    return _estimate(iqm(errors), iqm(draws, axis=1), len(errors))


def difference_with_interval(errors: Array, reference: Array, rng: np.random.Generator) -> Estimate:
    """Return IQM(errors) - IQM(reference) with its interval; each draw takes the same seeds from both.

    Args:
        errors: (seed,).
        reference: (seed,), on the same seeds.
        rng: draws seeds with replacement.
    """
    drawn = rng.integers(0, len(errors), size=(REPS, len(errors)))
    draws = iqm(errors[drawn], axis=1) - iqm(reference[drawn], axis=1)
    return _estimate(iqm(errors) - iqm(reference), draws, len(errors))


def optimism(errors: Array, selected: float, rng: np.random.Generator) -> Estimate:
    """Return the optimism of a selected score: IQM on new seeds minus that score, with its interval.

    Above 0 the new seeds are worse than the score promised, below 0 they are better.

    Args:
        errors: (seed,), of the same configuration on new seeds.
        selected: the score by which it was chosen.
        rng: draws seeds with replacement.
    """
    mean = iqm_with_interval(errors, rng)
    low, high = (None if end is None else end - selected for end in (mean.low, mean.high))
    return Estimate(mean.value - selected, low, high)


def probability_of_improvement(errors: Array, reference: Array) -> float:
    """Return the probability that a seed of `errors` is lower than one of `reference`: U/(n m), ties half.

    0.5 means no difference. Bouthillier et al. (2021) call 0.75 an improvement that matters.

    Args:
        errors: (seed,).
        reference: (other seed,).
    """
    lower = errors[:, None] < reference[None, :]
    ties = errors[:, None] == reference[None, :]
    return float(lower.mean() + ties.mean() / 2)


def rank_sum_p(a: Array, b: Array, rng: np.random.Generator) -> float:
    """Return the two-sided p of the exact rank-sum test: how often chance alone makes two arms differ this much.

    If the arms were the same, all ways to assign the seeds to the two would be equally likely; p is the share of ways
    whose sum of ranks is at least as far from the expected one. Ties share their mean rank. Ranks are robust to the
    heavy tails of rollout errors, and have no less power than averages without the outer seeds. The smallest
    possible p is 2 over the number of ways: 0.1 with 3 seeds each, 0.029 with 4, 0.008 with 5. Since both arms have
    the same seeds, the test is conservative.

    Source: Mann and Whitney (1947), by permutation as in scipy.stats.mannwhitneyu, which does not handle ties exactly.

    Args:
        a: (seed,).
        b: (seed,), as many.
        rng: draws ways where there are more than 20 000; the p is then (1 + hits) / (1 + draws).
    """
    from scipy.stats import rankdata  # here: no worker needs it, and its import takes half a second

    ranks, size = rankdata(np.concatenate([a, b])), len(a)
    count = len(ranks)
    exact = math.comb(count, size) <= SPLITS_MOST
    if exact:
        ways = np.array(list(itertools.combinations(range(count), size)))
    else:
        ways = np.argsort(rng.random((SPLITS_MOST, count)), axis=1)[:, :size]
    expected = size * (count + 1) / 2
    away = np.abs(ranks[ways].sum(axis=1) - expected)
    hits = int((away >= abs(ranks[:size].sum() - expected) - 1e-9).sum())
    return hits / len(ways) if exact else (1 + hits) / (1 + len(ways))


def worse_median(values: Sequence[float]) -> float:
    """Return the median; of an even number of values the larger of the middle two, which is the worse error.

    Of two seeds the better one is not a median, and their mean is the score of neither. Where larger is better, give
    the negated values and negate the result.

    Raises:
        ValueError: no values.
    """
    if not values:
        raise ValueError("the median needs at least one value")
    return sorted(values)[len(values) // 2]


def deviation_between_seeds(errors: Array) -> float | None:
    """Return the standard deviation between seeds of the same arm, pooled over arms; None with one seed.

    Args:
        errors: (arm, seed).
    """
    if errors.shape[1] < 2:
        return None
    return float(np.sqrt(errors.var(axis=1, ddof=1).mean()))


def _estimate(value: float, draws: Array, seeds: int) -> Estimate:
    if seeds < LEAST_SEEDS:
        return Estimate(value, None, None)
    return Estimate(value, *percentile_interval(draws))
