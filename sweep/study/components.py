"""All tables of the rooms below as one value, against which study files are checked."""

from typing import Any

from sweep.config.known_names import KnownNames
from sweep.config.registry import Registry
from sweep.data import CALENDARS, SOURCES, TRANSFORMS
from sweep.diagnosis.probes import PROBES
from sweep.diagnosis.trial_diagnosis import CODES
from sweep.model import CELLS, MODELS
from sweep.score import BASELINES, OBJECTIVES
from sweep.search import SAMPLERS
from sweep.train import OPTIMIZERS, SCHEDULERS

TABLES: tuple[Registry[Any], ...] = (
    OPTIMIZERS,
    SCHEDULERS,
    SOURCES,
    CELLS,
    MODELS,
    SAMPLERS,
    OBJECTIVES,
    BASELINES,
    PROBES,
)


def known_names() -> KnownNames:
    """Return every name that a study file may use."""
    return KnownNames(
        optimizers=_settable(OPTIMIZERS),
        schedulers=_settable(SCHEDULERS),
        models=_settable(MODELS),
        sources=_settable(SOURCES),
        cells=CELLS.names(),
        transforms=tuple(TRANSFORMS),
        calendars=tuple(CALENDARS),
        samplers=SAMPLERS.names(),
        objectives=OBJECTIVES.names(),
        baselines=tuple(BASELINES.outside().entries),
        probes=tuple(PROBES.outside().entries),
        checks=(),
        codes=CODES,
        origins={
            f"{table.kind} {name}": str(origin)
            for table in TABLES
            for name, (_, origin) in table.outside().entries.items()
        },
        broken={
            f"{table.kind} {name}": reason
            for table in TABLES
            for name, reason in table.outside().broken.items()
        },
    )


def _settable(table: Registry[Any]) -> dict[str, Any]:
    return {name: table[name].settable() for name in table.names()}
