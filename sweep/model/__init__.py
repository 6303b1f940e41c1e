"""The forecaster: a recurrent stack with a readout, one interface for whole sequences and single steps.

Whole sequences are computed by one of two engines: torch, or the compiled kernel in `native`.
"""

from sweep.model.cells import CELLS, CellSpec
from sweep.model.engine_interface import Engine
from sweep.model.engines import best_kernel, engine, fastest_engine, kernel_with
from sweep.model.forecaster import Forecaster

__all__ = [
    "CELLS",
    "CellSpec",
    "Engine",
    "Forecaster",
    "best_kernel",
    "engine",
    "fastest_engine",
    "kernel_with",
]
