"""A package of plug-ins, built, installed and swept with worker processes; and plug-ins that misbehave."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import invoke
from tests.support.plugin_examples import VERSION, install_package

STUDY = """
[data]
source = "sine"
options = { T = 5, length = 100, series = 10 }
[score]
warmup = 30
horizon = 30
starts = 4
[model]
hidden = 6
layers = 1
[training]
budget = 8000
evaluations = 4
window = 20
batch_size = 8
[search]
trials = 8
width = 4
sampler = "random"
[pruning]
enabled = false
[space]
cell = ["gru", "mgu"]
[space.scheduler]
none = {}
linear = {}
[space.optimizer.lion]
lr = { log = [1e-3, 1e-2] }
[space.optimizer.adam]
lr = { log = [1e-3, 1e-2] }
[space.model.elman]
width = { int = [4, 8] }
[space.model.recurrent]
"""
NAMES = {"lion", "linear", "mgu", "elman"}


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The folder in which the package is installed."""
    return install_package(tmp_path_factory.mktemp("package"))


def sweep(folder: Path, *args: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Call the command line in a process of its own, with a folder of packages on its path."""
    places = [str(path)] if path else []
    places += [place for place in os.environ.get("PYTHONPATH", "").split(os.pathsep) if place]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(places), "NO_COLOR": "1"}
    command = [sys.executable, "-m", "sweep.cli", *args]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def begin(folder: Path, study: str = STUDY) -> Path:
    """Write a study file and an empty list of baselines, which take long; return the results folder."""
    (folder / "zoo.toml").write_text(study)
    results = folder / "results" / "zoo"
    results.mkdir(parents=True)
    (results / "baselines.json").write_text('{"baselines": {}}')
    return results


def records(results: Path) -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted(results.glob("trials/*/trial.json"))]


@pytest.fixture(scope="module")
def swept(site: Path, tmp_path_factory) -> Path:
    """A folder in which the study was run with two worker processes."""
    folder = tmp_path_factory.mktemp("swept")
    begin(folder)
    done = sweep(folder, "run", "zoo.toml", "--workers", "2", "--no-confirm", path=site)
    assert done.returncode == 0, done.stderr
    return folder


def test_plugins_are_swept_in_worker_processes(swept: Path):
    made = records(swept / "results" / "zoo")
    assert [record["state"] for record in made] == ["complete"] * 8, [record["reason"] for record in made]
    used = {entry for record in made for entry in record["config"].get("plugins", [])}
    assert {entry.split()[1] for entry in used} == NAMES
    assert all(entry.endswith(f"= sweep-zoo {VERSION}") for entry in used)
    document = (swept / "results" / "zoo" / "study.toml").read_text()
    assert f'"optimizer lion" = "sweep-zoo {VERSION}"' in document


def test_a_trial_without_plugins_has_none_in_its_record(swept: Path):
    without = [record for record in records(swept / "results" / "zoo") if "plugins" not in record["config"]]
    used = [record for record in records(swept / "results" / "zoo") if "plugins" in record["config"]]
    assert used
    for record in without:
        assert not NAMES & set(map(str, record["params"].values()))


def test_the_same_study_in_one_process_has_the_same_trials(swept: Path, site: Path, tmp_path: Path):
    begin(tmp_path)
    done = sweep(tmp_path, "run", "zoo.toml", "--executor", "inline", "--no-confirm", path=site)
    assert done.returncode == 0, done.stderr
    ours, theirs = records(tmp_path / "results" / "zoo"), records(swept / "results" / "zoo")
    for one, other in zip(ours, theirs, strict=True):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}


def test_another_version_is_refused_with_the_difference(swept: Path, site: Path, tmp_path: Path):
    folder, newer = tmp_path / "copy", tmp_path / "site"
    shutil.copytree(swept, folder)
    shutil.copytree(site, newer)
    (info,) = newer.glob("sweep_zoo-*.dist-info")
    text = (info / "METADATA").read_text()
    (info / "METADATA").write_text(text.replace(f"Version: {VERSION}", "Version: 0.2"))
    info.rename(newer / "sweep_zoo-0.2.dist-info")
    done = sweep(folder, "run", "zoo.toml", "--trials", "9", path=newer)
    assert done.returncode == 2
    assert f"plugins.optimizer lion: sweep-zoo {VERSION} in the results, sweep-zoo 0.2 now" in done.stderr
    assert len(records(folder / "results" / "zoo")) == 8


def test_without_the_package_the_study_is_read_but_not_resumed(swept: Path, tmp_path: Path):
    shutil.copytree(swept, tmp_path / "copy")
    where = ("zoo", "--results", str(tmp_path / "copy/results"))  # this process does not have the package
    done = invoke("run", *where, "--trials", "9")
    assert done.exit_code == 2
    assert f"the optimizer lion comes from sweep-zoo {VERSION}, which is not available here" in done.stderr
    assert invoke("report", *where).exit_code == 0
    assert invoke("show", "0", *where).exit_code == 0


MISBEHAVING = """
import torch
from torch import nn
from sweep.extend import CellSpec, LogUniform, ModelSpec, OptimizerSpec


class Broken(torch.optim.SGD):
    def step(self, closure=None):
        raise RuntimeError("no step today")


class Wrong(nn.Module):
    def __init__(self, answer):
        super().__init__()
        self.weight, self.answer = nn.Parameter(torch.zeros(1)), answer

    def forward(self, inputs, state=None, free=0):
        shape = (*inputs.shape[:2], 1) if self.answer == "nan" else (len(inputs), 3)
        forecasts = self.weight + inputs.new_zeros(shape)
        if self.answer == "nan":
            forecasts = forecasts * float("nan")
        return forecasts, (inputs.new_zeros(1, len(inputs), 1),)


def models(s, inputs, outputs):
    return Wrong(s["answer"])


BROKEN = OptimizerSpec(
    "broken", lambda params, s, decay: Broken(params, lr=s["lr"]), {"lr": 0.1}, {"lr": LogUniform(0.1, 1.0)}, "a test"
)
SHAPES = ModelSpec("shapes", models, {"answer": "shape"}, {}, "a test")
NANS = ModelSpec("nans", models, {"answer": "nan"}, {}, "a test")
ADAM = OptimizerSpec("adam", lambda params, s, decay: Broken(params, lr=s["lr"]), {"lr": 0.1}, {}, "a test")
FLAT = CellSpec(
    name="flat", module=None, gates=1, components=1, sigmoid_gates=(), keeping_gate=0,
    step=lambda x, state, weights: (x,), source="a test",
)
"""
FAULTS = """
[search]
trials = 6
width = 6
[[enqueue]]
optimizer = "broken"
model = "recurrent"
cell = "gru"
"broken.lr" = 0.5
[[enqueue]]
optimizer = "adam"
model = "shapes"
"adam.lr" = 0.005
[[enqueue]]
optimizer = "adam"
model = "nans"
"adam.lr" = 0.005
[[enqueue]]
optimizer = "adam"
model = "recurrent"
cell = "flat"
"adam.lr" = 0.005
[[enqueue]]
optimizer = "adam"
model = "recurrent"
cell = "gru"
"adam.lr" = 0.005
[[enqueue]]
optimizer = "adam"
model = "recurrent"
cell = "gru"
"adam.lr" = 0.006
[space]
cell = ["gru", "flat"]
[space.model]
recurrent = {}
shapes = {}
nans = {}
[space.optimizer.broken]
lr = { log = [0.1, 1.0] }
[space.optimizer.adam]
lr = { log = [1e-3, 1e-2] }
"""


def test_a_plugin_that_misbehaves_fails_its_trial_alone(tmp_path: Path):
    (tmp_path / "mine.py").write_text(MISBEHAVING)
    study = STUDY[: STUDY.index("[search]")] + "[pruning]\nenabled = false\n" + FAULTS
    results = begin(tmp_path, study)
    run = ("run", "zoo.toml", "--workers", "2", "--no-confirm", "--plugin", "mine.py")
    done = sweep(tmp_path, *run)
    assert done.returncode == 0, done.stderr
    assert (
        "plug-in optimizer 'adam' of mine.py" in done.stderr
    )  # a name that is taken: one line, and sweep's own is used
    assert "the name is taken" in done.stderr
    made = records(results)
    assert [record["state"] for record in made][:2] == ["failed", "failed"]
    assert "broken" in made[0]["reason"] and "no step today" in made[0]["reason"]
    assert "shapes" in made[1]["reason"]
    assert made[2]["state"] == "diverged"
    assert made[3]["state"] == "failed" and "flat" in made[3]["reason"]
    assert [record["state"] for record in made[4:]] == ["complete", "complete"]
    assert all("\n" not in (record["reason"] or "") for record in made)
    # a changed file is another plug-in
    (tmp_path / "mine.py").write_text(MISBEHAVING + "\n# changed\n")
    again = sweep(tmp_path, *run, "--trials", "7")
    assert again.returncode == 2 and "plugins.optimizer broken: mine.py sha256:" in again.stderr
    # and a file that is not named again is not loaded
    alone = sweep(tmp_path, "run", "zoo", "--trials", "7")
    assert alone.returncode == 2 and "name the file again with --plugin" in alone.stderr
