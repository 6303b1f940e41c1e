"""The check that a process has the plug-ins of a trial, of the same versions."""

from collections.abc import Iterable
from typing import Any

from sweep.config.errors import UnknownName
from sweep.config.plugins import PluginError
from sweep.config.registry import Registry
from sweep.data import SOURCES
from sweep.model import CELLS, MODELS
from sweep.score import OBJECTIVES
from sweep.train import OPTIMIZERS, SCHEDULERS

# the kinds of entries that a trial's result depends on
TABLES: dict[str, Registry[Any]] = {
    table.kind: table for table in (OPTIMIZERS, SCHEDULERS, CELLS, MODELS, SOURCES, OBJECTIVES)
}


def check_plugins(used: Iterable[str]) -> None:
    """Refuse a trial whose plug-ins this process does not have, or has in another version.

    Args:
        used: plug-ins of the trial with their origins, such as "optimizer lion = lion-sweep 0.2".

    Raises:
        PluginError: with the difference for each of them.
    """
    differences = []
    for entry in used:
        key, _, wanted = entry.partition(" = ")
        kind, _, name = key.partition(" ")
        here = _origin(kind, name)
        if here != wanted:
            differences.append(
                f"{key}: the trial uses {wanted}, this process has {here or 'none of this name'}"
            )
    if differences:
        raise PluginError("; ".join(differences))


def _origin(kind: str, name: str) -> str | None:
    """Return where an entry comes from in this process, None where there is no such entry."""
    if kind not in TABLES:
        return None
    try:
        origin = TABLES[kind].origin(name)
    except UnknownName:
        return None
    return f"sweep's own {kind}" if origin is None else str(origin)
