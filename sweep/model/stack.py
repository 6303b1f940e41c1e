"""The recurrent layers with their weights, and torch's computation of them."""

import math
from functools import partial

import torch
from torch import Tensor, nn

from sweep.config.errors import SweepError
from sweep.model.cells import CellSpec
from sweep.model.looped import LoopedLayers, checked_step
from sweep.model.state import HiddenState, Weights


class Stack(nn.Module):
    """Layers of one cell. Weights have the names and shapes of `nn.LSTM` and `nn.GRU`, if the cell has no others.

    torch's modules compute whole sequences, its cell functions single steps. A cell without a module of torch is
    computed by its `step` in a loop.
    """

    def __init__(self, cell: CellSpec, inputs: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.cell = cell
        self.inputs = inputs
        self.hidden = hidden
        self.layers = layers
        self.rnn: nn.Module
        if cell.module is not None:
            self.rnn = cell.module(inputs, hidden, layers, batch_first=True)
            self.cell_step = cell.step
        else:
            self.rnn = LoopedLayers(cell, inputs, hidden, layers)
            self.cell_step = partial(checked_step, cell)

    def initialise(
        self, generator: torch.Generator, recurrent_gain: float = 1.0, forget_bias: float = 0.0
    ) -> None:
        """Draw all weights and biases from U(-1/sqrt(hidden), 1/sqrt(hidden)), torch's own rule.

        Args:
            generator: gives the numbers; the two settings below do not change the draws.
            recurrent_gain: factor on `weight_hh`, the weights from the state to the gates.
            forget_bias: added to `bias_ih` of the gate that keeps the state, in every layer: above 0 the network begins
                with a longer memory (Jozefowicz et al. 2015: 1), below 0 with a shorter one.

        Raises:
            SweepError: a setting has no meaning for this cell.
        """
        bound = 1 / math.sqrt(self.hidden)
        for parameter in self.rnn.parameters():
            nn.init.uniform_(parameter, -bound, bound, generator=generator)
        with torch.no_grad():
            for layer in range(self.layers):
                if recurrent_gain != 1:
                    self._weight("weight_hh", layer, "init_gain").mul_(recurrent_gain)
                if forget_bias != 0:
                    keeping = self._keeping_rows()
                    self._weight("bias_ih", layer, "forget_bias")[keeping] += forget_bias

    @torch.no_grad()
    def ignore_inputs(self, count: int) -> None:
        """Set the first layer's weights on the first `count` inputs to zero, if the cell has such weights.

        A cell with weights of its own has them elsewhere; it reads zeros all the same.
        """
        weight = self.rnn._parameters.get("weight_ih_l0")
        if weight is not None and weight.ndim == 2 and weight.shape[1] == self.inputs:
            weight[:, :count] = 0

    def _weight(self, name: str, layer: int, setting: str) -> Tensor:
        weight = self.rnn._parameters.get(f"{name}_l{layer}")
        if weight is None:
            raise SweepError(
                f"model.{setting} has no effect on the cell {self.cell.name!r}: it has no {name}"
            )
        return weight

    def _keeping_rows(self) -> slice:
        gate = self.cell.keeping_gate
        if gate is None:
            raise SweepError(
                f"model.forget_bias has no effect on the cell {self.cell.name!r}: no gate of it keeps the state"
            )
        return slice(gate * self.hidden, (gate + 1) * self.hidden)

    def forward(self, inputs: Tensor, state: HiddenState | None = None) -> tuple[Tensor, HiddenState]:
        """Return the top layer's outputs and the state after the last step.

        Args:
            inputs: (batch, time, input).
            state: per component (layer, batch, hidden); zeros where None.

        Returns:
            outputs (batch, time, hidden) and the state.
        """
        if self.cell.module is None:
            looped: tuple[Tensor, HiddenState] = self.rnn(inputs, state, self.weights())
            return looped
        if state is None:
            outputs, after = self.rnn(inputs)
        else:
            outputs, after = self.rnn(inputs, state if self.cell.components > 1 else state[0])
        return outputs, after if isinstance(after, tuple) else (after,)

    def step(
        self, inputs: Tensor, state: list[HiddenState], weights: list[Weights] | None = None
    ) -> tuple[Tensor, list[HiddenState]]:
        """Return the top layer's output (batch, hidden) and the state, a list per layer, after one step.

        Args:
            inputs: (batch, input).
            state: per layer, per component (batch, hidden); see `by_layer`.
            weights: what `weights` returns, for callers that make many steps.
        """
        after = []
        for layer, parameters in enumerate(weights or self.weights()):
            new = self.cell_step(inputs, state[layer], parameters)
            after.append(new)
            inputs = new[0]
        return inputs, after

    def weights(self) -> list[Weights]:
        """Return the weights per layer, (weight_ih, weight_hh, bias_ih, bias_hh) for cells without other weights."""
        # `all_weights` of torch's modules looks each up by name, which takes five times as long
        weights = [weight for weight in self.rnn._parameters.values() if weight is not None]
        count = len(weights) // self.layers
        return [tuple(weights[first : first + count]) for first in range(0, len(weights), count)]
