"""Networks that forecast: sweep's own recurrent forecaster, and the models and cells of plug-ins.

One of two engines computes a recurrent forecaster: torch, or the compiled kernel in `native`.
"""

from sweep.model.cells import CELLS, CellSpec
from sweep.model.engine_interface import Engine
from sweep.model.engines import best_kernel, engine, fastest_engine, kernel_with
from sweep.model.forecaster import Forecaster
from sweep.model.models import MODELS, ModelSpec, network_of_model
from sweep.model.network import Network

__all__ = [
    "CELLS",
    "MODELS",
    "CellSpec",
    "Engine",
    "Forecaster",
    "ModelSpec",
    "Network",
    "best_kernel",
    "engine",
    "fastest_engine",
    "kernel_with",
    "network_of_model",
]
