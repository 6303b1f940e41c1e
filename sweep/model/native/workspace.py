"""Memory of the kernel, handed on from call to call: a fresh one would be page-faulted at every step."""

from collections import deque

import torch

KEPT = 4  # buffers that wait for the next call

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
    return torch.zeros(size, dtype=torch.uint8)  # zeros: what lies between arrays may be read


def release() -> None:
    """Forget the buffers that wait."""
    _waiting.clear()
