"""Does a baseline forecast better than the networks?"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from sweep.diagnosis.check import CheckSpec
from sweep.diagnosis.finding import Finding
from sweep.results.study import StoredStudy
from sweep.results.wording.numbers import number_text


@dataclass(frozen=True)
class Results:
    """Rollout errors by which nothing was selected; None and empty if there are none."""

    fresh: float | None = None  # of the named configuration on fresh seeds, on validation
    test: float | None = None  # of the same on the locked test
    baselines_test: Mapping[str, float] = field(default_factory=dict)


NOTHING_YET = Results()


def results_of(study: StoredStudy) -> Results:
    """Return the results of the winning configuration and of the baselines."""
    best, _ = study.named
    if best is None:
        return NOTHING_YET
    arms = [] if study.confirmation is None else study.confirmation["arms"]
    fresh = next((arm["iqm"]["value"] for arm in arms if arm["number"] == best.number), None)
    test = study.scores_on_test(best.number)
    if test is None:
        return Results(fresh)
    errors = {name: entry.get("rollout_error") for name, entry in study.baselines_on_test.items()}
    known = {name: error for name, error in errors.items() if error is not None}
    return Results(fresh, test.get("rollout_error"), known)


def beaten_by_baseline(board: pd.DataFrame, best: int | None, results: Results = NOTHING_YET) -> Finding:
    """Does a baseline beat the winning configuration on fresh seeds, or every trial's selected score?

    A selected score is the best of many draws, a baseline's is not: if there are fresh seeds, their error is
    compared, and that on the locked test too. One lost comparison is enough for an issue.

    Args:
        board: from `leaderboard`.
        best: number of the winning trial.
        results: of the winning trial.
    """
    baselines = board[(board["kind"] == "baseline") & board["rollout_error"].notna()]
    if not len(baselines):
        return CHECK.finding("not applicable", "No baseline has been scored yet.")
    trials = board[(board["kind"] == "trial") & board["rollout_error"].notna()]
    lowest = float(trials["rollout_error"].min()) if len(trials) else math.inf
    bar = lowest if results.fresh is None else results.fresh
    errors = dict(zip(baselines["name"], baselines["rollout_error"].astype(float), strict=True))
    exact = set(baselines.loc[baselines["exact"].astype(bool), "name"])
    here = [name for name, error in errors.items() if error < bar]
    at_test = _lower(results.baselines_test, results.test)
    better = [*here, *(name for name in at_test if name not in here)]
    evidence = {
        "better": better,
        "best_trial_error": lowest,
        "best": best,
        "fresh_error": results.fresh,
        "test_error": results.test,
        "better_on_test": at_test,
    }
    if not len(trials):
        return CHECK.finding("not applicable", "No trial has a score yet.", evidence)
    first = min(errors, key=lambda name: errors[name])
    nearest = f"baseline is beaten; the nearest is {first} with rollout error {number_text(errors[first])}"
    if results.fresh is None:
        whom = f"every trial, whose best rollout error is {number_text(bar)}"
        text = f"{_named(here, errors, exact)} {_beat(here)} {whom}." if here else f"Every {nearest}."
    elif here:
        whom = f"trial {best}'s configuration, whose rollout error is {number_text(bar)}"
        text = f"On fresh seeds {_named(here, errors, exact)} {_beat(here)} {whom}."
    else:
        text = f"On fresh seeds every {nearest} against {number_text(bar)}."
    if at_test:
        listed = _named(at_test, results.baselines_test, exact)
        text += f" On the locked test {listed} {_beat(at_test)} it ({number_text(results.test)})."
    return CHECK.finding("issue" if better else "ok", text, evidence)


def _lower(errors: Mapping[str, float], bar: float | None) -> list[str]:
    if bar is None:
        return []
    return sorted((name for name, error in errors.items() if error < bar), key=lambda name: errors[name])


def _named(names: list[str], errors: Mapping[str, float], exact: set[str]) -> str:
    return ", ".join(f"{name} ({'exact' if name in exact else number_text(errors[name])})" for name in names)


def _beat(names: list[str]) -> str:
    return "beats" if len(names) == 1 else "beat"


CHECK = CheckSpec(
    name="beaten_by_baseline",
    titles=("A baseline is better", "Every baseline is beaten"),
    check=lambda tables: beaten_by_baseline(
        tables.leaderboard, None if tables.best is None else tables.best.number, results_of(tables.study)
    ),
    source="our choice: results before selected scores",
)
