"""Derivatives of the closed-loop map along a trajectory, as Jacobian-vector products of many tangents at once.

The gates are known along a trajectory, so the factors of all its steps are computed at once; a step of the
tangents is then a matrix product and a few sums per layer, without automatic differentiation. At these sizes
calls are what costs, and numpy's are the cheaper ones; the product is torch's, whose threads are set.

Notation: z are pre-activations, d tangents, a dash the value after the step.

LSTM: c' = f c + i g, h' = o tanh c'
    dc' = f dc + [g i(1-i)] dz_i + [c f(1-f)] dz_f + [i (1-g^2)] dz_g
    dh' = [o (1 - tanh^2 c')] dc' + [tanh c' o(1-o)] dz_o

GRU: n = tanh(z_n + r m), m = W_hn h + b_hn, h' = (1-z) n + z h
    dh' = z dh + [(h-n) z(1-z)] dz_z + [(1-z)(1-n^2)] (dz_n + r dm + [m r(1-r)] dz_r)
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sweep.config.registry import Registry
from sweep.diagnosis.probes.closed_loop import ClosedLoop, Trajectory
from sweep.model import Forecaster
from sweep.model.cells import State, Weights

Array = np.ndarray
Factors = tuple[Tensor, ...]
Parts = tuple[Array, ...]


@dataclass(frozen=True)
class CellTangent:
    """The derivative of one cell of the table of cells, under the cell's name.

    `factors` (input, state before, state after, weights) are elementwise, of any leading axes. `columns` turns the
    weights into the matrices that `advance` multiplies by: input tangent and state tangents (start, tangent, number),
    matrices, and the factors (start, 1, number) of a step give the state's tangents after it.
    """

    name: str
    factors: Callable[[Tensor, State, State, Weights], Factors]
    columns: Callable[[Weights], Factors]
    advance: Callable[[Array, Parts, Factors, Parts], Parts]


def _lstm_factors(x: Tensor, before: State, after: State, weights: Weights) -> Factors:
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    z_i, z_f, z_g, z_o = (x @ weight_ih.T + before[0] @ weight_hh.T + (bias_ih + bias_hh)).chunk(4, dim=-1)
    i, f, g, o = z_i.sigmoid(), z_f.sigmoid(), z_g.tanh(), z_o.sigmoid()
    squashed = after[1].tanh()
    by_gate = [g * i * (1 - i), before[1] * f * (1 - f), i * (1 - g * g), squashed * o * (1 - o)]
    return torch.cat(by_gate, dim=-1), f, o * (1 - squashed * squashed)


def _lstm_columns(weights: Weights) -> Factors:
    return (torch.cat([weights[0], weights[1]], dim=1).T.contiguous(),)


def _lstm_advance(dx: Array, state: Parts, weights: Factors, factors: Parts) -> Parts:
    by_gate, forget, through = factors
    parts = product(np.concatenate([dx, state[0]], axis=-1), weights[0])
    parts *= by_gate
    hidden = forget.shape[-1]
    dc = forget * state[1]
    add_blocks(dc, parts[..., : 3 * hidden])
    dh = through * dc
    add_blocks(dh, parts[..., 3 * hidden :])
    return dh, dc


def _gru_factors(x: Tensor, before: State, after: State, weights: Weights) -> Factors:
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    x_r, x_z, x_n = (x @ weight_ih.T + bias_ih).chunk(3, dim=-1)
    h_r, h_z, m = (before[0] @ weight_hh.T + bias_hh).chunk(3, dim=-1)
    r, z = (x_r + h_r).sigmoid(), (x_z + h_z).sigmoid()
    n = (x_n + r * m).tanh()
    into_n = (1 - z) * (1 - n * n)
    by_gate = [into_n * m * r * (1 - r), (before[0] - n) * z * (1 - z), into_n, into_n * r]
    return torch.cat(by_gate, dim=-1), z


def _gru_columns(weights: Weights) -> Factors:
    """Return one matrix for r, z, and apart, since r scales the second, what the input and the state add to n."""
    (x_rz, x_n), (h_rz, h_n) = ((w[: 2 * len(w) // 3], w[2 * len(w) // 3 :]) for w in weights[:2])
    from_input = torch.cat([x_rz, x_n, torch.zeros_like(h_n[:, :1]).expand(-1, x_n.shape[1])])
    from_state = torch.cat([h_rz, torch.zeros_like(h_n), h_n])
    return (torch.cat([from_input, from_state], dim=1).T.contiguous(),)


def _gru_advance(dx: Array, state: Parts, weights: Factors, factors: Parts) -> Parts:
    by_gate, keep = factors
    parts = product(np.concatenate([dx, state[0]], axis=-1), weights[0])
    parts *= by_gate
    dh = keep * state[0]
    add_blocks(dh, parts)
    return (dh,)


def add_blocks(total: Array, parts: Array) -> None:
    """Add to a total (..., number) the blocks of its width that lie side by side in the parts' last axis."""
    width = total.shape[-1]
    for begin in range(0, parts.shape[-1], width):
        total += parts[..., begin : begin + width]


