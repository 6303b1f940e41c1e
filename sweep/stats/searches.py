"""Two random searches of the same space: is the best of one beyond what another draw of trials would give?

Seeds of a configuration say how its score varies, and nothing about the luck of a search. If the trials of two searches
are exchangeable, as those of two random searches of one space are, every way to divide all of them between the two is
equally likely. Then the chance that the best trials all fall to one search is a matter of counting.
"""

import math
from dataclasses import dataclass

from sweep.data.types import Array

LEVEL = 0.005  # of the tests between searches: 60 pairs without a difference give 0.3 alarms. Our choice


@dataclass(frozen=True)
class Precedence:
    """How many trials of one search are better than the best of the other, and how likely that is by chance."""

    ahead: int
    needed: (
        int | None
    )  # the fewest that chance gives with a probability of at most LEVEL; None: there are too few trials
    p: float

    @property
    def beyond_chance(self) -> bool:
        """Return whether another draw of trials is an unlikely explanation."""
        return self.p <= LEVEL


def precedence(first: Array, second: Array) -> Precedence:
    """Return how far the best trials of the first search precede the best one of the second.

    The statistic is the number of trials of the first with a lower error than all of the second; ties do not count.
    If the trials are exchangeable, at least k precede with the probability C(n, k) / C(n + m, k).

    Source: Nelson (1963), "Tables for a precedence life test", Technometrics 5.

    Args:
        first: (trial,), errors; inf allowed, NaN not.
        second: (other trial,).

    Raises:
        ValueError: one of them has no trial.
    """
    if not len(first) or not len(second):
        raise ValueError(f"needs trials of both searches, got {len(first)} and {len(second)}")
    ahead, sizes = int((first < second.min()).sum()), (len(first), len(second))
    return Precedence(ahead, least_ahead(*sizes), chance_ahead(ahead, *sizes))


def chance_ahead(ahead: int, n: int, m: int) -> float:
    """Return the probability that the best `ahead` of n + m exchangeable trials all are among the n."""
    return math.comb(n, ahead) / math.comb(n + m, ahead)


def least_ahead(n: int, m: int) -> int | None:
    """Return the fewest leading trials that are beyond chance: 8 of many; None if not even all n are."""
    return next((count for count in range(1, n + 1) if chance_ahead(count, n, m) <= LEVEL), None)
