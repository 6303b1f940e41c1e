"""Damaged results: whatever a stored file holds, a command ends with one line that names it, and the report shows the
rest.

The files of a study that has been run, confirmed, audited and treated are damaged one at a time, by a seeded chance.
"""

import functools
import io
import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from sweep.config.errors import StoreError, SweepError
from sweep.followup.diagnose import diagnosis_of
from sweep.followup.winner import name_best
from sweep.report.plots.trial import draw_trial
from sweep.report.terminal.study import print_report
from sweep.report.terminal.trial import print_trial
from sweep.results.document import report_document, trial_document
from sweep.results.listing import listing
from sweep.store import StudyFolder
from sweep.store.forms import is_whole_png
from tests.support.cheap_runs import cheap_runs
from tests.support.command_line import TINY, invoke

__all__ = ["cheap_runs"]
pytestmark = pytest.mark.slow
SEEDS = range(1)
EACH = 4  # damages by seed and kind
VALUES = (None, "text", -1, 3, 1e308, [], {}, True, 10**30, [[1]], "<b>", 0.5)
GONE = object()


@pytest.fixture(scope="module")
def finished(tmp_path_factory, cheap_runs):
    """The results of a study with everything that a study can have."""
    results = tmp_path_factory.mktemp("finished")
    sets = ["--set", "pruning.startup=2", "--set", "confirm.top=2", "--set", "confirm.seeds=2"]
    where = ["--results", str(results), "--executor", "inline"]
    for words in (
        ["run", "sine", "--trials", "10", *TINY, *sets],
        ["audit", "sine"],
        ["treat", "0", "sine", "--seeds", "2"],
    ):
        done = invoke(*words, *where)
        assert done.exit_code in (0, 3), done.stderr
    return results


@pytest.fixture(scope="module")
def damageable(finished, tmp_path_factory):
    """A copy of them, for tests that put back what they damage."""
    return Path(shutil.copytree(finished, tmp_path_factory.mktemp("damageable") / "results")) / "sine"


def named(folder):
    """Return a trial with a score."""
    return next(record.number for record in folder.records() if record.best is not None)


def read_everything(path, number):
    """Yield the name of each way to read a study, and the function that does."""
    folder, console = StudyFolder(path), Console(file=io.StringIO(), width=100)
    yield (
        "report",
        lambda: print_report(json.loads(json.dumps(report_document(folder), allow_nan=False)), console),
    )
    yield "show", lambda: print_trial(trial_document(folder, number), console)
    yield "diagnose", lambda: diagnosis_of(folder, number, probes=False)
    yield "list", lambda: listing(results=path.parent)


def survive(path, number, file, what):
    """Read everything; fail unless each error is one line that names the file, and the report has none."""
    drawn = (
        [("draw", lambda: draw_trial(StudyFolder(path), number))]
        if Path(file).suffix in (".npz", ".csv")
        else []
    )
    for name, read in [*read_everything(path, number), *drawn]:
        try:
            read()
        except SweepError as error:
            text = str(error)
            assert "\n" not in text and len(text) < 2000, (file, what, name)
            assert name != "report", (file, what, text)
            assert Path(file).name in text or "trial" in text, (file, what, text)
        except Exception as error:
            raise AssertionError(f"{file} with {what}: {name} raised {error!r}") from error


def places(values, path=()):
    """Yield the key path of every value of a JSON document; of lists the first entry alone."""
    entries = (
        values.items()
        if isinstance(values, dict)
        else enumerate(values[:1])
        if isinstance(values, list)
        else ()
    )
    for key, value in entries:
        yield (*path, key)
        yield from places(value, (*path, key))


def changed(values, place, value):
    """Return a copy of a JSON document with one value replaced or removed."""
    copy = json.loads(json.dumps(values))
    target = functools.reduce(lambda inner, key: inner[key], place[:-1], copy)
    if value is GONE:
        del target[place[-1]]
    else:
        target[place[-1]] = value
    return copy


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "name", ["trial", "diagnosis", "baselines", "confirmation", "audit", "winner", "replication", "treatment"]
)
def test_json_with_a_value_replaced_or_removed(damageable, name, seed):
    chance, number = random.Random(f"{name} {seed}"), named(StudyFolder(damageable))
    files = sorted(damageable.rglob(f"{name}.json"))
    for _ in range(EACH):
        file = chance.choice(files)
        before = file.read_bytes()
        place = chance.choice(list(places(json.loads(before))))
        value = chance.choice([GONE, *VALUES])
        file.write_text(json.dumps(changed(json.loads(before), place, value)))
        try:
            survive(damageable, number, file, (place, "gone" if value is GONE else value))
        finally:
            file.write_bytes(before)


