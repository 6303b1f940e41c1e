"""Study files: TOML and overrides become a checked StudyConfig, or all their mistakes at once."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sweep.config.errors import StudyFileError
from sweep.config.known_names import KnownNames, Settable
from sweep.config.ranges import contains, ends
from sweep.config.registry import nearest
from sweep.config.sections import Component, Section
from sweep.config.space import Space
from sweep.config.space_file import parse_space
from sweep.config.study import SECTIONS, StudyConfig

TOP = ("name", "description", "space", "enqueue", "plugins", "record", *SECTIONS)


def read_study(path: Path, overrides: Sequence[str], known: KnownNames) -> StudyConfig:
    """Return the study of a file with `key.path=value` overrides applied.

    Raises:
        StudyFileError: with every mistake: its key path, what was wanted, what came, the nearest name.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise StudyFileError([f"cannot be read: {error}"], str(path)) from error
    except tomllib.TOMLDecodeError as error:
        raise StudyFileError([f"is not valid TOML: {error}"], str(path)) from error
    document.setdefault("name", path.stem)
    return study_from_document(overridden(document, overrides), known, str(path))


def overridden(document: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """Return the document with each `key.path=value` put in; a value is TOML, or else a plain string.

    Raises:
        StudyFileError: an override without '=' or with an empty key, or one that goes through a value.
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
    return result


def toml_value(text: str) -> Any:
    """Return the text as a TOML value; as a string where it is none."""
    try:
        document = tomllib.loads(f"x = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return document["x"] if len(document) == 1 else text  # several lines are no value


def study_from_document(document: Mapping[str, Any], known: KnownNames, where: str) -> StudyConfig:
    """Return the study of a parsed TOML document.

    Raises:
        StudyFileError: as in `read_study`.
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
    problems += _missing_plugins(document.get("plugins", {}), known)
    sections: dict[str, Section] = {}
    for name, model in SECTIONS.items():
        try:
            sections[name] = model.model_validate(document.get(name, {}))
        except ValidationError as error:
            problems += [mistake_line(name, entry, model) for entry in error.errors()]
    problems += name_problems(sections, known)
    space, space_document, more = parse_space(document.get("space", {}), known, sections)
    problems += more
    enqueue = document.get("enqueue", [])
    if not problems:
        problems += _enqueued(enqueue, space)
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


EXTERNAL = "inputs that are not forecast; every column is, known calendar inputs are data.calendar"
# What forecasters of other kinds know: part of a key's name, and what to do here.
UNSUPPORTED = {
    "exog": EXTERNAL,
    "covariate": EXTERNAL,
    "inputs": EXTERNAL,
    "quantile": "quantiles; a forecast is one number per channel and step",
    "freq": "resampling; series are sampled in even steps, which are read from the time column",
}


def mistake_line(section: str, error: Any, model: type[Section] | None) -> str:
    """Return a mistake that pydantic found in a section as one line, with the nearest right name."""
    path = ".".join([section, *(str(part) for part in error["loc"])])
    if error["type"] == "extra_forbidden":
        known = _fields(model, error["loc"][:-1]) if model else ()
        for word, why in UNSUPPORTED.items():
            if word in str(error["loc"][-1]).lower():
                return f"{path}: not supported: {why}"
        return f"{path}: no such key.{nearest(error['loc'][-1], known)} Known: {', '.join(known)}"
    if error["type"] == "missing":
        return f"{path}: is missing"
    wanted = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if error["type"] == "literal_error":
        choices = wanted.replace("'", "").replace(" or ", ", ").split(", ")
        return f"{path}: wanted {wanted}, got {error['input']!r}.{nearest(error['input'], choices)}"
    if error["type"] == "value_error":
        return f"{path}: {wanted}"
    return f"{path}: wanted {wanted}, got {error['input']!r}"


def _fields(model: type[Section], loc: Sequence[Any]) -> tuple[str, ...]:
    if model is not None and not loc:
        return tuple(model.model_fields)
    return ("at", "keep", "horizon") if "rungs" in loc else ("name",)


def name_problems(sections: Mapping[str, Section], known: KnownNames) -> list[str]:
    """Return the mistakes in names and settings that only the tables of the rooms above can find."""
    problems = []
    if "training" in sections:
        for owner in ("optimizer", "scheduler"):
            component: Component = getattr(sections["training"], owner)
            table, where = known.owned(owner), f"training.{owner}"
            problems += _entry_problems(
                f"{where}.name", where, component.name, component.settings, table, known
            )
    if "model" in sections:
        model: Any = sections["model"]
        problems += _unknown("model.cell", model.cell, known.cells, known)
        problems += _entry_problems(
            "model.kind", "model.options", model.kind, model.options, known.models, known
        )
    if "search" in sections:
        problems += _unknown("search.sampler", sections["search"].sampler, known.samplers, known)  # type: ignore[attr-defined]
    if "score" in sections:
        score: Any = sections["score"]
        problems += _unknown("score.objective", score.objective, known.objectives, known)
        for name in score.baselines:
            problems += _unknown("score.baselines", name, known.baselines, known)
    if "diagnosis" in sections:
        diagnosis: Any = sections["diagnosis"]
        for code in diagnosis.mute:
            problems += _unknown("diagnosis.mute", code, known.codes, known)
        for key in ("probes", "checks"):
            for name in getattr(diagnosis, key):
                problems += _unknown(f"diagnosis.{key}", name, getattr(known, key), known)
    if "data" in sections:
        data: Any = sections["data"]
        if data.source is not None:
            problems += _unknown("data.source", data.source, tuple(known.sources), known)
        if data.source in known.sources:
            problems += _option_problems(data.options, known.sources[data.source], known)
        for name in data.transforms:
            problems += _unknown("data.transforms", name, known.transforms, known)
        for name in data.calendar:
            problems += _unknown("data.calendar", name, known.calendars, known)
    return problems


def _option_problems(options: Mapping[str, Any], source: Settable, known: KnownNames) -> list[str]:
    """Return the mistakes in the options of a source."""
    problems = []
    for key, value in options.items():
        problems += _unknown(f"data.options.{key}", key, tuple(source.defaults), known)
        wanted = type(source.defaults.get(key, value))
        if type(value) is not wanted and not (wanted is float and type(value) is int):
            problems.append(f"data.options.{key}: wanted {wanted.__name__}, got {value!r}")
    if not problems and (problem := source.problem(options)):
        problems.append(f"data.options: {problem}")
    return problems


def _entry_problems(
    name_path: str,
    where: str,
    name: str,
    settings: Mapping[str, Any],
    table: Mapping[str, Settable],
    known: KnownNames,
) -> list[str]:
    """Return the mistakes in a table entry with fixed settings, such as an optimizer."""
    problems = _unknown(name_path, name, tuple(table), known)
    if problems:
        return problems
    entry = table[name]
    for key in settings:
        problems += _unknown(f"{where}.{key}", key, tuple(entry.defaults), known)
    if not problems and (problem := entry.problem(settings)):
        problems.append(f"{where}: {problem}")
    return problems


def _unknown(path: str, name: Any, names: Sequence[str], known: KnownNames) -> list[str]:
    if name in names:
        return []
    for place, reason in known.broken.items():
        if place.endswith(f" {name}"):
            return [f"{path}: {reason}"]
    return [f"{path}: {name!r} is not known.{nearest(name, names)} Known: {', '.join(names) or 'none'}"]


def plugins_used(sections: Mapping[str, Section], space: Space, known: KnownNames) -> dict[str, str]:
    """Return the plug-ins that a study may use, each with its origin: {"optimizer lion": "lion-sweep 0.2"}."""
    training, model, score = (sections[name] for name in ("training", "model", "score"))
    names: list[tuple[str, Any]] = [
        ("optimizer", training.optimizer.name),  # type: ignore[attr-defined]
        ("scheduler", training.scheduler.name),  # type: ignore[attr-defined]
        ("cell", model.cell),  # type: ignore[attr-defined]
        ("model", model.kind),  # type: ignore[attr-defined]
        ("source", sections["data"].source),  # type: ignore[attr-defined]
        ("sampler", sections["search"].sampler),  # type: ignore[attr-defined]
        ("objective", score.objective),  # type: ignore[attr-defined]
        *(("baseline", name) for name in score.baselines),  # type: ignore[attr-defined]
        *(("probe", name) for name in sections["diagnosis"].probes),  # type: ignore[attr-defined]
        *(("check", name) for name in sections["diagnosis"].checks),  # type: ignore[attr-defined]
    ]
    for axis in space.axes:
        if axis.name in ("optimizer", "scheduler", "model", "cell"):
            names = [(kind, name) for kind, name in names if kind != axis.name]
            names += [(axis.name, name) for name in ends(axis.span)]
    keys = [f"{kind} {name}" for kind, name in names]
    return {key: known.origins[key] for key in sorted(keys) if key in known.origins}


def _missing_plugins(recorded: Any, known: KnownNames) -> list[str]:
    """Return the plug-ins that a stored study was made with and that are not there."""
    if not isinstance(recorded, Mapping):
        return [f"plugins: wanted a table, got {recorded!r}"]
    return [
        f"plugins: the {key} comes from {origin}, which is not available here: "
        + ("name the file again with --plugin" if " sha256:" in str(origin) else "install it")
        for key, origin in recorded.items()
        if key not in known.origins
    ]


def _enqueued(entries: Any, space: Space) -> list[str]:
    """Return the mistakes in [[enqueue]]: each must name every hyperparameter of its trial, in its range."""
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        return ["enqueue: wanted tables [[enqueue]], each with the hyperparameters of one trial"]
    problems = []
    for number, entry in enumerate(entries):
        where = f"enqueue[{number}]"
        known: dict[str, Any] = {}
        for axis in space.axes:
            if not axis.exists(known):
                continue
            if axis.name not in entry:
                problems.append(f"{where}.{axis.name}: is missing")
                continue
            value = _tupled(entry[axis.name])
            known[axis.name] = value
            if not contains(axis.span, value):
                problems.append(f"{where}.{axis.name}: {value!r} is not in {axis.span}")
        for key in entry:
            if key not in known:
                names = [axis.name for axis in space.axes if axis.exists(known)]
                problems.append(f"{where}.{key}: no hyperparameter of this trial.{nearest(key, names)}")
    return problems


def _tupled(value: Any) -> Any:
    return tuple(_tupled(entry) for entry in value) if isinstance(value, list) else value


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(entry) for key, entry in value.items()}
    return [_copy(entry) for entry in value] if isinstance(value, list) else value
