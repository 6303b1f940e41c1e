"""Scoring: rollouts of a network from all starts at once, the numbers they give, baselines to compare with.

Metrics are NumPy only; `rollout` is the only file here that knows a network.
"""

from sweep.score.baselines import BASELINES, score_baselines, score_baselines_on_test
from sweep.score.metrics import block_length, nrmse_by_step, scores, valid_steps
from sweep.score.metrics_skill import exposure_gap_by_step, skill
from sweep.score.rollout import Forecasts, Task, forecasts, swapped

__all__ = [
    "BASELINES",
    "Forecasts",
    "Task",
    "block_length",
    "exposure_gap_by_step",
    "forecasts",
    "nrmse_by_step",
    "score_baselines",
    "score_baselines_on_test",
    "scores",
    "skill",
    "swapped",
    "valid_steps",
]
