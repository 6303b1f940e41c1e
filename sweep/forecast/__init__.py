"""A study's networks at work: forecasts of what comes next, their intervals, and networks to take home.

An `Ensemble` holds trained networks with the coding of their data. It needs neither the study nor its results.
"""

from sweep.forecast.ensemble import Ensemble
from sweep.forecast.networks import Source, ensemble_of, networks_of

__all__ = ["Ensemble", "Source", "ensemble_of", "networks_of"]
