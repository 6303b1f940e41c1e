"""The engines that compute a forecaster: torch's own code, and the compiled kernel."""

from collections.abc import Callable

import torch
from torch import Tensor

from sweep.config.engines import NATIVE, TORCH, Kernel
from sweep.config.errors import SweepError
from sweep.model.cells import CELLS
from sweep.model.engine_interface import Computed, Engine
from sweep.model.native.call import Mode
from sweep.model.native.checks import check_burn_in
from sweep.model.native.library import instruction_sets
from sweep.model.native.recurrence import run, trace
from sweep.model.native.training import LossGradient
from sweep.model.network import AddGradient
from sweep.model.shape import NetworkShape
from sweep.model.state import HiddenState, by_layer, stacked


class TorchEngine:
    """Computes true inputs by torch's modules, and free-running steps by its cell functions, on any device."""

    name = TORCH

    def run(
        self, forecaster: Computed, inputs: Tensor, state: HiddenState | None, free: int
    ) -> tuple[Tensor, HiddenState]:
        """Return forecasts and the state after them, differentiable; see `Network.forward`."""
        forced = inputs.shape[1] - free
        hidden, after = forecaster.stack(inputs[:, :forced], state)
        forecasts = forecaster.read(hidden, inputs[:, :forced])
        if not free:
            return forecasts, after
        layered, weights = by_layer(after), forecaster.stack.weights()
        parts, current = [forecasts], forecasts[:, -1]
        for step in range(forced, inputs.shape[1]):
            known = torch.cat([current, inputs[:, step, forecaster.outputs :]], dim=-1)
            current, layered = forecaster.step(known, layered, weights)
            parts.append(current[:, None])
        return torch.cat(parts, dim=1), stacked(layered)

    def trace(
        self, forecaster: Computed, inputs: Tensor, state: HiddenState | None, free: int
    ) -> tuple[Tensor, HiddenState]:
        """Return forecasts and the states after every step; see `Network.trace`."""
        forced = inputs.shape[1] - free
        layered = by_layer(state if state is not None else forecaster.zero_state(inputs))
        weights = forecaster.stack.weights()
        forecasts: list[Tensor] = []
        states: list[HiddenState] = []
        for step in range(inputs.shape[1]):
            now = inputs[:, step]
            if step >= forced:
                now = torch.cat([forecasts[-1], now[:, forecaster.outputs :]], dim=-1)
            forecast, layered = forecaster.step(now, layered, weights)
            forecasts.append(forecast)
            states.append(stacked(layered))
        return torch.stack(forecasts, dim=1), tuple(torch.stack(part) for part in zip(*states, strict=True))

    def hidden(self, forecaster: Computed, inputs: Tensor) -> Tensor:
        """Return the top layer's outputs; see `Engine.hidden`."""
        return forecaster.stack(inputs)[0]  # type: ignore[no-any-return]

    def loss_gradient(self, forecaster: Computed, burn_in: int, free: int) -> AddGradient:
        """Return what adds up a loss's gradient, batch by batch; see `Network.loss_gradient`."""
        return differentiated(lambda inputs: self.run(forecaster, inputs, None, free)[0], burn_in)


def differentiated(forecast: Callable[[Tensor], Tensor], burn_in: int) -> AddGradient:
    """Return a function that adds the gradient of a batch's loss by automatic differentiation.

    Args:
        forecast: inputs (batch, time, input) -> forecasts (batch, time, channel).
        burn_in: first steps whose errors do not count.
    """

    def add(inputs: Tensor, targets: Tensor, weight: float) -> float:
        check_burn_in(burn_in, inputs.shape[1])
        forecasts = forecast(inputs)
        loss = weight * torch.nn.functional.mse_loss(forecasts[:, burn_in:], targets[:, burn_in:])
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.item()

    return add


class NativeEngine:
    """Computes by the compiled kernel with one instruction set, on the CPU; see docs/engine.md."""

    def __init__(self, instructions: str, threads: int = 1) -> None:
        self.name = NATIVE + instructions
        self.instructions = instructions
        self.threads = threads

    def run(
        self, forecaster: Computed, inputs: Tensor, state: HiddenState | None, free: int
    ) -> tuple[Tensor, HiddenState]:
        """Return forecasts and the state after them, differentiable; see `Network.forward`."""
        return run(*self._call(forecaster, inputs, state, free))

    def trace(
        self, forecaster: Computed, inputs: Tensor, state: HiddenState | None, free: int
    ) -> tuple[Tensor, HiddenState]:
        """Return forecasts and the states after every step; see `Network.trace`."""
        return trace(*self._call(forecaster, inputs, state, free))

    def hidden(self, forecaster: Computed, inputs: Tensor) -> Tensor:
        """Return the top layer's outputs; see `Engine.hidden`."""
        shape = forecaster.shape.without_readout()
        parameters = [parameter for layer in forecaster.stack.weights() for parameter in layer]
        mode = Mode(0, self.instructions, self.threads)
        return run(shape, parameters, inputs.contiguous(), None, mode)[0]

    def loss_gradient(self, forecaster: Computed, burn_in: int, free: int) -> AddGradient:
        """Return what adds up a loss's gradient, batch by batch; see `Network.loss_gradient`."""
        parameters = forecaster.ordered_parameters()
        gradients = [_gradient(parameter) for parameter in parameters]
        mode = Mode(free, self.instructions, self.threads)
        gradient = LossGradient(forecaster.shape, parameters, gradients, burn_in, mode)

        def add(inputs: Tensor, targets: Tensor, weight: float) -> float:
            if parameters[0].grad is not gradients[0]:
                raise ValueError(
                    "the parameters' gradients are other tensors now: zero_grad has set them to None"
                )
            return gradient.add(inputs.contiguous(), targets.contiguous(), weight)

        return add

    def _call(
        self, forecaster: Computed, inputs: Tensor, state: HiddenState | None, free: int
    ) -> tuple[NetworkShape, list[Tensor], Tensor, HiddenState | None, Mode]:
        whole = None if state is None else tuple(part.contiguous() for part in state)
        mode = Mode(free, self.instructions, self.threads)
        return forecaster.shape, forecaster.ordered_parameters(), inputs.contiguous(), whole, mode


def _gradient(parameter: Tensor) -> Tensor:
    """Return the gradient of a parameter, zeros if it had none."""
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.grad


def engine(name: str, threads: int = 1) -> Engine:
    """Return an engine by its name, such as "torch" or "native-avx2".

    Args:
        name: see `sweep.config.engines`.
        threads: of the native engine, over tiles of the batch; they do not change its results.

    Raises:
        SweepError: this machine does not have the kernel or its instruction set.
    """
    if name == TORCH:
        return TorchEngine()
    available = [NATIVE + instructions for instructions in instruction_sets()]
    if name not in available:
        here = ", ".join([*available, TORCH])
        raise SweepError(f"the engine {name!r} is not available here; available: {here}")
    return NativeEngine(name.removeprefix(NATIVE), threads)


def kernel_with(instructions: str) -> Kernel:
    """Return the compiled kernel with an instruction set."""
    cells = {name: cell.kernel for name, cell in CELLS.items() if cell.kernel is not None}
    return Kernel(instructions, cells)


def best_kernel() -> Kernel | None:
    """Return the compiled kernel with the best instruction set of this machine, None where it is not built."""
    available = instruction_sets()
    return kernel_with(available[-1]) if available else None


def fastest_engine() -> Engine:
    """Return the compiled kernel with the best instruction set of this machine, or torch if it is not built."""
    available = instruction_sets()
    return NativeEngine(available[-1]) if available else TorchEngine()
