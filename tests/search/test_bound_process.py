"""No worker outlives its driver: not one that is starting, is stopped, or holds Python's lock."""

import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from sweep.search.bound_process import BoundName
from tests.support.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
DRIVER = """
import sys, time
from sweep.search.executors import LokySlot
from tests.search.test_bound_process import TASKS
slot = LokySlot()
print(slot.submit(TASKS["pid"]).result(), flush=True)
slot.submit(TASKS[sys.argv[1]])
time.sleep(600)
"""
UNPICKLED = (
    "import ctypes, pickle, sys; name = pickle.load(sys.stdin.buffer); print(name, type(name).__name__)"
)

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the signal is one of Linux")


def stop():
    print("begun", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)


def hold_the_lock():
    import ctypes

    print("begun", flush=True)
    ctypes.PyDLL(None).sleep(600)  # as the import of a large library does; no other thread runs


TASKS = {"pid": os.getpid, "stopped": stop, "in a long import": hold_the_lock}


@pytest.mark.parametrize("task", [name for name in TASKS if name != "pid"])
def test_a_worker_that_cannot_watch_its_driver_ends_with_it(task):
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER, task],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    worker = psutil.Process(int(driver.stdout.readline()))
    assert driver.stdout.readline() == "begun\n"
    driver.kill()
    driver.wait()
    driver.stdout.close()
    wait_for(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE, 5, "its end")


def unpickled_by_another(content):
    """Return what a new process prints that unpickles a name first of all."""
    done = subprocess.run([sys.executable, "-I", "-c", UNPICKLED], input=content, capture_output=True)
    return done.returncode, done.stdout.decode()


def test_a_worker_whose_driver_died_before_its_first_moment_ends_at_once(monkeypatch):
    assert unpickled_by_another(pickle.dumps(BoundName("worker-1"))) == (0, "worker-1 str\n")
    monkeypatch.setattr(os, "getpid", lambda: 1)  # the driver that sent the name is not the parent any more
    assert unpickled_by_another(pickle.dumps(BoundName("worker-1"))) == (1, "")
