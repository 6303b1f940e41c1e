"""The recurrent cells: what torch calls them, what their state is, what a step costs."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sweep.config.registry import Registry
from sweep.model.state import HiddenState, Weights


@dataclass(frozen=True)
class CellSpec:
    """One kind of recurrent cell, with the gate order and two biases of torch's modules."""

    name: str
    module: Callable[..., nn.RNNBase]
    gates: int
    components: int  # tensors that make up the state
    sigmoid_gates: tuple[int, ...]  # which of the gates, in torch's order, are sigmoids
    keeping_gate: int  # the one that, open, keeps the state: LSTM's forget gate, GRU's update gate
    step: Callable[
        [Tensor, HiddenState, Weights], HiddenState
    ]  # of one layer: (batch, input) -> (batch, hidden)
    source: str

    def multiply_adds(self, inputs: int, hidden: int, layers: int) -> int:
        """Return the multiply-adds of matrix products of one step of the stack, forward, per sequence."""
        first = self.gates * hidden * (inputs + hidden)
        return first + (layers - 1) * self.gates * hidden * 2 * hidden


def _lstm_step(x: Tensor, state: HiddenState, weights: Weights) -> HiddenState:
    return tuple(torch.lstm_cell(x, state, *weights))


def _gru_step(x: Tensor, state: HiddenState, weights: Weights) -> HiddenState:
    return (torch.gru_cell(x, state[0], *weights),)


CELLS: Registry[CellSpec] = Registry(
    "cell",
    [
        CellSpec(
            name="lstm",
            module=nn.LSTM,
            gates=4,
            components=2,
            sigmoid_gates=(0, 1, 3),
            keeping_gate=1,
            step=_lstm_step,
            source="Hochreiter & Schmidhuber (1997); Gers et al. (2000)",
        ),
        CellSpec(
            name="gru",
            module=nn.GRU,
            gates=3,
            components=1,
            sigmoid_gates=(0, 1),
            keeping_gate=1,
            step=_gru_step,
            source="Cho et al. (2014), reset after the product as in cuDNN",
        ),
    ],
)
