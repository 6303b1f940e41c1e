"""The benchmark of diagnoses, small: figures by hand, and the shipped diagnosis on a few planted faults."""

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.diagnosis.accuracy import (
    Answer,
    figures,
    forest,
    guesses,
    ours,
    part_of,
    share,
    text,
    threshold,
)
from benchmarks.diagnosis.calibrate import fitted, held_out, shares_right, top
from benchmarks.diagnosis.cases import case_of, features_of
from benchmarks.diagnosis.faults import FAULTS, HEALTHY
from benchmarks.diagnosis.mends import Mend, accepted, mends, treated
from benchmarks.diagnosis.record import Cache
from benchmarks.diagnosis.rivals import RULES, Forest, configuration, majority
from benchmarks.diagnosis.run import SMALL, all_made, keys_of
from benchmarks.diagnosis.runs import Key, plan
from benchmarks.diagnosis.treat import Treatment, document, random_change, sample
from sweep.config.trial import TrialConfig
from sweep.diagnosis.causes.findings import cause_findings
from sweep.diagnosis.causes.known_causes import CAUSES
from sweep.diagnosis.finding import Change


def key(cause: str, severity: int = 2, kind: str = "sine", background: int = 1, seed: int = 0) -> Key:
    return Key("score", kind, "lstm", background, cause, severity, seed)


# --- figures ----------------------------------------------------------------------------------------


def test_parts():
    assert part_of(key("lr_high")) == "known" == part_of(key(HEALTHY, 0))
    assert part_of(key("lr_high", 1)) == "severity kept out"
    assert part_of(key("lr_high", 1, "mackey_glass")) == "kind kept out"


def test_figures_by_hand():
    answers = {
        key(HEALTHY, 0): Answer(False, ["lr_low"]),
        key(HEALTHY, 0, seed=1): Answer(True, ["lr_low"]),
        key("lr_high"): Answer(True, ["lr_high", "lr_low"]),
        key("lr_low"): Answer(True, ["undertrained", "lr_high", "lr_low"]),
        key("overfit"): Answer(True, ["lr_high", "lr_low", "undertrained", "overfit"]),
        key("noise_large"): Answer(False, ["noise_large"]),  # named, but no alarm: missed
    }
    right = {fault: {fault} for fault in FAULTS}
    values = {name: row["value"] for name, row in figures(answers, right)["known"].items()}
    assert values == {
        "false alarms": 0.5,
        "detection": 0.75,
        "top 1": 0.25,
        "top 3": 0.5,
        "planted only": 0.25,
    }
    right["lr_low"].add("undertrained")  # its prescription was measured to mend it
    values = {name: row["value"] for name, row in figures(answers, right)["known"].items()}
    assert values["top 1"] == 0.5 and values["planted only"] == 0.25
    assert figures(answers, right)["kind kept out"]["top 1"] is None
    assert (
        figures(answers, right)["severity kept out"]["false alarms"]["value"] == 0.5
    )  # the same healthy runs


def test_a_share_is_clustered_by_background():
    keys = [key("lr_high", seed=seed) for seed in range(20)] + [key("lr_high", background=3, seed=20)]
    alone = share(keys, [True] * 20 + [False])
    assert alone is not None and alone["value"] == pytest.approx(20 / 21)
    assert alone["low"] < 0.3  # two backgrounds: one of them may be drawn twice


def test_accepted_answers_hold_the_planted_cause_and_what_mends_it():
    table = [
        {"fault": "lr_low", "cause": "undertrained", "mends": True},
        {"fault": "lr_low", "cause": "overfit", "mends": False},
    ]
    sets = accepted(table)
    assert sets["lr_low"] == {"lr_low", "undertrained"} and sets["overfit"] == {"overfit"}


def test_a_cause_mends_where_the_whole_interval_says_so():
    runs = [(key("lr_low", seed=s, background=s), "undertrained", 1.0, 1.5) for s in range(4)]
    weak = [
        (key("lr_low", seed=s, background=s), "overfit", 0.2, 1.5) for s in range(4)
    ]  # too little of the way
    mixed = [(key("lr_low", seed=s, background=s), "lr_high", (-1) ** s * 1.0 + 0.8, 1.0) for s in range(4)]
    table = {row.cause: row for row in mends([*runs, *weak, *mixed])}
    assert isinstance(table["overfit"], Mend)
    assert table["undertrained"].mends and table["undertrained"].way_back == pytest.approx(2 / 3)
    assert not table["overfit"].mends and not table["lr_high"].mends


# --- learners ---------------------------------------------------------------------------------------


def rows_of(count: int, seed: int = 0) -> tuple[list[dict[str, float]], list[str]]:
    rng = np.random.default_rng(seed)
    answers = [HEALTHY, "lr_high", "lr_low"] * count
    centre = {HEALTHY: 0.0, "lr_high": 3.0, "lr_low": -3.0}
    return [
        {"a": centre[x] + rng.normal(), "b": float(rng.normal()), "rollout": abs(centre[x])} for x in answers
    ], answers