KINDS = (
    "trial.json",
    "diagnosis.json",
    "rollout.npz",
    "rollout.png",
    "curves.csv",
    "checkpoint.pt",
    "winner.json",
)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", KINDS)
def test_files_cut_short_or_with_flipped_bytes(damageable, name, seed):
    chance, number = random.Random(f"{name} {seed}"), named(StudyFolder(damageable))
    file = damageable / name if name == "winner.json" else StudyFolder(damageable).trial(number) / name
    before = file.read_bytes()
    for kind in ("cut", "flipped", "noise", "empty"):
        content = bytearray(before)
        if kind == "cut":
            content = content[: chance.randrange(len(content))]
        elif kind == "flipped":
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        else:
            content = bytearray(chance.randbytes(100) if kind == "noise" else b"")
        file.write_bytes(content)
        try:
            survive(damageable, number, file, kind)
            if name == "checkpoint.pt":
                score_or_refuse(damageable, number)
        finally:
            file.write_bytes(before)


def score_or_refuse(path, number):
    folder = StudyFolder(path)
    try:
        diagnosis_of(folder, number, probes=True)
    except StoreError as error:
        assert f"{folder.trial(number) / 'checkpoint.pt'} is damaged" in str(error)
        assert "remove the trial's folder" in str(error)


def other(chance, array):
    """Return another array in place of one of a rollout: of another shape, kind, size or content."""
    kind = chance.choice(
        ["flat", "empty", "longer", "complex", "text", "bool", "nan", "scalar", "more axes", "negative"]
    )
    changes = {
        "flat": lambda: array.reshape(-1),
        "empty": lambda: array.reshape(-1)[:0],
        "longer": lambda: np.concatenate([array.reshape(array.shape or (1,))] * 2),
        "complex": lambda: np.full(array.shape, 1j),
        "text": lambda: np.full(array.shape, "text"),
        "bool": lambda: np.zeros(array.shape, dtype=bool),
        "nan": lambda: np.full(array.shape, np.nan),
        "scalar": lambda: np.float64(0.5),
        "more axes": lambda: array[..., None],
        "negative": lambda: np.full(array.shape, -5),
    }
    return kind, changes[kind]()


@pytest.mark.parametrize("seed", SEEDS)
def test_rollouts_of_wrong_shape_kind_or_size(damageable, seed):
    chance, folder = random.Random(seed), StudyFolder(damageable)
    number = named(folder)
    file = folder.trial(number) / "rollout.npz"
    before = file.read_bytes()
    arrays = dict(np.load(io.BytesIO(before)))
    for _ in range(EACH):
        name = chance.choice(list(arrays))
        kind, array = other(chance, arrays[name])
        with file.open("wb") as opened:
            np.savez(opened, **{**arrays, name: array})
        try:
            survive(damageable, number, file, (name, kind))
        finally:
            file.write_bytes(before)


def cut_down(state):
    return {name: tensor[:1] for name, tensor in state.items()}


CHECKPOINTS = {
    "another shape": lambda values: {**values, "state_dict": cut_down(values["state_dict"])},
    "another kind": lambda values: {
        **values,
        "state_dict": {k: v.double() for k, v in values["state_dict"].items()},
    },
    "no weights": lambda values: {"config": values["config"]},
    "weights missing": lambda values: {"state_dict": dict(list(values["state_dict"].items())[1:])},
    "weights too many": lambda values: {"state_dict": {**values["state_dict"], "more": torch.zeros(1)}},
    "numbers as weights": lambda values: {"state_dict": dict.fromkeys(values["state_dict"], 1.0)},
    "a list": lambda values: [1, 2],
    "a tensor": lambda values: torch.zeros(3),
}


