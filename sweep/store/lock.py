"""The lock that allows one driver per study."""

import contextlib
import os
import re
import socket
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from sweep.config.errors import StoreError, StudyLocked
from sweep.store.files import require_inside, write_atomic


class DriverLock:
    """A lock on a study's folder. The operating system releases it when its holder ends, even if it is killed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.killed: int | None = (
            None  # process of this machine that held the lock last and did not end in order
        )
        self._lock = FileLock(path)
        self._holder = path.with_name(path.name + ".holder")

    def __enter__(self) -> "DriverLock":
        """Take the lock.

        Raises:
            StudyLocked: another driver holds it; the text names the process.
            StoreError: the folder cannot be written.
        """
        require_inside(self.path.parent, self.path)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            try:
                holder = self._holder.read_text().strip()
            except (OSError, ValueError):
                holder = ""
            raise StudyLocked(
                f"the study in {self.path.parent} is being run by {holder or 'another process'}: "
                "wait until it ends, or stop it"
            ) from None
        except OSError as error:
            raise StoreError(f"cannot lock {self.path}: {error.strerror or error}") from error
        self.killed = self._killed()
        try:
            holder = f"process {os.getpid()} on {socket.gethostname()}\n"
            write_atomic(self._holder, holder.encode(), durable=False)
        except StoreError:
            self._lock.release()
            raise
        return self

    def _killed(self) -> int | None:
        """Return the process that left its name."""
        with contextlib.suppress(OSError, ValueError):
            left = re.fullmatch(r"process (\d+) on (.+)\n", self._holder.read_text())
            if left and left[2] == socket.gethostname():
                return int(left[1])
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._holder.unlink(missing_ok=True)
        self._lock.release()
