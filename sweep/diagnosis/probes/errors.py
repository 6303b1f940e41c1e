"""Errors of forecasts in the units of the score: target channels alone, blocks of the data's period."""

import numpy as np

from sweep.score import Task, block_length, nrmse_by_step
from sweep.score.metrics import rollout_error

Array = np.ndarray


def rollout_error_of(task: Task, forecast: Array) -> float:
    """Return the rollout error, in [0, 1], of (start, step, channel) in data units."""
    block = block_length(task.data.period, task.horizon)
    return rollout_error(*_scored(task, forecast), block)


def nrmse_by_step_of(task: Task, forecast: Array) -> Array:
    """Return (step,), the normalised error by step, of (start, step, channel) in data units."""
    return nrmse_by_step(*_scored(task, forecast))


def _scored(task: Task, forecast: Array) -> tuple[Array, Array, Array]:
    chosen, starts = list(task.data.targets), task.starts
    return forecast[..., chosen], starts.truth[..., chosen], starts.scale[:, chosen]


def log_spaced(last: int) -> tuple[int, ...]:
    """Return 1, 2, 5, 10, 20, 50, ... up to `last`, which is added."""
    steps = [digit * 10**power for power in range(len(str(last))) for digit in (1, 2, 5)]
    return (*(step for step in steps if step < last), last)
