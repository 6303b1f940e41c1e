import numpy as np
import pandas as pd
import pytest

from sweep.config.ranges import Choice, IntUniform, LogUniform, OneMinusLog
from sweep.config.space import Axis
from sweep.results.checks.study_findings import (
    checkpoint_regret,
    choices_matter,
    few_starts,
    horizon_too_long,
    loss_is_lying,
    near_bound,
    trial_failures,
)
from sweep.results.effects import Claim


def trials(one_step, rollout, state="complete", **columns):
    count = len(one_step)
    frame = {
        "number": range(count),
        "state": [state] * count if isinstance(state, str) else state,
        "lowest_one_step_error": one_step,
        "loss_rollout_error": rollout,
        "rollout_error": rollout,
        "loss_valid_steps": [100 * (1 - error) for error in rollout],
        "valid_steps": [100 * (1 - error) for error in rollout],
        "regret_last": 0.0,
        "regret_one_step": 0.0,
        "reason": None,
    }
    return pd.DataFrame({**frame, **columns})


def rng():
    return np.random.default_rng(0)


def test_a_loss_that_ranks_backwards_is_found_lying():
    # the lowest one-step error (trial 0) has the worst rollout: .9 against .2, ranks exactly reversed
    found = loss_is_lying(
        trials([1, 2, 3, 4, 5, 6, 7, 8], [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2]), 100, True, rng()
    )
    assert found.verdict == "found"
    assert found.evidence["spearman"] == pytest.approx(-1)
    assert (found.evidence["by_loss"], found.evidence["by_rollout"]) == (0, 7)
    assert found.evidence["cost"] == pytest.approx(0.7)
    assert found.evidence["cost_valid_steps"] == pytest.approx(70)
    assert "hardly agree: Spearman -1.00" in found.text
    assert "valid for 10 instead of 80 of 100 steps" in found.text


def test_a_loss_that_ranks_as_the_rollout_is_clear():
    found = loss_is_lying(
        trials([1, 2, 3, 4, 5, 6, 7, 8], [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]), 100, True, rng()
    )
    assert found.verdict == "clear"
    assert found.evidence["spearman"] == pytest.approx(1)
    assert "same trial, 0." in found.text


def test_equal_valid_steps_are_told_once():
    # the loss would keep a checkpoint of .2 instead of .1, and both hold to the end
    frame = trials([1, 2, 3], [0.2, 0.3, 0.4], rollout_error=[0.1, 0.3, 0.4], valid_steps=[100, 70, 60])
    found = loss_is_lying(frame.assign(loss_valid_steps=100.0), 100, True, rng())
    assert "rollout error 0.2 instead of 0.1, both valid for 100 of 100 steps." in found.text


def test_failed_trials_are_left_out_and_diverged_ones_rank_worst():
    one_step = [1, 2, 3, 4, 5, 6, 7, np.nan, 0.5, 0.1]
    rollout = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, np.nan, 0.1, 0.1]
    states = ["complete"] * 7 + ["diverged", "failed", "running"]
    found = loss_is_lying(trials(one_step, rollout, states), 100, True, rng())
    assert found.evidence["trials"] == 8
    assert found.evidence["spearman"] == pytest.approx(1)  # the diverged one is last in both, not missing
    assert found.evidence["by_loss"] == 0


def test_with_few_starts_no_claim_is_made():
    frame = trials([1, 2, 3, 4, 5, 6, 7, 8], [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2])
    found = loss_is_lying(frame, 100, False, rng())
    assert found.verdict == "unknown"
    assert "no claim that one setting beats another" in found.text


def test_one_trial_is_no_evidence():
    assert loss_is_lying(trials([1], [0.5]), 100, True, rng()).verdict == "unknown"
    few = loss_is_lying(trials([1, 2, 3], [0.5, 0.4, 0.3]), 100, True, rng())
    assert few.evidence["spearman"] is None
    assert few.verdict == "unknown"  # three trials are no evidence of health
    assert few.evidence["by_loss"] == 0


def test_checkpoint_regret_counts_the_trials_that_lose_by_it():
    frame = trials([1] * 4, [0.5] * 4, regret_last=[0.0, 0.04, 0.06, 0.3], regret_one_step=[0, 0, 0, 0.2])
    frame.loc[3, "state"] = "complete"
    found = checkpoint_regret(frame)
    assert found.verdict == "found"
    assert found.evidence["share_last"] == 0.5  # .06 and .3 lie above .05
    assert found.evidence["median_last"] == pytest.approx(0.05)
    assert found.evidence["share_one_step"] == 0.25
    pruned = frame.assign(state="pruned")
    assert checkpoint_regret(pruned).verdict == "unknown"
    assert checkpoint_regret(frame.assign(regret_last=0.01, regret_one_step=0.0)).verdict == "clear"


