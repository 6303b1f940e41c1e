"""The fault matrix: its oracle tells a study that lost something, and its quick form loses nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.faults.studies import TOTAL, Place, check, steady
from benchmarks.faults.table import Table
from tests.support.attack import drive, small_study

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("reference")).prepare()
    drive(small_study(name="sine"), place.study, TOTAL)
    place.log.write_text("done\n")
    return place


def rewritten(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


LOSSES = {
    "another score": (
        lambda p: rewritten(p.study / "trials/0001/trial.json", rollout_error=0.123),
        "study.db and the records differ",
    ),
    "another checkpoint": (
        lambda p: (p.study / "trials/0001/checkpoint.pt").write_bytes(b"x"),
        "trial 1",
    ),
    "a file that is left": (
        lambda p: (p.study / "trials/0001/resume.bin").write_bytes(b"x"),
        "left behind",
    ),
    "a trial that is gone": (lambda p: (p.study / "trials/0007/trial.json").unlink(), "trials are missing"),
    "a file outside": (lambda p: (p.results / "x").touch(), "written outside of the study"),
    "a traceback": (
        lambda p: p.log.write_text("Traceback (most recent call last)"),
        "a traceback was printed",
    ),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_the_oracle_finds_what_was_lost(reference, tmp_path, loss):
    place = reference.copy(tmp_path / "copy")
    place.log.write_text("done\n")
    check(place, reference)
    lose, reason = LOSSES[loss]
    lose(place)
    with pytest.raises(AssertionError, match=reason):
        check(place, reference)


def test_only_what_the_clock_decides_is_left_out():
    assert steady({"seconds": 1, "a": [{"host": {}, "b": 2}]}) == {"a": [{"b": 2}]}


def test_a_loss_of_a_rival_is_not_ours(tmp_path):
    table = Table(tmp_path / "table.md")
    table.row("2", "SIGKILL of plain Optuna, SQLite").loss("one")
    assert table.losses == 0
    table.row("2", "SIGKILL of run").loss("one")
    table.save()
    assert table.losses == 1
    assert "| 2 | SIGKILL of run | 0 | 1 |" in (tmp_path / "table.md").read_text()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_failing_disk_loses_nothing(tmp_path):
    only = ["--only", "disk"]  # all of the quick form takes minutes
    words = [
        sys.executable,
        "-m",
        "benchmarks.faults",
        "--quick",
        *only,
        "--folder",
        str(tmp_path / "faults"),
    ]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    assert len(rows) == 3
    assert not [row for row in rows if row.split("|")[3].strip() == "0"], "a fault was not tried"
