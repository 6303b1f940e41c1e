"""The functions of the package stay what they are when a room of the same name is imported."""

import importlib

import pytest

import sweep


@pytest.mark.parametrize("name", ["forecast", "report"])
def test_a_room_does_not_hide_a_function(name):
    room = importlib.import_module(f"sweep.{name}")
    importlib.import_module({"forecast": "sweep.forecast.ensemble", "report": "sweep.report.write"}[name])
    assert callable(getattr(sweep, name)) and room is not getattr(sweep, name)
    assert room.__name__ == f"sweep.{name}"


def test_every_public_name_is_there():
    assert {name for name in sweep.__all__ if getattr(sweep, name) is None} == set()
    assert callable(sweep.load_study)
