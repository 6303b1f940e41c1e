"""`model.feedback` in a study file: an axis like others, with what depends on it, and its mistakes by key path."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from sweep.config.errors import StudyFileError
from sweep.config.study_file import study_from_document
from sweep.study.components import known_names

BASE = {"data": {"path": "a.csv", "known": ["u"]}, "space": {"hidden": [8, 16]}}


def study(**sections):
    document = {**BASE, **sections}
    return study_from_document(document, known_names(), "study.toml")


def problems(**sections) -> list[str]:
    with pytest.raises(StudyFileError, match=r"study\.toml") as caught:
        study(**sections)
    return list(caught.value.problems)


def test_it_is_an_axis_and_true_changes_nothing():
    made = study(space={"feedback": [True, False], "hidden": [8, 16]})
    plain = study()
    assert made.trial({"feedback": True, "hidden": 8}) == plain.trial({"hidden": 8})
    without = made.trial({"feedback": False, "hidden": 8})
    assert not without.model.feedback and without.model.readout == "value"
    assert without.seed != plain.trial({"hidden": 8}).seed
    assert "feedback" not in plain.document()["model"]
    again = study_from_document(made.document(), known_names(), "study.toml")
    assert again.space == made.space


def test_what_acts_on_channels_alone_is_sampled_only_with_feedback():
    space = {"feedback": [True, False], "readout": ["value", "increment"], "unroll": [0, 8]}
    made = study(space={**space, "input_noise": {"log": [1e-3, 0.1]}, "clip": [0.0, 1.0]})
    exists = {
        value: {axis.name for axis in made.space.axes if axis.exists({"feedback": value})}
        for value in (True, False)
    }
    assert exists[True] - exists[False] == {"readout", "unroll", "input_noise"}
    assert "clip" in exists[False]


@pytest.mark.parametrize("name", ["readout", "unroll", "input_noise"])
def test_what_acts_on_channels_alone_has_no_effect_without_any_feedback(name: str):
    spans = {"readout": ["value", "increment"], "unroll": [0, 8], "input_noise": [0.0, 0.1]}
    wanted = [f"space.{name}: has no effect without feedback: drop it"]
    assert problems(model={"feedback": False}, space={name: spans[name]}) == wanted
    assert problems(space={"feedback": [False], name: spans[name]}) == wanted
    study(space={name: spans[name]})


@pytest.mark.parametrize(
    ("sections", "place"),
    [
        ({"model": {"feedback": False}}, "model.feedback"),
        ({"space": {"feedback": [True, False]}}, "space.feedback"),
    ],
)
def test_it_needs_known_inputs(sections: dict, place: str):
    (problem,) = problems(**sections, data={"path": "a.csv"})
    assert problem.startswith(f"{place}: ") and "data.known" in problem
    for data in ({"known": ["u"]}, {"static": ["size"]}, {"calendar": ["time_of_day"]}):
        study(**sections, data={"path": "a.csv", **data})
    study(data={"path": "a.csv"}, space={"feedback": [True], "hidden": [8, 16]})


def test_free_running_steps_are_refused():
    (problem,) = problems(training={"unroll": 8}, model={"feedback": False})
    assert problem.startswith("training.unroll: ") and "model.feedback" in problem
    (problem,) = problems(training={"unroll": 8}, space={"feedback": [True, False]})
    assert problem.startswith("training.unroll: ") and "space.feedback" in problem
    made = study(space={"feedback": [True, False], "hidden": [8, 16], "unroll": [0, 8]})
    with pytest.raises(ValidationError, match="without feedback it needs unroll = 0, got 8"):
        made.trial({"feedback": False, "hidden": 8, "unroll": 8})


def test_a_value_that_is_none():
    (problem,) = problems(model={"feedback": "no"})
    assert problem.startswith("model.feedback: wanted") and "'no'" in problem
    (problem,) = problems(space={"feedback": ["no"]})
    assert problem.startswith("space.feedback: wanted") and "'no'" in problem


def test_shipped_studies_say_nothing_of_it():
    for file in sorted((Path(__file__).resolve().parents[2] / "studies").glob("*.toml")):
        assert "feedback" not in file.read_text()
