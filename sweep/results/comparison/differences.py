"""The settings, the space, the data and the machine in which two studies differ."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sweep.config.data_section import without_folders
from sweep.config.study import by_key_path
from sweep.results.study import StoredStudy

Kind = Literal["settings", "space", "data", "machine"]

SETTINGS = ("score", "model", "training", "pruning", "search", "confirm", "plugins", "enqueue")
MACHINE = ("versions", "machine", "arithmetic", "engine", "instructions")  # facts of `[record]`
SEEN = ("rows", "series", "first", "last", "period", "samples", "starts")  # of the summary of the data


@dataclass(frozen=True)
class Setting:
    """A key path with its value in either study; None: it is not set."""

    path: str
    first: Any
    second: Any


@dataclass(frozen=True)
class Differences:
    """All that differs, by key path."""

    settings: tuple[Setting, ...]
    space: tuple[Setting, ...]
    data: tuple[Setting, ...]  # keys of `[data]`, and what was seen of the data
    machine: tuple[Setting, ...]

    @property
    def items(self) -> Iterator[tuple[Kind, Setting]]:
        """Yield every difference with its kind."""
        yield from (("settings", entry) for entry in self.settings)
        yield from (("space", entry) for entry in self.space)
        yield from (("data", entry) for entry in self.data)
        yield from (("machine", entry) for entry in self.machine)


def differences_of(first: StoredStudy, second: StoredStudy) -> Differences:
    """Return what differs between two studies, of all that their results or their cost may depend on."""
    before, after = _parts(first), _parts(second)
    return Differences(**{kind: _differing(before[kind], after[kind]) for kind in before})


def _parts(study: StoredStudy) -> dict[str, Mapping[str, Any]]:
    document, facts = study.document, study.facts
    seen = facts.get("data") or {}
    return {
        "settings": {key: document.get(key) or {} for key in SETTINGS},
        "space": {"space": document.get("space") or {}},
        "data": {
            "data": without_folders(document.get("data") or {}),
            "seen": {key: seen[key] for key in SEEN if key in seen},
            "fingerprint": facts.get("data_fingerprint"),
        },
        "machine": {key: facts.get(key) for key in MACHINE},
    }


def _differing(first: Mapping[str, Any], second: Mapping[str, Any]) -> tuple[Setting, ...]:
    before, after = by_key_path(first), by_key_path(second)
    return tuple(
        Setting(path, before.get(path), after.get(path))
        for path in dict.fromkeys([*before, *after])
        if _plain(before.get(path)) != _plain(after.get(path))
    )


def _plain(value: Any) -> Any:
    """Return a value in which an empty table and a missing one are equal."""
    return None if value in ({}, []) else value
