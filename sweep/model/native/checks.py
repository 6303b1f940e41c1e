"""Checks of everything that the kernel receives, which checks nothing itself: a wrong tensor must not crash it."""

import functools
from collections.abc import Sequence

import torch
from torch import Tensor

from sweep.model.native.call import CODES, DTYPES, Mode
from sweep.model.native.library import instruction_sets
from sweep.model.shape import NetworkShape

shapes = functools.cache(NetworkShape.shapes)


def check_network(network: NetworkShape, mode: Mode) -> None:
    """Raise ValueError for a network that the kernel cannot compute, or a mode that makes no sense."""
    if network.cell not in CODES:
        raise ValueError(f"wanted a cell of {', '.join(CODES)}, got {network.cell!r}")
    if min(network.layers, network.hidden, network.inputs, *network.readout) < 1:
        raise ValueError(f"wanted layers, hidden, inputs and readout of at least 1, got {network}")
    if mode.threads < 1:
        raise ValueError(f"wanted at least one thread, got {mode.threads}")
    if mode.free and network.outputs > network.inputs:
        raise ValueError(f"{network.outputs} outputs cannot be fed back into {network.inputs} inputs")
    if network.increment and not (network.readout and network.outputs <= network.inputs):
        raise ValueError("increments need a readout with as many inputs as outputs, or more")
    if mode.instructions is not None and mode.instructions not in instruction_sets():
        raise ValueError(
            f"instruction set {mode.instructions!r} is not available here: "
            f"{', '.join(instruction_sets()) or 'no kernel was built'}"
        )


def check_inputs(network: NetworkShape, x: Tensor, mode: Mode) -> None:
    """Raise ValueError unless x is (batch, time, input), float32 or float64, contiguous, on the CPU."""
    if x.dtype not in DTYPES:
        raise ValueError(f"wanted float32 or float64 inputs, got {x.dtype}")
    if x.dim() != 3 or x.shape[2] != network.inputs:
        raise ValueError(f"wanted inputs (batch, time, {network.inputs}), got {tuple(x.shape)}")
    if 0 in x.shape:
        raise ValueError(f"wanted at least one sequence and one step, got {tuple(x.shape)}")
    if not 0 <= mode.free < x.shape[1]:
        raise ValueError(f"wanted at least one forced step, got {mode.free} free of {x.shape[1]}")
    check_tensor("inputs", x, x.shape, x.dtype)


def check_burn_in(burn_in: int, steps: int) -> None:
    """Raise ValueError if a burn-in leaves no step to score."""
    if not 0 <= burn_in < steps:
        raise ValueError(f"wanted at least one scored step, got a burn-in of {burn_in} of {steps}")


def check_parameters(kind: str, network: NetworkShape, given: Sequence[Tensor], dtype: torch.dtype) -> None:
    """Raise ValueError unless parameters, or their gradients, have the shapes and the type of a network's."""
    wanted = shapes(network)
    if dtype not in DTYPES:
        raise ValueError(f"wanted float32 or float64 {kind}s, got {dtype}")
    if len(given) != len(wanted):
        raise ValueError(f"wanted {len(wanted)} {kind}s, got {len(given)}")
    for number, (tensor, shape) in enumerate(zip(given, wanted, strict=True)):
        check_tensor(f"{kind} {number}", tensor, shape, dtype)


def check_state(network: NetworkShape, state: tuple[Tensor, ...], x: Tensor) -> None:
    """Raise ValueError unless a state is empty or has the shapes of a network's state for inputs x."""
    if state and len(state) != network.components:
        raise ValueError(f"wanted a state of {network.components} tensors, got {len(state)}")
    for number, part in enumerate(state):
        check_tensor(f"state {number}", part, (network.layers, x.shape[0], network.hidden), x.dtype)


def check_tensor(name: str, given: Tensor, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    """Raise ValueError unless a tensor has this shape and type, and is contiguous on the CPU."""
    dense = given.layout is torch.strided and given.is_contiguous()
    if given.shape == shape and given.dtype is dtype and given.is_cpu and dense and given.data_ptr():
        return
    if given.shape != shape:
        raise ValueError(f"{name}: wanted shape {tuple(shape)}, got {tuple(given.shape)}")
    if given.dtype != dtype:
        raise ValueError(f"{name}: wanted {dtype}, got {given.dtype}")
    if not given.is_cpu:
        raise ValueError(f"{name}: the native engine computes on the CPU, got a tensor on {given.device}")
    if not dense:
        raise ValueError(f"{name}: wanted a contiguous tensor; call .contiguous() on it")
    raise ValueError(f"{name}: its memory was freed")
