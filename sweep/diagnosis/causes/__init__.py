"""Causes: why a rollout fails, by the configuration, the training curves, the probes and the data."""

from sweep.diagnosis.causes.case import Case, SetupFacts, curves_of
from sweep.diagnosis.causes.findings import cause_findings
from sweep.diagnosis.causes.known_causes import CAUSES, Cause

__all__ = ["CAUSES", "Case", "Cause", "SetupFacts", "cause_findings", "curves_of"]
