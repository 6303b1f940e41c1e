"""Slots with real worker processes: whatever a task does to its worker, the driver gets an error and continues."""

import ctypes
import gc
import os
import signal
import sys
import time
from asyncio import CancelledError
from concurrent.futures import wait

import psutil
import pytest

from sweep.config.errors import SweepError
from sweep.search.executors import EXECUTORS, InlineSlot, LokySlot, WorkerDied, outcome
from sweep.search.worker import call
from tests.support.waiting import wait_for


class Stubborn(Exception):
    """An error that cannot be unpickled, even where tblib, which a Dask client installs, pickles what is usual."""

    def __init__(self, what, why):
        super().__init__(f"{what} because {why}")

    def __reduce__(self):
        return Stubborn, self.args


class Unpicklable(Exception):
    """An error that cannot be pickled."""

    def __init__(self):
        super().__init__("holds a function")
        self.function = lambda: None


def add(a, b):
    return a + b


def pid():
    return os.getpid()


def segfault():
    ctypes.string_at(0)


def c_exit():
    os._exit(7)


def kill_self(number):
    os.kill(os.getpid(), number)
    time.sleep(30)


def leave():
    sys.exit(3)


def loaded():
    return set(sys.modules)


KEPT = []


def fill():
    KEPT.extend([] for _ in range(5000))
    return 5000


def throw(kind, *args):
    raise kind(*args)


def hang():
    time.sleep(600)


def ignores_interrupts():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.1)
    return "ignored"


def blocked_signals():
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, set())


@pytest.fixture(scope="module")
def slot():
    """A slot with a worker process."""
    slot = LokySlot()
    yield slot
    slot.close()


def result_of(slot, function, *args, timeout=60):
    future = slot.submit(function, *args)
    done, _ = wait([future], timeout=timeout)
    assert done, "no answer"
    return outcome(future)


# what a task does -> what the driver reports
DEATHS = {
    "segfault": (segfault, (), r"SIGSEGV"),
    "C exit": (c_exit, (), r"7"),
    "SIGKILL": (kill_self, (signal.SIGKILL,), r"SIGKILL.*out of memory\?"),
    "SIGTERM": (kill_self, (signal.SIGTERM,), r"SIGTERM"),
}


@pytest.mark.parametrize("death", DEATHS)
def test_a_dead_worker_is_reported_with_its_reason_and_replaced(slot, death):
    function, args, reason = DEATHS[death]
    with pytest.raises(WorkerDied, match=f"its worker process died: .*{reason}"):
        result_of(slot, function, *args)
    slot.kill()
    assert result_of(slot, add, 1, 2) == 3


ERRORS = {
    "exception": (throw, (ValueError, "odd"), ValueError, "odd"),
    "ours": (throw, (SweepError, "mend this"), SweepError, "mend this"),
    "system exit": (leave, (), RuntimeError, r"the trial called sys.exit\(3\)"),
    "no ordinary error": (throw, (CancelledError, "off"), RuntimeError, "CancelledError: off"),
    "memory": (throw, (MemoryError,), MemoryError, "^$"),
    "not to be unpickled": (throw, (Stubborn, "a", "b"), RuntimeError, "Stubborn: a because b"),
    "not to be pickled": (throw, (Unpicklable,), RuntimeError, "Unpicklable: holds a function"),
    "Ctrl-C": (ignores_interrupts, (), None, "ignored"),
}


# in the driver's own process Ctrl-C is the driver's
CASES = [
    (kind, error) for kind in ("loky", "inline") for error in ERRORS if (kind, error) != ("inline", "Ctrl-C")
]


@pytest.mark.parametrize(("kind", "error"), CASES)
def test_an_error_comes_back_as_itself_and_the_worker_lives_on(slot, kind, error):
    function, args, expected, text = ERRORS[error]
    place = slot if kind == "loky" else InlineSlot()
    before = result_of(place, pid)
    if expected is None:
        assert result_of(place, function, *args) == text
    else:
        with pytest.raises(expected, match=text):
            result_of(place, function, *args)
    assert result_of(place, pid) == before


