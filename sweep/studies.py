"""Where study files are found, and which study a command means."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweep.config.errors import SweepError, UsageError
from sweep.config.records import SETTLED, TrialRecord
from sweep.config.registry import nearest
from sweep.report.diagnosis_words import symptom_words
from sweep.report.stored_diagnoses import muted_codes, readable_diagnoses
from sweep.store.folder import StudyFolder, checked_study_name, study_folders

HERE = Path(__file__).resolve().parent


def study_files() -> dict[str, Path]:
    """Return the known study files by name: those in ./studies first, then those that come with sweep."""
    found: dict[str, Path] = {}
    for folder in (Path("studies"), HERE / "studies_shipped", HERE.parent / "studies"):
        for path in sorted(folder.glob("*.toml")):
            found.setdefault(path.stem, path)
    return found


@dataclass(frozen=True)
class Chosen:
    """A study that a command named: its file, and the folder of its results."""

    file: Path
    folder: StudyFolder


def chosen_study(study: str, name: str | None, results: Path) -> Chosen:
    """Return the file and results folder of a study given as a name or a path.

    Args:
        study: name of a known study file, or a path that ends in .toml.
        name: of the results folder; by default the file's.
        results: folder of all studies.

    Raises:
        UsageError: no such study, with the nearest known name.
    """
    path = Path(study)
    if path.suffix == ".toml":
        if not path.is_file():
            raise UsageError(f"no study file {path}")
    else:
        known = study_files()
        stored = StudyFolder(results / study)
        if study in known:
            path = known[study]
        elif stored.exists():
            path = stored.path / "study.toml"
        else:
            raise UsageError(f"no study named {study!r}.{nearest(study, known)} Known: {', '.join(known)}")
    default = path.parent.name if path.name == "study.toml" else path.stem
    return Chosen(path, StudyFolder(results / checked_study_name(name or default)))


def stored_study(study: str, results: Path) -> StudyFolder:
    """Return the results folder of a study given as a name, or as the path of the folder.

    Raises:
        UsageError: it has no results, with the nearest that has.
    """
    for folder in (StudyFolder(results / study), StudyFolder(Path(study))):
        if folder.exists():
            return folder
    known = [folder.name for folder in study_folders(results)]
    listed = f"Studies in {results}: {', '.join(known)}" if known else f"There are no studies in {results}"
    raise UsageError(
        f"no results of a study {study!r}.{nearest(study, known)} {listed}; `sweep run` makes some"
    )


def listing(results: Path) -> dict[str, Any]:
    """Return the studies that have results and the study files that are known, as one JSON document.

    A stored study has `name`, `path`, `trials`, and by state `running`, `complete`, `pruned`, `diverged`,
    `failed`; `best_rollout_error` is null where there is none, and so is `best_symptom`, code and title of what
    that trial shows, or "muted". One that cannot be read has its `error`, and null for all numbers.
    """
    stored: list[dict[str, Any]] = []
    for folder in study_folders(results):
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
    scored = [record for record in records if record.rollout_error is not None]
    best = min(scored, key=lambda record: (record.rollout_error or 0.0, record.number), default=None)
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
    return symptom_words(diagnosis.symptom, diagnosis.code in muted_codes(folder.read_study()))


def _description(path: Path) -> str:
    try:
        return str(tomllib.loads(path.read_text(encoding="utf-8")).get("description", ""))
    except (OSError, ValueError):
        return "cannot be read"
