"""sweep's own model: a recurrent stack, an optional head, and a linear readout of a value or an increment."""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from sweep.config.errors import SweepError
from sweep.config.sections import ModelConfig
from sweep.model.cells import CELLS
from sweep.model.engine_interface import Engine
from sweep.model.engines import TorchEngine
from sweep.model.network import AddGradient, Network
from sweep.model.shape import NetworkShape
from sweep.model.stack import Stack
from sweep.model.state import HiddenState, Weights

ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh}


class Forecaster(Network):
    """sweep's own network: a recurrent stack with a readout. States are per component (layer, batch, hidden).

    With readout "value" the network's output is the forecast. With "increment" it is added to the current value, so
    that an untrained network already forecasts persistence.

    Without feedback the network reads zeros instead of the channels, and the weights on them stay zero: the gradient by
    a weight on a zero is zero. A free-running step then equals one on true inputs, so none has to be free.
    """

    def __init__(self, config: ModelConfig, inputs: int, outputs: int, engine: Engine | None = None) -> None:
        """Make a forecaster that is not initialised yet.

        Args:
            config: cell, sizes and readout.
            inputs: channels and known inputs; the channels come first.
            outputs: channels.
            engine: computes whole sequences; torch by default.

        Raises:
            SweepError: without feedback there is nothing to read.
        """
        if not config.feedback and inputs == outputs:
            raise SweepError(
                "model.feedback = false needs known inputs, and the data have none: name columns in data.known or "
                "features in data.calendar"
            )
        super().__init__()
        self.config = config
        self.engine = engine or TorchEngine()
        self.outputs = outputs
        self.feedback = config.feedback
        self.increment = config.readout == "increment"
        self.stack = Stack(CELLS[config.cell], inputs, config.hidden, config.layers)
        sizes = [config.hidden, *config.head, outputs]
        self.head = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.activation = ACTIVATIONS[config.head_activation]
        self.shape = NetworkShape(
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
        """Draw all parameters by torch's rules, then apply `init_gain` and `forget_bias`; return the forecaster."""
        generator = torch.Generator().manual_seed(seed)
        self.stack.initialise(generator, self.config.init_gain, self.config.forget_bias)
        if not self.feedback:
            self.stack.ignore_inputs(self.outputs)
        for linear in self.linears:
            bound = 1 / math.sqrt(linear.in_features)
            nn.init.uniform_(linear.weight, -bound, bound, generator=generator)
            nn.init.uniform_(linear.bias, -bound, bound, generator=generator)
        return self

    def seen(self, inputs: Tensor) -> Tensor:
        """Return the inputs that the network reads: without feedback zeros instead of the channels.

        Args:
            inputs: (..., channel + known input).
        """
        if self.feedback:
            return inputs
        known = inputs[..., self.outputs :]
        return torch.cat([known.new_zeros(*known.shape[:-1], self.outputs), known], dim=-1)

    @property
    def linears(self) -> list[nn.Linear]:
        """Return the linear layers of the readout; the last one gives the output."""
        return [module for module in self.head if isinstance(module, nn.Linear)]

    def ordered_parameters(self) -> list[Tensor]:
        """Return the parameters in the order of `NetworkShape`."""
        parts = [*self.stack.weights(), *((linear.weight, linear.bias) for linear in self.linears)]
        return [parameter for part in parts for parameter in part]

    def zero_state(self, inputs: Tensor) -> HiddenState:
        """Return the state before the first step for inputs (batch, ...): zeros of their type and device."""
        size = (self.config.layers, inputs.shape[0], self.config.hidden)
        return tuple(inputs.new_zeros(size) for _ in range(self.shape.components))

    def multiply_adds(self) -> int:
        """Return the multiply-adds of one forward step of one sequence; training costs three times that."""
        stack = self.stack.cell.multiply_adds(self.stack.inputs, self.config.hidden, self.config.layers)
        return stack + sum(linear.in_features * linear.out_features for linear in self.linears)

    def activations(self, inputs: Tensor) -> Tensor:
        """Return the inputs of the last linear layer, (batch, time, number), from a state of zeros; differentiable.

        Args:
            inputs: (batch, time, channel + known input), model units.
        """
        return self._before_last(self.engine.hidden(self, self.seen(inputs)))

    def goals(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return what the last linear layer should give, (..., channel): the next values or their increments.

        Args:
            inputs: (..., channel + known input), model units.
            targets: (..., channel), the next values.
        """
        return targets - inputs[..., : self.outputs] if self.increment else targets

    @torch.no_grad()
    def set_last(self, weights: Tensor) -> None:
        """Set the last linear layer to weights (1 + activation, channel), the bias in the first row."""
        last = self.linears[-1]
        last.bias.copy_(weights[0])
        last.weight.copy_(weights[1:].T)

    def _before_last(self, hidden: Tensor) -> Tensor:
        for linear in self.linears[:-1]:
            hidden = self.activation(linear(hidden))
        return hidden

    def read(self, hidden: Tensor, inputs: Tensor) -> Tensor:
        """Return forecasts (..., channel) from the stack's outputs and the inputs that gave them."""
        hidden = self.linears[-1](self._before_last(hidden))
        if self.config.output_activation == "relu":
            hidden = torch.relu(hidden)
        return hidden + inputs[..., : self.outputs] if self.increment else hidden

    def forward(
        self, inputs: Tensor, state: HiddenState | None = None, free: int = 0
    ) -> tuple[Tensor, HiddenState]:
        """Return forecasts and the state after them; see `Network.forward`. The first state is zeros."""
        return self.engine.run(self, self.seen(inputs), state, free if self.feedback else 0)

    def loss_gradient(self, burn_in: int = 0, free: int = 0) -> AddGradient:
        """Return a function that adds the gradient of a batch's loss; see `Network.loss_gradient`."""
        if self.feedback:
            return self.engine.loss_gradient(self, burn_in, free)
        forced = self.engine.loss_gradient(self, burn_in, 0)
        return lambda inputs, targets, weight: forced(self.seen(inputs), targets, weight)

    @torch.no_grad()
    def trace(
        self, inputs: Tensor, state: HiddenState | None = None, free: int = 0
    ) -> tuple[Tensor, HiddenState]:
        """Return forecasts and the states after every step, per component (time, layer, batch, hidden)."""
        return self.engine.trace(self, self.seen(inputs), state, free if self.feedback else 0)

    def step(
        self, inputs: Tensor, state: list[HiddenState], weights: list[Weights] | None = None
    ) -> tuple[Tensor, list[HiddenState]]:
        """Return the forecast (batch, channel) and the state by layer after one step, computed by torch.

        Args:
            inputs: (batch, channel + known input), model units.
            state: as `by_layer` returns it.
            weights: what `Stack.weights` returns, for callers that make many steps.
        """
        hidden, after = self.stack.step(self.seen(inputs), state, weights)
        return self.read(hidden, inputs), after
