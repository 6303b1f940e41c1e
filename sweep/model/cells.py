"""The recurrent cells: what torch calls them, what their state is, what a step costs."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sweep.config.registry import Registry

State = tuple[Tensor, ...]  # per component (layer, batch, hidden): (h, c) for LSTM, (h,) for GRU
Weights = tuple[Tensor, ...]  # of one layer: (weight_ih, weight_hh, bias_ih, bias_hh), as torch lays them out


@dataclass(frozen=True)
class Cell:
    """One kind of recurrent cell, with the gate order and two biases of torch's modules."""

    name: str
    module: Callable[..., nn.RNNBase]
    gates: int
    components: int  # tensors that make up the state
    sigmoid_gates: tuple[int, ...]  # which of the gates, in torch's order, are sigmoids
    keeping_gate: int  # the one that, open, keeps the state: LSTM's forget gate, GRU's update gate
    step: Callable[[Tensor, State, Weights], State]  # of one layer: (batch, input) -> (batch, hidden)
    layer: Callable[[Tensor, Weights], Tensor]  # (batch, time, input) -> (batch, time, hidden), from zeros
    source: str

    def multiply_adds(self, inputs: int, hidden: int, layers: int) -> int:
        """Return the multiply-adds of matrix products of one step of the stack, forward, per sequence."""
        first = self.gates * hidden * (inputs + hidden)
        return first + (layers - 1) * self.gates * hidden * 2 * hidden


def _lstm_step(x: Tensor, state: State, weights: Weights) -> State:
    return tuple(torch.lstm_cell(x, state, *weights))


def _gru_step(x: Tensor, state: State, weights: Weights) -> State:
    return (torch.gru_cell(x, state[0], *weights),)


def _lstm_layer(x: Tensor, weights: Weights) -> Tensor:
    zeros = x.new_zeros(1, x.shape[0], weights[1].shape[1])
    return torch.lstm(x, (zeros, zeros), list(weights), True, 1, 0.0, False, False, True)[0]


def _gru_layer(x: Tensor, weights: Weights) -> Tensor:
    zeros = x.new_zeros(1, x.shape[0], weights[1].shape[1])
    return torch.gru(x, zeros, list(weights), True, 1, 0.0, False, False, True)[0]


CELLS: Registry[Cell] = Registry(
    "cell",
    [
        Cell(
            name="lstm",
            module=nn.LSTM,
            gates=4,
            components=2,
            sigmoid_gates=(0, 1, 3),
            keeping_gate=1,
            step=_lstm_step,
            layer=_lstm_layer,
            source="Hochreiter & Schmidhuber (1997); Gers et al. (2000)",
        ),
        Cell(
            name="gru",
            module=nn.GRU,
            gates=3,
            components=1,
            sigmoid_gates=(0, 1),
            keeping_gate=1,
            step=_gru_step,
            layer=_gru_layer,
            source="Cho et al. (2014), reset after the product as in cuDNN",
        ),
    ],
)
