"""Rollouts of a forecaster from all starts at once: free-running, teacher-forced, and swapped."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sweep.data import Codec, Data, Starts
from sweep.model import Network
from sweep.model.state import HiddenState
from sweep.score.metrics import block_length
from sweep.score.objectives import objective_of

Array = np.ndarray

STEPS_AT_ONCE = 64  # single steps in one batch; bounds memory


@dataclass(frozen=True)
class Forecasts:
    """Forecasts of every start: (start, step, channel), data units, possibly not finite."""

    rollout: Array  # free-running
    one_step: Array  # teacher-forced: each step from the true values before it


class Task:
    """Starts in model units for a network: encoded once, used at every evaluation.

    The horizon has at least two steps.
    """

    def __init__(self, data: Data, starts: Starts, dtype: torch.dtype, device: str) -> None:
        self.data = data
        self.starts = starts
        self.warmup = starts.past.shape[1] - data.codec.lag
        self.horizon = starts.truth.shape[1]
        whole = np.concatenate([starts.past, starts.truth], axis=1)
        encoded = data.codec.encode(whole, starts.series)
        self.channels = torch.as_tensor(encoded, dtype=dtype, device=device)
        self.known = torch.as_tensor(starts.known, dtype=dtype, device=device)

    def inputs(self) -> Tensor:
        """Return the teacher-forced inputs (start, warmup + horizon - 1, input) of forecasts 1 .. end.

        The input that forecasts time t holds the channels of t - 1 and the known inputs of t.
        """
        return torch.cat([self.channels[:, :-1], self.known[:, 1:]], dim=-1)


def forecasts(network: Network, task: Task) -> Forecasts:
    """Return free-running and teacher-forced forecasts after a shared warm-up on the true past."""
    return decoded_forecasts(task, *warm_and_free(network, task))


@torch.no_grad()
def free_forecast(network: Network, codec: Codec, past: Array, known: Array, series: Array) -> Array:
    """Return a network's rollout (start, step, channel) in data units, of which no truth is needed.

    Args:
        network: any trained one; its parameters decide about type and device.
        codec: of the data that it was trained on.
        past: (start, warmup + codec.lag, channel), data units, finite.
        known: (start, warmup + steps, feature), known inputs as the network reads them.
        series: (start,), index of each start's training series, -1 for a series without a training part.
    """
    like = next(network.parameters())
    channels = torch.as_tensor(codec.encode(past, series)).to(like)
    later = torch.as_tensor(known).to(like)
    warmup = channels.shape[1]
    # the input that forecasts time t holds the channels of t - 1 and the known inputs of t
    warm, state = network(torch.cat([channels, later[:, 1 : warmup + 1]], dim=-1))
    first = warm[:, -1]
    forecast = first[:, None]
    if later.shape[1] > warmup + 1:
        free, _ = network.run_free(first, state, later[:, warmup + 1 :])
        forecast = torch.cat([forecast, free], dim=1)
    return codec.decode(forecast.double().cpu().numpy(), past, series)


@torch.no_grad()
def warm_and_free(network: Network, task: Task) -> tuple[Tensor, Tensor]:
    """Return teacher-forced forecasts from the first step on, and the rollout after the warm-up, model units.

    (start, warmup + horizon - 1, channel) and (start, horizon, channel); the rollout's first is the warm-up's last.
    """
    inputs = task.inputs()
    start = task.warmup  # inputs[:, start - 1] forecasts the first step of the horizon
    warm, state = network(inputs[:, :start])
    forced, _ = network(inputs[:, start:], state)
    return torch.cat([warm, forced], dim=1), _continue(network, task, warm[:, -1], state)


def decoded_forecasts(task: Task, forced: Tensor, free: Tensor) -> Forecasts:
    """Return the results of `warm_and_free` in data units, from the first step of the horizon on."""
    one_step = forced[:, task.warmup - 1 :]
    return Forecasts(rollout=decoded(task, free), one_step=decoded_one_step(task, one_step))


@dataclass(frozen=True)
class Traced:
    """A network's rollout after a warm-up, and its states."""

    first: HiddenState  # after the warm-up, per component (layer, start, hidden)
    free: Tensor  # (start, horizon, channel), model units
    states: HiddenState  # after each forecast but the first, per component (step, layer, start, hidden)

    def some(self, rows: Array) -> "Traced":
        """Return the rollout of some of the starts, by their indices."""
        first = tuple(part[:, rows] for part in self.first)
        return Traced(first, self.free[rows], tuple(part[:, :, rows] for part in self.states))


