"""Workers of a Dask cluster: they join and leave while a study runs, and each runs one task at a time.

Trials run on the cluster. Side tasks, which read the results folder, run in a worker process of this machine.
"""

import contextlib
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweep.config.errors import SweepError, UsageError
from sweep.config.text import plural
from sweep.search.events import Message, Watch
from sweep.search.executors import LokySlot, Slot, TaskLost, WorkerDied, Workers, blocked_interrupt
from sweep.search.worker import serve_packed

if TYPE_CHECKING:
    from distributed import Client
    from distributed import Future as DaskFuture

LOOK_SECONDS = 0.5  # between looks at the members of the cluster
CALL_SECONDS = 30.0  # how long the scheduler may take to answer
SCHEDULER_SECONDS = 300.0  # how long a lost scheduler may be away before the run stops; our choice
RESTART_SECONDS = 30.0  # how long a nanny may take to restart its worker
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Admission:
    """The check of a worker that joins. `prepare` runs there, once, and gets it ready for the study."""

    prepare: Callable[..., Any]
    args: tuple[Any, ...]
    problem: Callable[[Any], str | None]  # of what `prepare` returned: why the worker is not used


class DaskSlot(Slot):
    """One worker of a cluster; `ready` once it was admitted, until it is gone."""

    runs_side_tasks = False

    def __init__(self, client: "Client", address: str, nanny: bool) -> None:
        self.client, self.address, self.nanny = client, address, nanny
        self.ready = False
        self.gone = False
        self._running: tuple[DaskFuture[Any], Future[Any]] | None = None

    def submit(self, function: Callable[..., Any], *args: Any) -> "Future[Any]":
        """Send a task to this worker alone, where it is never repeated."""
        self.submitted = self.began = time.monotonic()  # the worker has imported sweep for its check
        future: Future[Any] = Future()
        try:
            from distributed.protocol.pickle import dumps  # reaches functions that plain pickle does not

            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a checkpoint of some MB is no mistake
                sent = self.client.submit(
                    serve_packed,
                    dumps((function, args)),
                    key=f"sweep-{uuid.uuid4().hex}",
                    workers=[self.address],
                    allow_other_workers=False,
                    pure=False,
                    retries=0,
                )
            self._running = sent, future
            sent.add_done_callback(lambda done: _pass_on(done, future))
        except Exception as error:  # the connection is lost
            _end(future, TaskLost(f"the scheduler is lost ({error})"))
        return future

    def leave(self, reason: Exception) -> None:
        """End the slot; its task ends with the reason."""
        self.ready, self.gone = False, True
        if self._running is not None:
            sent, future = self._running
            _end(future, reason)  # before the cancellation, which would end it for another reason
            with contextlib.suppress(Exception):
                sent.cancel()

    def kill(self) -> None:
        """End the worker's task: its nanny restarts it, and it joins again. Without a nanny it is not used again."""
        if not self.gone:
            self.leave(WorkerDied("its worker was stopped"))
            if self.nanny:
                restart = threading.Thread(target=self._restart, daemon=True)
                restart.start()

    def _restart(self) -> None:
        with contextlib.suppress(Exception):
            self.client.restart_workers([self.address], timeout=RESTART_SECONDS, raise_for_error=False)

    def close(self) -> None:
        """Forget the worker; it is the cluster's. A running task is stopped."""
        if self._running is not None and not self._running[1].done():
            self.kill()


class LocalSlot(LokySlot):
    """A worker process of this machine for side tasks."""

    runs_trials = False