def test_a_worker_killed_while_idle_is_replaced_without_a_word(slot):
    before = result_of(slot, pid)
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: slot._executor._flags.broken, 60, "loky to see it")
    after = result_of(slot, pid)
    assert after != before


@pytest.mark.parametrize("stopped", [False, True])
def test_a_hung_worker_can_be_killed_even_if_it_was_stopped(stopped):
    slot = LokySlot()
    worker = psutil.Process(result_of(slot, pid))
    future = slot.submit(hang)
    if stopped:
        worker.suspend()
    began = time.monotonic()
    slot.kill()
    assert time.monotonic() - began < 5
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE
    assert future.done()
    assert result_of(slot, add, 1, 1) == 2
    slot.close()
    slot.close()


def test_killing_a_worker_needs_no_other_program(monkeypatch):
    # loky asks psutil or pgrep for grandchildren, and warns where there is neither
    from joblib.externals.loky.backend import utils

    monkeypatch.setattr(utils, "psutil", None)
    monkeypatch.setenv("PATH", "")
    slot = LokySlot()
    worker = result_of(slot, pid)
    slot.submit(hang)
    slot.close()
    assert not psutil.pid_exists(worker) or psutil.Process(worker).status() == psutil.STATUS_ZOMBIE


def test_a_worker_ignores_ctrl_c_from_its_first_moment_and_the_driver_does_not(slot):
    assert result_of(slot, blocked_signals)
    assert not blocked_signals()


def test_the_worker_computes_with_one_thread(slot):
    assert result_of(slot, os.getenv, "OMP_NUM_THREADS") == "1"


def test_a_worker_starts_without_what_only_the_driver_needs(slot):
    modules = result_of(slot, loaded)
    assert "sweep.search.worker" in modules
    assert not {"sweep.search.driver", "sweep.store", "sqlalchemy"} & modules


def test_what_a_function_leaves_behind_at_first_is_out_of_the_collectors_sight(slot):
    """Full collections, which loky makes all the time, look through modules and caches: a sixth of a worker's time."""
    slot.submit(add, 1, 2).result()
    frozen = slot.submit(gc.get_freeze_count).result()
    assert frozen > 10_000
    grown = slot.submit(fill).result()
    assert slot.submit(gc.get_freeze_count).result() >= frozen + grown
    seen = slot.submit(gc.get_freeze_count).result()
    slot.submit(fill).result()
    assert slot.submit(gc.get_freeze_count).result() == seen  # not the second time: that would be a leak
    ours = gc.get_freeze_count()
    InlineSlot().submit(add, 1, 2).result()
    assert gc.get_freeze_count() == ours


def test_the_table_holds_what_the_study_file_may_name():
    from typing import get_args

    from sweep.config.sections import RunConfig

    named = set(get_args(RunConfig.model_fields["executor"].annotation))
    assert {*EXECUTORS, "dask"} == named  # a cluster's slots come and go (sweep.search.dask_workers)


def test_a_call_returns_what_the_function_returns():
    assert call(add, 2, 3) == 5


def test_the_time_of_a_task_counts_from_its_beginning_not_from_the_start_of_its_worker():
    slot = LokySlot()
    future = slot.submit(add, 1, 2)
    (number,) = slot._executor._processes
    worker = psutil.Process(number)
    worker.suspend()
    time.sleep(1)
    assert slot.seconds(time.monotonic()) == 0
    assert slot.starting(time.monotonic()) >= 1
    worker.resume()
    assert outcome(future) == 3
    assert slot.starting(time.monotonic()) == 0
    assert slot.began - slot.submitted >= 1
    future = slot.submit(time.sleep, 0.3)  # another function, whose module is imported first
    outcome(future)
    again = slot.submit(time.sleep, 0.3)
    assert slot.began == slot.submitted
    outcome(again)
    slot.close()


def grow():
    KEPT.append(bytearray(400_000_000))
    time.sleep(1.1)  # loky looks once a second


def test_a_worker_that_has_grown_goes_on_without_a_warning(recwarn):
    slot = LokySlot()
    first = result_of(slot, pid)
    for _ in range(2):
        result_of(slot, grow)
    assert result_of(slot, pid) == first
    slot.close()
    assert not [str(warning.message) for warning in recwarn]
