"""Where segments run. A slot runs one task at a time, so that a crash blames the right one."""

import contextlib
import os
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from multiprocessing import resource_tracker as tracker
from typing import Any

from joblib.externals.loky.backend import resource_tracker as loky_tracker
from joblib.externals.loky.process_executor import BrokenProcessPool, ProcessPoolExecutor

from sweep.search.worker import call, serve, start_worker

CLOSE_SECONDS = 1.0  # how long the threads around a killed worker may take to end


class WorkerDied(Exception):
    """A worker process ended without a result; the text says how, where that is known."""


class Slot(ABC):
    """Runs one task at a time."""

    started: float = 0.0  # time.monotonic() of the latest submit

    @abstractmethod
    def submit(self, function: Callable[..., Any], *args: Any) -> "Future[Any]":
        """Start a task. A dead worker shows as WorkerDied from `outcome`."""

    @abstractmethod
    def kill(self) -> None:
        """End the worker at once, whatever it does; the slot can be used again."""

    @abstractmethod
    def close(self) -> None:
        """End the worker; it is idle or may be killed."""


class InlineSlot(Slot):
    """Runs tasks in the driver's own process, at submit."""

    def submit(self, function: Callable[..., Any], *args: Any) -> "Future[Any]":
        """Run the task and return its finished future."""
        self.started = time.monotonic()
        future: Future[Any] = Future()
        try:
            future.set_result(call(function, *args))
        except Exception as error:  # the trial's, to be reported as its reason
            future.set_exception(error)
        return future

    def kill(self) -> None:
        """Do nothing: nothing runs between two submits."""

    def close(self) -> None:
        """Do nothing."""


class LokySlot(Slot):
    """A worker process of its own, started when first used and again after it died."""

    def __init__(self) -> None:
        self._executor: ProcessPoolExecutor | None = None

    def submit(self, function: Callable[..., Any], *args: Any) -> "Future[Any]":
        """Send a task to the worker process; to a new one where the old died while it was idle."""
        self.started = time.monotonic()
        with _deaf():
            try:
                return self._open().submit(serve, function, *args)  # type: ignore[no-any-return]
            except BrokenProcessPool:
                self.kill()
                return self._open().submit(serve, function, *args)  # type: ignore[no-any-return]

    def _open(self) -> ProcessPoolExecutor:
        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                max_workers=1,
                initializer=start_worker,
                initargs=(os.getpid(),),
                env={"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            )
        return self._executor

    def kill(self) -> None:
        """Kill the worker process."""
        if self._executor is not None:
            processes = self._executor._processes
            while processes:  # here, as loky would need psutil or pgrep, to look for grandchildren
                _, process = processes.popitem()
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
                process.join()
            # loky's threads may wait for ever on a worker that was killed while it started: not with them
            end = {"wait": True, "kill_workers": True}
            closing = threading.Thread(target=self._executor.shutdown, kwargs=end, daemon=True)
            closing.start()
            closing.join(CLOSE_SECONDS)
            self._executor = None

    def close(self) -> None:
        """Kill the worker process: it holds nothing that is not stored."""
        self.kill()


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """Hold back Ctrl-C while a worker may be started: it inherits that, and is deaf from its first moment.

    The resource trackers are started before, as their start lets Ctrl-C through again.
    """
    loky_tracker.ensure_running()
    tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def outcome(future: "Future[Any]") -> Any:
    """Return a finished future's result.

    Raises:
        WorkerDied: the worker process ended without one.
        Exception: what the task raised.
    """
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise WorkerDied(_how(str(error))) from None


def _how(text: str) -> str:
    """Return how a worker died, from loky's message."""
    for line in text.splitlines():
        if "exit codes of the workers are" in line:
            codes = line.split("{", 1)[-1].rstrip("}. ")
            hint = " (out of memory?)" if "SIGKILL" in codes else ""
            return f"its worker process died: {codes}{hint}"
    return "its worker process died"


EXECUTORS: dict[str, Callable[[], Slot]] = {"loky": LokySlot, "inline": InlineSlot}


class Workers:
    """The slots of a command, closed at its end: what worker processes have imported serves all its stages."""

    def __init__(self, count: int, executor: str) -> None:
        self.slots = [EXECUTORS[executor]() for _ in range(count)]

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        for slot in self.slots:
            slot.close()
