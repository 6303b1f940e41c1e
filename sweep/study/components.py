"""The tables of the rooms below: the names that study files may use, and facts about the components of a study."""

from typing import Any

from sweep.config.known_names import KnownNames
from sweep.config.ranges import Choice
from sweep.config.registry import Registry
from sweep.config.study import StudyConfig
from sweep.data import CALENDARS, SOURCES, TRANSFORMS
from sweep.diagnosis.check import CHECKS_OF_PLUGINS
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
    CHECKS_OF_PLUGINS,
)


def known_names() -> KnownNames:
    """Return every name and setting that a study file may use."""
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
        checks=tuple(CHECKS_OF_PLUGINS.outside().entries),
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


def falling_schedulers(study: StudyConfig) -> list[str]:
    """Return the names of a study's schedulers whose learning rate falls to zero at the end of any budget."""
    sampled = [
        axis.span.values
        for axis in study.space.axes
        if axis.name == "scheduler" and isinstance(axis.span, Choice)
    ]
    names = {study.training.scheduler.name, *(str(name) for values in sampled for name in values)}
    return sorted(name for name in names if SCHEDULERS[name].falls_to_zero)


def _settable(table: Registry[Any]) -> dict[str, Any]:
    return {name: table[name].settable() for name in table.names()}
