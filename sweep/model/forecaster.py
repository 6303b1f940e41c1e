"""The network that is trained: recurrent stack, optional head, linear readout of a value or increment."""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from sweep.config.sections import ModelConfig
from sweep.model.cells import CELLS, State, Weights
from sweep.model.stack import Stack, by_layer

ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh}


class Forecaster(nn.Module):
    """Forecasts the next value of every channel from the current ones, in model units.

    With readout "value" the network's output is the forecast; with "increment" it is what is added to the
    current value, so that an untrained network already forecasts persistence.
    """

    def __init__(self, config: ModelConfig, inputs: int, outputs: int) -> None:
        """Make an uninitialised forecaster.

        Args:
            config: cell, sizes and readout.
            inputs: channels and calendar features; the channels come first.
            outputs: channels.
        """
        super().__init__()
        self.config = config
        self.outputs = outputs
        self.increment = config.readout == "increment"
        self.stack = Stack(CELLS[config.cell], inputs, config.hidden, config.layers)
        sizes = [config.hidden, *config.head, outputs]
        self.head = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.activation = ACTIVATIONS[config.head_activation]

    def initialise(self, seed: int) -> "Forecaster":
        """Draw all parameters by torch's rules from a generator of their own; return the forecaster."""
        generator = torch.Generator().manual_seed(seed)
        self.stack.initialise(generator)
        for linear in self.linears:
            bound = 1 / math.sqrt(linear.in_features)
            nn.init.uniform_(linear.weight, -bound, bound, generator=generator)
            nn.init.uniform_(linear.bias, -bound, bound, generator=generator)
        return self

    @property
    def linears(self) -> list[nn.Linear]:
        """Return the layers of the readout, the last of which gives the output."""
        return [module for module in self.head if isinstance(module, nn.Linear)]

    @property
    def parameter_count(self) -> int:
        """Return the number of trained numbers."""
        return sum(parameter.numel() for parameter in self.parameters())

    def multiply_adds(self) -> int:
        """Return the multiply-adds of one forward step of one sequence; training costs three times that."""
        stack = self.stack.cell.multiply_adds(
            self.stack.rnn.input_size, self.config.hidden, self.config.layers
        )
        return stack + sum(linear.in_features * linear.out_features for linear in self.linears)

    def read(self, hidden: Tensor, inputs: Tensor) -> Tensor:
        """Return forecasts (..., channel) from the stack's outputs and the inputs they came from."""
        last = len(self.head) - 1
        for number, linear in enumerate(self.head):
            hidden = linear(hidden)
            if number < last:
                hidden = self.activation(hidden)
        if self.config.output_activation == "relu":
            hidden = torch.relu(hidden)
        return hidden + inputs[..., : self.outputs] if self.increment else hidden

    def forward(self, inputs: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Return one-step-ahead forecasts for a whole sequence of true inputs, and the state after it.

        Args:
            inputs: (batch, time, channel + calendar feature), model units.
            state: per component (layer, batch, hidden); zeros where None.

        Returns:
            forecasts (batch, time, channel): row t is the forecast of time t + 1; and the state.
        """
        hidden, after = self.stack(inputs, state)
        return self.read(hidden, inputs), after

    def step(
        self, inputs: Tensor, state: list[State], weights: list[Weights] | None = None
    ) -> tuple[Tensor, list[State]]:
        """Return the forecast (batch, channel) and the state by layer after one step.

        Args:
            inputs: (batch, channel + calendar feature), model units.
            state: as `by_layer` gives it.
            weights: of the stack, for callers that make many steps.
        """
        hidden, after = self.stack.step(inputs, state, weights)
        return self.read(hidden, inputs), after

    def run_free(
        self, first: Tensor, state: State, calendar: Tensor, steps: int
    ) -> tuple[Tensor, list[State]]:
        """Return `steps` forecasts, each fed back as the next input, and the state after them.

        Args:
            first: (batch, channel), model units: the input of the first step.
            state: per component (layer, batch, hidden).
            calendar: (batch, steps, feature), the known inputs of the times that are forecast.
            steps: at least 1.

        Returns:
            forecasts (batch, steps, channel), and the state by layer.
        """
        layered, weights = by_layer(state), self.stack.weights()
        known = calendar.shape[-1] > 0
        forecasts = []
        current = first
        for number in range(steps):
            inputs = torch.cat([current, calendar[:, number]], dim=-1) if known else current
            current, layered = self.step(inputs, layered, weights)
            forecasts.append(current)
        return torch.stack(forecasts, dim=1), layered
