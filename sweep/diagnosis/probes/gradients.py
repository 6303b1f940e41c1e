"""How far back the last forecast depends on its inputs, on a few true sequences."""

import torch
from torch import Tensor

from sweep.model import Forecaster


def input_gradient_by_lag(network: Forecaster, inputs: Tensor) -> dict[int, float]:
    """Return how much the last forecast depends on the input `lag` steps before it, by lag 1, 2, 4, ...

    The norm of d(sum of the last forecast over channels) / d(input at that lag), RMS over the batch,
    in model units; 0 is no memory. For lag 1 the direct path of an increment readout is included.

    Args:
        network: the forecaster; its parameters' gradients are left alone.
        inputs: (batch, time, input), model units.
    """
    inputs = inputs.detach().clone().requires_grad_(True)
    forecast, _ = network(inputs)
    (gradient,) = torch.autograd.grad(forecast[:, -1].sum(), inputs)
    norms = gradient.norm(dim=2).square().mean(dim=0).sqrt()
    result, lag = {}, 1
    while lag <= inputs.shape[1]:
        result[lag] = float(norms[-lag])
        lag *= 2
    return result
