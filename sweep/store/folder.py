"""The folder of a study: its files, what each contains, and how they are read and written."""

import contextlib
import io
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tomli_w

from sweep.config.errors import CannotWrite, DamagedCheckpoint, StoreError
from sweep.config.records import TrialRecord, json_bytes, record_from_json, to_json
from sweep.store.files import is_temporary, require_inside, sync_folder, write_atomic, write_json
from sweep.store.forms import (
    BASELINE_REMEDY,
    DOCUMENTS,
    OTHER,
    RECORD,
    Misfit,
    baseline_arrays,
    curves_table,
    is_whole_png,
    parsed,
    related,
    rollout_arrays,
    study_values,
)
from sweep.store.resume import packed, unpacked

REPORT_SECONDS = 600.0  # no report takes longer to write a file; our choice
AGAIN = "remove the trial's folder, and sweep run trains it again"


class StudyFolder:
    """results/<study>/: study.toml, study.db, JSON documents (baselines, winner, ...), trials/<number>/, report/.

    Its folders confirm/, audit/ and treat/<number>/ are study folders, too, for trials that are trained again: with
    replication.json and without study.db; treat/<number>/ also has treatment.json.

    A trial's folder holds trial.json (its record), curves.csv, rollout.npz, rollout.png, checkpoint.pt,
    diagnosis.json and, until the trial ends, resume.bin.

    Nothing outside the study's folder is ever written: a symbolic link in the way is an error that names it.
    """

    def __init__(self, path: Path, root: Path | None = None) -> None:
        """Name a folder.

        Args:
            path: of the folder.
            root: the study's folder, where this one is below it; None: the folder itself.
        """
        self.path = path
        self.root = root or path

    @property
    def name(self) -> str:
        """Return the study's name."""
        return self.path.absolute().name

    @property
    def database(self) -> Path:
        """Return the path of the database of the Optuna study."""
        return self.path / "study.db"

    @property
    def lock(self) -> Path:
        """Return the path of the driver's lock."""
        return self.path / ".lock"

    @property
    def report(self) -> Path:
        """Return the folder of the report."""
        return self.path / "report"

    def trial(self, number: int) -> Path:
        """Return the folder of a trial, whether it exists or not."""
        return self.path / "trials" / f"{number:04d}"

    def exists(self) -> bool:
        """Return whether the folder holds a study."""
        try:
            return (self.path / "study.toml").is_file()
        except OSError:  # such as a name that is too long
            return False

    # --- the study -------------------------------------------------------------------------------

    def write_study(self, document: Mapping[str, Any]) -> None:
        """Store the settings with which the study runs. TOML has no null: entries that are None are left out."""
        self._make(self.path)
        write_atomic(self.path / "study.toml", tomli_w.dumps(_without_none(document)).encode())

    def read_study(self) -> dict[str, Any]:
        """Return the settings with which the study ran.

        Raises:
            StoreError: the folder holds no study, or the file is damaged.
        """
        path = self.path / "study.toml"
        try:
            return study_values(path.read_bytes())
        except FileNotFoundError as error:
            raise StoreError(f"no study in {self.path}: study.toml is missing") from error
        except OSError as error:
            raise StoreError(f"cannot read {path}: {error.strerror or error}") from error
        except Misfit as error:
            raise StoreError(
                f"{path} is damaged: {error}; remove it, and sweep run with the study's file writes it again"
            ) from error

    def write_document(self, name: str, document: Mapping[str, Any]) -> None:
        """Store a document that is not a trial's as JSON, such as `winner`."""
        require_inside(self.root, self.path)
        write_json(self.path / f"{name}.json", to_json(document))

    def read_document(self, name: str) -> dict[str, Any] | None:
        """Return the document of a name, None if it has not been stored.

        Raises:
            StoreError: the file is damaged; the text says what to do.
        """
        return _document(self.path / f"{name}.json")

    def baselines(self) -> dict[str, dict[str, Any]]:
        """Return the scores of the baselines by name, empty before they are computed.

        A baseline that does not apply has a `reason` instead of scores.

        Raises:
            StoreError: the file is damaged.
        """
        return (self.read_document("baselines") or {}).get("baselines") or {}

    def write_baseline_forecast(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Store the forecasts of the best baseline from the validation starts, for pictures: baseline.npz."""
        require_inside(self.root, self.path)
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # type: ignore[arg-type]
        write_atomic(self.path / "baseline.npz", buffer.getvalue(), durable=False)

    def baseline_forecast(self) -> dict[str, np.ndarray]:
        """Return the arrays of baseline.npz, empty if they are not stored: `name`, `forecast`, `last`.

        Trainings on fresh seeds, of an audit or of a treatment have those of their study.

        Raises:
            StoreError: the file is damaged.
        """
        for place in (self.path, *self.path.parents[:2]):
            path = place / "baseline.npz"
            try:
                return baseline_arrays(path.read_bytes())
            except FileNotFoundError:
                continue
            except OSError as error:
                raise StoreError(f"cannot read {path}: {error.strerror or error}") from error
            except Misfit as error:
                raise StoreError(f"{path} is damaged: {error}; {BASELINE_REMEDY}") from error
        return {}

    def treatment(self, number: int) -> "StudyFolder":
        """Return the folder of a trial's treatment, whether it exists or not."""
        return StudyFolder(self.path / "treat" / f"{number:04d}", self.root)

    def reproduction(self, number: int) -> "StudyFolder":
        """Return the folder in which a trial is trained again to be compared, whether it exists or not."""
        return StudyFolder(self.path / "reproduce" / f"{number:04d}", self.root)

    def remove(self) -> None:
        """Remove a folder below the study's; records first, so that no trial without its files is left as settled.

        Raises:
            StoreError: it is the study's own folder, or cannot be removed.
        """
        if self.path == self.root:
            raise StoreError(f"{self.path} is a study: it is not removed")
        require_inside(self.root, self.path)
        try:
            for path in self._record_paths():
                path.unlink()
            shutil.rmtree(self.path)
            if not any(self.path.parent.iterdir()):
                self.path.parent.rmdir()
        except OSError as error:
            raise CannotWrite(f"cannot remove {self.path}: {error.strerror or error}") from error

    def below(self, name: str) -> "StudyFolder":
        """Return the folder confirm/ or audit/, whether it exists or not."""
        return StudyFolder(self.path / name, self.root)

    def treated(self) -> list[int]:
        """Return the numbers of the trials that have a treatment."""
        paths = self.path.glob("treat/*/treatment.json")
        return sorted(int(path.parent.name) for path in paths if path.parent.name.isdecimal())

    def treatment_document(self, number: int) -> dict[str, Any] | None:
        """Return the document of a trial's treatment, None if there is none.

        Raises:
            StoreError: the file is damaged, or is the document of another trial.
        """
        path = self.treatment(number).path / "treatment.json"
        document = _document(path)
        if document is not None and document["number"] != number:
            raise StoreError(
                f"{path} is damaged: it is the treatment of trial {document['number']}; remove it"
            )
        return document

    # --- trials ----------------------------------------------------------------------------------

    def write_record(self, record: TrialRecord) -> None:
        """Store a trial's record; afterwards the record of a trial that has ended survives a power failure.

        The record of a running trial is not synced: after a power failure the trial runs again, with the same result.
        """
        folder = self.trial(record.number)
        self._make(folder)
        write_atomic(folder / "trial.json", json_bytes(record, indent=1) + b"\n", durable=record.settled)
        if record.settled:
            sync_folder(folder.parent)

    def record(self, number: int) -> TrialRecord:
        """Return a trial's record.

        Raises:
            StoreError: the trial does not exist, or its file is damaged.
        """
        path = self.trial(number) / "trial.json"
        if not path.is_file():
            raise StoreError(f"no trial {number} in {self.path}")
        return _record(path)

    def records(
        self, damaged: Callable[[Path, str], None] | None = None, whole: bool = True
    ) -> list[TrialRecord]:
        """Return all records by trial number, with those of running trials.

        Args:
            damaged: called for each damaged record, which is renamed, with the new path and the reason.
            whole: whether with evidence and breakdown, which make up most of a record.

        Raises:
            StoreError: a record is damaged, and `damaged` is None.
        """
        records = []
        for path in self._record_paths():
            try:
                records.append(_record(path, whole))
            except StoreError as error:
                if damaged is None:
                    raise
                renamed = path.with_name("trial.json.damaged")
                require_inside(self.root, path.parent)
                try:
                    path.replace(renamed)
                except OSError as failure:
                    raise StoreError(f"cannot rename {path}: {failure.strerror or failure}") from failure
                damaged(renamed, str(error))
        return sorted(records, key=lambda record: record.number)

    def readable_records(self) -> tuple[list[TrialRecord], list[str]]:
        """Return the records that are not damaged, by trial number, and an error for each damaged one."""
        records, errors = [], []
        for path in self._record_paths():
            try:
                records.append(_record(path))
            except StoreError as error:
                errors.append(str(error))
        return sorted(records, key=lambda record: record.number), errors

    def _record_paths(self) -> list[Path]:
        paths = sorted(self.path.glob("trials/[0-9]*/trial.json"))
        return [
            path for path in paths if path.parent.name.isdecimal()
        ]  # the others are copies that a user made

    def write_files(self, number: int, files: Mapping[str, bytes]) -> None:
        """Store files of a trial (curves.csv, rollout.npz, checkpoint.pt, diagnosis.json, rollout.png, coding.json)."""
        self._make(self.trial(number))
        for name, content in files.items():
            write_atomic(self.trial(number) / name, content, durable=False)

    def rollout(self, number: int) -> dict[str, np.ndarray]:
        """Return the arrays of rollout.npz: the rollouts of a trial's best checkpoint (see results/README.md).

        Raises:
            StoreError: the file is missing or damaged.
        """
        path = self.trial(number) / "rollout.npz"
        try:
            return rollout_arrays(path.read_bytes())
        except FileNotFoundError as error:
            raise StoreError(f"trial {number} has no rollout: {path} is missing; {AGAIN}") from error
        except OSError as error:
            raise StoreError(f"cannot read {path}: {error.strerror or error}") from error
        except Misfit as error:
            raise StoreError(f"{path} is damaged: {error}; {AGAIN}") from error

    def picture(self, number: int) -> bytes | None:
        """Return rollout.png, the trial's plot; None if it is missing or damaged, so that it is to be drawn again."""
        try:
            content = (self.trial(number) / "rollout.png").read_bytes()
        except OSError:
            return None
        return content if is_whole_png(content) else None

    def diagnosis(self, number: int) -> dict[str, Any] | None:
        """Return diagnosis.json, the diagnosis at the trial's end; None if there is none.

        Raises:
            StoreError: the file is damaged.
        """
        return _document(self.trial(number) / "diagnosis.json")

    def weights(self, number: int) -> bytes:
        """Return checkpoint.pt: the weights of a trial's best checkpoint, in the format of `sweep.trial`.

        Raises:
            StoreError: the file cannot be read.
        """
        path = self.trial(number) / "checkpoint.pt"
        try:
            return path.read_bytes()
        except OSError as error:
            raise StoreError(f"cannot read {path}: {error.strerror or error}; {AGAIN}") from error

    @contextlib.contextmanager
    def using_weights(self, number: int) -> Iterator[bytes]:
        """Yield checkpoint.pt; if its user finds it damaged, the error names the file.

        Raises:
            StoreError: the file cannot be read, or is damaged.
        """
        try:
            yield self.weights(number)
        except DamagedCheckpoint as error:
            raise StoreError(
                f"{self.trial(number) / 'checkpoint.pt'} is damaged: {error}; {AGAIN}"
            ) from error

    def coding(self, number: int) -> dict[str, Any]:
        """Return coding.json: the coding of the data of a network that was trained on all data.

        Raises:
            StoreError: the file is missing or damaged.
        """
        path = self.trial(number) / "coding.json"
        document = _document(path)
        if document is None:
            raise StoreError(f"{path} is missing; {DOCUMENTS['coding'].remedy}")
        return document

    def curves(self, number: int) -> pd.DataFrame:
        """Return curves.csv: the records of training in each bin of the budget.

        Raises:
            StoreError: the file is missing or damaged.
        """
        path = self.trial(number) / "curves.csv"
        try:
            return curves_table(path.read_bytes())
        except OSError as error:
            raise StoreError(f"cannot read {path}: {error.strerror or error}; {AGAIN}") from error
        except Misfit as error:
            raise StoreError(f"{path} is damaged: {error}; {AGAIN}") from error

    # --- resuming --------------------------------------------------------------------------------

    def write_resume(self, number: int, header: Mapping[str, Any], checkpoint: bytes) -> None:
        """Store the state from which a running trial resumes: JSON values of the driver, and bytes of the worker.

        The file is not synced: if a power failure or the end of the process destroys it, the trial starts again, with
        the same result.
        """
        path = self.trial(number) / "resume.bin"
        require_inside(self.root, path.parent)
        write_atomic(path, packed(header, checkpoint), durable=False, remove=True)

    def read_resume(self, number: int) -> tuple[dict[str, Any], bytes] | None:
        """Return the state from which a trial resumes, None if the file is missing or damaged."""
        try:
            return unpacked((self.trial(number) / "resume.bin").read_bytes())
        except OSError:
            return None

    def drop_resume(self, number: int) -> None:
        """Remove the state from which a trial resumes."""
        path = self.trial(number) / "resume.bin"
        if os.path.lexists(path):
            require_inside(self.root, path.parent)
            path.unlink(missing_ok=True)

    def make_report(self) -> None:
        """Make the folder of the report.

        Raises:
            StoreError: it cannot be made, or is a symbolic link.
        """
        self._make(self.report)

    def sweep_up(self) -> None:
        """Remove the temporary files of a driver that was killed, and old ones of a report."""
        for path in (*self.path.glob(".*.*"), *self.path.glob("trials/*/.*.*")):
            if is_temporary(path):
                require_inside(self.root, path.parent)
                path.unlink(missing_ok=True)
        for path in self.report.glob(".*.*"):  # a report takes no lock: it may be writing just now
            if is_temporary(path) and path.lstat().st_mtime < time.time() - REPORT_SECONDS:
                require_inside(self.root, path.parent)
                path.unlink(missing_ok=True)

    def _make(self, folder: Path) -> None:
        require_inside(self.root, folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CannotWrite(f"cannot make the folder {folder}: {error.strerror or error}") from error


def study_folders(results: Path) -> list[StudyFolder]:
    """Return the studies in a results folder, by name."""
    if not results.is_dir():
        return []
    folders = (StudyFolder(path) for path in sorted(results.iterdir()) if path.is_dir())
    return [folder for folder in folders if folder.exists()]


def _record(path: Path, whole: bool = True) -> TrialRecord:
    try:
        record = related(record_from_json(parsed(RECORD, path.read_bytes()), whole))
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror or error}") from error
    except Misfit as error:
        raise StoreError(f"{path} is damaged: {error}; {AGAIN}") from error
    if f"{record.number:04d}" != path.parent.name:
        raise StoreError(f"{path} is damaged: it is the record of trial {record.number}; {AGAIN}")
    return record


def _document(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    form = DOCUMENTS.get(path.stem, OTHER)
    try:
        document = parsed(form.form, path.read_bytes())
        form.check(document)
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror or error}") from error
    except Misfit as error:
        raise StoreError(f"{path} is damaged: {error}; {form.remedy}") from error
    return document


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_none(entry) for key, entry in value.items() if entry is not None}
    if isinstance(value, list | tuple):
        return [_without_none(entry) for entry in value]
    return value
