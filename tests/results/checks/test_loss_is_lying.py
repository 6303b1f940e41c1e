import numpy as np
import pytest

from sweep.results.checks.loss_is_lying import loss_is_lying
from tests.support.made_tables import trials_table


def rng():
    return np.random.default_rng(0)


def test_a_loss_that_ranks_backwards_is_found_lying():
    # the lowest one-step error (trial 0) has the worst rollout: .9 against .2, ranks exactly reversed
    found = loss_is_lying(
        trials_table([1, 2, 3, 4, 5, 6, 7, 8], [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2]), 100, True, rng()
    )
    assert found.severity == "issue"
    assert found.evidence["spearman"] == pytest.approx(-1)
    assert (found.evidence["by_loss"], found.evidence["by_rollout"]) == (0, 7)
    assert found.evidence["cost"] == pytest.approx(0.7)
    assert found.evidence["cost_valid_steps"] == pytest.approx(70)
    assert "hardly agree: Spearman -1.00" in found.text
    assert "valid for 10 instead of 80 of 100 steps" in found.text


def test_a_loss_that_ranks_as_the_rollout_is_clear():
    found = loss_is_lying(
        trials_table([1, 2, 3, 4, 5, 6, 7, 8], [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]), 100, True, rng()
    )
    assert found.severity == "ok"
    assert found.evidence["spearman"] == pytest.approx(1)
    assert "same trial, 0." in found.text


def test_equal_valid_steps_are_told_once():
    # the loss would keep a checkpoint of .2 instead of .1, and both hold to the end
    frame = trials_table([1, 2, 3], [0.2, 0.3, 0.4], rollout_error=[0.1, 0.3, 0.4], valid_steps=[100, 70, 60])
    found = loss_is_lying(frame.assign(loss_valid_steps=100.0), 100, True, rng())
    assert "rollout error 0.2 instead of 0.1, both valid for 100 of 100 steps." in found.text


def test_failed_trials_are_left_out_and_diverged_ones_rank_worst():
    one_step = [1, 2, 3, 4, 5, 6, 7, np.nan, 0.5, 0.1]
    rollout = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, np.nan, 0.1, 0.1]
    states = ["complete"] * 7 + ["diverged", "failed", "running"]
    found = loss_is_lying(trials_table(one_step, rollout, states), 100, True, rng())
    assert found.evidence["trials"] == 8
    assert found.evidence["spearman"] == pytest.approx(1)  # the diverged one is last in both, not missing
    assert found.evidence["by_loss"] == 0


def test_with_few_starts_no_claim_is_made():
    frame = trials_table([1, 2, 3, 4, 5, 6, 7, 8], [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2])
    found = loss_is_lying(frame, 100, False, rng())
    assert found.severity == "not applicable"
    assert "not a claim that one setting beats another" in found.text


def test_one_trial_is_no_evidence():
    assert loss_is_lying(trials_table([1], [0.5]), 100, True, rng()).severity == "not applicable"
    few = loss_is_lying(trials_table([1, 2, 3], [0.5, 0.4, 0.3]), 100, True, rng())
    assert few.evidence["spearman"] is None
    assert few.severity == "not applicable"  # three trials are no evidence of health
    assert few.evidence["by_loss"] == 0
