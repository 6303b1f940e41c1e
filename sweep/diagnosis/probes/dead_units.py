"""The probe `units`: dead units, the openness of gates, and the sizes of weights of a trained network."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from sweep.diagnosis.probes.closed_loop import CannotMeasure
from sweep.diagnosis.probes.subject import Subject
from sweep.model import Forecaster

ACTIVE = 0.01  # share of steps; a ReLU that is active in fewer is dead (SageMaker Debugger, rule DeadRelu)


@dataclass(frozen=True)
class Units:
    """Numbers of the units on true inputs, by layer."""

    dead_head: float | None  # share of the head's ReLU units active in under 1 % of steps; None: no ReLU
    silent_output: float | None  # share of outputs that a ReLU output holds at exactly 0; None: no ReLU there
    out_of_reach: float  # share of true targets that the output's range cannot produce
    # RMS of weights over that of torch's initialisation, per layer
    recurrent_size: tuple[float, ...]
    input_size: tuple[float, ...]
    readout_size: float  # the same for the last layer
    keeping: tuple[float, ...]  # per layer: mean of the gate that keeps the state, in (0, 1); empty: none
    state_size: float  # RMS of the hidden outputs of all layers, at most 1


@torch.no_grad()
def units(subject: Subject) -> Units:
    """Return the dead units, unreachable targets, sizes of weights and openness of keeping gates.

    Args:
        subject: a few of its starts are used, teacher-forced in float64; nothing is drawn.

    Raises:
        CannotMeasure: the state is not finite, or the cell's weights are not laid out as torch's.

    Source: dead units after SageMaker Debugger's rule DeadRelu; weights against U(-1/sqrt(n), 1/sqrt(n)) of torch.
    """
    network, few = subject.precise
    cell = network.stack.cell
    if cell.shapes is not None:
        raise CannotMeasure(f"the cell {cell.name!r} has weights of its own")
    inputs, targets = few.inputs(), few.channels[:, 1:]
    hidden = subject.forced.states[0][1:]  # (time, layer, batch, hidden)
    if not torch.isfinite(hidden).all():
        raise CannotMeasure("the network's state on true inputs is not finite")
    top = hidden[:, -1].transpose(0, 1)
    dead, before = _through_head(network, top)
    relu_out = network.config.output_activation == "relu"
    wanted = targets - inputs[..., : network.outputs] if network.increment else targets
    sizes = [(_rms(weights[0]), _rms(weights[1])) for weights in network.stack.weights()]
    hidden_bound = 1 / math.sqrt(3 * network.config.hidden)  # RMS of U(-1/sqrt(n), 1/sqrt(n))
    last = network.linears[-1]
    return Units(
        dead_head=dead,
        silent_output=float((before <= 0).double().mean()) if relu_out else None,
        out_of_reach=float((wanted < 0).double().mean()) if relu_out else 0.0,
        recurrent_size=tuple(u / hidden_bound for _, u in sizes),
        input_size=tuple(w / hidden_bound for w, _ in sizes),
        readout_size=_rms(last.weight) * math.sqrt(3 * last.in_features),
        keeping=_keeping(network, inputs, hidden),
        state_size=_rms(hidden),
    )


def _through_head(network: Forecaster, top: Tensor) -> tuple[float | None, Tensor]:
    """Return the share of dead ReLU units of the head, and the values before the output's activation."""
    active: list[Tensor] = []
    for linear in network.linears[:-1]:
        top = network.activation(linear(top))
        active.append((top > 0).double().mean(dim=(0, 1)))
    relu = network.config.head_activation == "relu" and active
    dead = float((torch.cat(active) < ACTIVE).double().mean()) if relu else None
    return dead, network.linears[-1](top)


def _keeping(network: Forecaster, inputs: Tensor, hidden: Tensor) -> tuple[float, ...]:
    stack, below, openness = network.stack, inputs, []
    gate_number = stack.cell.keeping_gate
    if gate_number is None:
        return ()
    for layer, (weight_ih, weight_hh, bias_ih, bias_hh) in enumerate(stack.weights()):
        rows = slice(gate_number * stack.hidden, (gate_number + 1) * stack.hidden)
        outputs = hidden[:, layer].transpose(0, 1)
        before = torch.cat([torch.zeros_like(outputs[:, :1]), outputs[:, :-1]], dim=1)
        gate = below @ weight_ih[rows].T + before @ weight_hh[rows].T + (bias_ih + bias_hh)[rows]
        openness.append(float(torch.sigmoid(gate).double().mean()))
        below = outputs
    return tuple(openness)


def _rms(values: Tensor) -> float:
    return float(values.double().square().mean().sqrt())
