"""Whether a baseline forecasts better than the networks: by what the networks are worth, where that is known."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from sweep.results.checks.study_findings import Finding
from sweep.results.wording.numbers import number_text


@dataclass(frozen=True)
class Results:
    """Rollout errors that nothing was selected by; None and empty where there are none."""

    fresh: float | None = None  # of the named configuration on fresh seeds, on validation
    test: float | None = None  # of the same on the locked test
    baselines_test: Mapping[str, float] = field(default_factory=dict)


NOTHING_YET = Results()


def beaten_by_baseline(board: pd.DataFrame, best: int | None, results: Results = NOTHING_YET) -> Finding:
    """Is there a baseline that beats every trial, or what the named configuration reaches when trained anew?

    A selected score is the best of many draws, a baseline's is not: where there are fresh seeds these are compared,
    and on the locked test too. One comparison that a baseline wins is enough to be found.

    Args:
        board: from `leaderboard`.
        best: number of the named trial.
        results: of the named trial.
    """
    baselines = board[(board["kind"] == "baseline") & board["rollout_error"].notna()]
    if not len(baselines):
        return Finding("beaten_by_baseline", "unknown", "No baseline has been scored yet.")
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
        return Finding("beaten_by_baseline", "unknown", "No trial has a score yet.", evidence)
    where = "" if results.fresh is None else "On fresh seeds "
    if here:
        whom = (
            f"every trial, whose best rollout error is {number_text(bar)}"
            if results.fresh is None
            else f"trial {best}'s configuration, whose rollout error is {number_text(bar)}"
        )
        text = f"{where}{_named(here, errors, exact)} {_beat(here)} {whom}."
    else:
        first = min(errors, key=lambda name: errors[name])
        than = "" if results.fresh is None else f" against {number_text(bar)}"
        text = (
            f"{where}{'every' if where else 'Every'} baseline is beaten; the nearest is {first} with rollout error "
            f"{number_text(errors[first])}{than}."
        )
    if at_test:
        listed = _named(at_test, results.baselines_test, exact)
        text += f" On the locked test {listed} {_beat(at_test)} it ({number_text(results.test)})."
    return Finding("beaten_by_baseline", "found" if better else "clear", text, evidence)


def _lower(errors: Mapping[str, float], bar: float | None) -> list[str]:
    if bar is None:
        return []
    return sorted((name for name, error in errors.items() if error < bar), key=lambda name: errors[name])


def _named(names: list[str], errors: Mapping[str, float], exact: set[str]) -> str:
    return ", ".join(f"{name} ({'exact' if name in exact else number_text(errors[name])})" for name in names)


def _beat(names: list[str]) -> str:
    return "beats" if len(names) == 1 else "beat"
