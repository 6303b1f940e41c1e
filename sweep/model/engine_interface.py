"""The interface between a forecaster and the engine that computes it: what each reads of the other."""

from typing import Protocol

from torch import Tensor

from sweep.model.network import AddGradient
from sweep.model.shape import NetworkShape
from sweep.model.stack import Stack
from sweep.model.state import HiddenState, Weights


class Computed(Protocol):
    """What an engine reads of a forecaster; see `sweep.model.Forecaster`."""

    stack: Stack
    shape: NetworkShape
    outputs: int

    def read(self, hidden: Tensor, inputs: Tensor) -> Tensor:
        """Return forecasts from the stack's outputs and the inputs that they came from."""

    def step(
        self, inputs: Tensor, state: list[HiddenState], weights: list[Weights] | None = None
    ) -> tuple[Tensor, list[HiddenState]]:
        """Return the forecast and the state by layer after one step."""

    def zero_state(self, inputs: Tensor) -> HiddenState:
        """Return the state before the first step."""

    def ordered_parameters(self) -> list[Tensor]:
        """Return the parameters in the order of `NetworkShape`."""


class Engine(Protocol):
    """Computes a forecaster over whole sequences. All engines give the same numbers, except for rounding."""

    name: str

    def run(
        self, forecaster: Computed, inputs: Tensor, state: HiddenState | None, free: int
    ) -> tuple[Tensor, HiddenState]:
        """Return forecasts and the state after them, differentiable; see `Network.forward`."""

    def trace(
        self, forecaster: Computed, inputs: Tensor, state: HiddenState | None, free: int
    ) -> tuple[Tensor, HiddenState]:
        """Return forecasts and the states after every step; see `Network.trace`."""

    def hidden(self, forecaster: Computed, inputs: Tensor) -> Tensor:
        """Return the top layer's outputs (batch, time, hidden) from a state of zeros, differentiable."""

    def loss_gradient(self, forecaster: Computed, burn_in: int, free: int) -> AddGradient:
        """Return a function that adds the gradient of a batch's loss; see `Network.loss_gradient`."""
