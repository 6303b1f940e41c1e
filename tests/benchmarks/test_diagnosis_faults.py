"""Planted faults: each changes the run it is planted into; splits share nothing; runs are kept whole."""

import argparse
import dataclasses
import json

import numpy as np
import pytest

from benchmarks.diagnosis.backgrounds import SPLITS, backgrounds, pool
from benchmarks.diagnosis.bites import bites, decades_worse, interval, leaked_share
from benchmarks.diagnosis.data import KINDS, DataSpec, made, shares, written
from benchmarks.diagnosis.faults import FAULTS, HEALTHY, SEVERITIES
from benchmarks.diagnosis.plan import plan_of
from benchmarks.diagnosis.record import Cache, inside
from benchmarks.diagnosis.run import keys_of, main
from benchmarks.diagnosis.runs import Key, faulty, plan, with_twins
from benchmarks.diagnosis.search import OPTIMIZERS, drawn
from sweep.config.records import TrialRecord, to_json
from sweep.model import CELLS
from sweep.train.optimizers import OPTIMIZERS as TRAINED_WITH
from sweep.trial import finish, run_segment
from sweep.trial.inputs import load_data

SETTINGS = {
    "model": {"cell": "lstm", "hidden": 12},
    "training": {
        "optimizer": {"name": "sgd", "lr": 0.1, "momentum": 0.9},
        "scheduler": {"name": "none"}, "batch_size": 16, "window": 32, "burn_in": 8,
    },
}  # fmt: skip
EVERY = [(cause, severity) for cause in FAULTS for severity in SEVERITIES]
PLACES = [(kind, cell) for kind in KINDS for cell in CELLS]


def test_there_is_enough_of_everything():
    assert len(FAULTS) >= 16 and len(KINDS) >= 4
    assert sum(kind.kept_out for kind in KINDS.values()) == 1


