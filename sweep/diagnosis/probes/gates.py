"""The share of saturated gates on a few true sequences."""

import torch
from torch import Tensor

from sweep.diagnosis.probes.closed_loop import CannotMeasure, recurrent
from sweep.model import Network

SATURATED = 5.0  # |pre-activation|; a gate beyond it is saturated: DeepDiagnosis (ICSE 2022)


@torch.no_grad()
def gate_saturation(network: Network, inputs: Tensor) -> list[float]:
    """Return the share of sigmoid gates' pre-activations beyond +-5, per layer, in [0, 1]; NaN counts.

    Args:
        network: left alone.
        inputs: (batch, time, input), model units.

    Raises:
        CannotMeasure: the cell has no sigmoid gates, or the network is the model of a plug-in.

    Source: Wardat et al. (2022), DeepDiagnosis, saturated activation.
    """
    stack = recurrent(network).stack
    if not stack.cell.sigmoid_gates:
        raise CannotMeasure(f"the cell {stack.cell.name!r} has no sigmoid gates")
    states = network.trace(inputs)[1][0]  # of every step: (time, layer, batch, hidden)
    below, shares = inputs, []
    for layer, (weight_ih, weight_hh, bias_ih, bias_hh) in enumerate(stack.weights()):
        outputs = states[:, layer].transpose(0, 1)
        before = torch.cat([torch.zeros_like(outputs[:, :1]), outputs[:, :-1]], dim=1)
        every = below @ weight_ih.T + bias_ih + before @ weight_hh.T + bias_hh
        gates = every.view(*outputs.shape[:2], stack.cell.gates, -1)[:, :, list(stack.cell.sigmoid_gates)]
        shares.append(1.0 - float((gates.abs() <= SATURATED).double().mean()))
        below = outputs
    return shares
