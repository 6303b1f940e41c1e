"""The list of the studies that have results, and of the known study files."""

import tomllib
from pathlib import Path
from typing import Any

from sweep.config.errors import SweepError
from sweep.config.records import SETTLED, TrialRecord
from sweep.results.selection import ranked
from sweep.results.stored_diagnoses import muted_codes, readable_diagnoses
from sweep.results.wording.diagnosis import symptom_text
from sweep.store.folder import StudyFolder, study_folders
from sweep.study.find import study_files


def listing(*, results: str | Path = "results") -> dict[str, Any]:
    """Return the studies that have results and the known study files, as one JSON document.

    A stored study has `name`, `path`, `trials`, and by state `running`, `complete`, `pruned`, `diverged`,
    `failed`; `best_rollout_error`, the lowest selected one, and `best_symptom`, code and title of that trial's symptom
    or "muted"; both are null if no trial has a score. A study that cannot be read has its `error`, and null for all
    numbers.

    Args:
        results: folder of all studies.
    """
    stored: list[dict[str, Any]] = []
    for folder in study_folders(Path(results)):
        entry: dict[str, Any] = {"name": folder.name, "path": str(folder.path)}
        try:
            stored.append({**entry, **_summary(folder), "error": None})
        except SweepError as error:
            nothing = dict.fromkeys(("trials", "running", *SETTLED, "best_rollout_error", "best_symptom"))
            stored.append({**entry, **nothing, "error": str(error)})
    known = [
        {"name": name, "path": str(path), "description": _description(path)}
        for name, path in study_files().items()
    ]
    return {"results": stored, "study_files": known}


def _summary(folder: StudyFolder) -> dict[str, Any]:
    records = folder.records()
    states = [record.state for record in records]
    best = next(iter(ranked(records)), None)
    return {
        "trials": len(records),
        **{state: states.count(state) for state in ("running", *SETTLED)},
        "best_rollout_error": None if best is None else best.rollout_error,
        "best_symptom": None if best is None else _symptom(folder, best),
    }


def _symptom(folder: StudyFolder, record: TrialRecord) -> str | None:
    diagnosis = readable_diagnoses(folder, [record]).get(record.number)
    if diagnosis is None:
        return None
    return symptom_text(diagnosis.symptom, diagnosis.code in muted_codes(folder.read_study()))


def _description(path: Path) -> str:
    try:
        return str(tomllib.loads(path.read_text(encoding="utf-8")).get("description", ""))
    except (OSError, ValueError, RecursionError):
        return "cannot be read"
