"""Probes of plug-ins: taken where a study names them; one that fails says so and no more."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweep.config.errors import UnknownName
from sweep.config.plugins import using
from sweep.config.records import to_json
from sweep.diagnosis.probes import PROBES, ProbeSpec, Subject, always_on, measured
from tests.support.probed import network_of, sine_task

PLUGIN = """
from dataclasses import dataclass
from sweep.diagnosis.probes import CannotMeasure, ProbeSpec


@dataclass(frozen=True)
class Number:
    number: object


def refuse(subject):
    raise CannotMeasure("there is nothing to measure")


def fail(subject):
    raise RuntimeError("shapes\\ndiffer")


HIDDEN = ProbeSpec("hidden", "units", "cheap", lambda subject: Number(subject.network.config.hidden))
TENSOR = ProbeSpec("tensor", "a tensor", "cheap", lambda subject: Number(subject.task.channels))
PLAIN = ProbeSpec("plain", "no dataclass", "costly", lambda subject: 3)
REFUSES = ProbeSpec("refuses", "none", "cheap", refuse)
FAILS = ProbeSpec("fails", "none", "cheap", fail)
INFINITE = ProbeSpec("infinite", "no number", "cheap", lambda subject: Number(float("inf")))
"""


@pytest.fixture(autouse=True)
def plugin(tmp_path: Path) -> Iterator[None]:
    file = tmp_path / "mine.py"
    file.write_text(PLUGIN)
    with using([file]):
        yield


def test_only_named_ones_are_taken_whatever_their_cost():
    names = [probe.name for probe in always_on()]
    assert "hidden" not in names and names
    assert [probe.name for probe in always_on(["plain", "hidden"])] == [*names, "plain", "hidden"]
    with pytest.raises(UnknownName, match=r"no probe named 'hiden'\. Did you mean 'hidden'"):
        always_on(["hiden"])


def test_one_that_fails_has_a_reason_that_names_it():
    subject = Subject(network_of(1), sine_task())
    numbers = {
        name: measured(PROBES[name], subject)
        for name in ("hidden", "tensor", "plain", "refuses", "fails", "infinite")
    }
    assert numbers["hidden"] == {"number": 5} and to_json(numbers["infinite"]) == {"number": None}
    assert numbers["refuses"] == {"reason": "there is nothing to measure"}
    for name, error in (("tensor", "TypeError"), ("plain", "TypeError"), ("fails", "RuntimeError")):
        reason = numbers[name]["reason"]
        assert set(numbers[name]) == {"reason"} and "\n" not in reason
        assert reason.startswith(f"plug-in probe '{name}' of mine.py sha256:") and f": {error}: " in reason
    assert numbers["fails"]["reason"].endswith("RuntimeError: shapes differ")
    json.dumps(to_json(numbers), allow_nan=False)


def test_an_error_of_sweeps_own_probe_is_not_hidden(monkeypatch):
    def broken(subject):
        raise RuntimeError("a fault of ours")

    monkeypatch.setitem(PROBES._entries, "units", ProbeSpec("units", "broken", "cheap", broken))
    with pytest.raises(RuntimeError, match="a fault of ours"):
        measured(PROBES["units"], Subject(network_of(1), sine_task()))
