"""Derivatives of the closed-loop map along a trajectory: Jacobian-vector products of many tangents at once.

The gates are known along a trajectory, so the factors of all steps are computed together. A step of the tangents is
then a matrix product and a few sums per layer, without automatic differentiation. At these sizes the number of calls
decides the time, so the sums are numpy's, in place, which are cheaper; the product is torch's, whose threads are set.

Notation: z are pre-activations, d tangents, a dash the value after the step.

LSTM: c' = f c + i g, h' = o tanh c'
    dc' = f dc + [g i(1-i)] dz_i + [c f(1-f)] dz_f + [i (1-g^2)] dz_g
    dh' = [o (1 - tanh^2 c')] dc' + [tanh c' o(1-o)] dz_o

GRU: n = tanh(z_n + r m), m = W_hn h + b_hn, h' = (1-z) n + z h
    dh' = z dh + [(h-n) z(1-z)] dz_z + [(1-z)(1-n^2)] (dz_n + r dm + [m r(1-r)] dz_r)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sweep.config.registry import Registry
from sweep.diagnosis.probes.closed_loop import ClosedLoop, Trajectory
from sweep.model import Forecaster
from sweep.model.state import HiddenState, Weights

Array = np.ndarray
Factors = tuple[Tensor, ...]
Parts = tuple[Array, ...]


@dataclass(frozen=True)
class CellTangent:
    """The derivative of one cell of the table of cells, under the cell's name.

    `factors` (input, state before, state after, weights) are elementwise, of any leading axes; the first, by gate, are
    for the product of tangents (input and h side by side) with the matrix `product`, made of the weights. `advance`
    changes the state's tangents to those after a step: the state's, and that product, which it may spoil, as blocks of
    the state's width, all (start, tangent, number), and the other factors (start, 1, number).
    """

    name: str
    factors: Callable[[Tensor, HiddenState, HiddenState, Weights], Factors]
    product: Callable[[Weights], Tensor]
    advance: Callable[[Parts, Sequence[Array], Parts], None]


def _lstm_factors(x: Tensor, before: HiddenState, after: HiddenState, weights: Weights) -> Factors:
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    z_i, z_f, z_g, z_o = (x @ weight_ih.T + before[0] @ weight_hh.T + (bias_ih + bias_hh)).chunk(4, dim=-1)
    i, f, g, o = z_i.sigmoid(), z_f.sigmoid(), z_g.tanh(), z_o.sigmoid()
    squashed = after[1].tanh()
    by_gate = [g * i * (1 - i), before[1] * f * (1 - f), i * (1 - g * g), squashed * o * (1 - o)]
    return torch.cat(by_gate, dim=-1), f, o * (1 - squashed * squashed)


def _lstm_product(weights: Weights) -> Tensor:
    return torch.cat([weights[0], weights[1]], dim=1).T.contiguous()


def _lstm_advance(state: Parts, by_gate: Sequence[Array], factors: Parts) -> None:
    (dh, dc), (forget, through) = state, factors
    dc *= forget
    for part in by_gate[:3]:
        dc += part
    np.multiply(through, dc, out=dh)
    dh += by_gate[3]


def _gru_factors(x: Tensor, before: HiddenState, after: HiddenState, weights: Weights) -> Factors:
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    x_r, x_z, x_n = (x @ weight_ih.T + bias_ih).chunk(3, dim=-1)
    h_r, h_z, m = (before[0] @ weight_hh.T + bias_hh).chunk(3, dim=-1)
    r, z = (x_r + h_r).sigmoid(), (x_z + h_z).sigmoid()
    n = (x_n + r * m).tanh()
    into_n = (1 - z) * (1 - n * n)
    by_gate = [into_n * m * r * (1 - r), (before[0] - n) * z * (1 - z), into_n, into_n * r]
    return torch.cat(by_gate, dim=-1), z


def _gru_product(weights: Weights) -> Tensor:
    """Return one matrix for r, z, and apart, since r scales the second, what the input and the state add to n."""
    (x_rz, x_n), (h_rz, h_n) = ((w[: 2 * len(w) // 3], w[2 * len(w) // 3 :]) for w in weights[:2])
    from_input = torch.cat([x_rz, x_n, torch.zeros_like(h_n[:, :1]).expand(-1, x_n.shape[1])])
    from_state = torch.cat([h_rz, torch.zeros_like(h_n), h_n])
    return torch.cat([from_input, from_state], dim=1).T.contiguous()


def _gru_advance(state: Parts, by_gate: Sequence[Array], factors: Parts) -> None:
    (dh,), (keep,) = state, factors
    dh *= keep
    for part in by_gate:
        dh += part


CELL_TANGENTS: Registry[CellTangent] = Registry(
    "cell's tangent",
    [
        CellTangent("lstm", _lstm_factors, _lstm_product, _lstm_advance),
        CellTangent("gru", _gru_factors, _gru_product, _gru_advance),
    ],
)


class _Layer:
    """The tangents of a layer, (start, tangent, number), changed in place."""

    def __init__(
        self, cell: CellTangent, matrix: Tensor, inputs: int, hidden: int, count: tuple[int, int]
    ) -> None:
        self.cell, self.matrix = cell, matrix
        self.joined = np.zeros((*count, inputs + hidden))  # input and h, side by side
        self.input, self.h = self.joined[..., :inputs], self.joined[..., inputs:]
        self.c = np.zeros((*count, hidden))
        self.product = np.empty((*count, matrix.shape[1]))
        self.by_gate = [
            self.product[..., begin : begin + hidden] for begin in range(0, matrix.shape[1], hidden)
        ]
        self._joined, self._product = _rows(self.joined), _rows(self.product)

    def state(self, components: int) -> Parts:
        """Return the tangents of the state."""
        return (self.h, self.c)[:components]

    def advance(self, factors: Parts) -> None:
        """Advance by a step."""
        torch.mm(self._joined, self.matrix, out=self._product)
        self.product *= factors[0]
        self.cell.advance(self.state(len(factors) - 1), self.by_gate, factors[1:])


def _rows(tangents: Array) -> Tensor:
    """Return tangents as a matrix that shares their memory."""
    return torch.from_numpy(tangents).view(-1, tangents.shape[-1])


class Linearised:
    """The Jacobians of all steps of a float64 trajectory, applied to tangents (start, tangent, D) step by step."""

    @torch.no_grad()
    def __init__(self, network: Forecaster, path: Trajectory) -> None:
        loop = ClosedLoop(network)
        self.steps = path.steps
        self.increment = network.increment
        self.hidden, self.state_size = network.stack.hidden, loop.state_size
        self.components = loop.components
        self.inputs = path.inputs.shape[-1]
        self.outputs = network.outputs
        self.cell = CELL_TANGENTS[network.stack.cell.name]
        self.matrices: list[Tensor] = []  # per layer
        self.factors: list[Parts] = []  # per layer, each (step, start, 1, number)
        x = path.inputs
        for layer, weights in enumerate(network.stack.weights()):
            before = tuple(part[:-1, layer] for part in path.states)
            after = tuple(part[1:, layer] for part in path.states)
            factors = self.cell.factors(x, before, after, weights)
            self.matrices.append(self.cell.product(weights).cpu())
            self.factors.append(tuple(factor.unsqueeze(-2).cpu().numpy() for factor in factors))
            x = after[0]
        self.readout = [linear.weight.T.contiguous().cpu() for linear in network.linears]
        self.slopes = [
            None if slope is None else slope.unsqueeze(-2).cpu().numpy()
            for slope in _readout_slopes(network, x)
        ]

    @torch.no_grad()
    def advance(self, begin: int, end: int, tangents: Array, fed: bool = True) -> Array:
        """Return the tangents before step `end` of the trajectory, (start, tangent, D).

        Args:
            begin: the step that comes first.
            end: above it, at most `steps`.
            tangents: before `begin`.
            fed: whether the current value's tangent is the input's; else the input is held, as it is by
                teacher forcing.
        """
        layers = self._layers(tangents.shape[:2])
        parts = [part for layer in layers for part in layer.state(self.components)]
        for number, part in enumerate(parts):
            part[:] = tangents[..., number * self.hidden : (number + 1) * self.hidden]
        current = layers[0].input[..., : self.outputs]  # what else is fed is known: its tangent is 0
        current[:] = tangents[..., self.state_size :] if fed else 0
        for step in range(begin, end):
            for layer, factors, above in zip(layers, self.factors, [*layers[1:], None], strict=True):
                layer.advance(tuple(factor[step] for factor in factors))
                if above is not None:
                    above.input[:] = layer.h
            if fed or step == end - 1:
                forecast = self._read(step, layers[-1].h)
                if self.increment:
                    forecast += current
                if fed:
                    current[:] = forecast
        return np.concatenate([*parts, forecast], axis=-1)

    def _layers(self, count: tuple[int, int]) -> list[_Layer]:
        inputs = [self.inputs, *[self.hidden] * (len(self.matrices) - 1)]
        return [
            _Layer(self.cell, matrix, width, self.hidden, count)
            for matrix, width in zip(self.matrices, inputs, strict=True)
        ]

    def _read(self, step: int, hidden: Array) -> Array:
        """Return the tangents (start, tangent, output) of the readout."""
        rows = torch.from_numpy(hidden).flatten(0, 1)
        for matrix, slope in zip(self.readout, self.slopes, strict=True):
            rows = torch.mm(rows, matrix)
            if slope is not None:
                rows = (rows.view(*hidden.shape[:-1], -1) * torch.from_numpy(slope[step])).flatten(0, 1)
        tangents: Array = rows.view(*hidden.shape[:-1], -1).numpy()
        return tangents


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
    states = tuple(torch.stack([now, after]) for now, after in zip(state, later, strict=True))
    path = Trajectory(current[None], forecast[None], states)
    identity = np.tile(np.eye(loop.size), (len(flat), 1, 1))
    columns = torch.from_numpy(Linearised(network, path).advance(0, 1, identity))
    return after, columns.transpose(1, 2).to(flat)
