"""The network that is trained: recurrent stack, optional head, linear readout of a value or increment."""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from sweep.config.sections import ModelConfig
from sweep.model.cells import CELLS
from sweep.model.engine_interface import AddGradient, Engine
from sweep.model.engines import TorchEngine
from sweep.model.network import Network
from sweep.model.stack import Stack
from sweep.model.state import HiddenState, Weights

ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh}


class Forecaster(nn.Module):
    """Forecasts the next value of every channel from the current ones, in model units.

    With readout "value" the network's output is the forecast; with "increment" it is what is added to the
    current value, so that an untrained network already forecasts persistence.
    """

    def __init__(self, config: ModelConfig, inputs: int, outputs: int, engine: Engine | None = None) -> None:
        """Make an uninitialised forecaster.

        Args:
            config: cell, sizes and readout.
            inputs: channels and calendar features; the channels come first.
            outputs: channels.
            engine: what computes whole sequences; torch by default.
        """
        super().__init__()
        self.config = config
        self.engine = engine or TorchEngine()
        self.outputs = outputs
        self.increment = config.readout == "increment"
        self.stack = Stack(CELLS[config.cell], inputs, config.hidden, config.layers)
        sizes = [config.hidden, *config.head, outputs]
        self.head = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.activation = ACTIVATIONS[config.head_activation]
        self.shape = Network(
            cell=config.cell,
            layers=config.layers,
            hidden=config.hidden,
            inputs=inputs,
            readout=(*config.head, outputs),
            tanh_between=config.head_activation == "tanh",
            relu_output=config.output_activation == "relu",
            increment=self.increment,
        )

    def initialise(self, seed: int) -> "Forecaster":
        """Draw all parameters from a generator of their own; return the forecaster.

        By torch's rules, then `init_gain` and `forget_bias` of the configuration.
        """
        generator = torch.Generator().manual_seed(seed)
        self.stack.initialise(generator, self.config.init_gain, self.config.forget_bias)
        for linear in self.linears:
            bound = 1 / math.sqrt(linear.in_features)
            nn.init.uniform_(linear.weight, -bound, bound, generator=generator)
            nn.init.uniform_(linear.bias, -bound, bound, generator=generator)
        return self

    @property
    def linears(self) -> list[nn.Linear]:
        """Return the layers of the readout, the last of which gives the output."""
        return [module for module in self.head if isinstance(module, nn.Linear)]

    def ordered_parameters(self) -> list[Tensor]:
        """Return the parameters in the order of `Network`."""
        parts = [*self.stack.weights(), *((linear.weight, linear.bias) for linear in self.linears)]
        return [parameter for part in parts for parameter in part]

    def zero_state(self, inputs: Tensor) -> HiddenState:
        """Return the state before a first step for inputs (batch, ...): zeros of their type and device."""
        size = (self.config.layers, inputs.shape[0], self.config.hidden)
        return tuple(inputs.new_zeros(size) for _ in range(self.shape.components))

    @property
    def parameter_count(self) -> int:
        """Return the number of trained numbers."""
        return sum(parameter.numel() for parameter in self.parameters())

    def multiply_adds(self) -> int:
        """Return the multiply-adds of one forward step of one sequence; training costs three times that."""
        stack = self.stack.cell.multiply_adds(self.stack.inputs, self.config.hidden, self.config.layers)
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

    def forward(
        self, inputs: Tensor, state: HiddenState | None = None, free: int = 0
    ) -> tuple[Tensor, HiddenState]:
        """Return one-step-ahead forecasts for a sequence of inputs, and the state after it.

        Args:
            inputs: (batch, time, channel + calendar feature), model units.
            state: per component (layer, batch, hidden); zeros where None.
            free: the last `free` steps are fed with the forecast of the step before instead of their
                channels, which are not read; their calendar features are. Less than the steps.

        Returns:
            forecasts (batch, time, channel): row t is the forecast of time t + 1; and the state.
        """
        return self.engine.run(self, inputs, state, free)

    def loss_gradient(self, burn_in: int = 0, free: int = 0) -> AddGradient:
        """Return a function (inputs, targets, weight) -> loss that adds its gradient to every parameter's `grad`.

        The loss is `weight` times the mean squared error of the forecasts from a zero state, model units. Inputs are
        (batch, time, channel + calendar feature), targets (batch, time, channel) what each step should have forecast;
        `weight` is that of a batch in a mean over several. The function serves one caller at a time, for as long as
        the parameters are the same tensors and their `grad` too: it is set to zeros, not to None.

        Args:
            burn_in: first steps whose errors do not count. ValueError from the function where nothing is left.
            free: last steps that are fed with the forecast of the step before, as in `forward`.
        """
        return self.engine.loss_gradient(self, burn_in, free)

    @torch.no_grad()
    def trace(
        self, inputs: Tensor, state: HiddenState | None = None, free: int = 0
    ) -> tuple[Tensor, HiddenState]:
        """Return forecasts as `forward`, and the states after every step, without gradients.

        Returns:
            forecasts (batch, time, channel), and per component (time, layer, batch, hidden).
        """
        return self.engine.trace(self, inputs, state, free)

    def step(
        self, inputs: Tensor, state: list[HiddenState], weights: list[Weights] | None = None
    ) -> tuple[Tensor, list[HiddenState]]:
        """Return the forecast (batch, channel) and the state by layer after one step, computed by torch.

        Args:
            inputs: (batch, channel + calendar feature), model units.
            state: as `by_layer` gives it.
            weights: of the stack, for callers that make many steps.
        """
        hidden, after = self.stack.step(inputs, state, weights)
        return self.read(hidden, inputs), after

    def self_fed(self, first: Tensor, calendar: Tensor) -> Tensor:
        """Return inputs (batch, steps, channel + feature) for a forecast that feeds itself after `first`.

        Args:
            first: (batch, channel), model units: the input of the first step.
            calendar: (batch, steps, feature), the known inputs of the times that are forecast.
        """
        batch, steps, _ = calendar.shape
        later = first.new_zeros(batch, steps - 1, first.shape[-1])  # never read
        return torch.cat([torch.cat([first[:, None], later], dim=1), calendar], dim=-1)

    def run_free(self, first: Tensor, state: HiddenState, calendar: Tensor) -> tuple[Tensor, HiddenState]:
        """Return forecasts, each fed back as the next input, and the state after them.

        Args:
            first: (batch, channel), model units: the input of the first step.
            state: per component (layer, batch, hidden).
            calendar: (batch, steps, feature), the known inputs of the times that are forecast; at least
                one step, perhaps no features.

        Returns:
            forecasts (batch, steps, channel), and the state.
        """
        return self.forward(self.self_fed(first, calendar), state, free=calendar.shape[1] - 1)
