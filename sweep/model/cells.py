"""The table of recurrent cells: how each is computed, what its state is, and what a step costs.

A cell of a plug-in needs a name, the number of its gates and state tensors, and its `step`; torch computes it step by
step. Its `step` takes one layer's input (batch, input), its state, per component (batch, hidden), and its weights, and
returns the state after the step, whose first component is the layer's output. It must be differentiable, and it must
not change its arguments. By default the weights are those of `nn.LSTM` and `nn.GRU`: (weight_ih, weight_hh, bias_ih,
bias_hh), of shapes (gates * hidden, input), (gates * hidden, hidden), (gates * hidden) and (gates * hidden).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from sweep.config.engines import KernelCell
from sweep.config.registry import Registry
from sweep.model.state import HiddenState, Weights
from sweep.model.tangents import GRU_TANGENT, LSTM_TANGENT, CellTangent

Shapes = Mapping[
    str, tuple[int, ...]
]  # of one layer's weights, by name, in the order in which `step` takes them


@dataclass(frozen=True)
class CellSpec:
    """A kind of recurrent cell."""

    name: str
    gates: int  # blocks of `hidden` rows in the weights
    components: int  # tensors that make up the state
    step: Callable[
        [Tensor, HiddenState, Weights], HiddenState
    ]  # of one layer: (batch, input) -> (batch, hidden)
    source: str
    # Which gates, in the order of the weights' rows, are sigmoids of weight_ih x + bias_ih + weight_hh h + bias_hh.
    # Empty: none, or they are computed otherwise.
    sigmoid_gates: tuple[int, ...] = ()
    keeping_gate: int | None = None  # open, it keeps the state: LSTM's forget gate, GRU's update gate
    module: Callable[..., nn.RNNBase] | None = None  # torch's module of the same cell; None: `step` in a loop
    shapes: Callable[[int, int], Shapes] | None = None  # (inputs, hidden) -> other weights than torch's
    kernel: KernelCell | None = None  # None: the compiled kernel cannot compute the cell
    tangent: CellTangent | None = None  # None: automatic differentiation of `step`

    def layer_shapes(self, inputs: int, hidden: int) -> Shapes:
        """Return the shapes of one layer's weights by name."""
        if self.shapes is not None:
            return self.shapes(inputs, hidden)
        rows = self.gates * hidden
        return {
            "weight_ih": (rows, inputs),
            "weight_hh": (rows, hidden),
            "bias_ih": (rows,),
            "bias_hh": (rows,),
        }

    def multiply_adds(self, inputs: int, hidden: int, layers: int) -> int:
        """Return the multiply-adds of matrix products of one forward step of the stack, per sequence."""
        widths = [inputs, *[hidden] * (layers - 1)]
        shapes = [shape for width in widths for shape in self.layer_shapes(width, hidden).values()]
        return sum(prod(shape) for shape in shapes if len(shape) == 2)


def _lstm_step(x: Tensor, state: HiddenState, weights: Weights) -> HiddenState:
    return tuple(torch.lstm_cell(x, state, *weights))


def _gru_step(x: Tensor, state: HiddenState, weights: Weights) -> HiddenState:
    return (torch.gru_cell(x, state[0], *weights),)


CELLS: Registry[CellSpec] = Registry(
    "cell",
    spec=CellSpec,
    entries=[
        CellSpec(
            name="lstm",
            gates=4,
            components=2,
            step=_lstm_step,
            source="Hochreiter & Schmidhuber (1997); Gers et al. (2000)",
            sigmoid_gates=(0, 1, 3),
            keeping_gate=1,
            module=nn.LSTM,
            kernel=KernelCell(code=0, torch_from_hidden={"float32": 256}),
            tangent=LSTM_TANGENT,
        ),
        CellSpec(
            name="gru",
            gates=3,
            components=1,
            step=_gru_step,
            source="Cho et al. (2014), reset after the product as in cuDNN",
            sigmoid_gates=(0, 1),
            keeping_gate=1,
            module=nn.GRU,
            kernel=KernelCell(code=1),
            tangent=GRU_TANGENT,
        ),
    ],
)
