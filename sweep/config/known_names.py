"""The names and settings that a study file may use, as plain data, so that files are checked without the tables."""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from sweep.config.plugins import error_text
from sweep.config.ranges import Range
from sweep.config.registry import nearest
from sweep.config.sections import ALWAYS, TrainingConfig


def check_types(owner: str, defaults: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Refuse settings that do not have the types of their defaults; an int serves as a float.

    Args:
        owner: name of the entry, for messages.
        defaults: of all settings.
        settings: any of them.

    Raises:
        TypeError: a setting has another type.
        ValueError: a float is not finite.
    """
    for key, value in settings.items():
        wanted = type(defaults[key])
        right = isinstance(value, (int, float) if wanted is float else wanted)
        if not right or (isinstance(value, bool) and wanted is not bool):
            raise TypeError(f"{owner}.{key} must be of type {wanted.__name__}, got {value!r}")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{owner}.{key} must be finite, got {value!r}")


@dataclass(frozen=True)
class Settable:
    """The settings of a table entry with their defaults, and default ranges of some."""

    defaults: Mapping[str, Any]
    space: Mapping[str, Range] = field(default_factory=dict)
    full_batch: bool = False
    # Raises ValueError or TypeError on invalid settings.
    check: Callable[[Mapping[str, Any]], None] | None = None

    def problem(self, settings: Mapping[str, Any]) -> str | None:
        """Return what is wrong with settings, None if they are valid. Missing ones have their defaults."""
        if self.check is None:
            return None
        try:
            self.check({**self.defaults, **settings})
        except (ValueError, TypeError) as error:
            return str(error)
        except Exception as error:  # a plug-in may raise anything
            return error_text(error)
        return None

    def unknown_setting(self, path: str, owner: str, key: str) -> list[str]:
        """Return the line about a setting that the entry does not have, in a list; an empty list if it has it.

        Args:
            path: key path of the setting in the study file.
            owner: name of the entry.
            key: name of the setting.
        """
        if key in self.defaults:
            return []
        known = ", ".join(self.defaults) or "none"
        return [f"{path}: {owner} has no such setting.{nearest(key, self.defaults)} Known: {known}"]


def _of_refit(value: str) -> Settable:
    """Return the training settings that a value of `readout_refit` may own in a search space."""
    defaults = {name: TrainingConfig.model_fields[name].default for name in OF_REFITS}

    def check(settings: Mapping[str, Any]) -> None:
        alone = {key: entry for key, entry in settings.items() if entry != defaults[key]}
        try:  # the parts of a window are checked together with the window later
            TrainingConfig.model_validate({"readout_refit": value, "window": 0, **alone})
        except ValidationError as error:
            text = error.errors()[0]["msg"]
            raise ValueError(text.removeprefix("Input should be ").removeprefix("Value error, ")) from error

    return Settable(defaults, check=check)


# Settings that make sense with one way to solve the readout and not with another.
OF_REFITS = (
    "optimizer", "scheduler", "budget", "evaluations", "window", "window_stride", "burn_in", "ridge", "input_noise",
    "weight_decay",
)  # fmt: skip
READOUT_REFITS = {value: _of_refit(value) for value in ("never", "end", ALWAYS)}


@dataclass(frozen=True)
class KnownNames:
    """Every name that a study file may use, those of plug-ins included."""

    optimizers: Mapping[str, Settable]
    schedulers: Mapping[str, Settable]
    models: Mapping[str, Settable]
    sources: Mapping[str, Settable]
    cells: tuple[str, ...]
    transforms: tuple[str, ...]
    calendars: tuple[str, ...]
    samplers: tuple[str, ...]
    objectives: tuple[str, ...]
    baselines: tuple[str, ...]  # of plug-ins
    probes: tuple[str, ...]  # of plug-ins
    checks: tuple[str, ...]  # of plug-ins
    codes: tuple[str, ...]  # of findings
    # Of plug-ins: "optimizer lion" -> "lion-sweep 0.2", and "optimizer lion" -> why it cannot be used.
    origins: Mapping[str, str] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)

    def owned(self, owner: str) -> Mapping[str, Settable]:
        """Return the table of a setting that owns hyperparameters, one of `sweep.config.space.COMPONENTS`."""
        tables = {
            "readout_refit": READOUT_REFITS,
            "optimizer": self.optimizers,
            "scheduler": self.schedulers,
            "model": self.models,
        }
        return tables[owner]

    def unknown_name(self, path: str, kind: str, name: Any, known: Collection[str]) -> list[str]:
        """Return the line about a name that is not known, in a list; an empty list if it is known.

        Args:
            path: key path of the name in the study file.
            kind: word for what it names, such as "optimizer".
            name: the name.
            known: the names of that kind.
        """
        if name in known:
            return []
        reason = self.broken.get(f"{kind} {name}")
        if reason is None:
            reason = f"no {kind} named {name!r}.{nearest(name, known)} Known: {', '.join(known) or 'none'}"
        return [f"{path}: {reason}"]

    def with_recorded(self, plugins: Mapping[str, Any]) -> "KnownNames":
        """Return these names with a reason for each recorded plug-in that is missing.

        Args:
            plugins: `[plugins]` of a stored study: "optimizer lion" -> "lion-sweep 0.2".
        """
        missing = {
            key: f"the {key} comes from {origin}, which is not available here: "
            + ("name the file again with --plugin" if " sha256:" in str(origin) else "install it")
            for key, origin in plugins.items()
            if key not in self.origins
        }
        return replace(self, broken={**missing, **self.broken})
