"""The library of the compiled kernel, loaded through ctypes, which releases the GIL during calls."""

import ctypes
import functools
import importlib.machinery
from ctypes import POINTER, c_double, c_int64, c_void_p
from pathlib import Path

INSTRUCTIONS = ("baseline", "avx2", "avx512")  # in the order of kernel/engine.cpp


class Call(ctypes.Structure):
    """The struct SweepCall of kernel/engine.h, field by field."""

    _fields_ = (
        ("bytes", c_int64), ("cell", c_int64), ("layers", c_int64), ("hidden", c_int64),
        ("inputs", c_int64), ("dense", c_int64), ("sizes", POINTER(c_int64)), ("tanh_between", c_int64),
        ("relu_output", c_int64), ("increment", c_int64), ("batch", c_int64), ("steps", c_int64),
        ("free_steps", c_int64), ("instructions", c_int64), ("threads", c_int64), ("keep", c_int64),
        ("workspace", c_void_p), ("parameters", POINTER(c_void_p)), ("x", c_void_p),
        ("state", c_void_p * 2), ("outputs", c_void_p), ("last", c_void_p * 2), ("trace", c_void_p * 2),
        ("d_outputs", c_void_p), ("d_last", c_void_p * 2), ("d_parameters", POINTER(c_void_p)),
        ("d_x", c_void_p), ("d_state", c_void_p * 2),
        ("targets", c_void_p), ("burn_in", c_int64), ("weight", c_double),
    )  # fmt: skip


@functools.cache
def library() -> ctypes.CDLL | None:
    """Return the kernel's library, None if it is not built."""
    for suffix in importlib.machinery.EXTENSION_SUFFIXES:
        path = Path(__file__).with_name(f"_kernel{suffix}")
        if path.exists():
            return _declared(ctypes.CDLL(str(path)))
    return None


def _declared(loaded: ctypes.CDLL) -> ctypes.CDLL:
    loaded.sweep_instructions.restype = c_int64
    loaded.sweep_instructions.argtypes = ()
    loaded.sweep_workspace.restype = c_int64
    loaded.sweep_peak.restype = c_double
    loaded.sweep_peak.argtypes = (c_int64, c_int64)
    for name in ("sweep_workspace", "sweep_forward", "sweep_backward", "sweep_train"):
        getattr(loaded, name).argtypes = (POINTER(Call),)
    loaded.sweep_forward.restype = loaded.sweep_backward.restype = None
    loaded.sweep_train.restype = c_double
    return loaded


@functools.cache
def instruction_sets() -> tuple[str, ...]:
    """Return the kernel's instruction sets that this processor has, the best last; empty if it is not built."""
    kernel = library()
    if kernel is None:
        return ()
    return INSTRUCTIONS[: kernel.sweep_instructions() + 1]


def peak_flops(instructions: str, bytes_per_number: int) -> float:
    """Return the measured peak of fused multiply-adds of one core, FLOP per second.

    Args:
        instructions: one of `instruction_sets()`.
        bytes_per_number: 4 or 8.
    """
    kernel = library()
    assert kernel is not None
    return float(kernel.sweep_peak(INSTRUCTIONS.index(instructions), bytes_per_number))
