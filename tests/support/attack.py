"""What the tests of the driver share: small studies, trials that cost nothing, and the oracle that compares studies."""

import functools
import hashlib
import json
import math
import sqlite3
import time
import tomllib
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna

from sweep.config.records import PREFIXES, Evaluation, Scores, TrialRecord, to_json
from sweep.config.seeds import seed_of
from sweep.config.study import StudyConfig
from sweep.config.study_file import overridden, study_from_document
from sweep.config.trial import TrialConfig, trial_config_from_json
from sweep.search import SAMPLERS, Driver, History, Interrupts, Outcome, Workers
from sweep.search.execution import Execution
from sweep.search.executors import Slot
from sweep.search.tasks import Functions
from sweep.search.worker import call
from sweep.store import OptunaProjection, StudyFolder
from sweep.study.components import known_names
from sweep.study.open_study import OpenStudy
from sweep.trial import Finished, Segment

SPACE: dict[str, Any] = {
    "cell": ["lstm", "gru"],
    "batch_size": [16, 32, 64],
    "scheduler": {"none": {}, "cosine": {}},
    "optimizer": {
        "sgd": {"lr": {"log": [1e-2, 3.0]}, "momentum": {"log1m": [0.0, 0.99]}},
        "adam": {"lr": {"log": [1e-4, 1e-1]}, "momentum": {"log1m": [0.0, 0.99]}},
        "lbfgs": {"lr": {"log": [0.1, 1.0]}},
    },
}

# A study small enough that a trial takes a fraction of a second.
SMALL: dict[str, Any] = {
    "data": {"source": "sine"},
    "score": {"warmup": 60, "horizon": 60, "starts": 8},
    "model": {"hidden": 8, "layers": 1},
    "training": {"window": 32, "budget": 12_000, "evaluations": 6},
    "pruning": {"startup": 4},
    "search": {"width": 8},
    "space": SPACE,
}


def small_study(*overrides: str, name: str = "attacked", document: Mapping[str, Any] = SMALL) -> StudyConfig:
    """Return the small study with `key.path=value` overrides."""
    named = overridden({**document, "name": name}, ["run.executor=inline", *overrides])
    return study_from_document(named, known_names(), "test")


def opened(path: Path, config: StudyConfig | None = None, **settings: Any) -> OpenStudy:
    """Return a stored small study as `open_study` does, with given settings; `settings` are those of the execution."""
    functions = replace(settings.pop("functions", FAKES), draw=settings.pop("draw", None))
    execution = Execution(executor="inline", functions=functions, **settings)
    study = OpenStudy(path / "study.toml", StudyFolder(path), (), execution)
    vars(study)["config"] = config or small_study()  # takes the place of the cached one
    return study


# --- trials that cost nothing -----------------------------------------------------------------------


def chance(*content: Any) -> float:
    """Return a number in [0, 1) that depends on the content only."""
    return seed_of(*content) / 2**63


def fake_error(config: TrialConfig, point: int) -> float:
    """Return the rollout error of a made-up trial: better with training, at a pace of its own."""
    floor, pace = 0.9 * chance(config.seed, "floor"), 0.5 + 4 * chance(config.seed, "pace")
    return floor + (1 - floor) * math.exp(-pace * (point + 1) / len(config.points))


def fake_scores(error: float) -> Scores:
    """Return scores of which everything follows from the rollout error."""
    return Scores(error, (error,) * len(PREFIXES), error, 10.0, 5.0, 20.0, 0.0, error / 2, error / 2)


