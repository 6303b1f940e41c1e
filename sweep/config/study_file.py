"""Study files: TOML and overrides become a checked StudyConfig, or all their mistakes at once."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sweep.config.bounds import LARGEST_SEED
from sweep.config.errors import StudyFileError
from sweep.config.known_names import KnownNames
from sweep.config.mistakes import mistake_line, name_problems
from sweep.config.ranges import contains, ends
from sweep.config.registry import nearest
from sweep.config.section import Section
from sweep.config.sections import SearchConfig
from sweep.config.space import Space
from sweep.config.space_file import parse_space
from sweep.config.study import SECTIONS, StudyConfig

TOP = ("name", "description", "space", "enqueue", "plugins", "record", *SECTIONS)


DEEPEST = 20  # tables and lists in each other; the deepest of a study file are space.readout_refit.<value>.optimizer's
TOO_DEEP = f"has tables or lists nested more than {DEEPEST} deep"


def study_from_file(path: Path, overrides: Sequence[str], known: KnownNames) -> StudyConfig:
    """Return the study of a file with `key.path=value` overrides applied.

    Raises:
        StudyFileError: with every mistake: its key path, what was wanted, what came, the nearest name.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise StudyFileError([f"cannot be read: {error}"], str(path)) from error
    except RecursionError as error:
        raise StudyFileError([TOO_DEEP], str(path)) from error
    except ValueError as error:  # also an integer of more digits than Python converts
        raise StudyFileError([f"is not valid TOML: {error}"], str(path)) from error
    if problem := _extreme(document):
        raise StudyFileError([problem], str(path))
    document.setdefault("name", path.stem)
    return study_from_document(overridden(document, overrides), known, str(path))


