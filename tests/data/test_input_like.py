"""Columns that look like inputs: a small rule, which names them and changes nothing."""

import numpy as np
import pytest

from sweep.config.data_section import DataConfig
from sweep.config.sections import ScoreConfig
from sweep.data import load
from sweep.data.readers.input_like import input_facts

RNG = np.random.default_rng(0)
NOISE = RNG.normal(size=200)
COLUMNS = {
    "noise": NOISE,
    "switch": (NOISE > 0).astype(float),
    "steps": np.repeat(RNG.normal(size=20), 10),
    "counts": RNG.integers(0, 9, 200).astype(float),  # few values, but they change at most steps
    "hole": np.where(np.arange(200) == 7, np.nan, np.repeat(RNG.normal(size=20), 10)),
}


def said(names, columns, **settings):
    values = np.stack([COLUMNS[column] for column in columns], axis=1)
    facts = input_facts(names, values, DataConfig(path="a.csv", **settings))
    assert all(fact.guessed and fact.name == "inputs" for fact in facts)
    return [(fact.text, fact.key) for fact in facts]


@pytest.mark.parametrize(
    ("column", "reason"),
    [("switch", "two values"), ("steps", "held in 90% of the steps"), ("hole", "held in 90% of the steps")],
)
def test_values_that_look_like_an_input(column, reason):
    ((text, key),) = said(["y", "b"], ["noise", column])
    assert text == f"b ({reason}) looks like an input whose future may be known: --known b"
    assert key == 'known = ["b"]'


@pytest.mark.parametrize(
    "name", ["u", "U", "Valve", "valve_2", "price (EUR)", "isWorkDay workday", "roomTemperature"]
)
def test_names_that_look_like_an_input(name):
    ((text, _),) = said(["y", name], ["noise", "noise"])
    assert f"{name} (by its name)" in text


@pytest.mark.parametrize(
    ("names", "columns", "settings"),
    [
        (["y", "sum"], ["noise", "counts"], {}),  # the letter u within a word, and numbers that change
        (["y", "upper"], ["noise", "noise"], {}),
        (["u"], ["noise"], {}),  # nothing else would be left
        (["u", "v"], ["noise", "switch"], {}),
        (["y", "u"], ["noise", "noise"], {"target": ("u",)}),
        (["y", "u"], ["noise", "noise"], {"channels": ("y", "u")}),
        (["y", "u"], ["noise", "noise"], {"known": ("w",)}),
    ],
)
def test_nothing_is_said(names, columns, settings):
    assert said(names, columns, **settings) == []


def test_the_option_can_be_pasted():
    name = "supply temperature [°C]"
    ((text, key),) = said(["y", name], ["noise", "noise"])
    assert text.endswith(f"--known '{name}'") and key == f'known = ["{name}"]'


def test_several_are_named_together():
    ((text, key),) = said(["y", "u", "w"], ["noise", "noise", "switch"])
    assert text == (
        "u (by its name), w (two values) look like inputs whose future may be known: --known u --known w"
    )
    assert key == 'known = ["u", "w"]'


@pytest.mark.parametrize("kind", ["csv", "npy"])
def test_files_and_arrays_have_the_guess_and_keep_their_channels(kind, tmp_path):
    values = np.stack([COLUMNS["noise"], COLUMNS["steps"]], axis=1)
    if kind == "npy":
        np.save(tmp_path / "a.npy", values)
    else:
        np.savetxt(tmp_path / "a.csv", values, delimiter=",", header="x0,x1", comments="")
    data = load(DataConfig(path=f"a.{kind}"), ScoreConfig(warmup=5, horizon=10, starts=2), tmp_path)
    assert data.channels == ("x0", "x1") and data.known == ()
    (fact,) = [fact for fact in data.recorded.facts if fact.name == "inputs"]
    assert fact.key == 'known = ["x1"]'