class DaskWorkers(Workers):
    """The workers of a cluster, and one of this machine for side tasks. Slots are only ever added."""

    def __init__(self, scheduler: str, count: int, admission: Admission) -> None:
        """Connect.

        Args:
            scheduler: address such as tcp://host:8786, or path of a scheduler file; empty starts a local cluster.
            count: workers of a local cluster.
            admission: the check of each worker.

        Raises:
            UsageError: distributed is not installed, or no scheduler answers.
        """
        try:
            import distributed
        except ImportError as error:
            raise UsageError(
                "run.executor = \"dask\" needs distributed: pip install 'sweep[dask]'"
            ) from error
        self.slots: list[Slot] = [LocalSlot()]
        self._scheduler, self._admission = scheduler, admission
        self._cluster: Any = None
        self._known: dict[str, DaskSlot] = {}  # by address
        self._joining: dict[str, Future[Any]] = {}
        self._looked = -LOOK_SECONDS
        self._lost_since: float | None = None
        self._told: set[str] = set()
        if not scheduler:
            with blocked_interrupt():
                self._cluster = distributed.LocalCluster(
                    n_workers=count,
                    threads_per_worker=1,
                    processes=True,
                    dashboard_address=":0",  # any free port
                    silence_logs=50,
                    env=ONE_THREAD,
                )
        try:
            self._client = self._connected()
        except (OSError, TimeoutError, ValueError) as error:
            raise UsageError(f"no Dask scheduler answers at {scheduler!r}: {error}") from error

    def _connected(self) -> "Client":
        from distributed import Client

        options: dict[str, Any] = {"set_as_default": False, "timeout": CALL_SECONDS}
        if self._cluster is not None:
            return Client(self._cluster, **options)
        if self._scheduler.endswith(".json"):
            return Client(scheduler_file=self._scheduler, **options)
        return Client(self._scheduler, **options)

    def refresh(self, watch: Watch) -> None:
        """Take in workers that have joined, and end the slots of those that have left.

        Raises:
            SweepError: the scheduler has been away for too long.
        """
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        members = self._members(watch)
        if members is None:
            return
        for address in [address for address in self._known if address not in members]:
            self._known.pop(address).leave(WorkerDied("its worker left the cluster"))
            self._joining.pop(address, None)
        for address, facts in members.items():
            if address not in self._known:
                self._join(address, facts, watch)
        self._admit(watch)
        if not any(slot.ready for slot in self._known.values()) and not self._joining:
            self._tell("waiting for workers of the cluster", watch)

    def _members(self, watch: Watch) -> Mapping[str, Mapping[str, Any]] | None:
        """Return the workers of the cluster by address, None while its scheduler is away."""
        try:
            if self._client.status != "running":
                raise OSError("connection lost")
            members: Mapping[str, Mapping[str, Any]] = self._client.sync(
                self._client.scheduler.identity, n_workers=-1, callback_timeout=CALL_SECONDS
            )["workers"]
        except Exception as error:
            self._lose(error, watch)
            return None
        self._lost_since = None
        return members

    def _lose(self, error: Exception, watch: Watch) -> None:
        """End all slots, and connect again if the scheduler is back."""
        now = time.monotonic()
        if self._lost_since is None:
            self._lost_since = now
            watch(Message(f"the Dask scheduler is lost ({error}): waiting for it to come back"))
        for slot in self._known.values():
            slot.leave(TaskLost("the scheduler is lost"))
        self._known.clear()
        self._joining.clear()
        if now - self._lost_since > SCHEDULER_SECONDS or self._cluster is not None:
            raise SweepError(
                f"the Dask scheduler has been away for {now - self._lost_since:.0f} s: start it, and rerun the command "
                "to resume; nothing is lost"
            )
        with contextlib.suppress(Exception):
            self._client.close(timeout=1)
        with contextlib.suppress(Exception):
            self._client = self._connected()

    def _join(self, address: str, facts: Mapping[str, Any], watch: Watch) -> None:
        slot = DaskSlot(self._client, address, bool(facts.get("nanny")))
        self._known[address] = slot
        threads = int(facts.get("nthreads", 1))
        if threads != 1:
            self._refuse(address, f"it has {plural(threads, 'thread')}: start it with --nthreads 1", watch)
            return
        self._joining[address] = slot.submit(self._admission.prepare, *self._admission.args)

    def _admit(self, watch: Watch) -> None:
        """Take in the workers whose check is done."""
        for address, future in list(self._joining.items()):
            if not future.done():
                continue
            del self._joining[address]
            try:
                problem = self._admission.problem(future.result())
            except Exception as error:
                problem = f"its check failed ({error})"
            if problem is None:
                slot = self._known[address]
                slot.ready = True
                self.slots.append(slot)
                self._told.discard("waiting for workers of the cluster")
            else:
                self._refuse(address, problem, watch)

    def _refuse(self, address: str, reason: str, watch: Watch) -> None:
        host = address.rpartition(":")[0]
        self._tell(f"a worker at {host} is not used: {reason}", watch)

    def _tell(self, text: str, watch: Watch) -> None:
        """Tell something once, however many workers it concerns."""
        if text not in self._told:
            self._told.add(text)
            watch(Message(text))

    def __exit__(self, *_: object) -> None:
        for slot in self.slots:
            slot.close()
        with contextlib.suppress(Exception):
            self._client.close(timeout=CALL_SECONDS)
        if self._cluster is not None:
            with contextlib.suppress(Exception):
                self._cluster.close(timeout=CALL_SECONDS)


def _pass_on(done: "DaskFuture[Any]", future: "Future[Any]") -> None:
    """Give a task's end to the future that the driver waits for."""
    try:
        if done.status == "finished":
            result = done.result(timeout=CALL_SECONDS)
            done.release()
            if not future.done():
                future.set_result(result)
            return
        error = done.exception(timeout=CALL_SECONDS) if done.status == "error" else None
    except Exception as problem:  # the result was lost on its way
        error = TaskLost(f"the result was lost ({problem})")
    done.release()
    if error is None:
        error = TaskLost("the scheduler has cancelled the task")
    elif type(error).__name__ == "KilledWorker":
        error = WorkerDied("its worker died")
    _end(future, error)


def _end(future: "Future[Any]", error: BaseException) -> None:
    with contextlib.suppress(Exception):  # it may have ended meanwhile
        future.set_exception(error)
