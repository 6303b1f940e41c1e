"""All tables of the parts as one known_names, against which study files are checked."""

from sweep.config.known_names import KnownNames
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
