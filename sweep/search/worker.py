"""The code of a worker process: it runs tasks, returns results, and ends with its parent."""

import gc
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from joblib.externals.loky import process_executor

WATCH_SECONDS = 1.0  # between checks that the parent is alive


def start_worker(parent: int) -> None:
    """Prepare a worker process: it ignores Ctrl-C, which the driver handles, and ends soon after its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # loky would replace a worker that has grown by 300 MB, if psutil is installed, with a warning on the terminal. A
    # worker's memory is flat over thousands of trials; one that grows all the same is replaced when it is killed.
    process_executor._USE_PSUTIL = False
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os._exit(1)


def imported(function: Callable[..., Any]) -> None:
    """Do nothing: what takes time is to import the function's module, on the way here."""


_served: set[tuple[str, str]] = set()  # functions that this worker has run, by module and name


def serve(function: Callable[..., Any], *args: Any) -> Any:
    """Return the function's result, in a worker process.

    loky collects garbage after a task, at most once a second. A collection takes 160 ms if it looks through all
    modules of a trial: a sixth of a worker's time. So the modules and caches that the first call of a function leaves
    in memory are frozen, which hides them from the collector.
    """
    try:
        return call(function, *args)
    finally:
        name = (getattr(function, "__module__", ""), getattr(function, "__qualname__", repr(type(function))))
        if name not in _served:
            _served.add(name)
            gc.collect()
            gc.freeze()


def serve_packed(packed: bytes) -> Any:
    """Return the result of a pickled (function, arguments) pair, in a worker process of a cluster.

    Only the worker unpacks it: the scheduler, which reads the arguments of its tasks, need not import what they need.
    """
    function, args = pickle.loads(packed)
    return serve(function, *args)


def call(function: Callable[..., Any], *args: Any) -> Any:
    """Return the function's result.

    A SystemExit becomes an ordinary error, and so does any other exception that is none, such as asyncio's
    CancelledError: it must end neither the worker nor the driver. An error that cannot be pickled and unpickled
    becomes another one, too: the driver would take it for the death of the worker.
    """
    try:
        return function(*args)
    except SystemExit as error:
        raise RuntimeError(f"the trial called sys.exit({error.code!r})") from error
    except KeyboardInterrupt:  # the user's, where the driver itself trains
        raise
    except Exception as error:
        if _travels(error):
            raise
        raise RuntimeError(f"{type(error).__name__}: {error}") from None
    except BaseException as error:
        raise RuntimeError(f"{type(error).__name__}: {error}") from None


def _travels(error: Exception) -> bool:
    try:
        return isinstance(pickle.loads(pickle.dumps(error)), type(error))
    except Exception:
        return False