AXES = {
    "sgd.lr": Axis("sgd.lr", ("training",), LogUniform(1e-3, 1.0)),
    "sgd.momentum": Axis("sgd.momentum", ("training",), OneMinusLog(0.0, 0.99)),
    "cell": Axis("cell", ("model",), Choice(("lstm", "gru"))),
    "hidden": Axis("hidden", ("model",), IntUniform(8, 107)),
}


@pytest.mark.parametrize(
    ("params", "verdict", "text"),
    [
        ({"sgd.lr": 1e-3 * 1000**0.96}, "found", "search higher"),  # .96 of the log range
        ({"sgd.lr": 1e-3 * 1000**0.04}, "found", "search lower"),
        ({"sgd.lr": 1e-3 * 1000**0.94}, "clear", "No hyperparameter"),  # a linear scale would say .66
        ({"sgd.lr": 0.955}, "found", "search higher"),
        ({"sgd.momentum": 0.0}, "clear", "No hyperparameter"),  # 0 is the end of what there is
        ({"sgd.momentum": 0.989}, "found", "search higher"),
        ({"hidden": 8}, "found", "search lower"),
        ({"cell": "gru"}, "unknown", "no hyperparameter with a range"),
        (None, "unknown", "no best trial"),
    ],
)
def test_a_best_value_within_five_percent_of_a_bound_is_found(params, verdict, text):
    found = near_bound(params, AXES)
    assert found.verdict == verdict
    assert text in found.text


def board(*rows):
    frame = pd.DataFrame(rows, columns=["kind", "name", "rollout_error"])
    return frame.assign(exact=frame["rollout_error"] < 1e-9)


def test_a_horizon_that_nothing_can_forecast_is_found():
    # against a mean of .9: skill of .7 is 1 - .7/.9 = .22, of .6 it is .33
    hard = board(("baseline", "mean", 0.9), ("baseline", "ar", 0.8), ("trial", "trial 0", 0.7))
    assert horizon_too_long(hard).verdict == "found"
    assert horizon_too_long(hard).evidence["skill"] == pytest.approx(1 - 0.7 / 0.9)
    easy = board(("baseline", "mean", 0.9), ("trial", "trial 0", 0.6))
    assert horizon_too_long(easy).verdict == "clear"
    by_baseline = board(("baseline", "mean", 0.9), ("baseline", "ar", 0.1), ("trial", "trial 0", 0.9))
    assert horizon_too_long(by_baseline).verdict == "clear"
    assert horizon_too_long(board(("baseline", "mean", 0.9))).verdict == "unknown"


def test_eight_starts_are_enough_and_seven_are_not():
    assert few_starts(7).verdict == "found"
    assert few_starts(7).text.count("do not overlap") == 1
    assert few_starts(8).verdict == "clear"
    assert few_starts(None).verdict == "unknown"


def test_claims_are_told_only_with_enough_starts():
    claim = Claim("cell", "gru", 0.3, 0.6, 0.1, 0.4, 12, "rung")
    found = choices_matter([claim], 1, True, "the error at 11%")
    assert found.verdict == "found"
    assert "cell = gru: median 0.3 against 0.6" in found.text
    end = Claim("scheduler", "one_cycle", 0.13, 0.23, 0.032, 0.15, 12, "end")
    text = choices_matter([end], 1, True, "the error at 11%").text
    assert "11%" not in text and text.startswith(
        "By the final scores of the trials that trained to the end, "
    )
    both = choices_matter([claim, end], 2, True, "the error at 11%").text
    assert both.index("cell = gru") < both.index("By the final scores") < both.index("scheduler = one_cycle")
    few = choices_matter([claim], 1, False, "x")
    assert few.verdict == "unknown"
    assert "no value of a choice" in few.text  # a sentence of its own: what is open is named
    assert choices_matter([], 1, True, "x").verdict == "clear"
    assert choices_matter([], 0, True, "x").verdict == "unknown"


def test_failures_are_counted_by_reason():
    frame = trials(
        [1, 1, 1], [1, 1, 1], ["failed", "failed", "complete"], reason=["no memory", "no memory", None]
    )
    assert trial_failures(frame).text == "2 of 3 trials failed: no memory (2)."
    assert trial_failures(trials([1], [1], ["complete"])).verdict == "clear"


def test_folders_that_are_gone_are_missed():
    found = trial_failures(trials([1, 1, 1, 1], [1, 1, 1, 1], ["complete"] * 4).drop(index=[1, 2]))
    assert found.verdict == "found" and "the folders of 2 are gone (1, 2)" in found.text
