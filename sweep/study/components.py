"""The names that a study file may use, and facts about the components of a study, from the tables of the rooms."""

from sweep.config.known_names import KnownNames
from sweep.config.ranges import Choice
from sweep.config.study import StudyConfig
from sweep.data import CALENDARS, TRANSFORMS, source_settings
from sweep.diagnosis.trial_diagnosis import CODES
from sweep.model import CELLS
from sweep.search import SAMPLERS
from sweep.train import OPTIMIZERS, SCHEDULERS


def known_names() -> KnownNames:
    """Return every name that a study file may use."""
    return KnownNames(
        optimizers={name: spec.settable() for name, spec in OPTIMIZERS.items()},
        schedulers={name: spec.settable() for name, spec in SCHEDULERS.items()},
        sources=source_settings(),
        cells=tuple(CELLS),
        transforms=tuple(TRANSFORMS),
        calendars=tuple(CALENDARS),
        samplers=tuple(SAMPLERS),
        codes=CODES,
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