def overridden(document: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """Return the document with the value of each `key.path=value`, which is TOML, or else a plain string.

    Raises:
        StudyFileError: an override without '=' or with an empty key, or a key path that leads through a value.
    """
    result: dict[str, Any] = _copy(document)
    for text in overrides:
        key, sign, value = text.partition("=")
        path = [part.strip() for part in key.split(".")]
        if not sign or not all(path):
            raise StudyFileError([f"wanted key.path=value, got {text!r}"], "--set")
        target = result
        for part in path[:-1]:
            target = target.setdefault(part, {})
            if not isinstance(target, dict):
                raise StudyFileError([f"{key}: {part} is a value, not a table"], "--set")
        target[path[-1]] = toml_value(value.strip())
    if problem := _extreme(result):
        raise StudyFileError([problem], "--set")
    return result


def toml_value(text: str) -> Any:
    """Return the text as a TOML value; the text itself if it is not valid TOML."""
    try:
        document = tomllib.loads(f"x = {text}")
    except (ValueError, RecursionError):
        return text
    return document["x"] if len(document) == 1 else text  # several lines are not one value


def _extreme(document: Mapping[str, Any]) -> str | None:
    """Return what no study file has: tables nested too deep, or an integer beyond those of TOML; None if nothing."""
    level: list[Any] = [document]
    for _ in range(DEEPEST):
        inner: list[Any] = []
        for value in level:
            if isinstance(value, int) and not -LARGEST_SEED - 1 <= value <= LARGEST_SEED:
                return f"has an integer beyond the 64 bits of TOML, of {value.bit_length()} bits"
            if isinstance(value, Mapping | list):
                inner += value.values() if isinstance(value, Mapping) else value
        level = inner
    return TOO_DEEP if level else None


def study_from_document(document: Mapping[str, Any], known: KnownNames, where: str) -> StudyConfig:
    """Return the study of a parsed TOML document.

    Args:
        document: of a study file or of a stored study.
        known: the names that it may use.
        where: the file, for messages.

    Raises:
        StudyFileError: as in `study_from_file`.
    """
    problems = [
        f"{key}: no such section.{nearest(key, TOP)} Known: {', '.join(TOP)}"
        for key in document
        if key not in TOP
    ]
    problems += [
        f"{key}: wanted text, got {document[key]!r}"
        for key in ("name", "description")
        if not isinstance(document.get(key, ""), str)
    ]
    recorded = document.get("plugins", {})
    if isinstance(recorded, Mapping):
        known = known.with_recorded(recorded)
    else:
        problems.append(f"plugins: wanted a table, got {recorded!r}")
    sections: dict[str, Section] = {}
    for name, model in SECTIONS.items():
        try:
            sections[name] = model.model_validate(document.get(name, {}))
        except ValidationError as error:
            problems += [mistake_line(name, entry, model) for entry in error.errors()]
    problems += name_problems(sections, known)
    space, space_document, space_problems = parse_space(document.get("space", {}), known, sections)
    problems += space_problems
    search = sections.get("search")
    if (
        isinstance(search, SearchConfig)
        and search.in_turn
        and not problems
        and not space.choice(search.in_turn)
    ):
        names = ", ".join(axis.name for axis in space.axes if space.choice(axis.name)) or "there is none"
        problems.append(
            f"search.in_turn: wanted a choice of [space] that every trial has ({names}), got {search.in_turn!r}"
        )
    enqueue = document.get("enqueue", [])
    if not problems:
        problems += _enqueue_problems(enqueue, space)
    if problems:
        raise StudyFileError(problems, where)
    study = StudyConfig(
        name=document.get("name", where),
        description=document.get("description", ""),
        space=space,
        space_document=space_document,
        plugins=plugins_used(sections, space, known),
        enqueue=tuple({key: _tupled(value) for key, value in params.items()} for params in enqueue),
        **sections,  # type: ignore[arg-type]
    )
    for number, params in enumerate(study.enqueue):
        try:
            study.trial(params)
        except ValidationError as error:
            problems += [mistake_line(f"enqueue[{number}]", entry, None) for entry in error.errors()]
    if problems:
        raise StudyFileError(problems, where)
    return study


def plugins_used(sections: Mapping[str, Any], space: Space, known: KnownNames) -> dict[str, str]:
    """Return the plug-ins that a study may use, each with its origin: {"optimizer lion": "lion-sweep 0.2"}."""
    training, model, score, diagnosis = (
        sections[name] for name in ("training", "model", "score", "diagnosis")
    )
    fixed = {
        "optimizer": [training.optimizer.name],
        "scheduler": [training.scheduler.name],
        "cell": [model.cell],
        "model": [model.kind],
        "source": [sections["data"].source],
        "sampler": [sections["search"].sampler],
        "objective": [score.objective],
        "baseline": score.baselines,
        "probe": diagnosis.probes,
        "check": diagnosis.checks,
    }
    sampled = {axis.name: ends(axis.span) for axis in space.axes if axis.name in fixed}
    keys = [f"{kind} {name}" for kind, names in {**fixed, **sampled}.items() for name in names]
    return {key: known.origins[key] for key in sorted(keys) if key in known.origins}


def _enqueue_problems(entries: Any, space: Space) -> list[str]:
    """Return the mistakes in [[enqueue]]: each entry must hold every hyperparameter of its trial, in its range."""
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        return ["enqueue: wanted tables [[enqueue]], each with the hyperparameters of one trial"]
    problems = []
    for number, entry in enumerate(entries):
        where = f"enqueue[{number}]"
        params: dict[str, Any] = {}
        for axis in space.axes:
            if not axis.exists(params):
                continue
            if axis.name not in entry:
                problems.append(f"{where}.{axis.name}: is missing")
                continue
            value = _tupled(entry[axis.name])
            params[axis.name] = value
            if not contains(axis.span, value):
                problems.append(f"{where}.{axis.name}: {value!r} is not in {axis.span}")
        for key in entry:
            if key not in params:
                names = [axis.name for axis in space.axes if axis.exists(params)]
                problems.append(
                    f"{where}.{key}: not a hyperparameter of this trial.{nearest(key, names)} "
                    f"Known: {', '.join(names)}"
                )
    return problems


def _tupled(value: Any) -> Any:
    return tuple(_tupled(entry) for entry in value) if isinstance(value, list) else value


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(entry) for key, entry in value.items()}
    return [_copy(entry) for entry in value] if isinstance(value, list) else value