# --- data -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_data_are_what_their_spec_says(kind: str):
    one = KINDS[kind]
    spec = DataSpec(kind, seed=5, train=one.train)
    values = made(spec)
    assert values.shape[:2] == (2, one.train + 2 * one.part) and np.isfinite(values).all()
    known = values[:, : one.train].reshape(-1, values.shape[2])
    np.testing.assert_allclose(known.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(known.std(axis=0), 1)
    assert np.array_equal(values, made(spec))
    assert not np.allclose(values, made(dataclasses.replace(spec, seed=6)), atol=0.1)
    moved = made(dataclasses.replace(spec, gain=20.0, offset=3.0))
    np.testing.assert_allclose(moved, 20 * values + 3)
    assert sum(shares(spec)) == pytest.approx(1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_gap_leaves_the_training_part_alone(kind: str):
    one = KINDS[kind]
    spec = DataSpec(kind, seed=5, train=one.train)
    plain, gap = made(spec), made(dataclasses.replace(spec, gap=0.2))
    np.testing.assert_allclose(gap[:, : one.train], plain[:, : one.train], rtol=0, atol=1e-9)
    apart = np.sqrt(np.mean((gap[:, one.train + 200 :] - plain[:, one.train + 200 :]) ** 2))
    assert apart > 0.5
    assert np.abs(np.diff(gap, axis=1)).max() < 1.6 * np.abs(np.diff(plain, axis=1)).max()  # no jump


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("leak", [0.0, 0.5])
def test_a_leak_is_repeated_samples(kind: str, leak: float, tmp_path):
    healthy = plan_of(KINDS[kind], SETTINGS, data_seed=3, seed=1)
    config = healthy.with_data(leak=leak).settled(tmp_path)
    with inside(tmp_path):
        share = leaked_share(load_data(config.data, config.score))
    assert share == 0 if leak == 0 else 0.1 < share < 0.6


def test_a_file_name_tells_identity_and_nothing_else(tmp_path):
    spec = DataSpec("sine", 1, 200)
    names = {written(one, tmp_path) for one in (spec, spec, dataclasses.replace(spec, leak=0.5))}
    assert len(names) == 2 and all(len(name) == 20 for name in names)


# --- faults -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cause", "severity"), EVERY)
def test_a_fault_changes_its_run_and_rises(cause: str, severity: int):
    fault = FAULTS[cause]
    healthy = dataclasses.replace(plan_of(KINDS["sine"], SETTINGS, 3, seed=1), variant=severity)
    assert fault.fits(healthy)
    ill = fault.plant(healthy, severity)
    assert (ill.config, ill.data) != (healthy.config, healthy.data)
    assert ill.config.seed == healthy.config.seed and ill.data.seed == healthy.data.seed
    assert ill.config.data.path == healthy.config.data.path
    others = [fault.plant(healthy, other) for other in SEVERITIES if other != severity]
    assert all((ill.config, ill.data) != (other.config, other.data) for other in others)


def test_faults_that_fit_nowhere_are_left_out():
    adam = plan_of(
        KINDS["sine"], {**SETTINGS, "training": {**SETTINGS["training"], "optimizer": "adam"}}, 3, 1
    )
    assert not FAULTS["clip_tight"].fits(adam)


# --- splits -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "cell"), PLACES)
def test_backgrounds_are_there_and_split(kind: str, cell: str):
    every = backgrounds(kind, cell)
    assert len(every) >= 2
    calibrate, score = ({b.number for b in pool(split, kind, cell)} for split in ("calibrate", "score"))
    assert score and not calibrate & score
    assert bool(calibrate) != KINDS[kind].kept_out
    assert {b.number for b in pool("final", kind, cell)} == score
    for one in every:
        assert np.median(one.found) <= KINDS[kind].healthy
        plan_of(KINDS[kind], one.settings, 0, 0)


def test_splits_share_no_seed_and_no_data():
    seen: dict[str, tuple[set[int], set[int]]] = {}
    for split in SPLITS:
        keys = list(faulty(split, range(4), ["sine"], ["lstm"], ["lr_high", "leak"], [2]))
        plans = [plan(key) for key in keys]
        seen[split] = ({p.config.seed for p in plans}, {p.data.seed for p in plans})
    for one in SPLITS:
        for two in SPLITS:
            if one != two:
                assert not seen[one][0] & seen[two][0] and not seen[one][1] & seen[two][1]


def options_of(**changes):
    every = {
        "kinds": list(KINDS), "cells": list(CELLS), "causes": list(FAULTS), "severities": SEVERITIES, "seeds": 1,
        "labels": None,
    }  # fmt: skip
    return argparse.Namespace(**{**every, **changes})


def test_calibration_never_sees_what_is_kept_out():
    keys = keys_of(options_of(split="calibrate"))
    assert keys
    assert not any(KINDS[key.kind].kept_out for key in keys)
    assert {key.severity for key in keys} == {0, 2, 3}
    well = sum(key.cause == HEALTHY for key in keys)
    assert well == len(keys) - well and len(set(keys)) == len(keys)


def test_only_what_bites_is_calibrated_and_scored(tmp_path):
    place = {"severity": 3, "cell": "lstm", "kind": "sine"}
    rows = [
        {"cause": "lr_high", "verdict": "bites", **place}, {"cause": "lr_low", "verdict": "ambiguous", **place},
    ]  # fmt: skip
    (tmp_path / "labels.json").write_text(json.dumps({"bites": rows}))
    keys = keys_of(options_of(split="score", labels=tmp_path / "labels.json"))
    assert {key.cause for key in keys} == {HEALTHY, "lr_high"} and len(keys) == 2


def test_every_fault_has_its_healthy_twin_before_it():
    keys = with_twins(list(faulty("label", range(2), ["sine"], ["gru"], ["lr_high", "leak"])))
    for key in keys:
        assert keys.index(key.twin) <= keys.index(key)
    assert len(keys) == 2 * (1 + 6)


# --- what bites -------------------------------------------------------------------------------------


def test_decades_by_hand():
    assert decades_worse(0.5, 0.05) == pytest.approx(1)
    assert decades_worse(0.05, 0.5) == pytest.approx(-1)
    assert decades_worse(1e-10, 1e-11) == 0  # below the floor all are alike


def test_the_interval_resamples_whole_groups():
    low, high = interval([0.0, 0.0, 1.0, 1.0], [0, 0, 1, 1])
    assert (low, high) == (0, 1)  # two groups: a quarter of the resamples takes one of them twice
    low, high = interval([0.0, 1.0, 0.0, 1.0], [7, 7, 7, 7])
    assert low < 0.3 and high > 0.7  # one group: its pairs still scatter
    wide = interval([0.0, 1.0] * 20, list(range(40)))
    assert 0.3 < wide[0] < 0.4 and 0.6 < wide[1] < 0.7


def record_with(error: float):
    return TrialRecord(0, "complete", {}, {}, "enqueued", rollout_error=error)


def table_of(ratio: float, cause: str = "lr_high", leaked: float = 0.0, pairs: int = 5):
    """The verdict where every fault is `ratio` times its twin, give or take."""
    records, shares_leaked = {}, {}
    for seed in range(pairs):
        key = Key("label", "sine", "lstm", seed, cause, 1, seed)
        records[key.twin] = record_with(0.02)
        records[key] = record_with(0.02 * ratio * (1.1 if seed % 2 else 0.9))
        shares_leaked[key] = leaked
    (bite,) = bites(records, shares_leaked)
    return bite.verdict


def test_verdicts():
    assert table_of(3.0) == "bites"
    assert table_of(1.0) == "ambiguous"
    assert table_of(1.2) == "ambiguous"  # its interval reaches below .1 decades
    assert table_of(0.3) == "ambiguous"
    assert table_of(3.0, pairs=2) == "too few"
    assert table_of(0.5, "leak", leaked=0.3) == "bites"
    assert table_of(3.0, "leak", leaked=0.0) == "ambiguous"


def test_a_fault_without_its_twin_does_not_count():
    key = Key("label", "sine", "lstm", 0, "lr_high", 1, 0)
    assert bites({key: record_with(0.5)}) == []


# --- runs -------------------------------------------------------------------------------------------


def small(cause: str = HEALTHY):
    healthy = plan_of(KINDS["sine"], SETTINGS, 3, seed=1)
    healthy = healthy.with_(training__budget=4000, training__evaluations=3).with_data(train=400)
    return healthy if cause == HEALTHY else FAULTS[cause].plant(healthy, 3)


def test_a_run_is_a_stored_trial(tmp_path):
    cache = Cache(tmp_path)
    config = small("lr_high").settled(cache.data)
    record = cache.make(config)
    with inside(cache.data):
        checkpoint, evaluations = None, []
        for point in range(len(config.points)):
            segment = run_segment(config, checkpoint, point)
            checkpoint = segment.checkpoint
            evaluations.append(segment.evaluation)
            if segment.diverged:
                break
        files = finish(config, checkpoint).files
    assert to_json(record.evaluations) == to_json(tuple(evaluations))
    for name in ("curves.csv", "rollout.npz", "diagnosis.json"):
        assert cache.file(config, name) == files[name]
    assert set(files) == {"curves.csv", "rollout.npz", "checkpoint.pt", "diagnosis.json"}
    cache.file(config, "checkpoint.pt")


def test_a_run_that_is_there_is_not_made_again(tmp_path, monkeypatch):
    cache = Cache(tmp_path)
    config = small().settled(cache.data)
    assert cache.record(config) is None
    record = cache.make(config)
    monkeypatch.setattr("benchmarks.diagnosis.record.carried_out", None)
    assert to_json(cache.make(config)) == to_json(record)
    with pytest.raises(TypeError, match="not callable"):
        cache.make(small("lr_low").settled(cache.data))


def test_the_command_line(tmp_path, monkeypatch, capsys):
    # control: a rate thirty-six times too high is worse than its twin, on a budget of seconds
    monkeypatch.setitem(KINDS, "sine", dataclasses.replace(KINDS["sine"], budget=40_000))
    main([
        "--cache", str(tmp_path), "--kinds", "sine", "--cells", "gru", "--causes", "lr_high", "capacity_small",
        "--severities", "3", "--seeds", "1", "--json",
    ])  # fmt: skip
    document = json.loads(capsys.readouterr().out)
    assert document["runs"] == document["wanted"] == 3
    assert [row["verdict"] for row in document["bites"]] == ["too few", "too few"]
    assert [row["runs"] for row in document["healthy"]] == [1]


@pytest.mark.parametrize("cell", CELLS)
def test_the_search_draws_settings_that_can_be_trained(cell: str):
    rng = np.random.default_rng(0)
    drawings = [drawn(rng, cell) for _ in range(60)]
    assert {settings["training"]["optimizer"]["name"] for settings in drawings} == set(OPTIMIZERS)
    for settings in drawings:
        config = plan_of(KINDS["lorenz"], settings, 0, 0).config
        spec = TRAINED_WITH[config.training.optimizer.name]
        spec.check({**spec.defaults, **config.training.optimizer.settings})
