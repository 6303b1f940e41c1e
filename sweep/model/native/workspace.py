"""Memory of the kernel, handed on from call to call: a fresh one would be page-faulted at every step."""

import contextlib
import mmap
from collections import deque

import torch

KEPT = 4  # buffers that wait for the next call
LARGE_PAGE = 2 << 20  # bytes, on x86-64 and most Arm

_waiting: deque[torch.Tensor] = deque(maxlen=KEPT)


class Workspace:
    """A buffer of at least so many bytes, given back when nobody holds it any more."""

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
    return _zeros(size)  # zeros: what lies between arrays may be read


def _zeros(size: int) -> torch.Tensor:
    """Return at least so many zero bytes, in large pages where Linux has any and they can be filled.

    The history of a long window lies in thousands of small pages, more than a processor keeps the addresses of at hand:
    training steps over windows of 999 take 1 to 2 % less time in large ones.
    """
    if size < LARGE_PAGE or not hasattr(mmap, "MADV_HUGEPAGE"):
        return torch.zeros(size, dtype=torch.uint8)
    whole = -(-size // LARGE_PAGE) * LARGE_PAGE
    pages = mmap.mmap(-1, whole, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with contextlib.suppress(OSError):  # a system without them
        pages.madvise(mmap.MADV_HUGEPAGE)
    return torch.frombuffer(pages, dtype=torch.uint8)


def release() -> None:
    """Forget the buffers that wait."""
    _waiting.clear()
