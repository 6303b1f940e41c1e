"""Scoring: rollouts of a network from all starts at once, metrics, objectives, and baselines to compare with.

Metrics and objectives use NumPy only. Each name is imported at its first use, so that code that needs only metrics
does not import torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sweep.score.baselines.table import (
        BASELINES,
        best_baseline_forecast,
        score_baselines,
        score_baselines_on_test,
    )
    from sweep.score.breakdown import breakdown_of
    from sweep.score.comparisons import exposure_gap_by_step, skill
    from sweep.score.evaluation import scores
    from sweep.score.metrics import block_length, nrmse_by_step, valid_steps
    from sweep.score.objectives import OBJECTIVES, objective_of
    from sweep.score.rollout import Forecasts, Task, forecasts, swapped, traced
    from sweep.score.trivial import TrivialForecast, best_trivial

_HOME = {
    "BASELINES": "baselines.table",
    "Forecasts": "rollout",
    "OBJECTIVES": "objectives",
    "Task": "rollout",
    "TrivialForecast": "trivial",
    "best_baseline_forecast": "baselines.table",
    "best_trivial": "trivial",
    "block_length": "metrics",
    "breakdown_of": "breakdown",
    "exposure_gap_by_step": "comparisons",
    "forecasts": "rollout",
    "nrmse_by_step": "metrics",
    "objective_of": "objectives",
    "score_baselines": "baselines.table",
    "score_baselines_on_test": "baselines.table",
    "scores": "evaluation",
    "skill": "comparisons",
    "swapped": "rollout",
    "traced": "rollout",
    "valid_steps": "metrics",
}

__all__ = [
    "BASELINES",
    "OBJECTIVES",
    "Forecasts",
    "Task",
    "TrivialForecast",
    "best_baseline_forecast",
    "best_trivial",
    "block_length",
    "breakdown_of",
    "exposure_gap_by_step",
    "forecasts",
    "nrmse_by_step",
    "objective_of",
    "score_baselines",
    "score_baselines_on_test",
    "scores",
    "skill",
    "swapped",
    "traced",
    "valid_steps",
]


def __getattr__(name: str) -> Any:
    """Import a name from the file that holds it."""
    if name in _HOME:
        return getattr(import_module(f"sweep.score.{_HOME[name]}"), name)
    raise AttributeError(f"module 'sweep.score' has no attribute {name!r}")
