"""Errors of forecasts by step over the target channels, and the steps at which they are reported."""

import numpy as np

from sweep.score import Task, nrmse_by_step

Array = np.ndarray


def nrmse_by_step_of(task: Task, forecast: Array) -> Array:
    """Return (step,), the normalised error by step of a forecast (start, step, channel) in data units."""
    chosen, starts = list(task.data.targets), task.starts
    return nrmse_by_step(forecast[..., chosen], starts.truth[..., chosen], starts.scale[:, chosen])


def log_spaced(last: int) -> tuple[int, ...]:
    """Return 1, 2, 5, 10, 20, 50, ... below `last`, and `last`."""
    steps = [digit * 10**power for power in range(len(str(last))) for digit in (1, 2, 5)]
    return (*(step for step in steps if step < last), last)
