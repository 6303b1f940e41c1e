"""What training, scoring and probes call on a network, whichever model it is."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn

from sweep.model.state import HiddenState

AddGradient = Callable[[Tensor, Tensor, float], float]  # (inputs, targets, weight) -> loss


class Network(nn.Module, ABC):
    """Forecasts the next value of every channel from the current ones, in model units.

    A state is a tuple of tensors, per component (layer, batch, ...): the second axis is the batch, so that a rollout
    can select, repeat and compare states.
    """

    outputs: (
        int  # channels; the first inputs are the channels, the others known inputs such as calendar features
    )

    @abstractmethod
    def initialise(self, seed: int) -> Self:
        """Draw all parameters from the seed, without effect on global random states; return the network."""

    @abstractmethod
    def forward(
        self, inputs: Tensor, state: HiddenState | None = None, free: int = 0
    ) -> tuple[Tensor, HiddenState]:
        """Return one-step-ahead forecasts for a sequence of inputs, and the state after it.

        Args:
            inputs: (batch, time, channel + known input), model units.
            state: per component (layer, batch, ...); None before a first step.
            free: the last `free` steps, fewer than all, are fed with the forecast of the step before. Their channels
                in `inputs` are not read, their known inputs are.

        Returns:
            forecasts (batch, time, channel): row t is the forecast of time t + 1; and the state.
        """

    @abstractmethod
    def loss_gradient(self, burn_in: int = 0, free: int = 0) -> AddGradient:
        """Return a function (inputs, targets, weight) -> loss that adds its gradient to every parameter's `grad`.

        The loss is `weight` times the mean squared error of the forecasts from the first state, model units. Inputs
        are (batch, time, channel + known input). Targets are (batch, time, channel), the true values that each
        step forecasts. `weight` is the weight of a batch in a mean over several. The function serves one caller at a
        time. It is valid as long as the parameters and their `grad` are the same tensors: set `grad` to zeros, not to
        None.

        Args:
            burn_in: first steps whose errors do not count. The function raises ValueError if no step is left.
            free: last steps that are fed with the forecast of the step before, as in `forward`.
        """

    @abstractmethod
    def trace(
        self, inputs: Tensor, state: HiddenState | None = None, free: int = 0
    ) -> tuple[Tensor, HiddenState]:
        """Return forecasts as `forward`, and the states after every step, without gradients.

        Returns:
            forecasts (batch, time, channel), and per component (time, layer, batch, ...).
        """

    @abstractmethod
    def multiply_adds(self) -> int | None:
        """Return the multiply-adds of one forward step of one sequence, None if unknown.

        Training costs three times that.
        """

    @property
    def parameter_count(self) -> int:
        """Return the number of trained numbers."""
        return sum(parameter.numel() for parameter in self.parameters())

    def self_fed(self, first: Tensor, known: Tensor) -> Tensor:
        """Return inputs (batch, steps, channel + feature) for a forecast that feeds itself after `first`.

        Args:
            first: (batch, channel), model units: the input of the first step.
            known: (batch, steps, feature), the known inputs of the times that are forecast.
        """
        batch, steps, _ = known.shape
        later = first.new_zeros(batch, steps - 1, first.shape[-1])  # never read
        return torch.cat([torch.cat([first[:, None], later], dim=1), known], dim=-1)

    def run_free(self, first: Tensor, state: HiddenState, known: Tensor) -> tuple[Tensor, HiddenState]:
        """Return forecasts, each fed back as the next input, and the state after them.

        Args:
            first: (batch, channel), model units: the input of the first step.
            state: per component (layer, batch, ...).
            known: (batch, steps, feature), the known inputs of the times that are forecast: at least one step,
                possibly of no features.

        Returns:
            forecasts (batch, steps, channel), and the state.
        """
        return self.forward(self.self_fed(first, known), state, free=known.shape[1] - 1)
