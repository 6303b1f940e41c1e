"""Recurrent layers of a cell that torch has no module for: a loop over the time steps."""

import torch
from torch import Tensor, nn

from sweep.config.plugins import PluginError
from sweep.model.cells import CELLS, CellSpec
from sweep.model.form import forms
from sweep.model.state import HiddenState, Weights, by_layer, stacked


class LoopedLayers(nn.Module):
    """Layers of one cell, computed by its `step`. Weights are named as those of `nn.LSTM`, such as weight_ih_l0."""

    def __init__(self, cell: CellSpec, inputs: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.cell, self.hidden, self.layers = cell, hidden, layers
        for layer in range(layers):
            with CELLS.running(cell.name):
                shapes = cell.layer_shapes(hidden if layer else inputs, hidden)
            for name, shape in shapes.items():
                self.register_parameter(f"{name}_l{layer}", nn.Parameter(torch.zeros(shape)))

    def forward(
        self, inputs: Tensor, state: HiddenState | None, weights: list[Weights]
    ) -> tuple[Tensor, HiddenState]:
        """Return the top layer's outputs (batch, time, hidden) and the state after the last step.

        Args:
            inputs: (batch, time, input).
            state: per component (layer, batch, hidden); zeros where None.
            weights: per layer.
        """
        if state is None:
            size = (self.layers, inputs.shape[0], self.hidden)
            state = tuple(inputs.new_zeros(size) for _ in range(self.cell.components))
        after = []
        for layer_state, parameters in zip(by_layer(state), weights, strict=True):
            outputs = []
            for x in inputs.unbind(dim=1):
                layer_state = checked_step(self.cell, x, layer_state, parameters)
                outputs.append(layer_state[0])
            inputs = torch.stack(outputs, dim=1)
            after.append(layer_state)
        return inputs, stacked(after)


def checked_step(cell: CellSpec, x: Tensor, state: HiddenState, weights: Weights) -> HiddenState:
    """Return a layer's state after one step of a cell from outside.

    Raises:
        PluginError: the step raises an error, or returns something else than a state like the one before.
    """
    with CELLS.running(cell.name):
        after = cell.step(x, state, weights)
    if not isinstance(after, tuple) or forms(after) != forms(state):
        raise PluginError(
            f"{CELLS.label(cell.name)}: wanted the state {forms(state)} from its step, got {forms(after)}"
        )
    return after
