"""The network of a plug-in's model: any torch module with the call of a `Network`."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Self

import torch
from torch import Tensor, nn

from sweep.config.plugins import PluginError
from sweep.model.engines import differentiated
from sweep.model.form import form, forms
from sweep.model.network import AddGradient, Network
from sweep.model.state import HiddenState

Build = Callable[[Mapping[str, Any], int, int], nn.Module]
# a context in which an error of the plug-in becomes a PluginError that names it
Running = Callable[[], AbstractContextManager[None]]


class CustomNetwork(Network):
    """A module that a plug-in builds, with everything that training, scoring and probes call on a network.

    The module is called as module(inputs, state, free) and returns (forecasts, state), see `Network.forward`. A state
    is None before a first step, else what the module returned: a tuple, possibly empty, of tensors whose second axis is
    the batch and whose shapes stay the same from step to step. The module is in training mode while gradients are
    recorded, else in evaluation mode. Its results must depend on arguments and parameters alone, so modules with
    dropout or running statistics are refused.
    """

    def __init__(
        self,
        label: str,
        build: Build,
        settings: Mapping[str, Any],
        inputs: int,
        outputs: int,
        running: Running,
    ) -> None:
        """Build the module with arbitrary weights.

        Args:
            label: what messages call the model.
            build: (settings, inputs, outputs) -> module.
            settings: all settings of the model.
            inputs: channels and known inputs; the channels come first.
            outputs: channels.
            running: context in which the plug-in's code runs.

        Raises:
            PluginError: the module cannot be built, or cannot be used.
        """
        super().__init__()
        self.label, self.build, self.running = label, build, running
        self.settings, self.inputs, self.outputs = dict(settings), inputs, outputs
        self.module = self._built(0)

    def _built(self, seed: int) -> nn.Module:
        with torch.random.fork_rng(devices=[]), self.running():
            torch.default_generator.manual_seed(seed)
            module = self.build(dict(self.settings), self.inputs, self.outputs)
        if not isinstance(module, nn.Module):
            raise PluginError(
                f"{self.label}: wanted a torch.nn.Module from build, got {type(module).__name__}"
            )
        if not any(parameter.requires_grad for parameter in module.parameters()):
            raise PluginError(f"{self.label}: the module has no parameters to train")
        for part in module.modules():
            if _is_impure(part):
                raise PluginError(
                    f"{self.label}: the module contains {part}, whose results depend on more than arguments and "
                    "parameters. Build it without dropout and running statistics"
                )
        return module

    def initialise(self, seed: int) -> Self:
        """Build the module again with a seeded random state of torch, by its own rules; return the network."""
        first = next(self.module.parameters())
        self.module = self._built(seed).to(dtype=first.dtype, device=first.device)
        return self

    def forward(
        self, inputs: Tensor, state: HiddenState | None = None, free: int = 0
    ) -> tuple[Tensor, HiddenState]:
        """Return forecasts and the state after them; see `Network.forward`.

        Raises:
            PluginError: the module raises an error, or returns something else.
        """
        self.module.train(torch.is_grad_enabled())
        with self.running():
            answer = self.module(inputs, state, free)
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise PluginError(f"{self.label}: wanted (forecasts, state) from the module, got {forms(answer)}")
        forecasts, after = answer
        wanted = form(inputs[..., :1].expand(-1, -1, self.outputs))
        if form(forecasts) != wanted:
            raise PluginError(
                f"{self.label}: wanted forecasts {wanted} from the module, got {form(forecasts)}"
            )
        batch = len(inputs)
        if not isinstance(after, tuple) or not all(_is_state(part, batch) for part in after):
            raise PluginError(
                f"{self.label}: wanted a state of tensors whose second axis is the batch of {batch}, got {forms(after)}"
            )
        return forecasts, after

    def loss_gradient(self, burn_in: int = 0, free: int = 0) -> AddGradient:
        """Return a function that adds the gradient of a batch's loss; see `Network.loss_gradient`."""
        differentiate = differentiated(lambda inputs: self(inputs, None, free)[0], burn_in)

        def add(inputs: Tensor, targets: Tensor, weight: float) -> float:
            with self.running():
                return differentiate(inputs, targets, weight)

        return add

    @torch.no_grad()
    def trace(
        self, inputs: Tensor, state: HiddenState | None = None, free: int = 0
    ) -> tuple[Tensor, HiddenState]:
        """Return forecasts and the states after every step, per component (time, layer, batch, ...).

        Raises:
            PluginError: the shape of the state changes from step to step, or see `forward`.
        """
        forecasts: list[Tensor] = []
        states: list[HiddenState] = []
        for step, now in enumerate(torch.split(inputs, 1, dim=1)):
            if step >= inputs.shape[1] - free:
                now = torch.cat([forecasts[-1], now[..., self.outputs :]], dim=-1)
            forecast, state = self(now, state)
            if states and forms(state) != forms(states[0]):
                raise PluginError(
                    f"{self.label}: the state must keep its shapes from step to step, got {forms(states[0])}, then "
                    f"{forms(state)}"
                )
            forecasts.append(forecast)
            states.append(state)
        return torch.cat(forecasts, dim=1), tuple(torch.stack(part) for part in zip(*states, strict=True))

    def multiply_adds(self) -> None:
        """Return None: the cost of a step of the module is not known."""
        return None


def _is_state(part: object, batch: int) -> bool:
    return isinstance(part, Tensor) and part.dim() > 1 and part.shape[1] == batch


def _is_impure(module: nn.Module) -> bool:
    """Return whether a module of torch's draws random numbers or changes its buffers when it is called."""
    if isinstance(module, nn.modules.dropout._DropoutNd):
        return module.p > 0
    if isinstance(module, nn.RNNBase | nn.MultiheadAttention):
        return module.dropout > 0
    return isinstance(module, nn.modules.batchnorm._NormBase) and module.track_running_stats
