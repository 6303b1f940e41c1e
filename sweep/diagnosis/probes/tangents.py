"""Derivatives of the closed-loop map along a trajectory, as Jacobian-vector products of many tangents at once.

A cell has its derivative in closed form on its entry (`sweep.model.tangents`). The gates are known along a trajectory,
so the factors of all steps are computed at once; a step of the tangents is then a matrix product and a few sums per
layer. At these sizes the number of calls decides the time: numpy's calls are cheaper than torch's, and they write in
place; the product is torch's, which uses its number of threads. A cell without a closed form is differentiated
automatically, step by step.
"""

import importlib
import warnings
from collections.abc import Callable
from functools import cache, partial

import numpy as np
import torch
from torch import Tensor

from sweep.diagnosis.probes.closed_loop import ClosedLoop, Trajectory
from sweep.model import CellSpec, Forecaster
from sweep.model.state import HiddenState, Weights
from sweep.model.tangents import Array, CellTangent, Parts


class _Layer:
    """A layer's tangents, (start, tangent, number), which each step changes in place."""

    def __init__(self, inputs: int, hidden: int, components: int, count: tuple[int, int]) -> None:
        self.joined = np.zeros((*count, inputs + hidden))  # input and h, side by side
        self.input, self.h = self.joined[..., :inputs], self.joined[..., inputs:]
        self.state: Parts = (self.h, *(np.zeros((*count, hidden)) for _ in range(components - 1)))

    def advance(self, step: int) -> None:
        """Change the state's tangents to those after a step of the trajectory."""
        raise NotImplementedError


class _ClosedForm(_Layer):
    """The tangents of a layer whose cell has its derivative in closed form."""

    def __init__(
        self, tangent: CellTangent, matrix: Tensor, factors: Parts, components: int, count: tuple[int, int]
    ) -> None:
        """Begin with tangents of 0.

        Args:
            tangent: of the cell.
            matrix: what `tangent.product` returns.
            factors: what `tangent.factors` returns, each (step, start, 1, number).
            components: tensors of the state.
            count: (starts, tangents).
        """
        hidden = factors[1].shape[-1]
        super().__init__(matrix.shape[0] - hidden, hidden, components, count)
        self.tangent, self.matrix, self.factors = tangent, matrix, factors
        self.product = np.empty((*count, matrix.shape[1]))
        self.by_gate = [
            self.product[..., begin : begin + hidden] for begin in range(0, matrix.shape[1], hidden)
        ]
        self._joined, self._product = _rows(self.joined), _rows(self.product)

    def advance(self, step: int) -> None:
        """Change the state's tangents to those after a step of the trajectory."""
        first, *others = (factor[step] for factor in self.factors)
        torch.mm(self._joined, self.matrix, out=self._product)
        self.product *= first
        self.tangent.advance(self.state, self.by_gate, tuple(others))


class _Differentiated(_Layer):
    """The tangents of a layer whose cell is differentiated automatically."""

    def __init__(
        self, cell: CellSpec, weights: Weights, x: Tensor, before: HiddenState, count: tuple[int, int]
    ) -> None:
        """Begin with tangents of 0.

        Args:
            cell: its `step` is differentiated.
            weights: of the layer.
            x: (step, start, input), the layer's inputs along the trajectory.
            before: per component (step, start, hidden), the states before each step.
            count: (starts, tangents).
        """
        super().__init__(x.shape[-1], before[0].shape[-1], len(before), count)
        _load_forward_differentiation()
        self.cell, self.weights, self.x, self.before = cell, weights, x, before

    def advance(self, step: int) -> None:
        """Change the state's tangents to those after a step of the trajectory."""
        point = (self.x[step], *(part[step] for part in self.before))

        def stepped(x: Tensor, *state: Tensor) -> HiddenState:
            return self.cell.step(x, state, self.weights)

        def pushed(*tangents: Tensor) -> HiddenState:
            after: HiddenState = torch.func.jvp(stepped, point, tangents)[1]
            return after

        now = [torch.from_numpy(part).transpose(0, 1).to(point[0]) for part in (self.input, *self.state)]
        for part, after in zip(self.state, torch.func.vmap(pushed)(*now), strict=True):
            part[:] = after.transpose(0, 1).cpu().numpy()


@cache
def _load_forward_differentiation() -> None:
    """Import torch's rules of forward differentiation, which warn that torch itself uses a deprecated function."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        importlib.import_module("torch._decomp.decompositions_for_jvp")


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
        self.outputs = network.outputs
        cell = network.stack.cell
        self.layers: list[
            Callable[[tuple[int, int]], _Layer]
        ] = []  # make a layer's tangents of (starts, tangents)
        x = path.inputs
        for layer, weights in enumerate(network.stack.weights()):
            before = tuple(part[:-1, layer] for part in path.states)
            after = tuple(part[1:, layer] for part in path.states)
            if cell.tangent is None:
                self.layers.append(partial(_Differentiated, cell, weights, x, before))
            else:
                matrix = cell.tangent.product(weights).cpu()
                factors = tuple(
                    factor.unsqueeze(-2).cpu().numpy()
                    for factor in cell.tangent.factors(x, before, after, weights)
                )
                self.layers.append(partial(_ClosedForm, cell.tangent, matrix, factors, loop.components))
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
        layers = [begun(tangents.shape[:2]) for begun in self.layers]
        parts = [part for layer in layers for part in layer.state]
        for number, part in enumerate(parts):
            part[:] = tangents[..., number * self.hidden : (number + 1) * self.hidden]
        current = layers[0].input[..., : self.outputs]  # what else is fed is known: its tangent is 0
        current[:] = tangents[..., self.state_size :] if fed else 0
        for step in range(begin, end):
            for layer, above in zip(layers, [*layers[1:], None], strict=True):
                layer.advance(step)
                if above is not None:
                    above.input[:] = layer.h
            if fed or step == end - 1:
                forecast = self._read(step, layers[-1].h)
                if self.increment:
                    forecast += current
                if fed:
                    current[:] = forecast
        return np.concatenate([*parts, forecast], axis=-1)

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
    """Return F (batch, D) and its Jacobians (batch, D, D) at flat vectors, float64; for networks without known inputs.

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
