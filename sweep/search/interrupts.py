"""Ctrl-C and SIGTERM as counted requests that a driver checks, instead of exceptions at any line."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class Interrupts:
    """Counts SIGINT and SIGTERM while entered: one request means stop, two mean stop at once.

    It counts nothing outside the main thread, where Python allows no signal handlers.
    """

    def __init__(self) -> None:
        self.requests = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._count)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _count(self, number: int, frame: FrameType | None) -> None:
        self.requests += 1
        if self.requests > 2:  # the driver itself hangs: leave by the usual exception
            raise KeyboardInterrupt
