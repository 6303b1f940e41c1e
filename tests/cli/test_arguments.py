"""Arguments in either order, output in any encoding, plug-in files, and devices that are not there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from sweep.cli.options import _parsed, seconds_of
from tests.support.command_line import TINY, invoke


@pytest.mark.parametrize(
    ("names", "parsed"),
    [
        (("3",), (3, "sine")),
        (("3", "laser"), (3, "laser")),
        (("laser", "3"), (3, "laser")),
        (("3", "2024"), (3, "2024")),
        (("2024", "3"), (3, "2024")),  # there is a study 2024, none 3
        (("2025", "3"), (2025, "3")),  # there is neither
    ],
)
def test_trial_and_study_in_either_order(tmp_path: Path, monkeypatch, names, parsed):
    monkeypatch.delenv("SWEEP_STUDY", raising=False)
    (tmp_path / "2024").mkdir()
    assert _parsed(names, tmp_path, True) == parsed
    assert _parsed(names, tmp_path, False) == parsed


def test_a_study_alone_and_the_default_study(tmp_path: Path, monkeypatch):
    assert _parsed(("laser",), tmp_path, False) == (None, "laser")
    monkeypatch.setenv("SWEEP_STUDY", "mine")
    assert _parsed(("4",), tmp_path, True) == (4, "mine")
    assert _parsed((), tmp_path, False) == (None, "mine")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ((), "missing argument TRIAL"),
        (("laser",), "invalid trial number 'laser'"),
        (("best", "laser"), "invalid trial number 'best'"),
        (("1", "2", "3"), "got 3 arguments"),
        (("-1", "laser"), "invalid trial number '-1'"),
    ],
)
def test_what_is_not_a_trial_is_refused(tmp_path: Path, names, message):
    with pytest.raises(click.UsageError, match=message):
        _parsed(names, tmp_path, True)


def test_help_shows_the_order():
    assert "TRIAL [STUDY]" in invoke("show", "--help").stdout
    assert "[TRIAL] [STUDY]" in invoke("diagnose", "--help").stdout


def test_output_that_is_not_utf8_has_replacements(tmp_path: Path):
    (tmp_path / "maß — 雪.toml").write_text(
        'description = "Schnee 雪 — x"\n[data]\nsource = "sine"\n[space]\ncell = ["lstm", "gru"]\n'
    )
    command = [sys.executable, "-m", "sweep.cli"]
    env = {**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0", "NO_COLOR": "1"}
    (tmp_path / "studies").mkdir()
    (tmp_path / "maß — 雪.toml").rename(tmp_path / "studies" / "snow.toml")
    listed = subprocess.run([*command, "list"], cwd=tmp_path, env=env, capture_output=True, check=False)
    assert listed.returncode == 0, listed.stderr
    assert "Schnee ? - x" in listed.stdout.decode("latin-1")
    printed = subprocess.run(
        [*command, "list", "--json"], cwd=tmp_path, env=env, capture_output=True, check=False
    )
    document = json.loads(printed.stdout.decode("latin-1"))
    assert document["study_files"][0]["description"] == "Schnee 雪 — x"  # JSON loses nothing


def test_a_cuda_device_that_is_not_there_is_refused_before_the_first_trial(tmp_path: Path):
    import torch

    device = f"cuda:{torch.cuda.device_count()}"
    done = invoke(
        "run", "--trials", "1", "--set", f"run.device='{device}'", "--results", str(tmp_path), *TINY
    )
    assert done.exit_code == 2
    assert f'run.device = "{device}" is not available here' in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_plugin_file_that_cannot_be_used_is_named(tmp_path: Path):
    (tmp_path / "broken.py").write_text("1 / 0\n")
    done = invoke("report", "--plugin", str(tmp_path / "broken.py"), "--results", str(tmp_path))
    assert done.exit_code == 2 and "broken.py: ZeroDivisionError: division by zero" in done.stderr
    done = invoke("report", "--plugin", str(tmp_path / "none.py"), "--results", str(tmp_path))
    assert done.exit_code == 2 and "none.py: No such file" in done.stderr
    assert "SWEEP_PLUGIN" not in os.environ


def test_the_list_of_studies_does_not_wait_for_torch(tmp_path: Path):
    code = "import sys; from sweep import api; api.listing(results=sys.argv[1]); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == 0
    control = code.replace("api.listing(results=sys.argv[1])", "api.load_study")
    assert subprocess.run([sys.executable, "-c", control, str(tmp_path)], check=False).returncode == 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("8h", 28800), ("90m", 5400), ("1h30m", 5400), ("1.5h", 5400), ("45s", 45), ("1h5s", 3605), ("12", 12)],
)
def test_time_spans(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "h", "5d", "1.2.3h", "30m1h", "-5m", "1e3", "nan", "9999999h"])
def test_time_spans_that_are_none(text):
    with pytest.raises(click.BadParameter, match=r"is not a time span above 0: write it as 8h, 90m or 1h30m"):
        seconds_of(text)
