"""A whole study, exported: its card, its scripts as commands without sweep, the command, and the page of docs/."""

import csv
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tomli_w
from rich.console import Console

import sweep
from sweep.config.errors import StudyChanged, UsageError
from sweep.data import load
from sweep.forecast import ensemble_of, networks_of
from sweep.forecast.ensemble import combined
from sweep.report.terminal.exported import print_exported
from sweep.results.document import trial_document
from sweep.store import StudyFolder
from tests.forecast.conftest import table
from tests.support.command_line import invoke
from tests.support.documentation import DOCS, undocumented
from tests.support.without_sweep import PACKAGES, run_script

pytestmark = pytest.mark.slow

STEPS = 12
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def place(folder, tmp_path_factory) -> Path:
    """Return the export of the study, with past.csv and future.csv beside it; tests only read it."""
    root = tmp_path_factory.mktemp("exported")
    result = sweep.export("two", root / "forecaster", results=folder.path.parent)
    assert result.path == root / "forecaster"
    whole = table()
    whole.groupby("unique_id").head(400 - STEPS).to_csv(root / "past.csv", index=False)
    whole.groupby("unique_id").tail(STEPS)[["unique_id", "ds", "u"]].to_csv(root / "future.csv", index=False)
    return root / "forecaster"


@pytest.fixture(scope="module")
def card(place) -> dict:
    return json.loads((place / "card.json").read_text())


@pytest.fixture(scope="module")
def expected(folder) -> np.ndarray:
    """Return sweep's own forecast of the last steps, (series, step, channel)."""
    source = networks_of(folder)
    config = source.trainings[0][0]
    ensemble = ensemble_of(source, load(config.data, config.score))
    coding = ensemble.coding
    past, known = [], []
    for name in coding.series:
        rows = table()[table()["unique_id"] == name]
        past.append(rows[["y", "z"]].to_numpy()[-STEPS - coding.past_steps : -STEPS])
        features = coding.known_inputs(rows["ds"].to_numpy().astype("datetime64[ns]"), rows[["u"]].to_numpy())
        known.append(features[-STEPS - coding.warmup :])
    return combined(ensemble.forecasts(np.stack(past), np.stack(known), np.array([0, 1])))


def test_the_card_says_where_the_networks_come_from(card, folder):
    source, trial = networks_of(folder), trial_document(folder, networks_of(folder).number)
    assert (card["study"], card["trial"], card["basis"]) == ("two", source.number, "confirmed")
    assert [one["seed"] for one in card["networks"]] == [config.seed for config, _ in source.trainings]
    scores = card["scores"]
    assert scores["selected"]["rollout_error"] == trial["rollout_error"]
    assert scores["confirmed"]["rollout_error"] == trial["confirmation"]["iqm"]
    assert scores["test"] == trial["test"] and scores["test"]["rollout_error"] > 0
    assert card["symptom"]["code"] == trial["diagnosis"]["symptom"]["code"]
    assert card["data"]["fingerprint"] == folder.read_study()["record"]["data_fingerprint"]
    assert card["columns"] == {"series": "unique_id", "time": "ds"}
    assert card["step"] == {"number": 3600.0, "unit": "second", "text": "1 hour"}
    assert card["configuration"]["data"]["path"] == "two.csv"  # no folder of the machine
    assert card["versions"]["torch"] and card["versions"]["sweep"]


def test_the_readme_names_what_matters(place, card):
    text = (place / "README.md").read_text()
    for words in (
        "`two`", "## Limits", "## Versions", "`u` | known input", "difference", "sine and cosine of time_of_day",
        "Rows are 1 hour apart", f"The last {card['past_steps']} rows", card["symptom"]["title"], card["verdict"],
        "confirmed on fresh seeds", "locked test", "each series by its own", "| `model.hidden` | `5` |",
    ):  # fmt: skip
        assert words in text


def read(text: str) -> np.ndarray:
    """Return the values of a forecast as CSV, (series, step, channel)."""
    rows = list(csv.DictReader(io.StringIO(text)))
    return np.array([[float(row["y"]), float(row["z"])] for row in rows]).reshape(2, STEPS, 2)


