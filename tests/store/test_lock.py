"""One driver per study."""

import errno
import os
import subprocess
import sys

import pytest

from sweep.config.errors import StoreError, StudyLocked
from sweep.store import DriverLock, files

HOLD = "import sys, time; from pathlib import Path; from sweep.store import DriverLock\n\
with DriverLock(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"


def test_a_second_driver_is_kept_out_and_told_who_holds_it(tmp_path):
    path = tmp_path / ".lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(
                StudyLocked, match=f"run by process {holder.pid} on .*: wait until it ends, or stop it"
            ),
            DriverLock(path),
        ):
            pass
    finally:
        holder.kill()
        holder.communicate()
    with DriverLock(path):  # the lock died with its holder
        assert (tmp_path / ".lock.holder").read_text().startswith(f"process {os.getpid()} on ")
    assert not (tmp_path / ".lock.holder").exists()


def test_the_lock_is_free_after_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError, match="division"), DriverLock(tmp_path / ".lock"):
        _ = 1 / 0
    with DriverLock(tmp_path / ".lock"):
        pass


def test_a_place_where_nothing_can_be_locked_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    lock = DriverLock(tmp_path / "file" / ".lock")
    with pytest.raises(StoreError, match=r"cannot lock .*file/\.lock"), lock:
        pass


def test_a_folder_that_cannot_be_written_frees_the_lock_again(tmp_path):
    (tmp_path / ".lock.holder").mkdir()
    with pytest.raises(StoreError, match=r"cannot write .*holder"), DriverLock(tmp_path / ".lock"):
        pass
    (tmp_path / ".lock.holder").rmdir()
    with DriverLock(tmp_path / ".lock"):
        pass


def test_a_full_disk_leaves_no_empty_name_of_the_holder(tmp_path, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "replace", full)
        with (
            pytest.raises(StoreError, match=r"cannot write .*holder: No space"),
            DriverLock(tmp_path / ".lock"),
        ):
            pass
    assert [path.name for path in tmp_path.iterdir()] in ([".lock"], [])
