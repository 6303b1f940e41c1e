"""The subject of probes: a network and a task, with the results that several probes share."""

from functools import cached_property

import numpy as np

from sweep.diagnosis.probes.closed_loop import Trajectory, forced_trajectory, free_from, in_float64, recurrent
from sweep.model import Forecaster, Network
from sweep.score import Task
from sweep.score.rollout import Traced, swapped, traced

FEW = 4  # starts of trajectories in float64; our choice: enough for a mean and its spread


class Subject:
    """A trained network, a task of the same precision, and a seed for what probes draw. Probes do not change it."""

    def __init__(self, network: Network, task: Task, seed: int = 0) -> None:
        self.network = network
        self.task = task
        self.seed = seed

    @cached_property
    def rollout(self) -> Traced:
        """Return the rollout of all starts with its states, in the network's own precision."""
        return traced(self.network, self.task)

    @cached_property
    def swapped(self) -> np.ndarray:
        """Return the forecasts of all starts from the rollout's states and true inputs; see `sweep.score.swapped`."""
        return swapped(self.network, self.task, self.rollout)

    @cached_property
    def precise(self) -> tuple[Forecaster, Task]:
        """Return the network, a recurrent forecaster, in float64, and a few of the starts.

        Raises:
            CannotMeasure: the network is the model of a plug-in.
        """
        return in_float64(recurrent(self.network), self.task, FEW)

    @cached_property
    def forced(self) -> Trajectory:
        """Return the teacher-forced steps of the few starts through warm-up and horizon, in float64."""
        return forced_trajectory(*self.precise)

    def free(self, steps: int) -> Trajectory:
        """Return the free-running steps of the few starts after the warm-up, in float64; see `free_from`."""
        network, task = self.precise
        state = tuple(part[task.warmup] for part in self.forced.states)
        return free_from(network, task, self.forced.forecasts[task.warmup - 1], state, steps)