@pytest.mark.parametrize("script", PACKAGES)
def test_a_script_without_sweep_writes_sweep_s_forecast(script, place, expected):
    files = [str(place.parent / name) for name in ("past.csv", "future.csv")]
    done = run_script(place, script, files[0], "--steps", str(STEPS), "--known", files[1])
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "unique_id,ds,y,z"
    assert done.stdout.splitlines()[1].startswith("north,2024-01-17 04:00:00,")
    std = table().groupby("unique_id")[["y", "z"]].std().to_numpy()[:, None]
    assert np.max(np.abs(read(done.stdout) - expected) / std) < 1e-5


def test_the_latest_rows_lie_beside_the_scripts(place, folder, tmp_path):
    later = table(412).groupby("unique_id").tail(STEPS)[["unique_id", "ds", "u"]]
    later.to_csv(tmp_path / "later.csv", index=False)
    words = [str(place / "last_rows.csv"), "--steps", str(STEPS), "--known", str(tmp_path / "later.csv")]
    done = run_script(place, "forecast_numpy", *words)
    assert done.returncode == 0, done.stderr
    source = folder.read_document("winner")["number"]
    made = sweep.forecast("two", trial=source, known=later, levels=(), results=folder.path.parent)
    std = table().groupby("unique_id")[["y", "z"]].std().to_numpy()[:, None]
    assert np.max(np.abs(read(done.stdout) - made.values) / std) < 1e-5
    assert "forecast_numpy.py last_rows.csv --steps 12" in (place / "README.md").read_text()


def test_the_control_another_future_gives_another_forecast(place, expected, tmp_path):
    other = pd.read_csv(place.parent / "future.csv")
    other["u"] += 1
    other.to_csv(tmp_path / "other.csv", index=False)
    past = str(place.parent / "past.csv")
    done = run_script(place, "forecast_numpy", past, "--steps", "12", "--known", str(tmp_path / "other.csv"))
    assert np.max(np.abs(read(done.stdout) - expected)) > 1e-3


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda past: past.drop(columns="z"), (), "past.csv: wanted numbers in the columns y, z, got KeyError('z')"),
        (lambda past: past.assign(y="x"), (), "past.csv: wanted numbers in the columns y, z"),
        (lambda past: past.assign(y="nan"), (), "past.csv: a value is missing or not finite: fill it in"),
        (lambda past: past.tail(30), (), "past.csv: 30 rows of series 'south', the networks need 31"),
        (lambda past: past.drop(index=380), (), "past.csv: wanted rows 1 hour apart, got 2024-01-16 19:00:00, then"),
        (lambda past: past.assign(ds="soon"), (), "wanted times such as 2024-12-31 23:00, 2024-12-31 or 2024-12, got"),
        (lambda past: past.assign(ds="2024-01"), (), "wanted rows 1 hour apart, got 2024-01-01 00:00:00, then"),
        (lambda past: past.assign(ds=past["ds"] + "+02:00"), (), "column ds: write times of the local clock"),
        (lambda past: past, ("--steps", "13"), "future.csv: 12 rows of series 'north', wanted 13"),
        (lambda past: past, ("--steps", "0"), "wanted one step and one row or more, got --steps 0"),
    ],
    ids=["column", "text", "nan", "short", "gap", "time", "month", "offset", "future", "steps"],
)  # fmt: skip
def test_a_table_that_does_not_fit_is_refused_in_one_line(change, options, message, place, tmp_path):
    whole = pd.read_csv(place.parent / "past.csv")
    parts = [change(part.reset_index(drop=True)) for _, part in whole.groupby("unique_id")]
    pd.concat(parts[1:] if len(parts[0]) < 31 else parts).to_csv(tmp_path / "past.csv", index=False)
    known = str(place.parent / "future.csv")
    done = run_script(
        place, "forecast_numpy", str(tmp_path / "past.csv"), *(options or ("--steps", "12")), "--known", known
    )
    assert done.returncode == 1 and done.stdout == ""
    assert message in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_script_asks_for_the_inputs_that_it_needs(place):
    done = run_script(place, "forecast_torch", str(place.parent / "past.csv"), "--steps", "12")
    last = done.stderr.splitlines()[-1]  # before it, torch warns that it has no NumPy
    assert (
        done.returncode == 1 and last == "error: the networks need the future of u: give --known future.csv"
    )


