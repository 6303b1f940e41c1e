"""Study files: TOML and overrides become a checked StudyConfig, or all their mistakes at once."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sweep.config.errors import StudyFileError
from sweep.config.known_names import KnownNames, Settable
from sweep.config.ranges import contains
from sweep.config.registry import nearest
from sweep.config.sections import Component, Section
from sweep.config.space import COMPONENTS, Space
from sweep.config.space_file import parse_space
from sweep.config.study import SECTIONS, StudyConfig

TOP = ("name", "description", "space", "enqueue", "record", *SECTIONS)


def read_study(path: Path, overrides: Sequence[str], known_names: KnownNames) -> StudyConfig:
    """Return the study of a file with `key.path=value` overrides applied.

    Raises:
        StudyFileError: with every mistake: its key path, what was wanted, what came, the nearest name.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise StudyFileError([f"cannot be read: {error}"], str(path)) from error
    except tomllib.TOMLDecodeError as error:
        raise StudyFileError([f"is no TOML: {error}"], str(path)) from error
    document.setdefault("name", path.stem)
    return study_from_document(overridden(document, overrides), known_names, str(path))


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


def study_from_document(document: Mapping[str, Any], known_names: KnownNames, where: str) -> StudyConfig:
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
    sections: dict[str, Section] = {}
    for name, model in SECTIONS.items():
        try:
            sections[name] = model.model_validate(document.get(name, {}))
        except ValidationError as error:
            problems += [mistake_line(name, entry, model) for entry in error.errors()]
    problems += name_problems(sections, known_names)
    space, space_document, more = parse_space(document.get("space", {}), known_names, sections)
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


def name_problems(sections: Mapping[str, Section], known_names: KnownNames) -> list[str]:
    """Return the mistakes in names that only the tables of the parts can know."""
    problems = []
    if "training" in sections:
        for owner in COMPONENTS:
            component: Component = getattr(sections["training"], owner)
            problems += component_problems(f"training.{owner}", component, owner, known_names)
    if "model" in sections:
        problems += _unknown("model.cell", sections["model"].cell, known_names.cells)  # type: ignore[attr-defined]
    if "search" in sections:
        problems += _unknown("search.sampler", sections["search"].sampler, known_names.samplers)  # type: ignore[attr-defined]
    if "diagnosis" in sections:
        for code in sections["diagnosis"].mute:  # type: ignore[attr-defined]
            problems += _unknown("diagnosis.mute", code, known_names.codes)
    if "data" in sections:
        data: Any = sections["data"]
        if data.source is not None:
            problems += _unknown("data.source", data.source, tuple(known_names.sources))
        if data.source in known_names.sources:
            problems += _option_problems(data.options, known_names.sources[data.source])
        for name in data.transforms:
            problems += _unknown("data.transforms", name, known_names.transforms)
        for name in data.calendar:
            problems += _unknown("data.calendar", name, known_names.calendars)
    return problems


def _option_problems(options: Mapping[str, Any], offer: Settable) -> list[str]:
    """Return the mistakes in the options of a source."""
    problems = []
    for key, value in options.items():
        problems += _unknown(f"data.options.{key}", key, tuple(offer.defaults))
        wanted = type(offer.defaults.get(key, value))
        if type(value) is not wanted and not (wanted is float and type(value) is int):
            problems.append(f"data.options.{key}: wanted {wanted.__name__}, got {value!r}")
    if not problems and offer.check is not None:
        try:
            offer.check({**offer.defaults, **options})
        except ValueError as error:
            problems.append(f"data.options: {error}")
    return problems


def component_problems(path: str, component: Component, owner: str, known_names: KnownNames) -> list[str]:
    """Return the mistakes in an optimizer or scheduler with fixed settings."""
    table = known_names.optimizers if owner == "optimizer" else known_names.schedulers
    problems = _unknown(f"{path}.name", component.name, tuple(table))
    if problems:
        return problems
    offer = table[component.name]
    for key in component.settings:
        problems += _unknown(f"{path}.{key}", key, tuple(offer.defaults))
    if not problems and offer.check is not None:
        try:
            offer.check({**offer.defaults, **component.settings})
        except (ValueError, TypeError) as error:
            problems.append(f"{path}: {error}")
    return problems


def _unknown(path: str, name: Any, known: Sequence[str]) -> list[str]:
    if name in known:
        return []
    return [f"{path}: {name!r} is not known.{nearest(name, known)} Known: {', '.join(known) or 'none'}"]


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
