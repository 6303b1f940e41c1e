"""Causes: why a rollout fails, from the configuration, the training's curves, the probes and the data."""

from sweep.diagnosis.causes.case import Case, curves_of
from sweep.diagnosis.causes.facts import DataFacts, facts_of

__all__ = ["Case", "DataFacts", "curves_of", "facts_of"]
