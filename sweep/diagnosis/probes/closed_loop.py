"""The closed loop: a network that feeds itself, as a map on flat vectors, and the trajectories that probes use.

A flat vector holds, layer by layer, the components of the state (h and c, or h) and then the current value
of every channel: D = layers * components * hidden + channels numbers. The map advances it by one step:

    F(state, x) = (cells(x, state), readout(cells(x, state), x))
"""

import copy
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from sweep.config.errors import SweepError
from sweep.config.feedback import NO_FEEDBACK
from sweep.data.some_starts import some_starts
from sweep.model import Forecaster, Network
from sweep.model.state import HiddenState, by_layer, stacked
from sweep.score import Task

AnyNetwork = TypeVar("AnyNetwork", bound=Network)


class CannotMeasure(SweepError):
    """A probe does not apply to this network or these data; the text says why."""


def recurrent(network: Network) -> Forecaster:
    """Return a network that is a recurrent forecaster.

    Raises:
        CannotMeasure: it is the model of a plug-in, whose parts are not known.
    """
    if isinstance(network, Forecaster):
        return network
    raise CannotMeasure("a model of a plug-in: its cells and its readout are not known")


def fed_back(network: Network) -> bool:
    """Return whether a network's forecasts are its next inputs."""
    return not isinstance(network, Forecaster) or network.feedback


def require_feedback(network: AnyNetwork) -> AnyNetwork:
    """Return a network whose forecasts are its next inputs.

    Raises:
        CannotMeasure: it has no feedback.
    """
    if not fed_back(network):
        raise CannotMeasure(NO_FEEDBACK)
    return network


class ClosedLoop:
    """The map F and the layout of its vectors: pure, differentiable, in the network's precision."""

    def __init__(self, network: Forecaster) -> None:
        self.network = network
        self.components = network.stack.cell.components
        self.state_size = network.stack.layers * self.components * network.stack.hidden
        self.size = self.state_size + network.outputs

    def flat(self, state: HiddenState, current: Tensor) -> Tensor:
        """Return (batch, D) of a state, per component (layer, batch, hidden), and values (batch, channel)."""
        parts = [part for layer in by_layer(state) for part in layer]
        return torch.cat([*parts, current], dim=-1)

    def split(self, flat: Tensor) -> tuple[HiddenState, Tensor]:
        """Return the state, per component (layer, batch, hidden), and the values (batch, channel) of (batch, D)."""
        parts = torch.split(flat[:, : self.state_size], self.network.stack.hidden, dim=-1)
        layers = [
            tuple(parts[first : first + self.components]) for first in range(0, len(parts), self.components)
        ]
        return stacked(layers), flat[:, self.state_size :]

    def __call__(self, flat: Tensor, known: Tensor | None = None) -> Tensor:
        """Return F of (batch, D).

        Args:
            flat: state and values before the step.
            known: (batch, feature), known inputs of the time that is forecast; None if there are none.
        """
        state, current = self.split(flat)
        inputs = current if known is None else torch.cat([current, known], dim=-1)
        forecast, after = self.network.step(inputs, by_layer(state))
        return self.flat(stacked(after), forecast)


@dataclass(frozen=True)
class Trajectory:
    """Inputs, states and forecasts of a network. Step t takes states[t] and inputs[t] to states[t + 1]."""

    inputs: Tensor  # (time, start, input), model units
    forecasts: Tensor  # (time, start, channel)
    states: HiddenState  # per component (time + 1, layer, start, hidden)

    @property
    def steps(self) -> int:
        """Return the number of steps."""
        return int(self.inputs.shape[0])

    def piece(self, begin: int, end: int) -> "Trajectory":
        """Return steps begin .. end - 1."""
        states = tuple(part[begin : end + 1] for part in self.states)
        return Trajectory(self.inputs[begin:end], self.forecasts[begin:end], states)

    def finite(self) -> "Trajectory":
        """Return the starts whose numbers are all finite.

        Raises:
            CannotMeasure: there are none.
        """
        finite = torch.isfinite(self.forecasts).all(dim=2).all(dim=0)
        for part in self.states:
            finite &= torch.isfinite(part).transpose(0, 2).flatten(1).all(dim=1)
        if not finite.any():
            raise CannotMeasure("no start stays finite over the measured steps")
        if finite.all():
            return self
        states = tuple(part[:, :, finite] for part in self.states)
        return Trajectory(self.inputs[:, finite], self.forecasts[:, finite], states)


@torch.no_grad()
def free_trajectory(network: Network, task: Task, steps: int) -> Trajectory:
    """Return the free-running steps after the warm-up; the input of the first is the warm-up's last forecast.

    Args:
        network: of the task's precision.
        task: its starts are rolled out.
        steps: how many; with known inputs at most the horizon minus 1, since later ones are unknown.
    """
    warm, state = network(task.inputs()[:, : task.warmup])
    return free_from(network, task, warm[:, -1], state, steps)


@torch.no_grad()
def free_from(network: Network, task: Task, first: Tensor, state: HiddenState, steps: int) -> Trajectory:
    """Return the free-running steps after a warm-up; see `free_trajectory`.

    Args:
        network: of the task's precision.
        task: gives the known inputs.
        first: (start, channel), the warm-up's last forecast.
        state: after the warm-up.
        steps: as there.
    """
    known = task.known[:, task.warmup + 1 :]
    if known.shape[-1] > 0:
        steps = min(steps, task.horizon - 1)
        known = known[:, :steps]
    else:
        known = known.new_zeros(known.shape[0], steps, 0)
    forecasts, after = network.trace(network.self_fed(first, known), state, free=steps - 1)
    values = torch.cat([first[:, None], forecasts[:, :-1]], dim=1)
    return _trajectory(torch.cat([values, known], dim=-1), forecasts, state, after)


@torch.no_grad()
def forced_trajectory(network: Forecaster, task: Task, state: HiddenState | None = None) -> Trajectory:
    """Return the teacher-forced steps through warm-up and horizon, from zeros or a given state."""
    inputs = task.inputs()
    before = network.zero_state(inputs) if state is None else state
    forecasts, after = network.trace(inputs, before)
    return _trajectory(inputs, forecasts, before, after)


def _trajectory(inputs: Tensor, forecasts: Tensor, before: HiddenState, after: HiddenState) -> Trajectory:
    states = tuple(torch.cat([first[None], later]) for first, later in zip(before, after, strict=True))
    return Trajectory(inputs.transpose(0, 1), forecasts.transpose(0, 1), states)


def in_float64(network: AnyNetwork, task: Task, most: int | None = None) -> tuple[AnyNetwork, Task]:
    """Return a float64 copy of a network, and the task, or an even choice of its starts, in float64.

    Args:
        network: of any precision; not changed.
        task: its starts and data.
        most: how many starts; None: all.
    """
    starts = task.starts if most is None else some_starts(task.starts, most)
    device = str(task.channels.device)
    return copy.deepcopy(network).double(), Task(task.data, starts, torch.float64, device)


def with_some_starts(task: Task, most: int) -> Task:
    """Return the task with at most `most` of its starts, evenly spread, in the same precision."""
    return Task(task.data, some_starts(task.starts, most), task.channels.dtype, str(task.channels.device))
