import pytest

from sweep.results.checks.horizon_too_long import horizon_too_long
from tests.support.made_contests import made_contest


def test_a_horizon_that_nothing_can_forecast_is_found():
    # against a mean of .9: skill of .7 is 1 - .7/.9 = .22, of .6 it is .33
    hard = made_contest(0.7, {"mean": 0.9, "ar": 0.8})
    assert horizon_too_long(hard).severity == "issue"
    assert horizon_too_long(hard).evidence["skill"] == pytest.approx(1 - 0.7 / 0.9)
    assert horizon_too_long(made_contest(0.6, {"mean": 0.9})).severity == "ok"
    by_baseline = horizon_too_long(made_contest(0.9, {"mean": 0.9, "ar": 0.1}))
    assert (by_baseline.severity, by_baseline.evidence["by"]) == ("ok", "ar")
    assert horizon_too_long(made_contest(None, {"mean": 0.9})).severity == "not applicable"


def test_skill_is_against_the_best_trivial_forecast():
    # half of the mean's error is no skill where the line through the past has it too
    found = horizon_too_long(made_contest(0.42, {"mean": 0.9, "persistence": 0.6, "drift": 0.45}))
    assert found.severity == "issue"
    assert found.evidence["against"] == "drift"
    assert "(best: trial 0, skill 0.067 against drift)" in found.text


def test_exact_data_are_no_long_horizon():
    found = horizon_too_long(made_contest(0.2, {"mean": 0.9, "drift": 1e-16}))
    assert (found.severity, found.text) == ("ok", "drift is exact.")


def test_without_trivial_forecasts_skill_is_against_a_constant():
    found = horizon_too_long(made_contest(0.7, {}))
    assert (found.severity, found.text) == ("ok", "trial 0 has skill 0.3 against a constant.")
