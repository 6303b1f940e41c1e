"""A training on all data is a training like others, without scores: its end, ridge, plateaus and first weights."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from sweep.config.errors import DataError, StoreError
from sweep.config.fitted import Begin, Fitted
from sweep.config.records import NOT_SCORED, TrialRecord, evaluation_from_json, to_json
from sweep.config.section import Component
from sweep.data.coding import coding_from_document, coding_of
from sweep.score.ridge_readout import with_ridge
from sweep.search.running_trial import RunningTrial
from sweep.trial import finish, run_segment
from sweep.trial.checkpoint import read_checkpoint
from sweep.trial.inputs import data_of, load_data, training_windows
from sweep.trial.segment import Run
from tests.trial.test_segment import bits


def fitted_of(config, **settings):
    return config.model_copy(update={"fitted": Fitted(**settings)})


def weights_of(checkpoint: bytes):
    return read_checkpoint(checkpoint)["state_dict"]


def finished(config, done):
    return finish(config, done[-1].checkpoint)


@pytest.fixture
def begin(trial, segments, tmp_path) -> Begin:
    """The stored weights of a training on all data."""
    config = fitted_of(trial())
    content = finished(config, segments(config)).files["checkpoint.pt"]
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(content)
    return Begin(seed=config.seed, file=str(path), digest=hashlib.sha256(content).hexdigest())


def test_all_series_are_training_data(trial):
    config = trial()
    apart, whole = load_data(config.data, config.score), data_of(fitted_of(config))
    assert sum(map(len, whole.train)) == sum(apart.recorded.samples) > sum(map(len, apart.train))
    assert len(training_windows(fitted_of(config)).lengths) == len(whole.train)
    assert data_of(config) is apart


def test_nothing_is_scored(trial, segments):
    config = fitted_of(trial(), stop=0.75)
    done = segments(config)
    assert [one.evaluation.sequence_steps for one in done] == list(config.points) == [160, 240, 360]
    assert all(one.evaluation.scores is NOT_SCORED for one in done)
    assert all(np.isfinite(one.evaluation.train_loss) for one in done)
    back = evaluation_from_json(json.loads(json.dumps(to_json(done[-1].evaluation))))
    assert back.scores is NOT_SCORED


def test_segments_have_equal_bits_twice_and_other_bits_than_the_trial(trial, segments):
    config = fitted_of(trial(), ridge=1e-8, errors=(0.5, 0.4))
    first = [bits(one) for one in segments(config)]
    segments(trial("rmsprop", "gru"))
    assert [bits(one) for one in segments(config)] == first
    assert read_checkpoint(segments(trial())[-1].checkpoint)["trainer"]["weights"].tolist() != (
        read_checkpoint(segments(config)[-1].checkpoint)["trainer"]["weights"].tolist()
    )


def test_the_last_weights_are_kept(trial, segments):
    config = fitted_of(trial(), stop=0.75)
    done = segments(config)
    files = finished(config, done).files
    assert sorted(files) == ["checkpoint.pt", "coding.json", "curves.csv"]
    run = Run(config)
    run.restore(read_checkpoint(done[-1].checkpoint))
    kept = weights_of(files["checkpoint.pt"])
    assert all(torch.equal(kept[name], tensor) for name, tensor in run.network.state_dict().items())


def test_the_coding_is_that_of_all_data(trial, segments):
    config = fitted_of(trial())
    coding = coding_from_document(json.loads(finished(config, segments(config)).files["coding.json"]))
    np.testing.assert_array_equal(coding.mean, data_of(config).codec.mean)
    assert coding.warmup == config.score.warmup
    apart = load_data(config.data, config.score)
    assert not np.array_equal(coding.mean, coding_of(apart, config.data).mean)


@pytest.mark.parametrize("readout_refit", ["never", "always"])
def test_the_readout_is_that_of_the_ridge(trial, segments, readout_refit):
    settings = {"window": 20, "batch_size": 4, "budget": 4000, "readout_refit": readout_refit}
    config = fitted_of(trial("lbfgs", **settings, scheduler="none"), ridge=1e-3)
    done = segments(config)
    assert done[-1].evaluation.evidence == {"readout_refit": {"ridge": 1e-3}}
    assert done[0].evaluation.evidence == {}
    run = Run(config)
    run.restore(read_checkpoint(done[-1].checkpoint))
    made = with_ridge(run.network, run.data, config.score.warmup, 1e-3).state_dict()
    kept = weights_of(finished(config, done).files["checkpoint.pt"])
    assert all(torch.equal(kept[name], tensor) for name, tensor in made.items())
    assert not all(torch.equal(kept[name], tensor) for name, tensor in run.network.state_dict().items())


def test_a_readout_that_cannot_be_solved_stays_and_the_reason_is_stored(trial, segments):
    config = trial()
    relu = config.model_copy(update={"model": config.model.model_copy(update={"output_activation": "relu"})})
    last = segments(fitted_of(relu, ridge=1e-3))[-1]
    assert "ReLU" in last.evaluation.evidence["readout_refit"]["reason"]


def test_the_plateau_is_that_of_the_errors(trial, segments, begin):
    plateau = Component.model_validate({"name": "plateau", "gamma": 0.1, "patience": 0})
    config = trial({"name": "adam", "lr": 0.01}, scheduler=plateau.model_dump())
    rates = [one.evaluation.lr for one in segments(fitted_of(config, errors=(0.5, 0.6, 0.4)))]
    assert rates == pytest.approx([0.01, 0.01, 0.001])
    update = fitted_of(config, errors=(0.5, 0.6, 0.4), begins=(begin,))
    assert [one.evaluation.lr for one in segments(update)] == pytest.approx([0.001, 0.001, 0.001])


def test_an_update_continues_from_the_stored_weights(trial, segments, begin):
    config = trial()
    coding = coding_of(data_of(fitted_of(config)), config.data).document()
    update = fitted_of(config, begins=(begin,), coding=coding)
    stored = weights_of(Path(begin.file).read_bytes())
    assert all(torch.equal(stored[name], tensor) for name, tensor in Run(update).network.state_dict().items())
    last = segments(update)[-1]
    assert read_checkpoint(last.checkpoint)["trainer"]["weights"].tolist() != (
        read_checkpoint(segments(fitted_of(config))[-1].checkpoint)["trainer"]["weights"].tolist()
    )


def test_weights_that_have_changed_or_are_missing_are_refused(trial, begin):
    config = trial()
    changed = begin.model_copy(update={"digest": "ab"})
    with pytest.raises(
        StoreError, match="has changed since the update of its weights began: start the update again"
    ):
        run_segment(fitted_of(config, begins=(changed,)), None, 0)
    missing = begin.model_copy(update={"file": begin.file + ".no"})
    with pytest.raises(
        StoreError, match=r"cannot read .*\.no, whose weights are to be updated: No such file"
    ):
        run_segment(fitted_of(config, begins=(missing,)), None, 0)


def test_data_that_have_changed_are_refused(trial):
    config = fitted_of(trial(), fingerprint="ab")
    with pytest.raises(DataError, match="sine: the data have changed since the training on them began"):
        run_segment(config, None, 0)
    same = fitted_of(trial(), fingerprint=data_of(config).fingerprint)
    assert run_segment(same, None, 0).evaluation.sequence_steps > 0


def test_its_record_has_neither_score_nor_best_checkpoint(trial, segments):
    config = fitted_of(trial())
    record = TrialRecord(0, "running", {}, config.model_dump(mode="json"), "replicated")
    running = RunningTrial(record, config)
    for one in segments(config):
        running.advance(one.checkpoint, one.evaluation, one.diverged, one.seconds)
    settled = running.settled(None, 0.0)
    assert (settled.state, settled.rollout_error, settled.best, settled.best_one_step) == (
        "complete",
        None,
        None,
        None,
    )
    assert running.trained_record().evaluations[-1].scores is NOT_SCORED
