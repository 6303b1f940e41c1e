"""The probe `readout_refit`: rollout errors with a closed-form readout, of the trained and an untrained network."""

from dataclasses import dataclass

import torch

from sweep.diagnosis.probes.closed_loop import recurrent
from sweep.diagnosis.probes.subject import Subject
from sweep.model import Forecaster
from sweep.score.ridge_readout import refit_readout


@dataclass(frozen=True)
class ReadoutRefit:
    """Rollout errors on the task's starts, each in [0, 1]; a refit is never worse than the network that it starts from.

    Raw bad and refit good: the readout or its optimisation failed. Only the untrained refit good: training damaged the
    state. All bad: the state, the warm-up or the data are at fault.
    """

    raw: float  # the network as it is
    refit: float
    ridge: float | None  # of the refit; None: its own readout is the best
    untrained_raw: float
    untrained_refit: float
    untrained_ridge: float | None
    weight: tuple[tuple[float, ...], ...]  # of the refitted last layer, (channel, activation)
    bias: tuple[float, ...]  # (channel,)


def readout_refit(subject: Subject) -> ReadoutRefit:
    """Return rollout errors with the last linear layer refitted by ridge regression (`sweep.score.ridge_readout`).

    Args:
        subject: its starts also choose the ridge, so the errors are optimistic. Its seed draws the untrained
            network's weights.

    Raises:
        CannotMeasure: the network is the model of a plug-in.
        CannotServe: the readout has no closed form, or there is too little training data.
    """
    network, task = recurrent(subject.network), subject.task
    trained = refit_readout(network, task)
    with torch.random.fork_rng(devices=[]):  # torch's modules draw weights when they are created
        fresh = Forecaster(network.config, task.data.inputs, network.outputs, network.engine)
    untrained = refit_readout(fresh.initialise(subject.seed).to(next(network.parameters())), task)
    last = trained.network.linears[-1]
    with torch.no_grad():
        weight, bias = last.weight.double().cpu().numpy(), last.bias.double().cpu().numpy()
    return ReadoutRefit(
        raw=trained.raw_error,
        refit=trained.error,
        ridge=trained.ridge,
        untrained_raw=untrained.raw_error,
        untrained_refit=untrained.error,
        untrained_ridge=untrained.ridge,
        weight=tuple(tuple(row) for row in weight.tolist()),
        bias=tuple(bias.tolist()),
    )
