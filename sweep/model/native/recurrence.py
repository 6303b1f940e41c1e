"""The recurrent network as one differentiable function of torch tensors, computed by the kernel."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from sweep.model.native.call import PLAIN, Mode, built, described, pair, pointers
from sweep.model.native.checks import check_inputs, check_network, check_parameters, check_state
from sweep.model.native.workspace import Workspace
from sweep.model.shape import NetworkShape


def run(
    network: NetworkShape,
    parameters: Sequence[Tensor],
    x: Tensor,
    state: tuple[Tensor, ...] | None = None,
    mode: Mode = PLAIN,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Return the outputs for a sequence of inputs, and the state after it; differentiable once.

    Args:
        network: to compute.
        parameters: contiguous, on the CPU, all float32 or all float64.
        x: (batch, time, input), contiguous. In the last `mode.free` steps only what follows the first
            `network.outputs` inputs is read.
        state: per component (layer, batch, hidden), contiguous; zeros if None.
        mode: how to compute it.

    Returns:
        outputs (batch, time, output); state per component (layer, batch, hidden).

    Raises:
        ValueError: a tensor has the wrong shape, type, device or layout.
        RuntimeError: the kernel is not built.
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
    network: NetworkShape,
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


def _check(
    network: NetworkShape, parameters: Sequence[Tensor], x: Tensor, state: tuple[Tensor, ...], mode: Mode
) -> None:
    check_network(network, mode)
    check_inputs(network, x, mode)
    check_parameters("parameter", network, parameters, x.dtype)
    check_state(network, state, x)


class _Buffers:
    """The description of a call, with the tensors that its addresses point to, so that they are not freed."""

    def __init__(
        self,
        network: NetworkShape,
        parameters: Sequence[Tensor],
        x: Tensor,
        state: tuple[Tensor, ...],
        mode: Mode,
        keep: bool,
    ) -> None:
        self.kernel, self.network, self.x, self.state = built(), network, x, state
        self.call = described(network, mode, x, keep)
        self.call.parameters = pointers(parameters)  # read by the forward pass alone
        self.call.x, self.call.state = x.data_ptr(), pair(state)
        self.workspace = Workspace(self.kernel.sweep_workspace(self.call))
        self.call.workspace = self.workspace.pointer


def _forward(buffers: _Buffers, traced: bool = False) -> tuple[Tensor, tuple[Tensor, ...]]:
    network, x, call = buffers.network, buffers.x, buffers.call
    batch, steps, _ = x.shape
    outputs = x.new_empty(batch, steps, network.outputs)
    last = tuple(x.new_empty(network.layers, batch, network.hidden) for _ in range(network.components))
    traces = tuple(
        x.new_empty(steps, network.layers, batch, network.hidden) for _ in range(network.components * traced)
    )
    call.outputs, call.last, call.trace = outputs.data_ptr(), pair(last), pair(traces)
    buffers.kernel.sweep_forward(call)
    return outputs, traces if traced else last


class _Recurrence(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, network: NetworkShape, mode: Mode, states: int, x: Tensor, *rest: Tensor) -> Any:
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
        buffers.kernel.sweep_backward(call)
        return (None, None, None, d_x, *d_state, *d_parameters)