def product(tangents: Array, matrix: Tensor) -> Array:
    """Return (start, tangent, column): tangents (start, tangent, row) times a matrix."""
    flat = torch.from_numpy(tangents).reshape(-1, tangents.shape[-1])
    found: Array = torch.mm(flat, matrix).view(*tangents.shape[:-1], -1).numpy()
    return found


CELL_TANGENTS: Registry[CellTangent] = Registry(
    "cell's tangent",
    [
        CellTangent("lstm", _lstm_factors, _lstm_columns, _lstm_advance),
        CellTangent("gru", _gru_factors, _gru_columns, _gru_advance),
    ],
)


class Linearised:
    """The Jacobians of all steps of a float64 trajectory, applied to tangents (start, tangent, D) step by step."""

    @torch.no_grad()
    def __init__(self, network: Forecaster, path: Trajectory) -> None:
        loop = ClosedLoop(network)
        self.steps = path.steps
        self.increment = network.increment
        self.hidden, self.state_size = network.stack.hidden, loop.state_size
        self.components = loop.components
        self.known = path.inputs.shape[-1] - network.outputs  # calendar features
        self.cell = CELL_TANGENTS[network.stack.cell.name]
        self.matrices: list[Factors] = []  # per layer
        self.factors: list[Parts] = []  # per layer, each (step, start, 1, number)
        x = path.inputs
        for layer, weights in enumerate(network.stack.weights()):
            before = tuple(part[:-1, layer] for part in path.states)
            after = tuple(part[1:, layer] for part in path.states)
            factors = self.cell.factors(x, before, after, weights)
            self.matrices.append(tuple(matrix.cpu() for matrix in self.cell.columns(weights)))
            self.factors.append(tuple(factor.unsqueeze(-2).cpu().numpy() for factor in factors))
            x = after[0]
        self.readout = [linear.weight.T.contiguous().cpu() for linear in network.linears]
        self.slopes = [
            None if slope is None else slope.unsqueeze(-2).cpu().numpy()
            for slope in _readout_slopes(network, x)
        ]

    @torch.no_grad()
    def advance(self, step: int, tangents: Array, fed: bool = True) -> Array:
        """Return the tangents after one step, (start, tangent, D).

        Args:
            step: of the trajectory.
            tangents: before it.
            fed: whether the current value's tangent is the input's; else the input is held, as it is by
                teacher forcing.
        """
        hidden, state_size = self.hidden, self.state_size
        parts = [tangents[..., begin : begin + hidden] for begin in range(0, state_size, hidden)]
        current = tangents[..., state_size:]
        if not fed:
            current = np.zeros_like(current)
        dx = current
        if self.known:
            dx = np.concatenate([current, np.zeros((*current.shape[:-1], self.known))], axis=-1)
        after: list[Array] = []
        count = self.components
        for layer, matrices in enumerate(self.matrices):
            state = tuple(parts[layer * count : (layer + 1) * count])
            now = tuple(factor[step] for factor in self.factors[layer])
            new = self.cell.advance(dx, state, matrices, now)
            after.extend(new)
            dx = new[0]
        for matrix, slope in zip(self.readout, self.slopes, strict=True):
            dx = product(dx, matrix)
            if slope is not None:
                dx = slope[step] * dx
        return np.concatenate([*after, dx + current if self.increment else dx], axis=-1)


def _readout_slopes(network: Forecaster, hidden: Tensor) -> list[Tensor | None]:
    """Return per layer of the readout the slope of what follows it, (..., out); None where nothing does."""
    slopes: list[Tensor | None] = []
    last = len(network.linears) - 1
    for number, linear in enumerate(network.linears):
        before = linear(hidden)
        if number < last:
            hidden = network.activation(before)
            relu = network.config.head_activation == "relu"
            slopes.append((before > 0).to(before.dtype) if relu else 1 - hidden * hidden)
        elif network.config.output_activation == "relu":
            slopes.append((before > 0).to(before.dtype))
        else:
            slopes.append(None)
    return slopes


@torch.no_grad()
def jacobians(network: Forecaster, flat: Tensor) -> tuple[Tensor, Tensor]:
    """Return F (batch, D) and its Jacobians (batch, D, D) at flat vectors, float64; for networks without calendar.

    Row a, column b is the derivative of F's a-th number by the b-th of the flat vector.
    """
    loop = ClosedLoop(network)
    after = loop(flat)
    (state, current), (later, forecast) = loop.split(flat), loop.split(after)
    states = tuple(torch.stack([one, other]) for one, other in zip(state, later, strict=True))
    path = Trajectory(current[None], forecast[None], states)
    identity = np.tile(np.eye(loop.size), (len(flat), 1, 1))
    columns = torch.from_numpy(Linearised(network, path).advance(0, identity))
    return after, columns.transpose(1, 2).to(flat)
