"""Settings of the process that computes a trial: one thread, and memory that is kept between steps."""

import contextlib
import ctypes
import functools
import sys
from collections.abc import Callable, Iterator

import torch

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h of glibc
KEEP = 1 << 30  # bytes


@functools.cache
def keep_freed_memory() -> bool:
    """Tell glibc not to hand large buffers back to the system after every step; return whether it heard.

    By default each step's workspaces are mapped and page-faulted anew, which halves the speed of LSTM
    training on long windows (benchmarks/malloc.py).
    """
    mallopt = _of_glibc("mallopt")
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, KEEP)) and bool(mallopt(M_TRIM_THRESHOLD, KEEP))


def release_freed_memory() -> None:
    """Give back what was kept: trials of many shapes in one process would let it grow.

    Takes 10 to 30 ms; done once per trial.
    """
    trim = _of_glibc("malloc_trim")
    if trim is not None:
        trim(0)


def _of_glibc(name: str) -> Callable[..., int] | None:
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), name, None)


@contextlib.contextmanager
def trial_process() -> Iterator[None]:
    """Compute with one torch thread and float32 as default inside, whatever was set before.

    Both change results: threads the order of sums, the default type the weights that are drawn.
    """
    keep_freed_memory()
    threads, dtype = torch.get_num_threads(), torch.get_default_dtype()
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_default_dtype(dtype)
