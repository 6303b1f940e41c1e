"""The recurrent layers with their weights, and torch's own computation of them."""

import math

import torch
from torch import Tensor, nn

from sweep.model.cells import CellSpec
from sweep.model.state import HiddenState, Weights


class Stack(nn.Module):
    """Layers of one cell. Weights have the names and shapes of `nn.LSTM` / `nn.GRU`.

    Computed by torch's modules for whole sequences, by its cell functions for single steps.
    """

    def __init__(self, cell: CellSpec, inputs: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.cell = cell
        self.hidden = hidden
        self.layers = layers
        self.rnn = cell.module(inputs, hidden, layers, batch_first=True)

    def initialise(
        self, generator: torch.Generator, recurrent_gain: float = 1.0, forget_bias: float = 0.0
    ) -> None:
        """Draw all weights and biases from U(-1/sqrt(hidden), 1/sqrt(hidden)), torch's own rule.

        Args:
            generator: where the numbers come from; the two below change none of them.
            recurrent_gain: factor on the weights from the state to the gates.
            forget_bias: added to one of the two biases of the gate that keeps the state, in every layer: above
                0 the network begins with a longer memory (Jozefowicz et al. 2015: 1), below with a shorter.
        """
        bound = 1 / math.sqrt(self.hidden)
        for parameter in self.rnn.parameters():
            nn.init.uniform_(parameter, -bound, bound, generator=generator)
        keeping = slice(self.cell.keeping_gate * self.hidden, (self.cell.keeping_gate + 1) * self.hidden)
        with torch.no_grad():
            for _, weight_hh, bias_ih, _ in self.weights():
                weight_hh *= recurrent_gain
                bias_ih[keeping] += forget_bias

    def forward(self, inputs: Tensor, state: HiddenState | None = None) -> tuple[Tensor, HiddenState]:
        """Return the top layer's outputs and the state after the last step.

        Args:
            inputs: (batch, time, input).
            state: per component (layer, batch, hidden); zeros where None.

        Returns:
            outputs (batch, time, hidden) and the state.
        """
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
            new = self.cell.step(inputs, state[layer], parameters)
            after.append(new)
            inputs = new[0]
        return inputs, after

    def weights(self) -> list[Weights]:
        """Return (weight_ih, weight_hh, bias_ih, bias_hh) per layer."""
        # `all_weights` asks for each by its name, at five times the cost
        weights = [weight for weight in self.rnn._parameters.values() if weight is not None]
        return [tuple(weights[first : first + 4]) for first in range(0, len(weights), 4)]