# --- the command ---------------------------------------------------------------------------------


def test_the_command_writes_the_folder_and_says_what_is_next(folder, card, tmp_path):
    results = ["--results", str(folder.path.parent)]
    done = invoke("export", "two", str(tmp_path / "out"), *results)
    assert done.exit_code == 0 and f"two: 2 networks of trial {card['trial']}, on fresh seeds" in done.stdout
    assert "forecast_numpy.py past.csv --steps 12 --known future.csv > forecast.csv" in done.stdout
    assert card["verdict_kind"] == "baseline" and card["verdict"].startswith("Use arx:")
    assert f"The study's verdict: {card['verdict']}" in " ".join(done.stdout.split())
    other = invoke(
        "export", "two", str(tmp_path / "out"), "--trial", str(1 - card["trial"]), "--json", *results
    )
    document = json.loads(other.stdout)
    assert document["card"]["trial"] == 1 - card["trial"] and document["scripts_refused"] is None
    assert set(document["files"]) == {path.name for path in (tmp_path / "out").iterdir()}
    assert document["card"] == json.loads((tmp_path / "out" / "card.json").read_text())


@pytest.mark.parametrize(("kind", "shown"), [("configuration", False), ("baseline", True), ("nothing", True)])
def test_the_verdict_is_printed_where_it_is_not_a_configuration(kind, shown, card, capsys):
    document = {"card": {**card, "verdict_kind": kind}, "path": "out", "files": [], "scripts_refused": None}
    print_exported(document, Console())
    assert ("The study's verdict: Use arx" in capsys.readouterr().out) is shown


def test_the_default_study_needs_only_a_folder(folder, tmp_path):
    done = invoke("export", str(tmp_path / "out"), "--results", str(folder.path.parent))
    assert done.exit_code == 2 and "sine" in done.stderr
    for names in ([], ["two", "a", "b"]):
        done = invoke("export", *names)
        assert (
            done.exit_code == 2
            and f"wanted a folder, or a study and a folder, got {len(names)}" in done.stderr
        )


def test_data_that_have_changed_are_refused(folder, tmp_path):
    shutil.copytree(folder.path.parent, tmp_path / "results")
    file = tmp_path / "results" / "two" / "study.toml"
    document = tomllib.loads(file.read_text())
    document["record"]["data_fingerprint"] = "0" * 64
    file.write_text(tomli_w.dumps(document))
    with pytest.raises(
        StudyChanged, match=r"the data of the study in .* have changed since it began: restore them"
    ):
        sweep.export("two", tmp_path / "out", results=tmp_path / "results")
    assert not (tmp_path / "out").exists()


def test_networks_of_another_machine_s_engine_are_exported(folder, place, tmp_path):
    shutil.copytree(folder.path.parent, tmp_path / "results")
    files = list((tmp_path / "results" / "two" / "confirm").glob("trials/*/trial.json"))
    for file in files:
        record = json.loads(file.read_text())
        record["config"]["engine"] = "native-none"
        file.write_text(json.dumps(record))
    sweep.export("two", tmp_path / "out", results=tmp_path / "results")
    name = "network_1.safetensors"
    assert len(files) > 1 and (tmp_path / "out" / name).read_bytes() == (place / name).read_bytes()


def test_fitted_networks_are_exported_on_request_and_marked(folder, place, tmp_path):
    shutil.copytree(folder.path.parent, tmp_path / "results")
    results = tmp_path / "results"
    with pytest.raises(UsageError, match="two has no networks that were trained on all data: sweep fit two"):
        sweep.export("two", tmp_path / "out", fitted=True, results=results)
    number = networks_of(folder).number
    sweep.fit("two", trial=number, seeds=1, results=results)
    done = invoke("export", "two", str(tmp_path / "out"), "--fitted", "--results", str(results))
    assert done.exit_code == 0 and f"1 network of trial {number}, on all data, not scored" in done.stdout
    loaded = sweep.load_forecaster(tmp_path / "out")
    source = networks_of(StudyFolder(results / "two"), fitted=True)
    assert (
        loaded.card.about["basis"] == "fitted" and loaded.card.networks[0].seed == source.trainings[0][0].seed
    )
    assert (loaded.ensemble.coding.mean == source.coding.mean).all()
    assert (loaded.ensemble.coding.mean != sweep.load_forecaster(place).ensemble.coding.mean).any()
    assert "The networks here are not scored" in (tmp_path / "out" / "README.md").read_text()


