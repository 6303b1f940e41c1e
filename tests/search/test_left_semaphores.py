"""The semaphores of killed drivers are removed by the next run of their study, and those of others stay."""

import os
import socket
import subprocess
import sys

import pytest

from sweep.search import left_semaphores
from sweep.search.left_semaphores import remove_semaphores
from sweep.store import DriverLock


@pytest.fixture
def shared(tmp_path, monkeypatch):
    monkeypatch.setattr(left_semaphores, "FOLDER", tmp_path)
    return tmp_path


def dead_process():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def test_those_of_a_dead_process_are_removed_and_no_others(shared):
    dead = dead_process()
    kept = {f"sem.loky-{dead}1-x", f"sem.loky-{os.getpid()}-x", f"sem.other-{dead}-x"}
    for name in (f"sem.loky-{dead}-x", f"sem.loky-{dead}-y", *kept):
        (shared / name).touch()
    for pid in (dead, os.getpid(), 10**30):
        remove_semaphores(pid)
    assert {path.name for path in shared.iterdir()} == kept


@pytest.mark.parametrize(
    ("left", "killed"),
    [
        (f"process 77 on {socket.gethostname()}\n", 77),
        ("process 77 on elsewhere\n", None),
        ("", None),
        ("process -1 on x", None),
        (None, None),
    ],
    ids=["here", "elsewhere", "empty", "nonsense", "in order"],
)
def test_the_lock_knows_who_was_killed(tmp_path, left, killed):
    if left is not None:
        (tmp_path / ".lock.holder").write_text(left)
    with DriverLock(tmp_path / ".lock") as lock:
        assert lock.killed == killed
    with DriverLock(tmp_path / ".lock") as lock:
        assert lock.killed is None
