"""Gradients of the last forecast and of its error with respect to earlier inputs, on a few true sequences."""

from dataclasses import dataclass

import torch
from torch import Tensor

from sweep.model import Network


@dataclass(frozen=True)
class GradientsByLag:
    """Norms of gradients with respect to the input `lag` steps before, by lag 1, 2, 4, ...; RMS over the batch.

    In model units; 0 means no memory. Lag 1 includes the direct path of an increment readout.
    """

    forecast: dict[int, float]  # of the sum of the last forecast over channels
    loss: dict[int, float]  # of each sequence's mean squared error of the last forecast over channels


def gradients_by_lag(network: Network, inputs: Tensor, truth: Tensor) -> GradientsByLag:
    """Return how much the last forecast and its loss depend on the input at each lag.

    Args:
        network: the forecaster; its parameters' gradients are not changed.
        inputs: (batch, time, input), model units.
        truth: (batch, channel), model units, the value that the last step should forecast.

    Source: Bengio, Simard & Frasconi (1994), IEEE Transactions on Neural Networks 5, gradients that vanish by lag.
    """
    inputs = inputs.detach().clone().requires_grad_(True)
    last = network(inputs)[0][:, -1]
    loss = (last - truth).square().mean(dim=1).sum()
    (of_forecast,) = torch.autograd.grad(last.sum(), inputs, retain_graph=True, materialize_grads=True)
    (of_loss,) = torch.autograd.grad(loss, inputs, materialize_grads=True)
    return GradientsByLag(_by_lag(of_forecast), _by_lag(of_loss))


def _by_lag(gradient: Tensor) -> dict[int, float]:
    norms = gradient.norm(dim=2).square().mean(dim=0).sqrt()
    result, lag = {}, 1
    while lag <= gradient.shape[1]:
        result[lag] = float(norms[-lag])
        lag *= 2
    return result
