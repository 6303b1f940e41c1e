"""What the tables of the rooms above hold, as plain data: a study file is checked without importing them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sweep.config.ranges import Range


@dataclass(frozen=True)
class Settable:
    """A table entry as the study file sees it: its settings with defaults, and the default ranges of some."""

    defaults: Mapping[str, Any]
    space: Mapping[str, Range] = field(default_factory=dict)
    full_batch: bool = False
    check: Callable[[Mapping[str, Any]], None] | None = (
        None  # raises ValueError or TypeError on invalid settings
    )

    def problem(self, settings: Mapping[str, Any]) -> str | None:
        """Return what is wrong with settings, None if nothing is. Missing ones have their defaults."""
        if self.check is None:
            return None
        try:
            self.check({**self.defaults, **settings})
        except (ValueError, TypeError) as error:
            return str(error)
        except Exception as error:  # of a plug-in, which may raise anything
            return f"{type(error).__name__}: {error}"
        return None


@dataclass(frozen=True)
class KnownNames:
    """Every name that a study file may use, by the word under which it is used; those of plug-ins included."""

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
    # Of plug-ins: "optimizer lion" -> "lion-sweep 0.2", and for those that cannot be used the reason.
    origins: Mapping[str, str] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)

    def owned(self, owner: str) -> Mapping[str, Settable]:
        """Return the table of a component that owns hyperparameters: optimizer, scheduler or model."""
        tables = {"optimizer": self.optimizers, "scheduler": self.schedulers, "model": self.models}
        return tables[owner]
