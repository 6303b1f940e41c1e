"""Whether the budget is the limit, by hand."""

import math
from dataclasses import replace

import pytest

from sweep.config.records import Evaluation, Scores, TrialRecord
from sweep.results.checks import CHECKS
from sweep.results.checks.budget_is_the_limit import budget_is_the_limit, late_gain
from sweep.results.study import read_study
from sweep.results.study_tables import StudyTables


def trial(number: int, errors: list[float], state: str = "complete", scheduler: str = "none") -> TrialRecord:
    points = tuple(
        Evaluation(i, 100 * (i + 1), i, Scores(e, (e,) * 4, e, 1, 1, 1, 0.0, e, e), 0.1, 0.1)
        for i, e in enumerate(errors)
    )
    return TrialRecord(
        number,
        state,  # type: ignore[arg-type]
        {},
        {"training": {"scheduler": {"name": scheduler}}},
        "sampled",
        points,
        min(errors),
        sequence_steps=100 * len(errors),
    )


def test_the_gain_is_that_of_the_last_fifth():
    assert late_gain(trial(0, [1.0, 0.5, 0.4, 0.3, 0.1])) == pytest.approx(math.log10(3))
    assert late_gain(trial(0, [1.0, 0.1, 0.4, 0.3, 0.2])) == 0
    assert late_gain(trial(0, [0.5, 1e-10, 1e-10, 1e-10, 1e-12])) == 0  # below 1e-9 all are alike
    assert late_gain(trial(0, [0.5])) is None


def test_found_where_the_best_still_gain():
    gaining = [trial(n, [1.0, 0.5, 0.4, 0.3, 0.1]) for n in range(4)]
    still = [trial(n, [1.0, 0.1, 0.1, 0.1, 0.1]) for n in range(4, 20)]
    finding = budget_is_the_limit(gaining)
    assert finding.severity == "issue" and "a factor of 3 (median)" in finding.text
    assert budget_is_the_limit([*gaining, *still]).severity == "ok"  # four of the best ten
    pruned = [trial(n, [1.0, 0.5, 0.4, 0.3, 0.1], "pruned") for n in range(9)]
    assert budget_is_the_limit([*gaining[:2], *pruned]).severity == "not applicable"


def test_a_gain_that_the_schedule_explains_is_unknown():
    errors = [1.0, 0.5, 0.4, 0.3, 0.1]
    falling = [trial(n, errors, scheduler="one_cycle") for n in range(3)]
    finding = budget_is_the_limit([*falling, trial(3, errors)], {"one_cycle", "cosine"})
    assert finding.severity == "not applicable" and "of 3 of them fall to zero" in finding.text
    half = budget_is_the_limit([*falling[:2], *(trial(n, errors) for n in (3, 4))], {"one_cycle"})
    assert half.severity == "issue"
    flat = [trial(n, [1.0, 0.1, 0.1, 0.1, 0.1], scheduler="cosine") for n in range(4)]
    assert budget_is_the_limit(flat, {"cosine"}).severity == "ok"


def test_which_rates_fall_to_zero_is_a_fact_of_the_stored_study(one):
    errors = [1.0, 0.5, 0.4, 0.3, 0.1]
    records = tuple(trial(number, errors, scheduler="mine") for number in range(4))
    document = one.read_study()
    for falling, severity in (([], "issue"), (["mine"], "not applicable")):
        one.write_study({**document, "record": {**document["record"], "falling_schedulers": falling}})
        tables = StudyTables(replace(read_study(one), records=records))
        assert CHECKS["budget_is_the_limit"].check(tables).severity == severity
