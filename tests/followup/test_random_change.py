"""One random change: single, valid, with what its owner brings, and every axis in turn."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.config.ranges import Choice, LogUniform, contains
from sweep.config.space import Axis, Condition, Space
from sweep.config.study_file import study_from_file
from sweep.followup.random_change import single_change
from sweep.study.components import known_names
from tests.support.attack import small_study

SINE = study_from_file(Path(__file__).resolve().parents[2] / "studies/sine.toml", (), known_names())
OWNED = Space(
    (
        Axis("optimizer", ("training", "optimizer"), Choice(("a", "b"))),
        Axis(
            "a.lr",
            ("training", "optimizer", "lr"),
            LogUniform(1.0, 2.0),
            Condition("optimizer", frozenset("a")),
        ),
        Axis(
            "b.lr",
            ("training", "optimizer", "lr"),
            LogUniform(5.0, 6.0),
            Condition("optimizer", frozenset("b")),
        ),
        Axis("cell", ("model", "cell"), Choice(("lstm",))),
    )
)


def drawn(space, seed):
    rng = np.random.default_rng(seed)
    return space.draw(lambda axis: axis.span.from_unit(float(rng.random())))


def owners(axes, name: str) -> set[str]:
    """The axes on whose values it depends whether a trial has this one, directly or not."""
    condition = axes[name].condition
    return set() if condition is None else {condition.on} | owners(axes, condition.on)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 2**32))
def test_it_is_one_change_and_a_trial_of_the_default_study(origin, seed):
    own = drawn(SINE.space, origin)
    name, params = single_change(SINE.space, own, np.random.default_rng(seed))
    assert params[name] != own[name]
    axes = {axis.name: axis for axis in SINE.space.axes}
    assert set(params) == {axis.name for axis in SINE.space.axes if axis.exists(params)}
    assert all(contains(axes[key].span, value) for key, value in params.items())
    others = {key for key in params if params[key] != own.get(key)} - {name}
    assert all(name in owners(axes, key) for key in others)
    assert not others & set(own)  # what the trial had and still has is as it was
    assert SINE.trial(params).key != SINE.trial(own).key
    again = single_change(SINE.space, own, np.random.default_rng(seed))
    assert again == (name, params)


def test_every_axis_is_as_likely_as_the_next():
    own = drawn(SINE.space, 0)
    rng = np.random.default_rng(0)
    names = [single_change(SINE.space, own, rng)[0] for _ in range(600)]
    counts = {name: names.count(name) for name in own}
    assert min(counts.values()) > 0.6 * 600 / len(own)
    assert max(counts.values()) < 1.5 * 600 / len(own)


def test_another_owner_brings_a_rate_from_its_own_range():
    rng = np.random.default_rng(0)
    changes = [single_change(OWNED, {"optimizer": "a", "a.lr": 1.5, "cell": "lstm"}, rng) for _ in range(50)]
    assert {name for name, _ in changes} == {"optimizer", "a.lr"}  # cell has no other value
    for name, params in changes:
        if name == "optimizer":
            assert set(params) == {"optimizer", "b.lr", "cell"}
            assert 5 <= params["b.lr"] <= 6
        else:
            assert params["optimizer"] == "a"
            assert 1 <= params["a.lr"] <= 2 and params["a.lr"] != 1.5


@pytest.mark.parametrize("space", [Space(()), Space(OWNED.axes[3:])])
def test_without_another_value_there_is_none(space):
    assert single_change(space, {"cell": "lstm"}, np.random.default_rng(0)) is None


def test_lists_are_values_too():
    study = small_study("space.head=[[8], [4, 4]]")
    own = {**drawn(study.space, 0), "head": (8,)}
    rng = np.random.default_rng(0)
    heads = [p["head"] for n, p in (single_change(study.space, own, rng) for _ in range(200)) if n == "head"]
    assert heads and set(heads) == {(4, 4)}
