"""Changes of a trial's configuration by key path, checked like a study file."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from sweep.config.errors import StudyFileError
from sweep.config.known_names import KnownNames
from sweep.config.mistakes import mistake_line, name_problems
from sweep.config.registry import nearest
from sweep.config.section import Section
from sweep.config.study import SECTIONS
from sweep.config.study_file import toml_value
from sweep.config.trial import TrialConfig, plugins_of

CHANGEABLE = ("data", "score", "model", "training")
WHERE = "the change"


def parsed_changes(texts: Sequence[str]) -> dict[str, Any]:
    """Return values by key path from `key.path=value`; a value is TOML, or else a plain string.

    Raises:
        StudyFileError: a text without '=' or with an empty key, or a key path that is given twice.
    """
    changes: dict[str, Any] = {}
    for text in texts:
        path, sign, value = text.partition("=")
        path = ".".join(part.strip() for part in path.split("."))
        if not sign or not all(path.split(".")):
            raise StudyFileError([f"wanted key.path=value, got {text!r}"], WHERE)
        if path in changes:
            raise StudyFileError([f"{path} is given twice"], WHERE)
        changes[path] = toml_value(value.strip())
    return changes


def changed(config: TrialConfig, changes: Mapping[str, Any], known: KnownNames | None) -> TrialConfig:
    """Return a trial's configuration with changed values; seed, device and engine stay.

    Args:
        config: of the trial.
        changes: values by key path, such as "training.optimizer.lr".
        known: the names that it may use; None: neither names nor the settings of a component are checked.

    Raises:
        StudyFileError: with every mistake: its key path, what was wanted, what came, the nearest name.
    """
    document: dict[str, Any] = config.model_dump(mode="json", include=set(CHANGEABLE))
    problems = [problem for path, value in changes.items() for problem in _put(document, path, value)]
    sections: dict[str, Section] = {}
    for name in () if problems else CHANGEABLE:
        model = SECTIONS[name]
        try:
            sections[name] = model.model_validate(document[name])
        except ValidationError as error:
            problems += [mistake_line(name, entry, model) for entry in error.errors()]
    problems = problems or ([] if known is None else name_problems(sections, known))
    if problems:
        raise StudyFileError(problems, WHERE)
    if known is None:
        return config.model_copy(update=sections)
    plugins = plugins_of({name: section.model_dump() for name, section in sections.items()}, known.origins)
    return config.model_copy(update={**sections, "plugins": plugins})


def config_differences(before: TrialConfig, after: TrialConfig) -> list[dict[str, Any]]:
    """Return each key path in which two configurations differ, with `path`, `was` and `value`.

    Another optimizer or scheduler is one difference, with all its settings. A missing setting is None.
    """
    old, new = (config.model_dump(mode="json", include=set(CHANGEABLE)) for config in (before, after))
    return [entry for name in CHANGEABLE for entry in _differences(name, old[name], new[name])]


def _put(document: dict[str, Any], path: str, value: Any) -> list[str]:
    """Set the value at a key path; return the mistakes in the path."""
    *tables, last = path.split(".")
    target, known = document, list(CHANGEABLE)
    for depth, key in enumerate([*tables, last]):
        open_table = depth > 1  # settings of an optimizer, options of a source: `name_problems` checks them
        if key not in known and not open_table:
            return [f"{path}: no such key.{nearest(key, known)} Known: {', '.join(known)}"]
        if depth < len(tables):
            target = target.setdefault(key, {}) if key == "options" else target.get(key)  # type: ignore[assignment]
            if not isinstance(target, dict):
                return [f"{path}: {'.'.join(tables[: depth + 1])} is a value, not a table"]
            known = list(SECTIONS[key].model_fields) if depth == 0 else list(target)
    if not tables:
        return [
            f"{path}: is a whole section; wanted a setting in it, such as {path}.{next(iter(target[last]))}"
        ]
    target[last] = value
    return []


def _differences(path: str, old: Any, new: Any) -> list[dict[str, Any]]:
    if old == new:
        return []
    if not (isinstance(old, dict) and isinstance(new, dict)) or old.get("name") != new.get("name"):
        return [{"path": path, "was": old, "value": new}]
    keys = dict.fromkeys([*old, *new])
    return [entry for key in keys for entry in _differences(f"{path}.{key}", old.get(key), new.get(key))]
