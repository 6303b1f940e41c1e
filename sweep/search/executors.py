"""Slots, the places where tasks run: one task at a time each, so that a crash is blamed on the right task."""

import contextlib
import os
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from multiprocessing import resource_tracker as tracker
from typing import Any

from joblib.externals.loky.backend import resource_tracker as loky_tracker
from joblib.externals.loky.process_executor import BrokenProcessPool, ProcessPoolExecutor

from sweep.search.bound_process import BoundContext
from sweep.search.events import Watch
from sweep.search.worker import call, imported, serve, start_worker

CLOSE_SECONDS = 1.0  # how long to wait for the threads of a killed worker


class WorkerDied(Exception):
    """A worker process ended without a result; the text says how, if that is known."""


class TaskLost(Exception):
    """A task ended without a result, and not by its own fault: its scheduler is lost. It is repeated."""


class Slot(ABC):
    """A place that runs one task at a time."""

    submitted: float = 0.0  # time.monotonic() of the latest submit
    # of the latest task; None while its worker starts, which is no part of the task
    began: float | None = 0.0
    ready: bool = True  # whether it takes tasks
    runs_trials: bool = True
    runs_side_tasks: bool = True

    @abstractmethod
    def submit(self, function: Callable[..., Any], *args: Any) -> "Future[Any]":
        """Start a task and return its future. If its worker dies, `outcome` raises WorkerDied."""

    def seconds(self, now: float) -> float:
        """Return for how long the task has been running, 0 while its worker starts."""
        return 0.0 if self.began is None else now - self.began

    def starting(self, now: float) -> float:
        """Return for how long the worker of the task has been starting, 0 once it has."""
        return now - self.submitted if self.began is None else 0.0

    @abstractmethod
    def kill(self) -> None:
        """End the worker at once, even if it is busy; the slot can be used again."""

    @abstractmethod
    def close(self) -> None:
        """End the worker, even if it is busy."""


class InlineSlot(Slot):
    """Runs each task in the driver's own process, within `submit`."""

    def submit(self, function: Callable[..., Any], *args: Any) -> "Future[Any]":
        """Run the task and return its finished future."""
        self.submitted = self.began = time.monotonic()
        future: Future[Any] = Future()
        try:
            future.set_result(call(function, *args))
        except Exception as error:  # becomes the reason of the failed trial
            future.set_exception(error)
        return future

    def kill(self) -> None:
        """Do nothing: no task runs between two submits."""

    def close(self) -> None:
        """Do nothing."""


class LokySlot(Slot):
    """Runs tasks in a worker process of its own, started at the first task and again after it died."""

    def __init__(self) -> None:
        self._executor: ProcessPoolExecutor | None = None
        self._imported: set[Callable[..., Any]] = set()  # functions whose modules the worker has imported

    def submit(self, function: Callable[..., Any], *args: Any) -> "Future[Any]":
        """Send a task to the worker process, or to a new one if the old one died while idle."""
        with blocked_interrupt():
            try:
                return self._submitted(function, args)
            except BrokenProcessPool:
                self.kill()
                return self._submitted(function, args)

    def _submitted(self, function: Callable[..., Any], args: tuple[Any, ...]) -> "Future[Any]":
        """Send a task; if the worker does not know its function yet, first let it import that, which is not timed."""
        executor = self._open()
        self.submitted = self.began = time.monotonic()
        if function not in self._imported:
            self.began = None
            executor.submit(imported, function).add_done_callback(
                partial(self._note_begin, executor, function)
            )
        return executor.submit(serve, function, *args)  # type: ignore[no-any-return]

    def _note_begin(
        self, executor: ProcessPoolExecutor, function: Callable[..., Any], future: "Future[Any]"
    ) -> None:
        if executor is self._executor and future.exception() is None:
            self._imported.add(function)
            self.began = time.monotonic()

    def _open(self) -> ProcessPoolExecutor:
        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                max_workers=1,
                initializer=start_worker,
                initargs=(os.getpid(),),
                context=BoundContext(),
                env={"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            )
        return self._executor

    def kill(self) -> None:
        """Kill the worker process."""
        if self._executor is not None:
            processes = self._executor._processes
            while processes:  # done here: loky needs psutil or pgrep for that, to find grandchildren
                _, process = processes.popitem()
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
                process.join()
            # In a thread with a time limit: loky may wait for ever on a worker that was killed while it started.
            options = {"wait": True, "kill_workers": True}
            closing = threading.Thread(target=self._executor.shutdown, kwargs=options, daemon=True)
            closing.start()
            closing.join(CLOSE_SECONDS)
            self._executor = None
            self._imported.clear()

    def close(self) -> None:
        """Kill the worker process; it holds no unsaved results."""
        self.kill()


@contextlib.contextmanager
def blocked_interrupt() -> Iterator[None]:
    """Block Ctrl-C while a worker may start: the worker inherits the block and ignores Ctrl-C from its first moment.

    The resource trackers start first, because their start unblocks Ctrl-C again.
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
        WorkerDied: the worker process ended without a result.
        Exception: any error of the task.
    """
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise WorkerDied(_cause_of_death(str(error))) from None


def _cause_of_death(text: str) -> str:
    """Return how a worker died, from loky's message."""
    for line in text.splitlines():
        if "exit codes of the workers are" in line:
            codes = line.split("{", 1)[-1].rstrip("}. ")
            hint = " (out of memory?)" if "SIGKILL" in codes else ""
            return f"its worker process died: {codes}{hint}"
    return "its worker process died"


EXECUTORS: dict[str, Callable[[], Slot]] = {"loky": LokySlot, "inline": InlineSlot}


class Workers:
    """The slots of a command, closed at its end: all its stages share worker processes and their imports."""

    slots: list[Slot]

    def __init__(self, count: int, executor: str) -> None:
        self.slots = [EXECUTORS[executor]() for _ in range(count)]

    def refresh(self, watch: Watch) -> None:
        """Take in workers that have joined; those of this machine are there from the beginning."""

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        for slot in self.slots:
            slot.close()