@torch.no_grad()
def traced(network: Network, task: Task) -> Traced:
    """Return a network's rollout with its states; an engine may round it differently from `forecasts`."""
    warm, state = network(task.inputs()[:, : task.warmup])
    fed = network.self_fed(warm[:, -1], task.known[:, task.warmup + 1 :])
    free, states = network.trace(fed, state, free=task.horizon - 2)
    return Traced(state, torch.cat([warm[:, -1:], free], dim=1), states)


@torch.no_grad()
def swapped(network: Network, task: Task, rollout: Traced) -> Array:
    """Return one-step forecasts from the network's own drifting state and a true input.

    The state at each step is that of the free-running rollout; only the input of this step is
    replaced by the truth. (start, step, channel), data units. The first step equals the rollout's.
    """
    true = task.inputs()[:, task.warmup :]
    answers = single_steps(network, true, rollout.first, rollout.states)
    return decoded_one_step(task, torch.cat([rollout.free[:, :1], answers], dim=1))


def single_steps(network: Network, inputs: Tensor, state: HiddenState, after: HiddenState) -> Tensor:
    """Return the forecast (start, step, channel) of each step by itself, from the state before it.

    Args:
        network: the forecaster.
        inputs: (start, step, input), of each step.
        state: before the first step, per component (layer, start, hidden).
        after: after each step, per component (step, layer, start, hidden), as `Network.trace` gives them; the
            last is not used.
    """
    before = tuple(torch.cat([now[None], then[:-1]]) for now, then in zip(state, after, strict=True))
    answers = []
    for begin in range(0, inputs.shape[1], STEPS_AT_ONCE):
        piece = slice(begin, begin + STEPS_AT_ONCE)
        chosen = inputs[:, piece].transpose(0, 1)  # (step, start, input): the order of the states
        steps, starts, width = chosen.shape
        states = tuple(part[piece].transpose(0, 1).flatten(1, 2) for part in before)
        forecasts, _ = network.forward(chosen.reshape(steps * starts, 1, width), states)
        answers.append(forecasts.reshape(steps, starts, -1).transpose(0, 1))
    return torch.cat(answers, dim=1)


def rollout_error_of(task: Task, forecast: Array) -> float:
    """Return the rollout error by the study's objective, in [0, 1], of (start, step, channel) in data units."""
    chosen, starts = list(task.data.targets), task.starts
    block = block_length(task.data.period, task.horizon)
    objective = objective_of(task.data.objective)
    return objective(forecast[..., chosen], starts.truth[..., chosen], starts.scale[:, chosen], block)


def _continue(network: Network, task: Task, first: Tensor, state: HiddenState) -> Tensor:
    """Return the rollout (start, horizon, channel) in model units; its first step is `first`."""
    known = task.known[:, task.warmup + 1 :]
    free, _ = network.run_free(first, state, known)
    return torch.cat([first[:, None], free], dim=1)


def decoded(task: Task, forecast: Tensor) -> Array:
    """Return a rollout in data units."""
    values = forecast.double().cpu().numpy()
    return task.data.codec.decode(values, task.starts.past, task.starts.series)


def decoded_one_step(task: Task, forecast: Tensor) -> Array:
    """Return teacher-forced forecasts in data units."""
    values = forecast.double().cpu().numpy()
    return task.data.codec.decode_one_step(values, task.starts.past, task.starts.truth, task.starts.series)
