"""Closed-form refit of a readout: keep the recurrent weights, solve for the last linear layer.

The recurrent part runs teacher-forced over the training data, see `sweep.model.least_squares`. The one-step error falls
for every ridge and says little. The chosen ridge is the one with the best rollout on the starts of a task; the
unchanged network is among the candidates.

Source: Jaeger (2001), GMD report 148, echo state networks, whose recurrent part is never trained at all.
"""

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sweep.data import Data
from sweep.model import Forecaster, Network
from sweep.model.least_squares import Regression, no_rows, rows_of
from sweep.model.state import HiddenState
from sweep.score.baselines.simple import CannotServe
from sweep.score.rollout import Task, decoded, rollout_error_of

RIDGES = tuple(10.0**power for power in range(-16, 0, 2))  # the best are 1e-14 to 1e-8 on sines and Lorenz
ROWS_MOST = 20_000  # most training steps in the regression; of more, evenly spaced pieces are used
PIECE = 512  # steps of a piece of a training series in the regression; our choice, a bound on time
WASHOUT = 200  # steps before a piece, from a state of zeros; at most a quarter of a series and the warm-up


@dataclass(frozen=True)
class Refit:
    """The result of a refit. `network` is a copy in the precision of the network that was given."""

    network: Forecaster
    ridge: float | None  # None: no candidate has a better rollout than the unchanged network
    error: float  # rollout error of `network` on the task, in [0, 1]
    raw_error: float  # of the unchanged network
    errors: tuple[float, ...]  # by RIDGES


def refit_readout(network: Network, task: Task, ridges: tuple[float, ...] = RIDGES) -> Refit:
    """Return the network with the readout whose rollout is best on a task: its own or one in closed form.

    Args:
        network: of the task's precision; not changed.
        task: its data hold the training series; its starts (validation) choose the ridge.
        ridges: candidates, each > 0.

    Raises:
        CannotServe: the network is not a recurrent forecaster, the output passes through a ReLU, the training series
            are too short, or states are not finite.
    """
    forecaster = _forecaster(network)
    fit = regression(forecaster, task.data, task.warmup)
    before = _before_the_rollout(forecaster, task)
    raw = _error(forecaster, task, before)
    best, ridge, error, errors = forecaster, None, raw, []
    for candidate in ridges:
        made = refitted(forecaster, fit, candidate)
        errors.append(_error(made, task, before))
        if errors[-1] < error:
            best, ridge, error = made, candidate, errors[-1]
    return Refit(copy.deepcopy(best), ridge, error, raw, tuple(errors))


def with_ridge(network: Network, data: Data, warmup: int, ridge: float) -> Forecaster:
    """Return a copy of a network with the readout of one ridge, which no rollout has chosen.

    Args:
        network: not changed.
        data: its training series.
        warmup: as for `regression`.
        ridge: as for `Regression.solve`.

    Raises:
        CannotServe: as `refit_readout`.
    """
    forecaster = _forecaster(network)
    return refitted(forecaster, regression(forecaster, data, warmup), ridge)


def _forecaster(network: Network) -> Forecaster:
    if not isinstance(network, Forecaster):
        raise CannotServe("a model of a plug-in has no readout that can be refitted")
    return network


def refitted(network: Forecaster, fit: Regression, ridge: float) -> Forecaster:
    """Return a copy of a network whose last linear layer is the ridge regression's.

    Args:
        network: the one that `fit` was computed with.
        fit: from `regression`.
        ridge: as for `Regression.solve`.
    """
    made = copy.deepcopy(network)
    made.set_last(fit.solve(ridge))
    return made


@torch.no_grad()
def regression(network: Forecaster, data: Data, warmup: int) -> Regression:
    """Return what `solve` needs, from one teacher-forced pass over the training data in float64.

    Args:
        network: in any precision; not changed.
        data: its training series and their known inputs, model units.
        warmup: true steps before a rollout; the wash-out is not longer than that.

    Raises:
        CannotServe: as `refit_readout`.
    """
    if network.config.output_activation != "none":
        raise CannotServe("the output passes through a ReLU: it has no closed form")
    precise = copy.deepcopy(network).double()
    device = next(precise.parameters()).device
    fit = no_rows(precise.linears[-1].in_features, precise.outputs, next(precise.parameters()))
    for washout, inputs, targets in _pieces(data, warmup, device):
        goals = precise.goals(inputs, targets)
        fit = fit.extended(rows_of(precise.activations(inputs)[:, washout:], goals[:, washout:]))
    width = fit.triangle.shape[1]
    if fit.rows < 2 * width:
        raise CannotServe(f"{fit.rows} training steps are too few for a readout of {width} weights")
    if not torch.isfinite(fit.triangle).all():
        raise CannotServe("the network's states are not finite on the training data")
    return fit


def _pieces(data: Data, warmup: int, device: torch.device) -> list[tuple[int, Tensor, Tensor]]:
    """Return batches (wash-out steps, inputs (batch, time, input), next values), ROWS_MOST steps in all."""
    spans = []  # (series, first input, wash-out, steps after it)
    for number, values in enumerate(data.train):
        washout = min(WASHOUT, warmup, len(values) // 4)
        last = len(values) - 1
        for begin in range(0, last - washout, PIECE):
            spans.append((number, begin, washout, min(PIECE, last - washout - begin)))
    total = sum(span[3] for span in spans)
    spans = spans[:: max(1, -(-total // ROWS_MOST))]
    batches = []
    for size in sorted({span[2:] for span in spans}):
        chosen = [
            (number, slice(begin, begin + sum(size) + 1))
            for number, begin, *rest in spans
            if (*rest,) == size
        ]
        values = np.stack([data.train[number][span] for number, span in chosen])
        known = np.stack([data.train_known[number][span] for number, span in chosen])
        channels = torch.as_tensor(values, dtype=torch.float64, device=device)
        inputs = torch.cat([channels[:, :-1], torch.as_tensor(known).to(channels)[:, 1:]], dim=-1)
        batches.append((size[0], inputs, channels[:, 1:]))
    return batches


@torch.no_grad()
def _before_the_rollout(network: Forecaster, task: Task) -> HiddenState | None:
    """Return the state before the last true input; it does not depend on the readout."""
    if task.warmup < 2:
        return None
    state: HiddenState = network(task.inputs()[:, : task.warmup - 1])[1]
    return state


@torch.no_grad()
def _error(network: Forecaster, task: Task, before: HiddenState | None) -> float:
    inputs = task.channels[:, task.warmup - 1]
    known = task.known[:, task.warmup :]
    state = network.zero_state(inputs) if before is None else before
    free, _ = network.run_free(inputs, state, known)
    return rollout_error_of(task, decoded(task, free))
