"""Settings of the process that computes a trial: its state of torch, and memory that is kept between steps."""

import contextlib
import ctypes
import functools
import sys
from collections.abc import Callable, Iterator

from sweep.model.torch_state import fresh_torch_state

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h of glibc
KEEP = 1 << 30  # bytes


@functools.cache
def keep_freed_memory() -> bool:
    """Keep glibc from returning large buffers to the system after every step; return whether it accepts the setting.

    By default the workspaces of each step are mapped and page-faulted again, which halves the speed of LSTM training on
    long windows (benchmarks/malloc.py).
    """
    mallopt = _of_glibc("mallopt")
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, KEEP)) and bool(mallopt(M_TRIM_THRESHOLD, KEEP))


def release_freed_memory() -> None:
    """Return the kept memory to the system, once per trial: trials of many shapes in one process would let it grow.

    It takes 10 to 30 ms.
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
    """Compute a trial inside: freed memory is kept, and the caller's state of torch has no effect."""
    keep_freed_memory()
    with fresh_torch_state():
        yield
