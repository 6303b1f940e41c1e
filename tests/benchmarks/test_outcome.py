"""The table of the benchmark on outcomes: every configuration can be built, and its systems are the sources'."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from sweep.data.sources.chen import CHEN_FLOW
from sweep.data.sources.halvorsen import HALVORSEN_FLOW
from sweep.data.sources.thomas import THOMAS_FLOW

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def outcome(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)  # as when it is run as a script
    return importlib.import_module("outcome")


@pytest.fixture
def systems(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module("dysts_systems").SYSTEMS


def test_every_entry_has_a_configuration(outcome):
    assert len(outcome.ENTRIES) > 20
    seeds = set()
    for entry in outcome.ENTRIES.values():
        first, second = (outcome.trial(entry, entry.data, seed) for seed in (0, 1))
        assert first.training.projected and first.training.precision == "float64"
        assert first.key == second.key
        seeds |= {first.seed, second.seed}
    assert len(seeds) == 2 * len(outcome.ENTRIES)


def test_the_goals_of_the_issue_are_all_there(outcome):
    groups = [entry.group for entry in outcome.ENTRIES.values()]
    assert groups.count("clean") == 7 and groups.count("dysts") >= 10 and groups.count("noisy") >= 8


@pytest.mark.parametrize(
    ("name", "flow", "parameters"),
    [
        ("Chen", CHEN_FLOW, {"a": 35.0, "b": 3.0, "c": 28.0}),
        ("Halvorsen", HALVORSEN_FLOW, {"a": 1.27, "b": 4.0}),
        ("Thomas", THOMAS_FLOW, {"a": 0.18, "b": 1.0}),
    ],
)
def test_systems_that_are_sources_too_have_the_same_velocity(systems, name, flow, parameters):
    point = (0.3, -1.1, 2.0)
    assert systems[name](*point, **parameters) == pytest.approx(flow.velocity(**flow.published)(*point))


def test_the_other_systems_by_hand(systems):
    # equilibria
    assert systems["SprottB"](1.0, 1.0, 0.0) == pytest.approx((0, 0, 0))
    assert systems["GenesioTesi"](1.0, 0.0, 0.0, a=0.44, b=1.1, c=1.0) == pytest.approx((0, 0, 0))
    assert systems["Rucklidge"](0.0, np.sqrt(6.7), 6.7, a=2.0, b=6.7) == pytest.approx((0, 0, 0))
    # and single terms
    assert systems["Dadras"](1, 2, 3, p=3, o=2.7, r=1.7, c=2, e=9) == pytest.approx((15.2, 3.4, -23))
    assert systems["RikitakeDynamo"](1, 2, 3, a=1, mu=1) == pytest.approx((5, 0, -1))
    assert systems["BurkeShaw"](1, 2, 3, e=13, n=10) == pytest.approx((-30, -28, 33))
    assert systems["ChenLee"](1, 2, 3, a=5, b=-10, c=-0.38) == pytest.approx((-1, -17, -1.14 + 2 / 3))
    assert systems["Aizawa"](1, 2, 3, a=0.95, b=0.7, c=0.6, d=3.5, e=0.25, f=0.1) == pytest.approx(
        (2.3 - 7, 3.5 + 4.6, 0.6 + 2.85 - 9 - 5 * 1.75 + 0.3)
    )
    assert systems["Hadley"](1, 2, 3, a=0.2, b=4, f=9, g=1) == pytest.approx(
        (-4 - 9 - 0.2 + 1.8, 2 - 12 - 2 + 1, 8)
    )


def test_rows_show_the_median_and_the_range(outcome):
    networks = [
        {"rollout_error": error, "valid_steps": steps, "validation_error": error, "cpu_seconds": 10.0}
        for error, steps in ((0.3, 100), (0.1, 300), (0.2, 200))
    ]
    assert outcome.ours(networks, 50.0) == "0.2 [0.1, 0.3] (4.0 LT; 10 s)"
    assert outcome.ours([], None) == "–"
    assert outcome.number(networks[0], None) == "0.3 (100 steps; 10 s)"
    assert outcome.number({"reason": "no period", "cpu_seconds": 0.0}, None) == "–"
