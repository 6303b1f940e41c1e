"""All tables of the parts as one catalogue, against which study files are checked."""

from sweep.config.catalogue import Catalogue
from sweep.data import CALENDARS, TRANSFORMS
from sweep.data import offers as source_offers
from sweep.diagnosis.trial import CODES
from sweep.model import CELLS
from sweep.search import SAMPLERS
from sweep.train import OPTIMIZERS, SCHEDULERS


def catalogue() -> Catalogue:
    """Return every name that a study file may use."""
    return Catalogue(
        optimizers={name: spec.offer() for name, spec in OPTIMIZERS.items()},
        schedulers={name: spec.offer() for name, spec in SCHEDULERS.items()},
        sources=source_offers(),
        cells=tuple(CELLS),
        transforms=tuple(TRANSFORMS),
        calendars=tuple(CALENDARS),
        samplers=tuple(SAMPLERS),
        codes=CODES,
    )
