"""The loss of a batch and its gradient in one call of the kernel, for many batches of the same network."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sweep.model.native.call import PLAIN, Mode, addresses, built, described, pointers
from sweep.model.native.checks import (
    check_burn_in,
    check_inputs,
    check_network,
    check_parameters,
    check_tensor,
)
from sweep.model.native.library import Call
from sweep.model.native.workspace import Workspace
from sweep.model.shape import NetworkShape


@dataclass(frozen=True)
class _Prepared:
    """The common part of the calls for batches of one shape."""

    call: Call
    outputs: Tensor  # (batch, time, output)
    workspace: int  # bytes


class LossGradient:
    """Computes weighted mean squared errors of a network's outputs from a zero state, and their gradients.

    The common part of all batches is checked and described once. Parameters and gradients that move to other memory are
    checked again; in place they must not change shape, type or strides. Only one call may run at a time.
    """

    def __init__(
        self,
        network: NetworkShape,
        parameters: Sequence[Tensor],
        gradients: Sequence[Tensor],
        burn_in: int = 0,
        mode: Mode = PLAIN,
    ) -> None:
        """Check everything that stays the same from batch to batch.

        Args:
            network: to compute.
            parameters: contiguous, on the CPU, all float32 or all float64.
            gradients: like the parameters; `add` adds to them.
            burn_in: first steps whose errors do not count.
            mode: how to compute it.

        Raises:
            ValueError: a tensor has the wrong shape, type, device or layout.
            RuntimeError: the kernel is not built.
        """
        self.kernel = built()
        check_network(network, mode)
        self.network, self.burn_in, self.mode = network, burn_in, mode
        self.parameters, self.gradients = list(parameters), list(gradients)
        self.dtype = parameters[0].dtype if parameters else torch.float32
        self._check()
        self._places = pointers(self.parameters), pointers(self.gradients)
        self._prepared: dict[torch.Size, _Prepared] = {}

    def _check(self) -> None:
        check_parameters("parameter", self.network, self.parameters, self.dtype)
        check_parameters("gradient", self.network, self.gradients, self.dtype)
        # hold their memory, so that no other, smaller block can get the same address later
        self._held = [tensor.detach() for tensor in (*self.parameters, *self.gradients)]

    def add(self, x: Tensor, targets: Tensor, weight: float = 1.0) -> float:
        """Return a batch's loss, and add its gradient to `gradients`.

        Args:
            x: (batch, time, input), contiguous, of the parameters' type. In the last `mode.free` steps only what
                follows the first `network.outputs` inputs is read.
            targets: (batch, time, output), contiguous.
            weight: of the mean squared error.

        Raises:
            ValueError: a tensor has the wrong shape, type, device or layout.
        """
        self._follow()
        prepared = self._prepared.get(x.shape) or self._prepare(x)
        check_tensor("inputs", x, x.shape, self.dtype)
        check_tensor("targets", targets, prepared.outputs.shape, self.dtype)
        workspace, call = Workspace(prepared.workspace), prepared.call
        call.workspace = workspace.pointer
        call.x, call.targets, call.weight = x.data_ptr(), targets.data_ptr(), weight
        return float(self.kernel.sweep_train(call))

    def _prepare(self, x: Tensor) -> _Prepared:
        check_inputs(self.network, x, self.mode)
        batch, steps, _ = x.shape
        check_burn_in(self.burn_in, steps)
        outputs = x.new_empty(batch, steps, self.network.outputs, dtype=self.dtype)
        call = described(self.network, self.mode, outputs, keep=True)
        call.parameters, call.d_parameters = self._places
        call.outputs = call.targets = outputs.data_ptr()  # with any targets the workspace is smaller
        call.burn_in = self.burn_in
        prepared = _Prepared(call, outputs, self.kernel.sweep_workspace(call))
        self._prepared[x.shape] = prepared
        return prepared

    def _follow(self) -> None:
        """Update the addresses of parameters and gradients that have moved."""
        now = [addresses(self.parameters), addresses(self.gradients)]
        if now != [places[:] for places in self._places]:
            self._check()
            for places, moved in zip(self._places, now, strict=True):
                places[:] = moved
