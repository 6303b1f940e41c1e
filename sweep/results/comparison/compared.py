"""The comparison of studies: every later one against the first, each pair at equal budgets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sweep.config.errors import UsageError
from sweep.diagnosis.symptoms import HEALTHY
from sweep.results.comparison.basis import Basis, on_equal_terms
from sweep.results.comparison.differences import Differences, differences_of
from sweep.results.comparison.search_scores import SearchScores
from sweep.results.contest import Contender, contests
from sweep.results.selection import FEW_STARTS
from sweep.results.study import StoredStudy
from sweep.score.comparisons import EXACT
from sweep.stats.proportion import more_often_p
from sweep.stats.ranking import LEVEL, Estimate, iqm_with_interval, probability_of_improvement, rank_sum_p
from sweep.stats.searches import Precedence, least_ahead, precedence

SEED = 0  # of the bootstraps, so that equal studies give equal comparisons
ALL_OF_BEST = 3  # trials of the second study that all must show a new symptom. Our choice

Verdict = Literal["worse", "better", "no difference shown", "no claim"]


@dataclass(frozen=True)
class Side:
    """One study of a pair."""

    name: str
    scores: SearchScores  # of the whole search
    equal: SearchScores  # of the part within the equal budget
    fresh: Estimate | None  # interquartile mean on fresh seeds; None: not confirmed
    on_test: Contender | None  # the leading configuration on the locked test; None: it has not been read
    baseline: Contender | None  # the best one, on validation
    symptom: str | None  # code of most networks of the leading configuration


@dataclass(frozen=True)
class Budget:
    """What both searches may spend in the comparison."""

    unit: Literal["trials", "sequence-steps"]
    limit: int


@dataclass(frozen=True)
class Seeds:
    """The leading configurations on fresh seeds: one against the other, within the noise between seeds."""

    p: float  # two-sided, of the exact rank-sum test
    first_wins: float  # probability that a network of the first is better; ties count half


@dataclass(frozen=True)
class NewSymptom:
    """A symptom of the second study's leading configuration that the first does not show."""

    code: str
    networks: tuple[int, int]  # of the leading configurations that show it: first, second
    best_trials: tuple[
        int, int
    ]  # among these many of the best trials none of the first, all of the second show it


@dataclass(frozen=True)
class Pair:
    """A study against the first one."""

    first: Side
    second: Side
    differences: Differences
    basis: Basis
    budget: Budget
    ahead: Precedence  # trials of the first that are better than the best of the second
    behind: Precedence  # the reverse
    seeds: Seeds | None  # None: one of them is not confirmed
    symptom: NewSymptom | None
    claims: bool  # whether there are enough starts and trials for any claim

    @property
    def verdict(self) -> Verdict:
        """Return whether the second study is worse or better beyond the noise of searches and of seeds."""
        if not self.claims:
            return "no claim"
        if self.ahead.beyond_chance and self._seeds_agree(first_wins=True):
            return "worse"
        if self.behind.beyond_chance and self._seeds_agree(first_wins=False):
            return "better"
        return "no difference shown"

    @property
    def alarm(self) -> bool:
        """Return whether a pipeline should stop: the second is worse, or shows a new symptom."""
        return self.verdict == "worse" or self.symptom is not None

    def _seeds_agree(self, first_wins: bool) -> bool:
        if self.seeds is None:
            return True
        wins = self.seeds.first_wins if first_wins else 1 - self.seeds.first_wins
        return self.seeds.p <= LEVEL and wins > 0.5


@dataclass(frozen=True)
class Comparison:
    """Studies beside each other: every later one against the first."""

    pairs: tuple[Pair, ...]

    @property
    def worse(self) -> bool:
        """Return whether some later study is worse than the first, or shows a new symptom."""
        return any(pair.alarm for pair in self.pairs)


def compared(studies: Sequence[StoredStudy]) -> Comparison:
    """Return the comparison of every later study with the first.

    Raises:
        UsageError: fewer than two studies.
        NotComparable, StoreError: as `on_equal_terms`.
    """
    if len(studies) < 2:
        raise UsageError(f"wanted at least two studies to compare, got {len(studies)}")
    return Comparison(tuple(_pair(studies[0], other) for other in studies[1:]))


