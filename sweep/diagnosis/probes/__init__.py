"""Probes: measurements of a trained network, most of them of its closed loop. One file for each, one table of all."""

from sweep.diagnosis.probes.closed_loop import CannotMeasure
from sweep.diagnosis.probes.gates import gate_saturation
from sweep.diagnosis.probes.gradients import gradients_by_lag
from sweep.diagnosis.probes.known_probes import PROBES, ProbeSpec, always_on, measured
from sweep.diagnosis.probes.subject import Subject

__all__ = [
    "PROBES",
    "CannotMeasure",
    "ProbeSpec",
    "Subject",
    "always_on",
    "gate_saturation",
    "gradients_by_lag",
    "measured",
]