def test_a_loaded_forecaster_gives_the_intervals_of_the_study(folder, place, tmp_path):
    past, future = (
        pd.read_csv(place.parent / name, parse_dates=["ds"]) for name in ("past.csv", "future.csv")
    )
    number = networks_of(folder).number
    wanted = sweep.forecast(str(folder.path), trial=number, data=past, known=future, steps=STEPS)
    made = sweep.load_forecaster(place).forecast(past, STEPS, future, levels=(50, 90))
    for level in (50, 90):
        for ends, own in ((made.low, wanted.low), (made.high, wanted.high)):
            values = ends[level][["y", "z"]].to_numpy().reshape(2, STEPS, 2)
            np.testing.assert_allclose(values, own[level], rtol=1e-5, atol=1e-5)
    assert made.notes == wanted.notes and made.coverage == wanted.coverage and made.coverage
    assert "levels=(50, 80, 90)" in (place / "README.md").read_text()

    shutil.copytree(folder.path.parent, tmp_path / "results")
    sweep.fit("two", trial=number, seeds=1, results=tmp_path / "results")
    sweep.export("two", tmp_path / "out", fitted=True, results=tmp_path / "results")
    fitted = sweep.load_forecaster(tmp_path / "out").forecast(past, STEPS, future, levels=(90,))
    assert fitted.notes[0] == (
        f"Intervals: measured on other networks, which were not trained on all data: trial {number}, 2 networks on "
        "fresh seeds"
    )
    width, own = (one.high[90]["y"] - one.low[90]["y"] for one in (fitted, made))
    np.testing.assert_allclose(width, own, rtol=1e-5)
    assert "They were measured on other networks" in (tmp_path / "out" / "README.md").read_text()


# --- the page ------------------------------------------------------------------------------------


def test_the_page_names_every_key_of_a_card_and_every_file(card, place):
    assert undocumented(set(card), "export.md", "What is in the folder") == []
    pattern = {re.sub(r"_\d+", "_<k>", path.name) for path in place.iterdir() if path.is_file()}
    assert undocumented(pattern, "export.md", "What is in the folder") == []


def test_the_examples_of_the_page_run(folder, place, tmp_path):
    shutil.copytree(folder.path.parent, tmp_path / "results")
    for name in ("past.csv", "future.csv"):
        shutil.copy(place.parent / name, tmp_path)
    text, done = (DOCS / "export.md").read_text(encoding="utf-8"), 0
    commands = {"sweep": [sys.executable, "-m", "sweep.cli"], "python": [sys.executable]}
    shell = {
        "cwd": tmp_path,
        "env": {**os.environ, "PYTHONPATH": str(ROOT)},
        "capture_output": True,
        "text": True,
    }
    for kind, content in re.findall(r"```(python|sh)\n(.*?)```", text, re.DOTALL):
        for line in content.strip().splitlines() if kind == "sh" else [content]:
            if kind == "python":
                ran = subprocess.run([sys.executable, "-c", line], **shell)
            else:
                program, *args = shlex.split(line, comments=True)
                args, target = (args[:-2], args[-1]) if ">" in args else (args, None)
                ran = subprocess.run([*commands[program], *args], **shell)
                if target:
                    (tmp_path / target).write_text(ran.stdout)
            assert ran.returncode == 0, ran.stderr
            done += 1
    assert done == 5 and ran.stdout == "(1, 12, 2)\n"
    columns = ["y", "z"]
    script, own = pd.read_csv(tmp_path / "forecast.csv"), pd.read_csv(tmp_path / "from_sweep.csv")
    np.testing.assert_allclose(script[columns], own[columns], atol=1e-4)
