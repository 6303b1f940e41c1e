"""Variable projection: the last linear layer is solved in each evaluation of the loss, and only the rest is trained.

For the weights theta of everything but the last layer, whose inputs are a[t] and whose goals are y[t], minimised is

    log(J(theta) + floor),  J = min over W, b of (mean over t of |W a[t] + b - y[t]|^2 + ridge |W|^2) / channels

At the minimum the derivative of J by W and b is zero, so the gradient by theta is that with W and b held fixed. This is
exact for the penalised loss alone, and only while the ridge is constant. With the logarithm, steps and line search mean
the same at a mean square of 1e-2 and of 1e-28.

Source: Golub and Pereyra (1973), SIAM J. Numer. Anal. 10; the same (2003), Inverse Problems 19.
"""

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from sweep.config.sections import ModelConfig
from sweep.model import Forecaster, Network
from sweep.model.least_squares import no_rows, rows_of

# Mean square in model units: about 50 roundings of float64. A smaller error means nothing. Our choice.
FLOOR = 1e-28
# Most bytes of states that the forward pass keeps for the backward pass. Beyond, states are computed twice, in batches
# of windows that take less. Our choice.
KEPT_BYTES, BATCH_BYTES = 1 << 28, 1 << 26
NUMBERS_PER_UNIT = 10  # kept for each step and hidden unit: states, gates and copies of them, rounded up


def windows_at_once(model: ModelConfig, windows: int, steps: int) -> int:
    """Return how many windows of `steps` steps are computed at once: all, where their states can be kept."""
    each = 8 * NUMBERS_PER_UNIT * model.layers * model.hidden * steps
    return windows if windows * each <= KEPT_BYTES else max(1, BATCH_BYTES // each)


def evaluation_cost(model: ModelConfig, windows: int, steps: int) -> int:
    """Return the sequence-steps of an evaluation of the projected loss over all windows.

    Where not all states can be kept, a second forward pass adds a third.
    """
    size = windows * steps
    return size if windows_at_once(model, windows, steps) == windows else size + math.ceil(size / 3)


Batches = Callable[
    [int], Iterator[tuple[Tensor, Tensor]]
]  # windows per batch -> (inputs, targets) of all windows


class Projection:
    """Evaluates the projected loss of a network over all its windows, and keeps the last layer solved."""

    def __init__(self, network: Network, burn_in: int, ridge: float) -> None:
        """Make a projection.

        Args:
            network: float64; its last linear layer is replaced at every evaluation.
            burn_in: first steps of a window that do not count.
            ridge: relative to the mean square of the goals, > 0.

        Raises:
            ValueError: the network is a plug-in's.
        """
        if not isinstance(network, Forecaster):
            raise ValueError("variable projection needs sweep's own model")
        self.network = network
        self.burn_in = burn_in
        self.ridge = ridge

    @property
    def solved(self) -> list[Tensor]:
        """Return the parameters of the last layer, which are solved."""
        last = self.network.linears[-1]
        return [last.weight, last.bias]

    def loss(self, batches: Batches, windows: int, steps: int) -> float:
        """Return the logarithm of the projected loss, solve the last layer, and add the gradient to the others' `grad`.

        Args:
            batches: gives all windows in batches, equal ones at each call.
            windows: their number.
            steps: of a window.

        Returns:
            The loss, NaN or infinite where the states are not finite.
        """
        at_once = windows_at_once(self.network.config, windows, steps)
        kept: list[tuple[Tensor, Tensor]] = []  # of a single batch: activations with their graph, goals
        last = self.network.linears[-1]
        fit = no_rows(last.in_features, self.network.outputs, last.weight)
        for inputs, targets in batches(at_once):
            with torch.set_grad_enabled(at_once == windows):
                activations = self.network.activations(inputs)
            goals = self.network.goals(inputs, targets)
            fit = fit.extended(rows_of(activations.detach()[:, self.burn_in :], goals[:, self.burn_in :]))
            if at_once == windows:
                kept.append((activations, goals))
        ridge = self.ridge * fit.mean_square()
        weights = fit.solve(ridge)
        self.network.set_last(weights)
        penalty = ridge * float(weights[1:].square().sum())
        value = (fit.squared_error(weights) / fit.rows + penalty) / fit.channels + FLOOR
        if not 0 < value < math.inf:
            return math.nan
        slope = 2 / (fit.rows * fit.channels * value)
        for activations, goals in kept or self._again(batches, at_once):
            self._backward(activations, goals, weights, slope)
        return math.log(value)

    def _again(self, batches: Batches, at_once: int) -> Iterator[tuple[Tensor, Tensor]]:
        for inputs, targets in batches(at_once):
            with torch.enable_grad():
                activations = self.network.activations(inputs)
            yield activations, self.network.goals(inputs, targets)

    def _backward(self, activations: Tensor, goals: Tensor, weights: Tensor, slope: float) -> None:
        """Add the gradient of slope / 2 times the sum of squared errors, with the last layer held fixed."""
        scored = activations.detach()[:, self.burn_in :]
        errors = scored @ weights[1:] + (weights[0] - goals[:, self.burn_in :])
        gradient = torch.zeros_like(activations)
        gradient[:, self.burn_in :] = errors @ (slope * weights[1:].T)
        activations.backward(gradient)  # type: ignore[no-untyped-call]
