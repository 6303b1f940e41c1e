"""The mistakes in the sections of a study file, each as one line: key path, what was wanted, what came."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sweep.config.bounds import MOST_STEPS, MOST_VALUES
from sweep.config.data_section import DataConfig
from sweep.config.known_names import KnownNames, Settable
from sweep.config.registry import nearest
from sweep.config.section import Section
from sweep.config.sections import (
    DiagnosisConfig,
    ModelConfig,
    Rung,
    ScoreConfig,
    SearchConfig,
    TrainingConfig,
)
from sweep.config.text import shortened

EXTERNAL = (
    "another library's name for inputs from outside: name their columns in data.known, or in data.static if they are "
    "constant in each series; data.calendar adds calendar inputs"
)
# Settings of other libraries: a part of the key's name, and what sweep does not support or has under another name.
UNSUPPORTED = {
    "exog": EXTERNAL,
    "covariate": EXTERNAL,
    "inputs": EXTERNAL,
    "quantile": "quantiles; a forecast is one number per channel and step",
    "freq": "resampling; series are sampled in even steps, which are read from the time column",
}


def mistake_line(section: str, error: Any, model: type[Section] | None) -> str:
    """Return a mistake that pydantic found in a section as one line, with the nearest right name.

    Args:
        section: key path of the section.
        error: an entry of `ValidationError.errors()`.
        model: class of the section; None: its keys have been checked.
    """
    path = ".".join([section, *(str(part) for part in error["loc"])])
    value = error.get("input")
    if error["type"] == "extra_forbidden":
        key = error["loc"][-1]
        for word, reason in UNSUPPORTED.items():
            if word in str(key).lower():
                return f"{path}: not supported: {reason}"
        known = _fields(model, error["loc"][:-1]) if model else ()
        return f"{path}: no such key.{nearest(key, known)} Known: {', '.join(known)}"
    if error["type"] == "missing":
        return f"{path}: is missing"
    wanted = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    came = shortened(repr(value))
    if error["type"] == "literal_error":
        choices = wanted.replace("'", "").replace(" or ", ", ").split(", ")
        return f"{path}: wanted {wanted}, got {came}.{nearest(value, choices)}"
    if error["type"] == "value_error":
        return f"{path}: {wanted}"
    return f"{path}: wanted {wanted}, got {came}"


def _fields(model: type[Section], loc: Sequence[Any]) -> tuple[str, ...]:
    if not loc:
        return tuple(model.model_fields)
    return tuple(Rung.model_fields) if "rungs" in loc else ("name",)


def name_problems(sections: Mapping[str, Section], known: KnownNames) -> list[str]:
    """Return the mistakes in names and settings that only the tables of the rooms above can find.

    Args:
        sections: the valid sections by name; others are left out.
        known: the names of those tables.
    """
    problems: list[str] = []
    for section in sections.values():
        match section:
            case DataConfig():
                problems += _data_problems(section, known)
            case ScoreConfig():
                problems += known.unknown_name(
                    "score.objective", "objective", section.objective, known.objectives
                )
                for name in section.baselines:
                    problems += known.unknown_name("score.baselines", "baseline", name, known.baselines)
            case ModelConfig():
                problems += known.unknown_name("model.cell", "cell", section.cell, known.cells)
                problems += component_problems(
                    "model.kind", "model.options", "model", section.kind, section.options, known
                )
            case TrainingConfig():
                for owner in ("optimizer", "scheduler"):
                    component, path = getattr(section, owner), f"training.{owner}"
                    problems += component_problems(
                        f"{path}.name", path, owner, component.name, component.settings, known
                    )
            case SearchConfig():
                problems += known.unknown_name("search.sampler", "sampler", section.sampler, known.samplers)
            case DiagnosisConfig():
                for code in section.mute:
                    problems += known.unknown_name("diagnosis.mute", "code", code, known.codes)
                for name in section.probes:
                    problems += known.unknown_name("diagnosis.probes", "probe", name, known.probes)
                for name in section.checks:
                    problems += known.unknown_name("diagnosis.checks", "check", name, known.checks)
    return problems


def _data_problems(data: DataConfig, known: KnownNames) -> list[str]:
    problems: list[str] = []
    if data.source is not None:
        problems += known.unknown_name("data.source", "source", data.source, known.sources)
    if data.source is not None and data.source in known.sources:
        problems += _option_problems(data.source, data.options, known.sources[data.source])
    for name in data.transforms:
        problems += known.unknown_name("data.transforms", "transform", name, known.transforms)
    for name in data.calendar:
        problems += known.unknown_name("data.calendar", "calendar input", name, known.calendars)
    return problems


def _option_problems(name: str, options: Mapping[str, Any], source: Settable) -> list[str]:
    """Return the mistakes in the options of a source, which have the types of their defaults."""
    problems = []
    for key, value in options.items():
        problems += source.unknown_setting(f"data.options.{key}", name, key)
        wanted = type(source.defaults.get(key, value))
        if type(value) is not wanted and not (wanted is float and type(value) is int):
            problems.append(f"data.options.{key}: wanted {wanted.__name__}, got {shortened(repr(value))}")
        elif wanted is int and key != "seed" and abs(value) > MOST_STEPS:
            problems.append(f"data.options.{key}: wanted {MOST_STEPS} at most, got {value}")
    values = {**source.defaults, **options}
    if not problems and math.prod(values.get(key, 1) for key in ("length", "series")) > MOST_VALUES:
        problems.append(f"data.options: length times series must not exceed {MOST_VALUES}")
    if not problems and (problem := source.problem(options)):
        problems.append(f"data.options: {problem}")
    return problems


def component_problems(
    name_path: str, path: str, owner: str, name: str, settings: Mapping[str, Any], known: KnownNames
) -> list[str]:
    """Return the mistakes in a component with fixed settings, such as an optimizer.

    Args:
        name_path: key path of its name.
        path: key path of its settings.
        owner: see `KnownNames.owned`.
        name: of the component.
        settings: by name.
        known: the names of the tables.
    """
    table = known.owned(owner)
    problems = known.unknown_name(name_path, owner, name, table)
    if problems:
        return problems
    for key in settings:
        problems += table[name].unknown_setting(f"{path}.{key}", name, key)
    if not problems and (problem := table[name].problem(settings)):
        problems.append(f"{path}: {problem}")
    return problems
