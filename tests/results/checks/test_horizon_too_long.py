import pytest

from sweep.results.checks.horizon_too_long import horizon_too_long
from tests.support.made_tables import board_table


def test_a_horizon_that_nothing_can_forecast_is_found():
    # against a mean of .9: skill of .7 is 1 - .7/.9 = .22, of .6 it is .33
    hard = board_table(("baseline", "mean", 0.9), ("baseline", "ar", 0.8), ("trial", "trial 0", 0.7))
    assert horizon_too_long(hard).severity == "issue"
    assert horizon_too_long(hard).evidence["skill"] == pytest.approx(1 - 0.7 / 0.9)
    easy = board_table(("baseline", "mean", 0.9), ("trial", "trial 0", 0.6))
    assert horizon_too_long(easy).severity == "ok"
    by_baseline = board_table(("baseline", "mean", 0.9), ("baseline", "ar", 0.1), ("trial", "trial 0", 0.9))
    assert horizon_too_long(by_baseline).severity == "ok"
    assert horizon_too_long(board_table(("baseline", "mean", 0.9))).severity == "not applicable"
