"""The recurrent cells: what torch calls them, what their state is, what a step costs."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sweep.config.registry import Registry

State = tuple[Tensor, ...]  # per component (layer, batch, hidden): (h, c) for LSTM, (h,) for GRU


@dataclass(frozen=True)
class Cell:
    """One kind of recurrent cell, with the gate order and two biases of torch's modules."""

    name: str
    module: Callable[..., nn.RNNBase]
    gates: int
    components: int  # tensors that make up the state
    sigmoid_gates: tuple[int, ...]  # which of the gates, in torch's order, are sigmoids
    step: Callable[[Tensor, tuple[Tensor, ...], tuple[Tensor, ...]], tuple[Tensor, ...]]
    source: str

    def multiply_adds(self, inputs: int, hidden: int, layers: int) -> int:
        """Return the multiply-adds of matrix products of one step of the stack, forward, per sequence."""
        first = self.gates * hidden * (inputs + hidden)
        return first + (layers - 1) * self.gates * hidden * 2 * hidden


def _lstm_step(x: Tensor, state: tuple[Tensor, ...], weights: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(torch.lstm_cell(x, state, *weights))


def _gru_step(x: Tensor, state: tuple[Tensor, ...], weights: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return (torch.gru_cell(x, state[0], *weights),)


CELLS: Registry[Cell] = Registry(
    "cell",
    [
        Cell("lstm", nn.LSTM, 4, 2, (0, 1, 3), _lstm_step, "Hochreiter & Schmidhuber (1997); Gers et al. (2000)"),
        Cell("gru", nn.GRU, 3, 1, (0, 1), _gru_step, "Cho et al. (2014), reset after the product as in cuDNN"),
    ],
)