def _pair(first: StoredStudy, second: StoredStudy) -> Pair:
    basis, before, after = on_equal_terms(first, second)
    budget, (ours, theirs) = _equal_budget((first, second), (before, after))
    ahead, behind = precedence(_graded(ours), _graded(theirs)), precedence(_graded(theirs), _graded(ours))
    claims = basis.n_eff is None or basis.n_eff >= FEW_STARTS
    same = first.name == second.name
    names = [str(study.folder.path) if same else study.name for study in (first, second)]
    enough = ahead.needed is not None and behind.needed is not None
    return Pair(
        first=_side(names[0], first, before, ours),
        second=_side(names[1], second, after, theirs),
        differences=differences_of(first, second),
        basis=basis,
        budget=budget,
        ahead=ahead,
        behind=behind,
        seeds=_seeds(before, after),
        symptom=_new_symptom((before, after), (ours, theirs), second.muted) if claims and enough else None,
        claims=claims and enough,
    )


def _graded(scores: SearchScores) -> np.ndarray:
    """Return the errors of the trials; exact ones are equal, as smaller errors are rounding."""
    return np.asarray(np.maximum(scores.errors, EXACT))


def _side(name: str, study: StoredStudy, scores: SearchScores, equal: SearchScores) -> Side:
    contest = contests(study)
    rng = np.random.default_rng(SEED)
    fresh = iqm_with_interval(np.array(scores.fresh), rng) if scores.fresh else None
    on_test = None if contest.test is None else contest.test.network
    return Side(name, scores, equal, fresh, on_test, contest.validation.baseline, _symptom(scores))


def _symptom(scores: SearchScores) -> str | None:
    """Return the symptom of most networks of the leading configuration; of its trial if it is not confirmed."""
    codes = list(_leading_symptoms(scores))
    return max(codes, key=lambda code: (codes.count(code), -codes.index(code))) if codes else None


def _leading_symptoms(scores: SearchScores) -> tuple[str | None, ...]:
    if scores.fresh:
        return scores.fresh_symptoms
    return tuple(trial.symptom for trial in scores.trials if trial.number == scores.leader)


def _equal_budget(
    studies: tuple[StoredStudy, StoredStudy], scores: tuple[SearchScores, SearchScores]
) -> tuple[Budget, tuple[SearchScores, SearchScores]]:
    """Return the budget of the comparison, and the part of each search within it.

    Where the trials of both have the same budget, it is a number of trials; else the sequence-steps of a search. Each
    part has at least one trial.
    """
    costs = [{study.budget_of(record) for record in study.records} for study in studies]
    if costs[0] == costs[1]:
        trials = min(len(side.trials) for side in scores)
        return Budget("trials", trials), (scores[0].first(trials), scores[1].first(trials))
    limit = int(min(side.cost[-1] for side in scores))
    counts = [max(1, int(np.searchsorted(side.cost, limit, side="right"))) for side in scores]
    return Budget("sequence-steps", limit), (scores[0].first(counts[0]), scores[1].first(counts[1]))


def _seeds(first: SearchScores, second: SearchScores) -> Seeds | None:
    if not first.fresh or not second.fresh:
        return None
    before, after = (np.maximum(np.array(side.fresh), EXACT) for side in (first, second))
    p = rank_sum_p(before, after, np.random.default_rng(SEED))
    return Seeds(p, probability_of_improvement(before, after))


def _new_symptom(
    whole: tuple[SearchScores, SearchScores], equal: tuple[SearchScores, SearchScores], muted: Sequence[str]
) -> NewSymptom | None:
    """Return a failure of the second's leading configuration that neither seeds nor another search explain.

    The share of networks on fresh seeds that show it is larger beyond chance (one-sided exact test). Of the best
    trials, as many of the first as could not all be ahead by chance do not show it, and the best three of the second
    do. If trials are exchangeable, that happens in at most 0.5 % of pairs where the error decides the symptom, and in
    at most 0.3 % where symptoms do not depend on the error, whatever their frequency.

    Args:
        whole: the searches.
        equal: their parts within the equal budget.
        muted: codes of symptoms that the second study hides.
    """
    code = _symptom(whole[1])
    count = least_ahead(len(equal[0].trials), len(equal[1].trials))
    if code is None or code in HEALTHY or code in muted or count is None:
        return None
    shown = [_leading_symptoms(side) for side in whole]
    networks = (shown[0].count(code), shown[1].count(code))
    if code in equal[0].best_symptoms(count) or set(equal[1].best_symptoms(ALL_OF_BEST)) != {code}:
        return None
    if whole[0].fresh and whole[1].fresh and more_often_p(networks, (len(shown[0]), len(shown[1]))) > LEVEL:
        return None
    return NewSymptom(code, networks, (count, min(ALL_OF_BEST, len(equal[1].trials))))
