"""What runs inside a worker process: it computes, returns, and never outlives its parent."""

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from sweep.config.sections import DataConfig, ScoreConfig
from sweep.trial import load_data

WATCH_SECONDS = 1.0  # between looks at the parent


def start_worker(parent: int) -> None:
    """Prepare a worker process: deaf to Ctrl-C, which the driver answers, and gone soon after its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os._exit(1)


def warm_up(data: DataConfig, score: ScoreConfig) -> int:
    """Import everything and load the data, so that the first segment's time is its own; return the pid."""
    load_data(data, score)
    return os.getpid()


def call(function: Callable[..., Any], *args: Any) -> Any:
    """Return the function's result; a SystemExit becomes an ordinary error, as it must not end the worker."""
    try:
        return function(*args)
    except SystemExit as error:
        raise RuntimeError(f"the trial called sys.exit({error.code!r})") from error
