"""Whether the budget is the limit, by hand."""

import math

import pytest

from sweep.config.records import Evaluation, Scores, TrialRecord
from sweep.report.budget import budget_is_the_limit, late_gain


def trial(number: int, errors: list[float], state: str = "complete") -> TrialRecord:
    points = tuple(
        Evaluation(i, 100 * (i + 1), i, Scores(e, (e,) * 4, e, 1, 1, 1, 0.0, e, e), 0.1, 0.1)
        for i, e in enumerate(errors)
    )
    return TrialRecord(
        number,
        state,
        {},
        {},
        "sampled",
        points,
        min(errors),
        sequence_steps=100 * len(errors),  # type: ignore[arg-type]
    )


def test_the_gain_is_that_of_the_last_fifth():
    assert late_gain(trial(0, [1.0, 0.5, 0.4, 0.3, 0.1])) == pytest.approx(math.log10(3))
    assert late_gain(trial(0, [1.0, 0.1, 0.4, 0.3, 0.2])) == 0
    assert late_gain(trial(0, [0.5, 1e-5, 1e-5, 1e-5, 1e-6])) == 0  # below .001 all are alike
    assert late_gain(trial(0, [0.5])) is None


def test_found_where_the_best_still_gain():
    gaining = [trial(n, [1.0, 0.5, 0.4, 0.3, 0.1]) for n in range(4)]
    still = [trial(n, [1.0, 0.1, 0.1, 0.1, 0.1]) for n in range(4, 20)]
    found = budget_is_the_limit(gaining)
    assert found.verdict == "found" and "a factor of 3 (median)" in found.text
    assert budget_is_the_limit([*gaining, *still]).verdict == "clear"  # four of the best ten
    pruned = [trial(n, [1.0, 0.5, 0.4, 0.3, 0.1], "pruned") for n in range(9)]
    assert budget_is_the_limit([*gaining[:2], *pruned]).verdict == "unknown"
