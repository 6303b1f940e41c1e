"""A trial without feedback: one-step error and rollout error are one, and what asks about the loop does not apply."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sweep.config.data_section import DataConfig
from sweep.config.records import TrialRecord
from sweep.config.section import Component
from sweep.config.sections import ModelConfig, ScoreConfig, TrainingConfig
from sweep.config.trial import TrialConfig
from sweep.diagnosis.probes import PROBES, Subject, measured
from sweep.diagnosis.probes.closed_loop import NO_FEEDBACK
from sweep.search.running_trial import RunningTrial
from sweep.trial import Segment, finish
from sweep.trial.checkpoint import read_checkpoint
from sweep.trial.segment import Run

LOOP = {"swap_test", "noise_gain", "lyapunov"}


def config_of(folder: Path, feedback: bool, **training) -> TrialConfig:
    rng = np.random.default_rng(0)
    u, y = rng.standard_normal(300), np.zeros(300)
    for t in range(1, 300):
        y[t] = 0.8 * y[t - 1] + 0.5 * u[t]
    pd.DataFrame({"y": y, "u": u}).to_csv(folder / "a.csv", index=False)
    settings = {"window": 20, "batch_size": 8, "budget": 4000, "evaluations": 3, **training}
    return TrialConfig(
        data=DataConfig(path=str(folder / "a.csv"), channels=("y",), known=("u",)),
        score=ScoreConfig(warmup=15, horizon=20, starts=3),
        model=ModelConfig(hidden=6, layers=1, cell="gru", feedback=feedback),
        training=TrainingConfig(
            **{"optimizer": Component.model_validate({"name": "adam", "lr": 0.01}), **settings}
        ),
        seed=1,
    )


@pytest.mark.parametrize("refit", ["never", "end"])
def test_one_step_error_is_rollout_error(tmp_path: Path, segments, refit: str):
    for segment in segments(config_of(tmp_path, False, readout_refit=refit)):
        scores = segment.evaluation.scores
        assert scores.rollout_error == scores.one_step_error and scores.nrmse == scores.one_step_nrmse
    scores = segments(config_of(tmp_path, True, readout_refit=refit))[-1].evaluation.scores
    assert scores.rollout_error != scores.one_step_error


def finished(config: TrialConfig, done: list[Segment]):
    record = TrialRecord(0, "running", {}, config.model_dump(mode="json"), "sampled")
    trial = RunningTrial(record, config)
    for segment in done:
        trial.advance(segment.checkpoint, segment.evaluation, segment.diverged, segment.seconds)
    return finish(config, done[-1].checkpoint, record=trial.trained_record())


@pytest.mark.parametrize("feedback", [True, False])
def test_what_asks_about_the_loop_does_not_apply(tmp_path: Path, segments, feedback: bool):
    config = config_of(tmp_path, feedback)
    done = segments(config)
    result = finished(config, done)
    assert (result.exposure_gap is None) == (not feedback)
    diagnosis = json.loads(result.files["diagnosis.json"])
    bias = next(finding for finding in diagnosis["findings"] if finding["code"] == "C22")
    assert (NO_FEEDBACK in bias["text"]) == (not feedback)
    assert (bias["severity"] == "not applicable") == (not feedback)
    run = Run(config)
    run.restore(read_checkpoint(done[-1].checkpoint))
    subject = Subject(run.network, run.task, 0)
    results = {name: measured(PROBES[name], subject) for name in PROBES}
    why = {name for name, numbers in results.items() if numbers.get("reason") == NO_FEEDBACK}
    assert why == (set() if feedback else LOOP)
    for name in {"driven", "training_fit", "units", "warmup_sweep", "precision"}:
        assert "reason" not in results[name], (name, results[name])