def fake_segment(config: TrialConfig, checkpoint: bytes | None, point: int) -> Segment:
    """Return what a made-up trial says at an evaluation point; its checkpoint holds the way it came."""
    way = json.loads(checkpoint) if checkpoint else []
    assert len(way) == point, f"segment {point} was handed a checkpoint after {len(way)}"
    diverged = "made-up divergence" if point == 2 and chance(config.seed, "diverges") < 0.25 else None
    steps = config.points[point]
    scores = fake_scores(1.0 if diverged else fake_error(config, point))
    evaluation = Evaluation(point, steps, steps // 100, scores, 0.1, 0.01)
    return Segment(json.dumps([*way, point]).encode(), evaluation, diverged, 0.0)


def fake_finish(config: TrialConfig, checkpoint: bytes, baselines: object, record: object) -> Finished:
    """Return one file: the way that the made-up trial came."""
    return Finished({"checkpoint.pt": checkpoint}, 0.5, 0.0)


FAKES = Functions(fake_segment, fake_finish)


def driver_of(
    study: StudyConfig, path: Path, functions: Functions = FAKES, workers: int = 1, **settings: Any
) -> Driver:
    """Return a driver of a study in a folder, with the records that are there."""
    folder = StudyFolder(path)
    folder.write_study(study.document())
    records = folder.records(lambda aside, reason: None)
    projection = OptunaProjection(folder.database, study.name, study.space)
    projection.open(records)
    settings = {"watch": lambda event: None, "interrupts": Interrupts(), **settings}
    return Driver(
        study=study,
        folder=folder,
        projection=projection,
        host={},
        workers=Workers(workers, study.run.executor),
        functions=functions,
        records={record.number: record for record in records},
        **settings,
    )


def drive(
    study: StudyConfig,
    path: Path,
    total: int,
    functions: Functions = FAKES,
    workers: int = 1,
    **settings: Any,
) -> Outcome:
    """Run a study in a folder up to a total of trials, or go on with it."""
    driver = driver_of(study, path, functions, workers, **settings)
    try:
        with driver.workers:
            return driver.run(total)
    finally:
        driver.projection.close()


class LateSlot(Slot):
    """A slot whose task is computed when the test wants it to finish."""

    def submit(self, function, *args):
        self.submitted = self.began = time.monotonic()
        future = Future()
        future.task = (function, args)
        self.future = future
        return future

    def kill(self):
        pass

    def close(self):
        pass


def finish_now(future: Any) -> None:
    """Compute what a late slot was given."""
    function, args = future.task
    try:
        future.set_result(call(function, *args))
    except Exception as error:
        future.set_exception(error)


cached_study = functools.cache(small_study)


def running_record(number: int) -> TrialRecord:
    """Return the record of a trial of the small study that runs."""
    study = cached_study()
    params = SAMPLERS["random"].propose(study.space, History((), ()), 0, number)
    return TrialRecord(number, "running", params, study.trial(params).model_dump(mode="json"), "sampled")


def ended_record(number: int) -> TrialRecord:
    """Return the record of a trial that has ended; four numbers in a row end in all four ways."""
    state: Any = ("complete", "pruned", "diverged", "failed")[number % 4]
    failed = state == "failed"
    return replace(
        running_record(number),
        state=state,
        evaluations=(Evaluation(0, 10, 1, fake_scores(0.25 + number / 100), 0.1, 0.1),),
        rollout_error=None if failed else 0.25 + number / 100,
        best=None if failed else 0,
        reason="why" if failed else None,
        sequence_steps=10,
    )


# --- the oracle -------------------------------------------------------------------------------------

MAY_DIFFER = ("seconds", "host")


def comparable(record: TrialRecord) -> dict[str, Any]:
    """Return all of a record that equal studies must share."""
    return {key: value for key, value in to_json(record).items() if key not in MAY_DIFFER}


def projected(folder: StudyFolder) -> list[dict[str, Any]]:
    """Return the trials as study.db tells them."""
    return trials_in(f"sqlite:///{folder.database}")


def trials_in(url: str, name: str | None = None) -> list[dict[str, Any]]:
    """Return the trials of a study, or of the only one, in a database, read the way any Optuna program reads it."""
    storage = optuna.storages.RDBStorage(url)
    try:
        if name is None:
            (name,) = optuna.get_all_study_names(storage)
        trials = optuna.load_study(study_name=name, storage=storage).get_trials(deepcopy=False)
    finally:
        storage.remove_session()
        storage.engine.dispose()
    return [
        {
            "number": t.number,
            "state": t.state.name,
            "value": t.value,
            "params": t.params,
            "attrs": t.user_attrs,
        }
        for t in trials
    ]


def content_of(path: Path) -> Any:
    """Return what a trial's file says; seconds are left out of curves."""
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            return {name: hashlib.sha256(arrays[name].tobytes()).hexdigest() for name in arrays.files}
    return hashlib.sha256(path.read_bytes()).hexdigest()


def trial_files(folder: StudyFolder, number: int) -> dict[str, Any]:
    """Return a trial's files and what they say, but for its record and its picture."""
    paths = {path.name: path for path in sorted(folder.trial(number).iterdir()) if path.name != "trial.json"}
    return {name: "there" if name == "rollout.png" else content_of(path) for name, path in paths.items()}


def trainings(folder: StudyFolder) -> dict[tuple[str, int], Any]:
    """Return what was trained again, by configuration and seed: all of a record but its number, and its files."""
    trained = {}
    for record in folder.records():
        config = trial_config_from_json(record.config)
        content = comparable(record)
        del content["number"]
        trained[config.key, config.seed] = content, trial_files(folder, record.number)
    return trained


def sound(path: Path, total: int) -> list[TrialRecord]:
    """Return a study's records after checking what must hold of every study that is over."""
    folder = StudyFolder(path)
    records = folder.records()
    assert [record.number for record in records] == list(range(total)), "trials are missing"
    assert all(record.settled for record in records), "a trial has not ended"
    with closing(sqlite3.connect(folder.database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    projection = projected(folder)
    assert [trial["number"] for trial in projection] == list(range(total)), "study.db lacks trials"
    states = {"complete": "COMPLETE", "diverged": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL"}
    assert [(t["state"], t["value"]) for t in projection] == [
        (states[r.state], r.rollout_error) for r in records
    ], "study.db and the records differ"
    left = [
        p.name
        for p in path.rglob("*")
        if p.name == "resume.bin" or (p.name.startswith(".") and p.name != ".lock")
    ]
    assert not left, f"left behind: {left}"
    return records


def same_study(one: Path, other: Path, total: int) -> None:
    """Fail unless two studies that are over agree in everything but seconds and host."""
    left, right = sound(one, total), sound(other, total)
    for mine, theirs in zip(left, right, strict=True):
        one_says, other_says = comparable(mine), comparable(theirs)
        differing = {k: (one_says[k], other_says[k]) for k in one_says if one_says[k] != other_says[k]}
        assert not differing, f"trial {mine.number}"
        files = [trial_files(StudyFolder(path), mine.number) for path in (one, other)]
        assert files[0] == files[1], f"trial {mine.number}"
    assert projected(StudyFolder(one)) == projected(StudyFolder(other))
    documents = [tomllib.loads((path / "study.toml").read_text()) for path in (one, other)]
    for document in documents:
        for key in ("name", "run", "search", "record"):
            document.pop(key, None)
    assert documents[0] == documents[1]


def states_of(records: Sequence[TrialRecord]) -> dict[str, int]:
    """Return how many trials ended in which state."""
    states = [record.state for record in records]
    return {state: states.count(state) for state in sorted(set(states))}
