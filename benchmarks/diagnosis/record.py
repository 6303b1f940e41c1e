"""One run and its files: those of a stored trial in one zip, addressed by the configuration."""

import contextlib
import hashlib
import io
import json
import os
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from sweep.config.records import TrialRecord, record_from_json, to_json
from sweep.config.trial import TrialConfig
from sweep.search.running_trial import RunningTrial
from sweep.trial import finish
from sweep.trial.process import trial_process
from sweep.trial.segment import Run


def address(config: TrialConfig) -> str:
    """Return the run's name: a hash of everything that its result depends on."""
    text = json.dumps(config.model_dump(mode="json", exclude={"threads"}), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


class Cache:
    """A folder of runs: `data/` holds the data files, `runs/` a zip per run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    @property
    def data(self) -> Path:
        """Return the folder of the data files; configurations name them relative to it."""
        return self.folder / "data"

    def place(self, config: TrialConfig) -> Path:
        """Return the path of a run's zip, which need not exist."""
        name = address(config)
        return self.folder / "runs" / name[:2] / f"{name}.zip"

    def record(self, config: TrialConfig) -> TrialRecord | None:
        """Return the record of a run, None if it has not been made."""
        try:
            return record_from_json(json.loads(self.file(config, "trial.json")))
        except FileNotFoundError:
            return None

    def file(self, config: TrialConfig, name: str) -> bytes:
        """Return a file of a run by its name, such as trial.json or rollout.npz, as a stored trial has it.

        Raises:
            FileNotFoundError: the run has not been made.
        """
        with zipfile.ZipFile(self.place(config)) as archive:
            return archive.read(name)

    def diagnosis(self, config: TrialConfig) -> dict[str, Any]:
        """Return a run's diagnosis.json, empty if its rollout could not be judged."""
        try:
            return dict(json.loads(self.file(config, "diagnosis.json")))
        except KeyError:
            return {}

    def make(self, config: TrialConfig) -> TrialRecord:
        """Return the record of a run, which is made now if it is missing."""
        known = self.record(config)
        if known is not None:
            return known
        with inside(self.data):
            record, files = carried_out(config)
        files["trial.json"] = json.dumps(to_json(record)).encode()
        place = self.place(config)
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_suffix(f".part{os.getpid()}")
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        part.replace(place)
        return record


def carried_out(config: TrialConfig) -> tuple[TrialRecord, dict[str, bytes]]:
    """Return the record and the files of a trial, trained in one go: the same bits as segment by segment.

    `seconds` of the record are those of the processor, since other work may share the core.
    """
    began = time.process_time()
    record = TrialRecord(0, "running", {}, config.model_dump(mode="json"), "enqueued")
    trial = RunningTrial(record, config)
    with trial_process():
        run = Run(config)
        for point in range(len(config.points)):
            evaluation = run.advance(point)
            trial.advance(b"", evaluation, run.trainer.diverged, 0.0)
            if run.trainer.diverged:
                break
        state = io.BytesIO()
        torch.save(run.state(), state)
    finished = finish(config, state.getvalue())
    seconds = time.process_time() - began
    return trial.settled(finished.exposure_gap, seconds), dict(finished.files)


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Work in a folder: configurations name their data relative to it, and no path of this machine."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.chdir(folder):
        yield
