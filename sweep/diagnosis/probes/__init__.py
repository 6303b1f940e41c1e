"""Probes: measurements of a trained network, most of them of its closed loop. One file each."""

from sweep.diagnosis.probes.gates import gate_saturation
from sweep.diagnosis.probes.gradients import input_gradient_by_lag

__all__ = ["gate_saturation", "input_gradient_by_lag"]
