"""The version of the rules that a diagnosis is made by: a digest of the declared rules, thresholds and weights."""

import functools
import hashlib
import importlib
import json
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from sweep.diagnosis import causes, symptoms
from sweep.diagnosis.causes.cause_model import shipped_model
from sweep.diagnosis.causes.features import FEATURES
from sweep.diagnosis.causes.known_causes import CAUSES
from sweep.diagnosis.symptoms.known_symptoms import SYMPTOMS

RULES = 4  # raise it when code that decides changes: of symptoms, causes, features, prescriptions or probes
ALSO = (
    "sweep.diagnosis.facts",
    "sweep.data.scale",
    "sweep.data.spread",
    "sweep.score.metrics",
)  # modules outside of the two whose thresholds decide, too


@functools.cache
def rules_version() -> str:
    """Return 12 hexadecimal digits that change with every declared rule: see `declared_rules`."""
    return digest_of(declared_rules())


def declared_rules() -> dict[str, Any]:
    """Return what diagnoses are made by, as JSON values.

    `RULES`, the entries of the tables of symptoms, causes and features, the upper-case constants of their modules
    (thresholds, window lengths) without the modules' names, and the weights of the calibration. Comments and all
    other code do not count.
    """
    return {
        "rules": RULES,
        "symptoms": [asdict(symptom) for symptom in SYMPTOMS.values()],
        "causes": [
            {**vars(cause), "prescribe": cause.prescribe.__name__}  # a function counts by its name
            for cause in CAUSES.values()
        ],
        "features": [
            {"name": feature.name, "meaning": feature.meaning, "none_below": feature.none_below}
            for feature in FEATURES.values()
        ],
        "constants": _constants(),
        "calibration": shipped_model().json(),
    }


def constants_of(names: Mapping[str, Any]) -> dict[str, Any]:
    """Return the upper-case names of a module that hold plain values, as JSON values."""
    constants = {}
    for name, value in names.items():
        plain = value.tolist() if isinstance(value, np.ndarray) else value
        if name.isupper() and _is_plain(plain):
            constants[name] = plain
    return constants


def digest_of(rules: Mapping[str, Any]) -> str:
    """Return 12 hexadecimal digits of JSON values, whatever the order of keys."""
    return hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()[:12]


def _constants() -> list[str]:
    pairs = {
        f"{name} = {json.dumps(value)}"
        for module in _modules()
        for name, value in constants_of(vars(importlib.import_module(module))).items()
    }
    return sorted(pairs)


def _modules() -> Iterable[str]:
    for package in (symptoms, causes):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            yield module.name
    yield from ALSO


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_plain(entry) for entry in value)
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_plain(entry) for key, entry in value.items())
    return value is None or isinstance(value, bool | int | float | str)