@pytest.mark.parametrize("kind", CHECKPOINTS)
def test_checkpoints_of_another_shape_or_content(damageable, kind):
    folder = StudyFolder(damageable)
    number = named(folder)
    file = folder.trial(number) / "checkpoint.pt"
    before = file.read_bytes()
    values = torch.load(io.BytesIO(before), weights_only=True)
    torch.save(CHECKPOINTS[kind](values), file)
    try:
        survive(damageable, number, file, kind)
        with pytest.raises(StoreError, match=r"checkpoint.pt is damaged: .*; remove the trial's folder"):
            diagnosis_of(folder, number, probes=True)
    finally:
        file.write_bytes(before)


CURVES = {
    "huge integers": "bin,sequence_steps,loss\n1," + "9" * 40 + ",0.1\n",
    "endless integers": "bin,sequence_steps,loss\n1," + "9" * 5000 + ",0.1\n",
    "text": "bin,sequence_steps,loss\n1,much,0.1\n",
    "no table": "\x00\x01",
    "a quote": 'bin,"loss\n1,2',
    "ragged": "bin,loss\n1,2,3,4\n1\n",
}


@pytest.mark.parametrize("kind", CURVES)
def test_curves_that_are_no_table_of_numbers(damageable, kind):
    folder = StudyFolder(damageable)
    number = named(folder)
    file = folder.trial(number) / "curves.csv"
    before = file.read_bytes()
    file.write_text(CURVES[kind])
    try:
        survive(damageable, number, file, kind)
        if kind not in ("ragged", "no table"):  # which are read as a table, without numbers
            with pytest.raises(StoreError, match=r"curves.csv is damaged: .*; remove the trial's folder"):
                folder.curves(number)
    finally:
        file.write_bytes(before)


def test_a_damaged_picture_is_drawn_again_by_the_next_run(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "results")
    folder = StudyFolder(tmp_path / "results/sine")
    number = named(folder)
    file = folder.trial(number) / "rollout.png"
    assert is_whole_png(file.read_bytes())
    file.write_bytes(file.read_bytes()[:40])
    assert folder.picture(number) is None
    done = invoke(
        "run", "sine", "--trials", "10", "--results", str(tmp_path / "results"), "--executor", "inline"
    )
    assert done.exit_code == 0, done.stderr
    assert is_whole_png(file.read_bytes())


def test_a_damaged_configuration_names_the_record(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "results")
    folder = StudyFolder(tmp_path / "results/sine")
    number = json.loads((folder.path / "winner.json").read_text())["number"]
    file = folder.trial(number) / "trial.json"
    values = json.loads(file.read_text())
    values["config"]["model"]["hidden"] = "many"
    file.write_text(json.dumps(values))
    with pytest.raises(
        StoreError, match=rf"trials/{number:04d}/trial.json is damaged: config.model.hidden: .*remove"
    ):
        name_best(folder, None, folder.records())


def test_the_report_lists_what_is_damaged_and_shows_the_rest(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "results")
    folder = StudyFolder(tmp_path / "results/sine")
    (folder.trial(2) / "trial.json").write_text("{")
    (folder.path / "audit.json").write_text("[]")
    document = report_document(folder)
    assert len(document["damaged"]) == 2
    assert "audit.json is damaged: Input should be an object; remove it" in document["damaged"][1]
    assert [trial["number"] for trial in document["trials"]] == [0, 1, *range(3, 10)]
    done = invoke("report", "sine", "--results", str(tmp_path / "results"))
    assert done.exit_code == 0
    assert "audit.json is damaged" in " ".join(done.stdout.split())
    assert "0002/trial.json is damaged" in (folder.report / "index.html").read_text()


def test_a_report_that_cannot_be_written_is_printed(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "results")
    report = tmp_path / "results/sine/report"
    shutil.rmtree(report, ignore_errors=True)
    report.write_text("a file in the way, as root may write everywhere")
    for option in ("--json", "--csv"):
        done = invoke("report", "sine", option, "--results", str(tmp_path / "results"))
        assert done.exit_code == 0
        assert "warning: cannot make the folder" in done.stderr
        assert done.stdout.startswith("{" if option == "--json" else "number,")
