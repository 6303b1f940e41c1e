"""Descriptions of calls of the kernel: what to compute, how, and where the numbers are in memory."""

from collections.abc import Sequence
from ctypes import CDLL, c_int64, c_void_p
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sweep.model.cells import CELLS
from sweep.model.native.library import INSTRUCTIONS, Call, instruction_sets, library
from sweep.model.shape import NetworkShape

# the cells that the kernel computes, and their numbers in kernel/engine.h
CODES = {name: cell.kernel.code for name, cell in CELLS.items() if cell.kernel is not None}
DTYPES = {torch.float32: 4, torch.float64: 8}


@dataclass(frozen=True)
class Mode:
    """How the kernel computes a network. Apart from `free`, it changes results in the last bits only."""

    free: int = 0  # last steps that are fed with the forecast of the step before
    instructions: str | None = None  # None: the best set of this processor
    threads: int = 1


PLAIN = Mode()


def built() -> CDLL:
    """Return the kernel.

    Raises:
        RuntimeError: the kernel is not built.
    """
    kernel = library()
    if kernel is None:
        raise RuntimeError("the native engine was not built")
    return kernel


def described(network: NetworkShape, mode: Mode, x: Tensor, keep: bool) -> Call:
    """Return the description of a call for inputs like x (batch, time, input), with null for every address.

    Args:
        network: to compute.
        mode: how to compute it.
        x: gives shape and type, not an address.
        keep: whether a backward pass follows.
    """
    return Call(
        bytes=DTYPES[x.dtype],
        cell=CODES[network.cell],
        layers=network.layers,
        hidden=network.hidden,
        inputs=network.inputs,
        dense=len(network.readout),
        sizes=(c_int64 * len(network.readout))(*network.readout),
        tanh_between=network.tanh_between,
        relu_output=network.relu_output,
        increment=network.increment,
        batch=x.shape[0],
        steps=x.shape[1],
        free_steps=mode.free,
        instructions=INSTRUCTIONS.index(mode.instructions or instruction_sets()[-1]),
        threads=mode.threads,
        keep=keep,
    )


def addresses(tensors: Sequence[Tensor]) -> list[int]:
    """Return the addresses of tensors' numbers."""
    return [tensor.data_ptr() for tensor in tensors]


def pointers(tensors: Sequence[Tensor]) -> Any:
    """Return the addresses of tensors' numbers as an array for the kernel."""
    return (c_void_p * len(tensors))(*addresses(tensors))


def pair(tensors: Sequence[Tensor | None]) -> Any:
    """Return the addresses of a state's components, null for a missing one."""
    return (c_void_p * 2)(*[None if tensor is None else tensor.data_ptr() for tensor in tensors])
