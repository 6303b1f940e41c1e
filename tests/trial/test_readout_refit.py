"""`training.readout_refit`: the best checkpoint's readout in closed form, kept where it rolls out better."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sweep.config.records import to_json
from sweep.config.sections import PruningConfig, RunConfig
from sweep.config.space import Space
from sweep.config.trial import trial_config
from sweep.trial import finish
from sweep.trial import segment as segment_module
from sweep.trial.checkpoint import read_checkpoint
from sweep.trial.finish import score_on_test
from sweep.trial.segment import Run

Made = Any


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_refit_that_is_better_is_the_trials_last_evaluation_and_checkpoint(
    cell: str, trial: Made, segments: Made
):
    raw, refit = (segments(trial(cell=cell, readout_refit=wanted)) for wanted in (False, True))
    for one, other in zip(raw[:-1], refit[:-1], strict=True):  # training is not touched
        assert to_json(one.evaluation) == to_json(other.evaluation)
    last = refit[-1].evaluation
    evidence = last.evidence["readout_refit"]
    assert evidence["latest"] == raw[-1].evaluation.scores.rollout_error
    assert evidence["raw"] == pytest.approx(min(one.evaluation.scores.rollout_error for one in raw), abs=1e-6)
    assert (
        evidence["ridge"] is not None and evidence["refit"] < evidence["raw"]
    )  # 12 updates leave much to mend
    assert last.scores.rollout_error == pytest.approx(evidence["refit"], abs=1e-4)
    json.dumps(to_json(last))
    done = finish(trial(cell=cell, readout_refit=True), refit[-1].checkpoint)
    path = Path("rollout.npz")
    assert str(path) in done.files
    before, after = (read_checkpoint(one[-1].checkpoint) for one in (raw, refit))
    assert after["best_error"] == last.scores.rollout_error < before["best_error"]
    assert before["trainer"].keys() == after["trainer"].keys()
    # what is trained further, or scored on test, is what it says it is
    network = Run(trial(cell=cell, readout_refit=True))
    network.restore(after)
    network.trainer.flat.restore(after["best_weights"])
    assert network._evaluated()["scores"] == asdict(last.scores)
    assert 0 <= score_on_test(trial(cell=cell), done.files["checkpoint.pt"]).rollout_error <= 1


def test_the_current_weights_are_left_as_training_left_them(trial: Made, segments: Made):
    raw, refit = (segments(trial(readout_refit=wanted)) for wanted in (False, True))
    networks = []
    for wanted, done in ((False, raw), (True, refit)):
        run = Run(trial(readout_refit=wanted))
        run.restore(read_checkpoint(done[-1].checkpoint))
        networks.append(run.trainer.flat.snapshot().numpy())
    assert np.array_equal(*networks)


def test_a_refit_that_is_no_better_changes_nothing(
    trial: Made, segments: Made, monkeypatch: pytest.MonkeyPatch
):
    whole = segment_module.refit_readout
    monkeypatch.setattr(segment_module, "refit_readout", lambda *given: whole(*given, ridges=()))
    raw, refit = (segments(trial(readout_refit=wanted)) for wanted in (False, True))
    assert refit[-1].evaluation.scores == raw[-1].evaluation.scores
    evidence = refit[-1].evaluation.evidence["readout_refit"]
    assert evidence["ridge"] is None and evidence["raw"] == evidence["refit"]


def test_what_cannot_be_refitted_says_why(trial: Made, segments: Made):
    config = trial(readout_refit=True)
    relu = config.model_copy(update={"model": config.model.model_copy(update={"output_activation": "relu"})})
    assert "ReLU" in segments(relu)[-1].evaluation.evidence["readout_refit"]["reason"]


def test_the_seed_is_the_same_with_and_without(trial: Made):
    config = trial()
    seeds = []
    for wanted, read in ((False, "never"), (True, "end"), ("always", "always")):
        base = {key: getattr(config, key).model_dump() for key in ("data", "score", "model", "training")}
        base["training"]["readout_refit"] = wanted
        made = trial_config({}, Space(()), base, PruningConfig(), 0, RunConfig(), None)
        assert made.training.readout_refit == read
        seeds.append(made.seed)
    assert seeds[0] == seeds[1] == seeds[2]


# --- "always" ----------------------------------------------------------------------------------------

ALWAYS = {"optimizer": "lbfgs", "readout_refit": "always", "scheduler": "none", "budget": 9000}


def test_each_evaluation_has_the_ridge_that_rolls_out_best(trial: Made, segments: Made):
    config = trial(**ALWAYS)
    done = segments(config)
    assert config.training.precision == "float64"
    for segment in done:
        refit = segment.evaluation.evidence["readout_refit"]
        assert segment.evaluation.scores.rollout_error == pytest.approx(refit["refit"], abs=1e-9)
        assert refit["refit"] <= refit["raw"] and (refit["ridge"] is None) == (refit["refit"] == refit["raw"])
    assert any(one.evaluation.evidence["readout_refit"]["ridge"] is not None for one in done)
    last = read_checkpoint(done[-1].checkpoint)
    best = min(one.evaluation.scores.rollout_error for one in done)
    assert last["best_error"] == best
    files = finish(config, done[-1].checkpoint).files
    run = Run(config)
    run.restore(last)
    run.trainer.flat.restore(last["best_weights"])
    assert run._evaluated()["scores"]["rollout_error"] == best
    assert 0 <= score_on_test(config, files["checkpoint.pt"]).rollout_error <= 1


def test_the_evaluated_ridge_does_not_touch_training(trial: Made, monkeypatch: pytest.MonkeyPatch):
    weights = []
    for ridges in (segment_module.RIDGES, (1e-2,)):
        monkeypatch.setattr(segment_module, "RIDGES", ridges)
        run = Run(trial(**ALWAYS))
        for point in range(3):
            run.advance(point)
        weights.append(run.trainer.flat.snapshot())
    assert np.array_equal(*(one.numpy() for one in weights))


def test_solving_beats_descending(trial: Made, segments: Made):
    settings = {**ALWAYS, "precision": "float64"}
    solved, descended = (
        segments(trial(**{**settings, "readout_refit": refit})) for refit in ("always", "never")
    )
    errors = [one[-1].evaluation.scores.one_step_error for one in (solved, descended)]
    assert errors[0] < 0.1 * errors[1]
