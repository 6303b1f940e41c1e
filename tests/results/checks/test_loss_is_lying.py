from dataclasses import replace

import numpy as np
import pytest

from sweep.results.checks.loss_is_lying import loss_is_lying
from tests.support.made_contests import made_contest
from tests.support.made_tables import trials_table


def judged(frame, enough_starts=True, leader=None):
    """The finding on trials of 100 steps; the leader is the trial with the lowest selected score."""
    best = frame.loc[frame["rollout_error"].idxmin()]
    contest = (
        made_contest(best["rollout_error"], {}, valid_steps=best["valid_steps"]) if leader is None else leader
    )
    if leader is None:
        network = replace(contest.network, number=int(best["number"]), name=f"trial {int(best['number'])}")
        contest = replace(contest, network=network)
    return loss_is_lying(frame, contest, 100, enough_starts, rng())


def rng():
    return np.random.default_rng(0)


def test_a_loss_that_ranks_backwards_is_found_lying():
    # the lowest one-step error (trial 0) has the worst rollout: .9 against .2, ranks exactly reversed
    found = judged(trials_table([1, 2, 3, 4, 5, 6, 7, 8], [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2]), True)
    assert found.severity == "issue"
    assert found.evidence["spearman"] == pytest.approx(-1)
    assert (found.evidence["by_loss"], found.evidence["by_rollout"]) == (0, 7)
    assert found.evidence["cost"] == pytest.approx(0.7)
    assert (found.evidence["by_loss_valid_steps"], found.evidence["by_rollout_valid_steps"]) == (
        pytest.approx(10),
        pytest.approx(80),
    )
    assert "hardly agree: Spearman -1.00" in found.text
    assert "trial 0 at its lowest one-step error: rollout error 0.9, 10 of 100 valid steps." in found.text
    assert "Trial 7 has 0.2 and 80 of 100 valid steps (selected)." in found.text


def test_a_loss_that_ranks_as_the_rollout_is_clear():
    found = judged(trials_table([1, 2, 3, 4, 5, 6, 7, 8], [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]), True)
    assert found.severity == "ok"
    assert found.evidence["spearman"] == pytest.approx(1)
    assert "same trial, 0, at the same checkpoint." in found.text


def test_the_same_trial_at_another_checkpoint():
    # the loss would keep a checkpoint of .2 instead of .1, and both hold to the end
    frame = trials_table([1, 2, 3], [0.2, 0.3, 0.4], rollout_error=[0.1, 0.3, 0.4], valid_steps=[100, 70, 60])
    found = judged(frame.assign(loss_valid_steps=100.0), True)
    assert (
        "the same trial, 0, at its lowest one-step error: rollout error 0.2, 100 of 100 valid" in found.text
    )


def test_the_loss_is_compared_with_fresh_seeds_where_there_are_some():
    # selected .1, anew .42: a loss that picks .45 costs .35 of the lucky score, and .03 of what it is worth
    frame = trials_table([1, 2, 3, 4, 5, 6, 7, 8], [0.45, 0.5, 0.6, 0.5, 0.7, 0.8, 0.9, 0.1])
    assert judged(frame).severity == "issue"
    found = judged(frame, leader=made_contest(0.42, {}, seeds=3, valid_steps=58))
    assert found.severity == "ok"
    assert found.evidence["cost"] == pytest.approx(0.03)
    assert found.text.endswith("Trial 0 has 0.42 and 58 of 100 valid steps (on fresh seeds).")


def test_failed_trials_are_left_out_and_diverged_ones_rank_worst():
    one_step = [1, 2, 3, 4, 5, 6, 7, np.nan, 0.5, 0.1]
    rollout = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, np.nan, 0.1, 0.1]
    states = ["complete"] * 7 + ["diverged", "failed", "running"]
    found = judged(trials_table(one_step, rollout, states), True)
    assert found.evidence["trials"] == 8
    assert found.evidence["spearman"] == pytest.approx(1)  # the diverged one is last in both, not missing
    assert found.evidence["by_loss"] == 0


def test_with_few_starts_no_claim_is_made():
    frame = trials_table([1, 2, 3, 4, 5, 6, 7, 8], [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2])
    found = judged(frame, False)
    assert found.severity == "not applicable"
    assert "not a claim that one setting beats another" in found.text


def test_one_trial_is_no_evidence():
    assert judged(trials_table([1], [0.5]), True).severity == "not applicable"
    few = judged(trials_table([1, 2, 3], [0.5, 0.4, 0.3]), True)
    assert few.evidence["spearman"] is None
    assert few.severity == "not applicable"  # three trials are no evidence of health
    assert few.evidence["by_loss"] == 0
