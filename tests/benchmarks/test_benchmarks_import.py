"""Every benchmark still finds what it imports: they run seldom, and names move."""

import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in (ROOT / "benchmarks").rglob("*.py")
)


def test_there_are_benchmarks():
    assert {"benchmarks.engine", "benchmarks.forum", "benchmarks.diagnosis.accuracy"} <= set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_a_benchmark_can_be_imported(name: str, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")  # as when it is run as a script
    importlib.import_module(name)
