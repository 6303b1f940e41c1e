"""Scoring: rollouts of a network from all starts at once, the numbers they give, baselines to compare with.

Metrics are NumPy only; `rollout` is the only file here that knows a network.
"""

from sweep.score.metrics import block_length, nrmse_by_step, scores, valid_steps
from sweep.score.rollout import Forecasts, Task, forecasts, swapped

__all__ = [
    "Forecasts",
    "Task",
    "block_length",
    "forecasts",
    "nrmse_by_step",
    "scores",
    "swapped",
    "valid_steps",
]
