import math
import subprocess
import sys
from dataclasses import replace

import pytest

from sweep.results.study import read_study
from sweep.results.tables import errors_frame, leaderboard, rollout_frame, steps_frame, trials_frame


def test_a_row_per_trial_with_a_column_per_hyperparameter(study):
    frame = trials_frame(study)
    assert list(frame["number"]) == list(range(40))
    assert frame.attrs["params"][:3] == ["optimizer", "sgd.lr", "sgd.momentum"]
    sgd = frame["optimizer"] == "sgd"
    assert frame.loc[sgd, "sgd.lr"].notna().all()
    assert frame.loc[~sgd, "sgd.lr"].isna().all()
    assert str(frame["batch_size"].dtype) == "Int64"  # 16, not 16.0, though L-BFGS has none
    assert {"complete", "pruned", "diverged", "failed", "running"} == set(frame["state"])


def test_regret_is_that_checkpoint_minus_the_chosen_one(one):
    record = one.record(0)
    worse = replace(record.evaluations[-1].scores, rollout_error=0.9)
    by_loss = replace(record.evaluations[-2].scores, rollout_error=0.7, one_step_error=1e-9, valid_steps=33.0)
    best = replace(record.evaluations[-3].scores, rollout_error=0.25)
    evaluations = list(record.evaluations)
    for place, scores in ((-1, worse), (-2, by_loss), (-3, best)):
        evaluations[place] = replace(evaluations[place], scores=scores)
    one.write_record(
        replace(
            record,
            evaluations=tuple(evaluations),
            best=len(evaluations) - 3,
            best_one_step=len(evaluations) - 2,
            rollout_error=0.25,
        )
    )
    row = trials_frame(one).iloc[0]
    assert row["regret_last"] == pytest.approx(0.65)
    assert row["regret_one_step"] == pytest.approx(0.45)
    assert row["lowest_one_step_error"] == 1e-9
    assert row["loss_rollout_error"] == 0.7
    assert row["loss_valid_steps"] == 33
    assert row["best_at"] == evaluations[-3].sequence_steps


def test_failed_and_running_trials_have_no_score_but_a_row(study):
    frame = trials_frame(study).set_index("number")
    assert math.isnan(frame.loc[38, "rollout_error"])
    assert frame.loc[38, "reason"] == "ValueError: cannot reshape"
    assert math.isnan(frame.loc[39, "rollout_error"])


def test_a_row_per_trial_and_evaluation(study):
    frame = steps_frame(study)
    record = study.record(0)
    mine = frame[frame["number"] == 0]
    assert len(mine) == len(record.evaluations)
    assert mine["share"].iloc[-1] == 1.0
    assert mine["error_30"].iloc[0] == record.evaluations[0].scores.prefix_errors[2]
    assert not (frame["number"] == 38).any()


def test_a_row_per_trial_evaluation_and_step(study):
    record = study.record(0)
    curves = {"nrmse_by_step": {"1": 0.1, "400": None}, "one_step_nrmse_by_step": {"1": 0.1, "400": 0.2}}
    first = replace(record.evaluations[0], evidence=curves)
    whole = read_study(study)
    frame = errors_frame(
        replace(whole, records=(replace(record, evaluations=(first, *record.evaluations[1:])),))
    )
    assert frame.to_dict("list") == {
        "number": [0, 0],
        "point": [0, 0],
        "sequence_steps": [first.sequence_steps] * 2,
        "step": [1, 400],
        "nrmse": [0.1, math.inf],
        "one_step_nrmse": [0.1, 0.2],
    }


def test_a_row_per_trial_and_rollout_step(study):
    frame = rollout_frame(study, [0, 38])
    assert list(frame["number"].unique()) == [0]
    assert list(frame["step"]) == list(range(1, 401))
    assert frame["nrmse"].iloc[-1] == pytest.approx(float(study.rollout(0)["nrmse"][-1]))


def test_leaderboard_mixes_trials_and_baselines_by_rollout_error(study):
    board = leaderboard(study)
    scored = board[board["rollout_error"].notna()]
    assert scored["rollout_error"].is_monotonic_increasing
    assert board.iloc[0]["name"] == "seasonal"  # the exact baseline stands above every trial
    assert bool(board.iloc[0]["exact"])
    assert set(board["kind"]) == {"trial", "baseline"}
    assert list(board["state"][-2:]) == ["failed", "running"]  # those without a score come last


def test_skill_is_one_minus_the_ratio_and_none_against_an_exact_baseline(study):
    board = leaderboard(study).set_index("name")
    error = board.loc["trial 0", "rollout_error"]
    assert board.loc["trial 0", "skill.ar"] == pytest.approx(1 - error / 0.31)
    assert board.loc["ar", "skill.ar"] == 0
    assert board["skill.seasonal"].isna().all()


def test_an_empty_study_has_empty_frames_with_columns(empty):
    assert list(trials_frame(empty)["number"]) == []
    assert "rollout_error" in steps_frame(empty).columns
    assert "nrmse" in rollout_frame(empty).columns
    assert leaderboard(empty).empty


def test_the_best_is_the_lowest_score_unless_nothing_was_learnt(study, empty, writer):
    _, write_trial, *_ = writer
    best, reason = read_study(study).named
    frame = trials_frame(study)
    assert best.number == frame.loc[frame["rollout_error"].idxmin(), "number"]
    assert reason is None
    assert read_study(empty).named == (None, "no trial has a score yet")
    write_trial(empty, 0, {"cell": "gru"}, "exploding", 0.5, 0.1, rollout_error=1.0)
    assert read_study(empty).named[1] == "every trial's rollout error is 1: as bad as it can be"
    write_trial(empty, 1, {"cell": "gru"}, "damped", 0.5, 0.1, rollout_error=0.95)
    empty.write_document("baselines", {"baselines": {"persistence": {"rollout_error": 0.91}}})
    best, reason = read_study(empty).named
    assert best is None
    assert "no trial beats the baseline 'persistence'" in reason


def test_test_scores_belong_to_the_trial_that_was_scored(study):
    read = read_study(study)
    number = read.winner["number"]
    assert read.scores_on_test(number)["rollout_error"] == read.winner["test"]["rollout_error"]
    assert read.scores_on_test(number + 1) is None
    assert read.scores_on_test(None) is None


def test_commands_and_tables_need_no_matplotlib():
    code = "import sys, sweep.api.run_study, sweep.results.tables; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    control = code.replace("sweep.results.tables", "sweep.report.plots.trial")
    assert subprocess.run([sys.executable, "-c", control], check=False).returncode == 1
