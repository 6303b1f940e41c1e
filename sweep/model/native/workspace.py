"""Memory of the kernel, reused from call to call: a fresh one would cause page faults at every step."""

import contextlib
import mmap
from collections import deque

import torch

KEPT = 4  # buffers that are kept for the next calls
LARGE_PAGE = 2 << 20  # bytes, on x86-64 and most Arm processors

_waiting: deque[torch.Tensor] = deque(maxlen=KEPT)


class Workspace:
    """A buffer of at least `size` bytes. Its memory is reused once nothing refers to it any more."""

    def __init__(self, size: int) -> None:
        self.buffer = _take(size)
        self.pointer = self.buffer.data_ptr()

    def __del__(self) -> None:
        buffer = getattr(self, "buffer", None)
        if buffer is not None:
            _waiting.append(buffer)


def _take(size: int) -> torch.Tensor:
    for _ in range(len(_waiting)):
        try:
            buffer = _waiting.popleft()
        except IndexError:  # another thread was faster
            break
        if buffer.numel() >= size:
            return buffer
    return _zeros(size)  # zeros, because the kernel may read the gaps between arrays


def _zeros(size: int) -> torch.Tensor:
    """Return at least `size` zero bytes, in large pages where Linux offers them and they can be filled.

    The history of a long window covers thousands of small pages, more than the processor's table of addresses holds:
    training steps over windows of 999 take 1 to 2 % less time with large pages.
    """
    if size < LARGE_PAGE or not hasattr(mmap, "MADV_HUGEPAGE"):
        return torch.zeros(size, dtype=torch.uint8)
    whole = -(-size // LARGE_PAGE) * LARGE_PAGE
    pages = mmap.mmap(-1, whole, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with contextlib.suppress(OSError):  # a system without large pages
        pages.madvise(mmap.MADV_HUGEPAGE)
    return torch.frombuffer(pages, dtype=torch.uint8)


def release() -> None:
    """Free the buffers that are kept."""
    _waiting.clear()
