"""Baselines of plug-ins: scored beside sweep's own where a study names them; one that fails says so and no more."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sweep.config.data_section import DataConfig
from sweep.config.errors import UnknownName
from sweep.config.plugins import PluginError, using
from sweep.config.sections import ScoreConfig
from sweep.data import load
from sweep.score import BASELINES, score_baselines, score_baselines_on_test

PLUGIN = """
import numpy as np
from sweep.score.baselines.simple import CannotServe
from sweep.score.baselines.table import BaselineSpec


def repeated(data, settings):
    return lambda starts, horizon: np.repeat(starts.past[:, -1:] * settings["factor"], horizon, axis=1)


def fails(data, settings):
    raise ZeroDivisionError("division\\nby zero")


def cannot(data):
    raise CannotServe("these data are not for it")


def spec(name, fit=repeated, choose=lambda data: {"factor": 1}):
    return BaselineSpec(name, "test", choose, fit)


LAST = spec("last_value")
FAILS = spec("fails", fails)
FLAT = spec("flat", lambda data, settings: lambda starts, horizon: starts.past[:, :horizon, 0])
SHORT = spec("short", lambda data, settings: lambda starts, horizon: starts.truth[:, 1:])
WORDS = spec("words", lambda data, settings: lambda starts, horizon: np.full(starts.truth.shape, "x"))
ODD = spec("odd", choose=lambda data: {"factor": np.int64(2)})
LOST = spec("lost", lambda data, settings: lambda starts, horizon: np.full(starts.truth.shape, np.nan))
CANNOT = spec("cannot", choose=cannot)
"""
NAMES = ("last_value", "fails", "flat", "short", "words", "odd", "lost", "cannot")


@pytest.fixture(autouse=True)
def plugin(tmp_path: Path) -> Iterator[None]:
    file = tmp_path / "mine.py"
    file.write_text(PLUGIN)
    with using([file]):
        yield


@pytest.fixture
def data(monkeypatch):
    monkeypatch.setattr(BASELINES, "_entries", {"persistence": BASELINES["persistence"]})  # the quick one
    score = ScoreConfig(warmup=20, horizon=15, starts=3)
    return load(DataConfig(source="sine", options={"T": 7, "length": 200}), score, Path())


def test_only_named_ones_are_scored_and_after_the_own(data):
    assert list(score_baselines(data)) == ["persistence"]
    assert list(score_baselines(data, NAMES)) == ["persistence", *NAMES]


def test_one_that_works_is_scored_as_sweeps_own_are(data):
    scored = score_baselines(data, ["last_value"])
    mine, own = (dict(scored[name]) for name in ("last_value", "persistence"))
    assert mine.pop("settings") == {"factor": 1} and own.pop("settings") == {}
    mine.pop("seconds"), own.pop("seconds")
    assert mine == own and 0 < mine["rollout_error"] <= 1
    on_test = score_baselines_on_test(data, json.loads(json.dumps(scored)))
    assert on_test["last_value"]["rollout_error"] == on_test["persistence"]["rollout_error"]


def test_one_that_fails_has_a_reason_that_names_it_and_the_others_are_scored(data):
    scored = score_baselines(data, NAMES)
    reasons = {name: entry["reason"] for name, entry in scored.items() if "reason" in entry}
    assert set(reasons) == {"fails", "flat", "short", "words", "odd", "cannot"}
    for name in ("fails", "flat", "short", "words", "odd"):
        assert reasons[name].startswith(f"plug-in baseline '{name}' of mine.py sha256:")
        assert "\n" not in reasons[name]
    assert reasons["fails"].endswith("ZeroDivisionError: division by zero")
    assert reasons["flat"].endswith(
        "wanted a forecast of shape (3, 15, 1) (start, step, channel), got (3, 15)"
    )
    assert reasons["short"].endswith("got (3, 14, 1)")
    assert "ValueError" in reasons["words"] and "not JSON serializable" in reasons["odd"]
    assert reasons["cannot"] == "these data are not for it"
    assert scored["lost"]["rollout_error"] == 1.0 and scored["lost"]["nrmse"] == np.inf
    assert {name: entry.get("reason") for name, entry in score_baselines_on_test(data, scored).items()} == {
        name: reasons.get(name) for name in scored
    }


def test_a_name_that_no_table_holds_is_refused(data):
    with pytest.raises(UnknownName, match=r"no baseline named 'last_valve'\. Did you mean 'last_value'"):
        score_baselines(data, ["last_valve"])


def test_a_failing_objective_is_not_blamed_on_a_baseline(data, tmp_path):
    file = tmp_path / "objective.py"
    file.write_text(
        "from sweep.score.objectives import ObjectiveSpec\n"
        "NONE = ObjectiveSpec('none', 'returns nothing', lambda f, t, s, b: None, 'test')\n"
    )
    with using([file]), pytest.raises(PluginError, match=r"plug-in objective 'none' of objective\.py"):
        score_baselines(data.__class__(**{**vars(data), "objective": "none"}))
