"""The recurrent network as one differentiable function of torch tensors, and its loss's gradient, by the kernel."""

import functools
from collections.abc import Sequence
from ctypes import byref, c_int64, c_void_p
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from sweep.model.native.library import INSTRUCTIONS, Call, instruction_sets, library
from sweep.model.native.workspace import Workspace
from sweep.model.network import Network

CELLS = ("lstm", "gru")  # in the order of kernel/engine.h
DTYPES = {torch.float32: 4, torch.float64: 8}


@dataclass(frozen=True)
class Mode:
    """How a network is run; no part of what it computes but for the last bits."""

    free: int = 0  # last steps that are fed with the forecast of the step before
    instructions: str | None = None  # None: the best that this processor has
    threads: int = 1


PLAIN = Mode()
_shapes = functools.cache(Network.shapes)


def run(
    network: Network,
    parameters: Sequence[Tensor],
    x: Tensor,
    state: tuple[Tensor, ...] | None = None,
    mode: Mode = PLAIN,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Return the outputs for a sequence of inputs, and the state after it; differentiable once.

    Args:
        network: what is computed.
        parameters: contiguous, on the CPU, all float32 or all float64.
        x: (batch, time, input), contiguous. In the last `mode.free` steps only what follows the first
            `network.outputs` inputs is read.
        state: per component (layer, batch, hidden), contiguous; zeros where None.
        mode: how.

    Returns:
        outputs (batch, time, output); state per component (layer, batch, hidden).

    Raises:
        ValueError: a tensor has the wrong shape, type, device or layout.
        RuntimeError: the kernel was not built.
    """
    state = state or ()
    _check(network, parameters, x, state, mode)
    needed = torch.is_grad_enabled() and any(t.requires_grad for t in (x, *state, *parameters))
    if needed:
        apply: Any = _Recurrence.apply
        results = apply(network, mode, len(state), x, *state, *parameters)
        return results[0], tuple(results[1:])
    return _forward(_Buffers(network, parameters, x, state, mode, keep=False))


def trace(
    network: Network,
    parameters: Sequence[Tensor],
    x: Tensor,
    state: tuple[Tensor, ...] | None = None,
    mode: Mode = PLAIN,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Return the outputs and the states after every step, per component (time, layer, batch, hidden).

    As `run`, without gradients.
    """
    state = state or ()
    _check(network, parameters, x, state, mode)
    buffers = _Buffers(network, parameters, x, state, mode, keep=False)
    return _forward(buffers, traced=True)


def add_gradient(
    network: Network,
    parameters: Sequence[Tensor],
    gradients: Sequence[Tensor],
    x: Tensor,
    targets: Tensor,
    burn_in: int = 0,
    weight: float = 1.0,
    mode: Mode = PLAIN,
) -> float:
    """Return a weighted mean squared error of the outputs from a zero state, and add its gradient to `gradients`.

    Args:
        network: what is computed.
        parameters: contiguous, on the CPU, all float32 or all float64.
        gradients: like the parameters.
        x: (batch, time, input), contiguous; see `run`.
        targets: (batch, time, output), contiguous.
        burn_in: first steps whose errors do not count.
        weight: of the error.
        mode: how.

    Raises:
        ValueError: a tensor has the wrong shape, type, device or layout.
        RuntimeError: the kernel was not built.
    """
    _check(network, parameters, x, (), mode)
    batch, steps, _ = x.shape
    if not 0 <= burn_in < steps:
        raise ValueError(f"wanted at least one scored step, got a burn-in of {burn_in} of {steps}")
    _check_tensor("targets", 0, targets, (batch, steps, network.outputs), x.dtype)
    if len(gradients) != len(parameters):
        raise ValueError(f"wanted {len(parameters)} gradients, got {len(gradients)}")
    for number, (gradient, shape) in enumerate(zip(gradients, _shapes(network), strict=True)):
        _check_tensor("gradient", number, gradient, shape, x.dtype)
    buffers = _Buffers(network, parameters, x, (), mode, keep=True, targets=targets)
    outputs, call = torch.empty_like(targets), buffers.call
    addresses = pointers(gradients)
    call.outputs = outputs.data_ptr()
    call.d_parameters, call.burn_in, call.weight = addresses, burn_in, weight
    return float(buffers.kernel.sweep_train(byref(call)))


def _check(
    network: Network, parameters: Sequence[Tensor], x: Tensor, state: tuple[Tensor, ...], mode: Mode
) -> None:
    if network.cell not in CELLS:
        raise ValueError(f"wanted a cell of {', '.join(CELLS)}, got {network.cell!r}")
    if min(network.layers, network.hidden, network.inputs, *network.readout) < 1:
        raise ValueError(f"wanted layers, hidden, inputs and readout of at least 1, got {network}")
    if mode.threads < 1:
        raise ValueError(f"wanted at least one thread, got {mode.threads}")
    if x.dtype not in DTYPES:
        raise ValueError(f"wanted float32 or float64 inputs, got {x.dtype}")
    if x.dim() != 3 or x.shape[2] != network.inputs:
        raise ValueError(f"wanted inputs (batch, time, {network.inputs}), got {tuple(x.shape)}")
    batch, steps, _ = x.shape
    if batch == 0 or steps == 0:
        raise ValueError(f"wanted at least one sequence and one step, got {tuple(x.shape)}")
    if not 0 <= mode.free < steps:
        raise ValueError(f"wanted at least one forced step, got {mode.free} free of {steps}")
    if mode.free and network.outputs > network.inputs:
        raise ValueError(f"{network.outputs} outputs cannot be fed back into {network.inputs} inputs")
    if network.increment and not (network.readout and network.outputs <= network.inputs):
        raise ValueError("increments need a readout with as many inputs as outputs, or more")
    shapes = _shapes(network)
    if len(parameters) != len(shapes):
        raise ValueError(f"wanted {len(shapes)} parameters, got {len(parameters)}")
    if state and len(state) != network.components:
        raise ValueError(f"wanted a state of {network.components} tensors, got {len(state)}")
    _check_tensor("inputs", 0, x, (batch, steps, network.inputs), x.dtype)
    for number, parameter in enumerate(parameters):
        _check_tensor("parameter", number, parameter, shapes[number], x.dtype)
    for number, part in enumerate(state):
        _check_tensor("state", number, part, (network.layers, batch, network.hidden), x.dtype)
    if mode.instructions is not None and mode.instructions not in instruction_sets():
        raise ValueError(
            f"instruction set {mode.instructions!r} is not available here: "
            f"{', '.join(instruction_sets()) or 'no kernel was built'}"
        )


def _check_tensor(kind: str, number: int, given: Tensor, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    dense = given.layout is torch.strided and given.is_contiguous()
    if given.shape == shape and given.dtype is dtype and given.is_cpu and dense:
        return
    name = kind if kind in ("inputs", "targets") else f"{kind} {number}"
    if given.shape != shape:
        raise ValueError(f"{name}: wanted shape {shape}, got {tuple(given.shape)}")
    if given.dtype != dtype:
        raise ValueError(f"{name}: wanted {dtype} as the inputs have, got {given.dtype}")
    if not given.is_cpu:
        raise ValueError(f"{name}: the native engine computes on the CPU, got a tensor on {given.device}")
    raise ValueError(f"{name}: wanted a contiguous tensor; call .contiguous() on it")


class _Buffers:
    """A call's description, and what its pointers point into for as long as they are read."""

    def __init__(
        self,
        network: Network,
        parameters: Sequence[Tensor],
        x: Tensor,
        state: tuple[Tensor, ...],
        mode: Mode,
        keep: bool,
        targets: Tensor | None = None,
    ) -> None:
        kernel = library()
        if kernel is None:
            raise RuntimeError("the native engine was not built")
        self.kernel, self.network, self.x, self.state = kernel, network, x, state
        self.sizes = (c_int64 * len(network.readout))(*network.readout)
        self.call = Call(
            bytes=DTYPES[x.dtype],
            cell=CELLS.index(network.cell),
            layers=network.layers,
            hidden=network.hidden,
            inputs=network.inputs,
            dense=len(network.readout),
            sizes=self.sizes,
            tanh_between=network.tanh_between,
            relu_output=network.relu_output,
            increment=network.increment,
            batch=x.shape[0],
            steps=x.shape[1],
            free_steps=mode.free,
            instructions=INSTRUCTIONS.index(mode.instructions or instruction_sets()[-1]),
            threads=mode.threads,
            keep=keep,
            parameters=pointers(parameters),  # read by the forward pass alone
            x=x.data_ptr(),
            state=pair(state),
            targets=None if targets is None else targets.data_ptr(),
        )
        self.workspace = Workspace(kernel.sweep_workspace(byref(self.call)))
        self.call.workspace = self.workspace.pointer


def pointers(tensors: Sequence[Tensor]) -> Any:
    """Return an array of the addresses of tensors' numbers."""
    return (c_void_p * len(tensors))(*[tensor.data_ptr() for tensor in tensors])


def pair(tensors: Sequence[Tensor | None]) -> Any:
    """Return the addresses of a state's components, null where there is none."""
    return (c_void_p * 2)(*[None if tensor is None else tensor.data_ptr() for tensor in tensors])


def _forward(buffers: _Buffers, traced: bool = False) -> tuple[Tensor, tuple[Tensor, ...]]:
    network, x, call = buffers.network, buffers.x, buffers.call
    batch, steps, _ = x.shape
    outputs = x.new_empty(batch, steps, network.outputs)
    last = tuple(x.new_empty(network.layers, batch, network.hidden) for _ in range(network.components))
    traces = tuple(
        x.new_empty(steps, network.layers, batch, network.hidden) for _ in range(network.components * traced)
    )
    call.outputs, call.last, call.trace = outputs.data_ptr(), pair(last), pair(traces)
    buffers.kernel.sweep_forward(byref(call))
    return outputs, traces if traced else last


class _Recurrence(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, network: Network, mode: Mode, states: int, x: Tensor, *rest: Tensor) -> Any:
        ctx.set_materialize_grads(False)
        state, parameters = rest[:states], rest[states:]
        buffers = _Buffers(network, parameters, x, state, mode, keep=True)
        outputs, last = _forward(buffers)
        ctx.save_for_backward(*parameters)  # notices what was changed in place
        ctx.buffers, ctx.states, ctx.needs_x = buffers, states, x.requires_grad
        return (outputs, *last)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor | None, *d_last: Tensor | None) -> Any:
        buffers: _Buffers = ctx.buffers
        call, x = buffers.call, buffers.x
        parameters = ctx.saved_tensors
        given = [None if d is None else d.contiguous() for d in (d_outputs, *d_last)]
        d_parameters = [torch.empty_like(parameter) for parameter in parameters]
        d_state = [torch.empty_like(part) for part in buffers.state]
        d_x = torch.empty_like(x) if ctx.needs_x else None
        addresses = pointers(d_parameters)
        call.d_outputs = None if given[0] is None else given[0].data_ptr()
        call.d_last, call.d_state = pair(given[1:]), pair(d_state)
        call.d_parameters = addresses
        call.d_x = None if d_x is None else d_x.data_ptr()
        buffers.kernel.sweep_backward(byref(call))
        return (None, None, None, d_x, *d_state, *d_parameters)
