"""What the tables of the parts offer, as plain data: a study file is checked without importing them."""

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
    check: Callable[[Mapping[str, Any]], None] | None = None  # raises ValueError on settings that cannot be


@dataclass(frozen=True)
class KnownNames:
    """Every name that a study file may use, by the word under which it is used."""

    optimizers: Mapping[str, Settable]
    schedulers: Mapping[str, Settable]
    sources: Mapping[str, Settable]
    cells: tuple[str, ...]
    transforms: tuple[str, ...]
    calendars: tuple[str, ...]
    samplers: tuple[str, ...]
    codes: tuple[str, ...]  # of findings
