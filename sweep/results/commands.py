"""Commands as texts that can be pasted into a shell: what was run, and how a study is run again with changes."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sweep.config.text import assignment_text
from sweep.results.study import StoredStudy
from sweep.store.folder import StudyFolder
from sweep.study.find import PACKAGE

DEFAULT_RESULTS = "results"  # folder of all studies
SHIPPED = (PACKAGE / "studies_shipped", PACKAGE.parent / "studies")  # study files that have a name


def study_command(folder: StudyFolder, *words: Any) -> str:
    """Return a command on a stored study: `sweep confirm sine`, given "confirm" and its other words.

    The study's name, and the folder of all studies where it is not the default, are added.

    Args:
        folder: of the study.
        *words: of the command; `...` stands for the study's name, and without it the name comes last.
    """
    placed = [folder.name if word is ... else str(word) for word in words]
    placed += [] if ... in words else [folder.name]
    return shlex.join(["sweep", *placed, *_results(folder)])


def changed_run_command(study: StoredStudy, suffix: str, changes: Mapping[str, Any]) -> str:
    """Return the command that runs the study as it was run, but for some settings, under another name.

    Args:
        study: as stored.
        suffix: of the new name.
        changes: values by key path of the study file.
    """
    file, name = study.folder.path / "study.toml", f"{study.folder.name}-{suffix}"
    start = ["sweep", "run", str(file), "--name", name, "--trials", str(max(1, len(study.records)))]
    settings = [f"--set {assignment_text(path, value)}" for path, value in changes.items()]
    return " ".join([shlex.join(start), *settings, *map(shlex.quote, _results(study.folder))])


def commands_run(study: StoredStudy) -> list[str]:
    """Return the commands by which the stored results came about, in an order that gives them again."""
    return [_run(study), *_confirmed(study), *_treated(study), *_audited(study)]


def _run(study: StoredStudy) -> str:
    facts = study.facts
    file = Path(str(facts.get("source") or study.name))
    source = file.stem if file.parent in SHIPPED else str(file)
    words = ["run", source, "--trials", max(1, len(study.records))]
    words += [] if file.stem == study.folder.name else ["--name", study.folder.name]
    words += [word for override in facts.get("overrides") or () for word in ("--set", override)]
    words += [word for plugin in _plugin_files(study) for word in ("--plugin", plugin)]
    top = (study.document.get("confirm") or {}).get("top", 1)
    words += ["--no-confirm"] if study.finished and study.confirmation is None and top else []
    return shlex.join(["sweep", *map(str, words), *_results(study.folder)])


def _confirmed(study: StoredStudy) -> list[str]:
    """Return the command of a larger confirmation than the one at the end of the run."""
    done, planned = study.confirmation, study.document.get("confirm") or {}
    if done is None or (done["top"], done["seeds"]) == (planned.get("top"), planned.get("seeds")):
        return []
    return [study_command(study.folder, "confirm", ..., "--top", done["top"], "--seeds", done["seeds"])]


def _treated(study: StoredStudy) -> list[str]:
    commands = []
    for treatment in study.treatments:
        arms = [arm for arm in treatment["arms"] if arm["kind"] == "prescription"]
        words = ["treat", treatment["number"], ..., "--seeds", treatment["seeds"]]
        words += [
            word
            for arm in arms
            if arm["prescription"] is not None
            for word in ("--prescription", arm["prescription"])
        ]
        own = [
            f"--change {assignment_text(change['path'], change['value'])}"
            for arm in arms
            if arm["prescription"] is None
            for change in arm["changes"]
            if change["value"] is not None
        ]
        commands.append(" ".join([study_command(study.folder, *words), *own]))
    return commands


def _audited(study: StoredStudy) -> list[str]:
    trials = (study.audit or {}).get("trials") or ()
    return [study_command(study.folder, "audit", ..., "--trials", len(trials))] if trials else []


def _plugin_files(study: StoredStudy) -> Sequence[str]:
    """Return the Python files of the plug-ins of the study; those of installed packages need no option."""
    origins = (str(origin).rpartition(" ") for origin in (study.document.get("plugins") or {}).values())
    return list(dict.fromkeys(place for place, _, version in origins if version.startswith("sha256:")))


def _results(folder: StudyFolder) -> list[str]:
    parent = str(folder.path.parent)
    return [] if parent == DEFAULT_RESULTS else ["--results", parent]