def test_a_fit_finds_what_tells_answers_apart():
    rows, answers = rows_of(60)
    model = fitted(rows, answers, ["a", "b"])
    assert top(model.probabilities({"a": 4.0, "b": 0.0}))[0] == "lr_high"
    assert model.probabilities({"a": 0.0, "b": 0.0})[HEALTHY] > 0.6
    groups = [str(i // 3 % 6) for i in range(len(rows))]
    assert shares_right(held_out(rows, answers, groups, ["a", "b"]), answers)["top_1"] > 0.95
    noise = [{"a": float(x), "b": 0.0} for x in np.random.default_rng(1).normal(size=len(rows))]
    assert (
        shares_right(held_out(noise, answers, groups, ["a", "b"]), answers)["top_1"] < 0.75
    )  # control: nothing to learn


def test_rivals_say_something():
    rows, answers = rows_of(30)
    known = {
        key(x if x != HEALTHY else HEALTHY, 2, background=i // 3 % 6, seed=i): row
        for i, (row, x) in enumerate(zip(rows, answers, strict=True))
    }
    given = forest(known, known, ["a", "b"])
    assert np.mean([one.causes[0] == k.cause for k, one in given.items() if k.cause != HEALTHY]) > 0.9
    limits = threshold(known, known)
    assert all(one.alarm == (k.cause != HEALTHY) for k, one in limits.items())
    assert majority(["a", "b", "b", HEALTHY, HEALTHY, HEALTHY]) == ["b", "a"]
    guessed = guesses(known, known)
    assert all(one.alarm for one in guessed["most frequent"].values())
    assert 0.2 < np.mean([one.alarm for one in guessed["random"].values()]) < 0.8


def test_a_trial_of_whole_records_has_a_row():
    config = plan(key(HEALTHY, 0)).config
    score = config.score.model_copy(update={"horizon": None, "from_start": True})
    whole = config.model_copy(update={"score": score})
    rows = [configuration(config), configuration(whole)]
    assert rows[0]["horizon"] == config.score.horizon and np.isnan(rows[1]["horizon"])
    Forest(list(rows[0])).fit(rows, ["a", "b"]).probabilities(rows)


# --- treatments -------------------------------------------------------------------------------------


def test_a_random_change_changes_one_thing():
    planned = plan(key(HEALTHY, 0))
    rng = np.random.default_rng(0)
    paths = set()
    for _ in range(60):
        (change,) = random_change(planned, rng)
        paths.add(change.path)
        changed = treated(planned, (change,)).config
        assert isinstance(changed, TrialConfig) and changed.seed == planned.config.seed
    assert len(paths) >= 6


def test_a_sample_is_spread():
    keys = [
        Key("score", kind, cell, 1, "lr_high", severity, seed)
        for kind in ("sine", "lorenz")
        for cell in ("lstm", "gru")
        for severity in (2, 3)
        for seed in range(3)
    ]
    chosen = sample(keys, 4)
    assert len({(one.kind, one.cell) for one in chosen}) == 4 and sample(keys, 4) == chosen


def test_effects_by_hand():
    row = ("lr_high", 2, "sine", "lstm", 1, "learning rate too high")
    helped = Treatment(*row, unchanged=-0.2, prescription=-1.2, random=-0.5, changes="lr = 1")
    silent = Treatment(*row, unchanged=-0.2, prescription=None, random=-0.5, changes="")
    assert helped.gain == pytest.approx(1.0) and helped.over_random == pytest.approx(0.7)
    assert silent.gain == 0 and silent.over_random == pytest.approx(-0.3)
    effects = document([(key("lr_high"), helped), (key("lr_high", seed=1), silent)])
    assert effects["beats both"]["value"] == 0.5 and effects["random beats unchanged"]["value"] == 1.0
    assert effects["decades over unchanged"]["value"] == pytest.approx(0.5)


# --- the diagnosis itself ---------------------------------------------------------------------------


@pytest.mark.slow
def test_the_shipped_diagnosis_on_a_few_planted_faults(tmp_path: Path):
    """Two dozen runs that no weight was fitted to: the diagnosis names most, and leaves healthy runs alone."""
    options = argparse.Namespace(
        split="score", labels=None, cells=["lstm", "gru"], **{**SMALL, "seeds": 1, "kinds": ["sine"]}
    )
    cache, keys = Cache(tmp_path), keys_of(options)
    dict(all_made(cache, keys, 1, float("inf")))
    rows = dict(features_of(cache, one) for one in keys)
    assert len(rows) == 24 and None not in rows.values()
    answers = ours(cache, rows)
    table = figures(answers, {fault: {fault} for fault in FAULTS})["known"]
    assert table["planted only"]["value"] >= 0.8 and table["detection"]["value"] >= 0.9
    assert table["false alarms"]["value"] <= 0.2
    chance = guesses(rows, rows)["random"]
    assert (
        figures(chance, {fault: {fault} for fault in FAULTS})["known"]["planted only"]["value"] < 0.5
    )  # control
    ill = next(one for one in keys if one.cause == "noise_large")
    case = case_of(cache, plan(ill).settled(cache.data))
    issue = next(one for one in cause_findings(case) if one.severity == "issue")
    assert issue.code == next(cause.name for cause in CAUSES.values() if cause.fault == "noise_large")
    assert issue.prescriptions[0] == (Change("training.input_noise", 0.0),)
    assert all(isinstance(rules(case), list) for rules in RULES.values())
    table_text = text(
        {
            "calibration_runs": 0,
            "scored_runs": len(keys),
            "accepted_size": 1.0,
            "chance": 0.05,
            "figures": {"sweep": figures(answers, {fault: {fault} for fault in FAULTS})},
            "confusions": {},
        }
    )
    assert "| sweep | " in table_text and json.dumps(table)
