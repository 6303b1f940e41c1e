"""Why a rollout fails: probes measure a trained network, checks turn recorded evidence into findings."""

from sweep.diagnosis.probes import gate_saturation, input_gradient_by_lag

__all__ = ["gate_saturation", "input_gradient_by_lag"]
