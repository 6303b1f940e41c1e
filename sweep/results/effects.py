"""The effect of each choice on the rollout error, with pruned and diverged trials included.

Trials that were stopped early cannot be compared by their final scores. So all trials are compared at a common rung:
the first one, which every trial reached or missed by diverging. A scheduler has barely begun there. Its effect is
taken from the final scores of the trials that trained to the end, and from these alone. So is that of `readout_refit`,
whose values are compared at no rung, and of every choice among trials whose readout is solved at the end. Every other
choice is judged among the trials of one `readout_refit`, because what helps a network whose readout is solved need not
help one whose readout is trained.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from sweep.config.ranges import Choice
from sweep.config.records import PREFIXES, TrialRecord, error_of
from sweep.config.space import Axis
from sweep.results.study import StoredStudy
from sweep.results.wording.numbers import param_text, percent_text
from sweep.stats.bootstrap import percentile_interval

REFIT = "readout_refit"
BINS = 4  # of a range, equally wide on its own scale; our choice
EFFECT_LEAST = 5  # trials per value for a claim; our choice
REPS = 1000
LEVEL = 0.05


@dataclass(frozen=True)
class CommonRung:
    """The point at which all trials are compared, and their scores there: 1 for trials that diverged before it."""

    at: float | None  # share of the budget; None: at the end
    horizon: float  # share of the rollout that is judged there
    scores: Mapping[int, float]

    @property
    def words(self) -> str:
        """Return the scores that are compared, in words."""
        if self.at is None:
            return "rollout error at the end of training"
        share = (
            "the rollout error"
            if self.horizon == 1
            else f"the error over the first {percent_text(self.horizon)} of the rollout"
        )
        return f"{share} at {percent_text(self.at)} of the budget"


def common_rung(study: StoredStudy) -> CommonRung:
    """Return the scores at the first rung: 1 for trials that diverged before it; without pruning the final scores.

    Failed and unfinished trials have no score. The score is the lowest error up to the rung, over the share of the
    horizon that the rung judges.
    """
    if not study.rungs:
        final = {
            r.number: error_of(r) for r in study.records if r.state in ("complete", "pruned", "diverged")
        }
        return CommonRung(None, 1.0, final)
    rung = study.rungs[0]
    prefix = min(range(len(PREFIXES)), key=lambda k: abs(PREFIXES[k] - rung.horizon))
    scores = {}
    for record in study.records:
        score = _score_at(record, rung.at, prefix, study.budget_of(record))
        if score is not None:
            scores[record.number] = score
    return CommonRung(rung.at, PREFIXES[prefix], scores)


def _score_at(record: TrialRecord, at: float, prefix: int, budget: int | None) -> float | None:
    if not budget or record.state == "failed":
        return None
    until = max(1, round(at * budget))
    seen = []
    for evaluation in record.evaluations:  # those up to the rung's, which may lie a batch behind it
        seen.append(evaluation.scores.prefix_errors[prefix])
        if evaluation.sequence_steps >= until:
            return min(seen)
    if record.state == "complete":  # full batches may end before the budget does
        return min(seen) if seen else None
    return 1.0 if record.state == "diverged" else None


def strata(study: StoredStudy) -> dict[str | None, frozenset[int]]:
    """Return the trial numbers by `readout_refit`, in the order of the choice; None: all, where it is not sampled."""
    axis = study.axes.get(REFIT)
    if axis is None or not isinstance(axis.span, Choice):
        return {None: frozenset(record.number for record in study.records)}
    return {
        str(value): frozenset(r.number for r in study.records if r.params.get(REFIT) == value)
        for value in axis.span.values
    }


def _strata_of(study: StoredStudy, name: str) -> dict[str | None, frozenset[int]]:
    """Return the strata in which a hyperparameter is judged: all trials together for `readout_refit` itself."""
    every = frozenset(record.number for record in study.records)
    return {None: every} if name == REFIT else strata(study)


def effects_frame(study: StoredStudy, trials: pd.DataFrame, rung: CommonRung) -> pd.DataFrame:
    """Return a row per hyperparameter and value, or bin of its range: quantiles of the scores.

    Columns: readout_refit (of the trials that are compared, None: all), param, value (as text), order (of the value),
    basis ("rung" or "end"), trials, best, q25, median, q75; lower is better. A hyperparameter that only some trials
    have is compared among these. `readout_refit`, the scheduler and its own hyperparameters have the basis "end".
    """
    done = trials[(trials["state"] == "complete") & trials["rollout_error"].notna()]
    finished = dict(zip(done["number"], done["rollout_error"], strict=True))
    rows: list[dict[str, Any]] = []
    for name in trials.attrs["params"]:
        axis = study.axes.get(name)
        groups = groups_of(trials, name, axis)
        for refit, members in _strata_of(study, name).items():
            late = is_late(name, axis, refit)
            scores = finished if late else rung.scores
            for order, (text, numbers) in enumerate(groups):
                values = np.array([scores[n] for n in numbers if n in scores and n in members])
                if not len(values):
                    continue
                low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
                rows.append(
                    {
                        "readout_refit": refit,
                        "param": name,
                        "value": text,
                        "order": order,
                        "basis": "end" if late else "rung",
                        "trials": len(values),
                        "best": values.min(),
                        "q25": low,
                        "median": middle,
                        "q75": high,
                    }
                )
    columns = ["readout_refit", "param", "value", "order", "basis", "trials", "best", "q25", "median", "q75"]
    return pd.DataFrame(rows, columns=columns)


def is_late(name: str, axis: Axis | None, refit: str | None = None) -> bool:
    """Return whether a hyperparameter is judged at the end: the scheduler with its own ones, and `readout_refit`.

    So is every one of trials whose readout is solved at the end: no rung shows what that gives.

    Args:
        name: of the hyperparameter.
        axis: its axis, None if it is not known.
        refit: `readout_refit` of the trials that are compared, None: all.
    """
    return (
        refit == "end"
        or name in ("scheduler", REFIT)
        or (axis is not None and axis.condition is not None and axis.condition.on == "scheduler")
    )


def groups_of(trials: pd.DataFrame, name: str, axis: Axis | None) -> list[tuple[str, list[int]]]:
    """Return (text, trial numbers) by value of a choice, or by bin of a range on its own scale."""
    have = trials[[_is_there(value) for value in trials[name]]]
    pairs = [(int(number), value) for number, value in zip(have["number"], have[name], strict=True)]
    if axis is None or isinstance(axis.span, Choice):
        order = [] if axis is None else [_plain(value) for value in axis.span.values]  # type: ignore[union-attr]
        seen = dict.fromkeys(order) | dict.fromkeys(_plain(value) for _, value in pairs)
        return [
            (param_text(name, value), [number for number, other in pairs if _plain(other) == value])
            for value in seen
        ]
    edges = [axis.span.from_unit(k / BINS) for k in range(BINS + 1)]
    bins: list[list[int]] = [[] for _ in range(BINS)]
    for number, value in pairs:
        bins[min(BINS - 1, max(0, int(axis.span.to_unit(value) * BINS)))].append(number)
    texts = [f"{param_text(name, low)} – {param_text(name, high)}" for low, high in pairwise(edges)]
    return list(zip(texts, bins, strict=True))


def _is_there(value: Any) -> bool:
    return not (value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)))


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True)
class Claim:
    """One value of a choice is better than the other values together: the medians, and the interval of its lead."""

    param: str
    value: str
    median: float
    others: float
    low: float  # 95 % interval of others - median
    high: float
    trials: int
    basis: str
    readout_refit: str | None = None  # of the trials that were compared; None: all


@dataclass(frozen=True)
class Comparison:
    """The scores of a choice by value, for the values that enough trials have: at least two."""

    param: str
    basis: str
    groups: Mapping[str, np.ndarray]
    readout_refit: str | None = None  # of the trials; None: all


def comparisons(study: StoredStudy, trials: pd.DataFrame, rung: CommonRung) -> list[Comparison]:
    """Return the choices that can be tested: at least two values, each with at least EFFECT_LEAST trials."""
    finished = dict(
        zip(trials["number"], trials["rollout_error"].where(trials["state"] == "complete"), strict=True)
    )
    testable = []
    for name in trials.attrs["params"]:
        axis = study.axes.get(name)
        if axis is not None and not isinstance(axis.span, Choice):
            continue
        for refit, members in _strata_of(study, name).items():
            late = is_late(name, axis, refit)
            scores = finished if late else rung.scores
            groups = {
                text: np.array([scores[n] for n in numbers if n in members and _scored(scores, n)])
                for text, numbers in groups_of(trials, name, axis)
            }
            groups = {text: values for text, values in groups.items() if len(values) >= EFFECT_LEAST}
            if len(groups) >= 2:
                testable.append(Comparison(name, "end" if late else "rung", groups, refit))
    return testable


def _scored(scores: Mapping[int, float], number: int) -> bool:
    return number in scores and not math.isnan(scores[number])


def effect_claims(tested: Sequence[Comparison], rng: np.random.Generator) -> list[Claim]:
    """Return the claims that the best value of a choice beats its other values; none for choices that show no lead.

    A claim needs both a permutation test at 5 % and an interval of the lead that lies above 0: a value that may be
    worse is not claimed to be better.

    The test statistic is the lead of the best value's median over the median of the rest. The best value is
    picked again in every permutation, so that picking it is not evidence; the level is divided by
    the number of choices tested. The interval of the lead is a bootstrap over trials.
    """
    claims = []
    for comparison in tested:
        groups = comparison.groups
        values, labels = (
            np.concatenate(list(groups.values())),
            np.repeat(np.arange(len(groups)), [*map(len, groups.values())]),
        )
        lead, winner = best_lead(values, labels)
        chance = np.mean([best_lead(values, rng.permutation(labels))[0] >= lead for _ in range(REPS)])
        if lead <= 0 or chance > LEVEL / len(tested):
            continue
        mine, others = values[labels == winner], values[labels != winner]
        drawn = np.median(rng.choice(others, (REPS, len(others))), axis=1) - np.median(
            rng.choice(mine, (REPS, len(mine))), axis=1
        )
        low, high = percentile_interval(drawn)
        if low <= 0:
            continue
        text = list(groups)[winner]
        medians = float(np.median(mine)), float(np.median(others))
        basis, refit = comparison.basis, comparison.readout_refit
        claims.append(Claim(comparison.param, text, *medians, low, high, len(mine), basis, refit))
    return claims


def best_lead(values: np.ndarray, labels: np.ndarray) -> tuple[float, int]:
    """Return the median of the rest minus that of the group with the lowest median, and that group's label.

    Args:
        values: (trial,), scores, lower is better.
        labels: (trial,), integers 0..groups-1, at least two of them.
    """
    medians = [float(np.median(values[labels == label])) for label in range(int(labels.max()) + 1)]
    winner = int(np.argmin(medians))
    return float(np.median(values[labels != winner])) - medians[winner], winner
