"""The time of a study: measured on a few configurations, put together by budget, pruning, confirmation and workers."""

from dataclasses import replace

import pytest

from sweep.study import timing
from sweep.study.open_study import open_study
from sweep.study.preview import kept_share, preview_of
from sweep.study.timing import Pace, busy_factor, measured, study_seconds, trial_seconds
from tests.support.command_line import TINY


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    overrides = [text for text in TINY if text != "--set"]
    return open_study("sine", tmp_path_factory.mktemp("results"), overrides=overrides)


@pytest.fixture(scope="module")
def configs(opened):
    study = opened.config
    common = {"optimizer": "adam", "adam.lr": 0.01, "adam.momentum": 0.9, "scheduler": "none"}
    plain = {"readout_refit": "never", **common, "batch_size": 16, "cell": "gru"}
    always = {
        "readout_refit": "always", "always.burn_in": 0.1, "always.ridge": 1e-10, "cell": "gru", "batch_size": 16,
    }  # fmt: skip
    return [study.trial(plain), study.trial({**plain, "readout_refit": "end"}), study.trial(always)]


def test_each_kind_has_a_pace(opened, configs):
    paces = measured(configs, opened.data)
    assert sorted(paces) == ["always full batch", "end mini-batches", "never mini-batches"]
    for pace in paces.values():
        assert pace.seconds_per_unit > 0 and pace.evaluation_seconds > 0 and pace.end_seconds >= 0


def test_without_time_one_kind_stands_for_all(opened, configs, monkeypatch):
    made = []
    monkeypatch.setattr(timing, "pace_of", lambda config, data: made.append(config) or Pace(1.0, 2.0, 3.0))
    assert set(measured(configs, opened.data, seconds=-1.0).values()) == {Pace(1.0, 2.0, 3.0)}
    assert len(made) == 1
    measured(configs, opened.data)
    assert len(made) == 4


def test_a_trial_that_cannot_be_trained_is_not_measured(opened, configs):
    training = configs[0].training.model_copy(update={"window": 10_000})
    assert measured([configs[0].model_copy(update={"training": training})], opened.data) == {}


def test_the_time_by_hand(opened, configs, monkeypatch):
    """One GRU layer of 4 units on one channel: 3 x 4 x (1 + 4) + 4 multiply-adds; a budget of 4000 steps."""
    pace = Pace(1e-6, 0.5, 0.25)
    config = configs[0]
    units = (64 + timing.STEP_ADDS) * config.training.budget
    full = units * 1e-6 + len(config.points) * 0.5 + 0.25
    assert trial_seconds(config, pace, opened.data) == pytest.approx(full)
    monkeypatch.setattr(timing, "pace_of", lambda config, data: pace)
    monkeypatch.setattr(timing, "busy_factor", lambda workers: 2.0)
    study = opened.config
    for workers in (1, 4):
        run = study.run.model_copy(update={"workers": workers})
        seconds = study_seconds(
            replace(study, run=run), [config], opened.data, trials=10, retrained=3, kept=0.4
        )
        shared = (10 * 0.4 + 3) * full + 10 * timing.TRIAL_SECONDS + timing.STUDY_SECONDS
        assert seconds == pytest.approx(shared / workers * 2)


def test_a_busy_machine_takes_longer(monkeypatch):
    monkeypatch.setattr(timing, "available_cores", lambda: 4)
    for load, workers, factor in ((0.5, 4, 1.0), (5.0, 4, 2.0), (3.0, 2, 1.0), (1.0, 8, 2.0)):
        monkeypatch.setattr(timing.os, "getloadavg", lambda load=load: (load, 0.0, 0.0))
        assert busy_factor(workers) == factor


def test_the_preview_has_the_time_or_not(opened, monkeypatch):
    monkeypatch.setattr("sweep.study.preview.study_seconds", lambda *args: 420.0)
    assert preview_of(opened, 5).document()["minutes"] == 7
    assert preview_of(opened, 5, measure=False).document()["minutes"] is None


def test_the_first_trials_of_each_kind_are_not_pruned(opened):
    """By hand: rungs at 1/9 and 1/3 that keep 2/3 and 1/2 leave 1/9 + 2/3 x 2/9 + 1/3 x 2/3 = 13/27."""
    study = opened.config  # 3 values of readout_refit, 8 unpruned trials of each
    assert kept_share(study, 20) == 1
    assert kept_share(study, 48) == pytest.approx((24 + 24 * 13 / 27) / 48)
    unpruned = replace(study, pruning=study.pruning.model_copy(update={"enabled": False}))
    assert kept_share(unpruned, 100) == 1
