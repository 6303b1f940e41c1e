"""The semaphores that loky leaves in /dev/shm when a driver, its workers and its tracker are killed at once."""

import contextlib
import os
from pathlib import Path

FOLDER = Path("/dev/shm")  # of Linux; elsewhere semaphores have no names in the file system


def remove_semaphores(pid: int) -> None:
    """Remove the semaphores that a killed process created with loky; those of a living process stay."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        for path in FOLDER.glob(f"sem.loky-{pid}-*"):
            with contextlib.suppress(OSError):  # of another user
                path.unlink()
    except (OSError, OverflowError):
        return  # it lives, or no process can have this number
