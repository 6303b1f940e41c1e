"""The forecaster: a recurrent stack with a readout, one interface for whole sequences and single steps.

The recurrent computation stands behind `Stack`, so that another engine can take its place.
"""

from sweep.model.cells import CELLS, Cell
from sweep.model.forecaster import Forecaster

__all__ = ["CELLS", "Cell", "Forecaster"]
