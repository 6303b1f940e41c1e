"""Damaged files of forecasts: whatever they hold, a command ends with one line that names the file, or does without it.

The intervals, the coverage, the fit, its coding and the best baseline's forecast of a study are damaged one at a time,
by a seeded chance.
"""

import json
import random
import shutil

import pytest

import sweep
from sweep.report.page.explorer import explorer_values
from sweep.report.plots.trial import draw_trial as draw  # before `cheap_runs` replaces it
from sweep.results.document import report_document
from sweep.store import StudyFolder
from tests.forecast.conftest import folder, table
from tests.store.test_damaged_results import GONE, VALUES, changed, places
from tests.support.cheap_runs import cheap_runs
from tests.support.command_line import invoke

__all__ = ["cheap_runs", "folder"]
pytestmark = pytest.mark.slow
SEEDS = range(1)
EACH = 2  # damages by seed and file
FILES = {  # the place of its values that are damaged
    "intervals.json": (),
    "winner.json": ("coverage",),
    "fit/fit.json": (),
    "rows.json": (),
    "fit/trials/0000/coding.json": (),
}


@pytest.fixture(scope="module")
def fitted(folder, tmp_path_factory):
    """A copy of the study that names a network and has a fit, for tests that put back what they damage."""
    path = tmp_path_factory.mktemp("damageable") / "results/two"
    shutil.copytree(folder.path, path)
    shutil.copy(folder.path.parent.parent / "two.csv", path.parent.parent / "two.csv")
    later = table(412).groupby("unique_id").tail(12)
    later[["unique_id", "ds", "u"]].to_csv(path.parent.parent / "known.csv", index=False)
    copy = StudyFolder(path)
    for name, key in (("baselines", "baselines"), ("winner", "baselines_test")):
        document = copy.read_document(name)
        worse = {one: {**entry, "rollout_error": 0.999} for one, entry in document[key].items()}
        copy.write_document(name, {**document, key: worse})
    sweep.fit("two", seeds=1, results=path.parent, executor="inline")
    return path


COMMANDS = {
    "forecast": ["forecast", "two"],
    "fit": ["fit", "two", "--seeds", "1", "--executor", "inline"],
    "update": ["fit", "two", "--update", "--executor", "inline"],
    "export": ["export", "two"],
    "export of a fit": ["export", "two", "--fitted"],
    "report": ["report", "two"],
}


def outcomes(path, place):
    """Return the exit status and the text of each command, by name; the study is as before afterwards."""
    results = {}
    for name, words in COMMANDS.items():
        aside = place / "aside"
        shutil.copytree(path, aside)
        to = {
            "export": [str(place / "exported")],
            "forecast": ["--known", str(path.parent.parent / "known.csv")],
        }.get(words[0], [])
        try:
            done = invoke(*words, *to, "--results", str(path.parent))
            results[name] = (done.exit_code, done.stderr)
        finally:
            shutil.rmtree(path)
            aside.rename(path)
            shutil.rmtree(place / "exported", ignore_errors=True)
    return results


def endure(path, place, file, what):
    """Run each command; fail unless each error is one line that names the file, and the report has none."""
    try:
        results = outcomes(path, place)
    except Exception as error:
        raise AssertionError(f"{file} with {what}: {error!r}") from error
    for name, (status, text) in results.items():
        if status:
            lines = [line for line in text.splitlines() if line.startswith("error: ")]
            assert name != "report", (file, what, text)
            assert len(lines) == 1 and len(text) < 4000, (file, what, name, text)
            assert file.name in lines[0] or "trial" in lines[0], (file, what, name, text)
    return results


def test_undamaged_files_trouble_no_command(fitted, tmp_path):
    assert {name: status for name, (status, _) in outcomes(fitted, tmp_path).items()} == dict.fromkeys(
        COMMANDS, 0
    )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", FILES)
def test_json_with_a_value_replaced_or_removed(fitted, tmp_path, name, seed):
    chance, file = random.Random(f"{name} {seed}"), fitted / name
    before = file.read_bytes()
    values = json.loads(before)
    inside = [place for place in places(values) if place[: len(FILES[name])] == FILES[name]]
    for _ in range(EACH):
        place, value = chance.choice(inside), chance.choice([GONE, *VALUES])
        file.write_text(json.dumps(changed(values, place, value)))
        try:
            endure(fitted, tmp_path, file, (place, "gone" if value is GONE else value))
        finally:
            file.write_bytes(before)


BINARY = {
    "cut": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "noise": lambda content: b"\x00\x01",
}


@pytest.mark.parametrize("kind", BINARY)
@pytest.mark.parametrize("name", ["baseline.npz", *FILES])
def test_files_that_are_cut_or_empty(fitted, tmp_path, name, kind):
    file = fitted / name
    before = file.read_bytes()
    file.write_bytes(BINARY[kind](before))
    try:
        endure(fitted, tmp_path, file, kind)
    finally:
        file.write_bytes(before)


@pytest.mark.parametrize("name", ["baseline.npz", "intervals.json", "winner.json", "fit/fit.json"])
def test_the_report_lists_the_damaged_file_and_shows_the_rest(fitted, name):
    file = fitted / name
    before, sound = file.read_bytes(), report_document(StudyFolder(fitted))
    file.write_bytes(before[:-40])
    try:
        document = report_document(StudyFolder(fitted))
    finally:
        file.write_bytes(before)
    (line,) = document["damaged"]
    assert line.startswith(f"{file} is damaged: ") and "; remove it" in line
    assert document["trials"] == [
        {**trial, "test": other["test"]} if "test" in trial else trial
        for trial, other in zip(sound["trials"], document["trials"], strict=True)
    ]
    assert sound["damaged"] == []


def test_without_a_readable_baseline_forecast_a_picture_lacks_its_curve_alone(fitted):
    number = StudyFolder(fitted).read_document("winner")["number"]
    file = fitted / "baseline.npz"
    before, drawn = file.read_bytes(), explorer_values(StudyFolder(fitted), number, ["y", "z"])
    file.write_bytes(b"")
    try:
        without = explorer_values(StudyFolder(fitted), number, ["y", "z"])
        assert len(draw(StudyFolder(fitted), number)) > 1000
    finally:
        file.write_bytes(before)
    assert drawn["baseline"] and not without["baseline"]
    assert [group["series"] for group in without["groups"]] == [group["series"] for group in drawn["groups"]]
