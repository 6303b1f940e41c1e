"""The probe `precision`: rollouts of the same weights in float32 and in float64."""

import copy
from dataclasses import dataclass

import numpy as np
import torch

from sweep.diagnosis.probes.subject import Subject
from sweep.score import Task
from sweep.score.rollout import forecasts, rollout_error_of

APART = 0.01  # scales; rollouts that differ by more count as different. Our choice


@dataclass(frozen=True)
class Precision:
    """Rollout errors of the same float32 weights in both precisions, and when the rollouts separate."""

    float32: float  # rollout error, in [0, 1]
    float64: float
    change: float  # float64 - float32: below 0, precision would help
    parted_after: float  # steps until they differ by 1 % of a scale; median over starts, the horizon if never
    largest_difference: float  # scales, over all steps, starts and targets; capped at 1e150


def precision(subject: Subject) -> Precision:
    """Return how rounding in float32 changes the rollout; weights trained in float64 are rounded first.

    Args:
        subject: all its starts are used; nothing is drawn.
    """
    network, task = subject.network, subject.task
    rounded = copy.deepcopy(network).float()
    device = str(task.channels.device)
    rollouts = [
        forecasts(network, Task(task.data, task.starts, dtype, device)).rollout
        for network, dtype in ((rounded, torch.float32), (copy.deepcopy(rounded).double(), torch.float64))
    ]
    errors = [rollout_error_of(task, values) for values in rollouts]
    apart = _difference(rollouts[0], rollouts[1], task)
    beyond = apart > APART
    steps = np.where(beyond.any(axis=1), beyond.argmax(axis=1), task.horizon)
    return Precision(
        float32=errors[0],
        float64=errors[1],
        change=errors[1] - errors[0],
        parted_after=float(np.median(steps)),
        largest_difference=float(apart.max()),
    )


def _difference(first: np.ndarray, second: np.ndarray, task: Task) -> np.ndarray:
    """Return (start, step), the largest difference over the targets in scales; non-finite counts as 1e150."""
    chosen = list(task.data.targets)
    with np.errstate(over="ignore", invalid="ignore"):
        apart = np.abs(first - second)[..., chosen] / task.starts.scale[:, None, chosen]
    return np.asarray(np.nan_to_num(apart, nan=1e150, posinf=1e150).max(axis=2))
