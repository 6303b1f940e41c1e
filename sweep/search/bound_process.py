"""Worker processes of loky that end with their driver from their first moments on."""

import os
from typing import Any

from joblib.externals.loky.backend.context import LokyContext
from joblib.externals.loky.backend.process import LokyProcess

# What a worker evaluates before it imports anything of its own: linux/prctl.h, PR_SET_PDEATHSIG = 1 with SIGKILL = 9,
# which also ends a worker that is stopped or that holds Python's lock in a long import. The driver may have died
# before; then the worker has another parent. Only modules that every Python has, as its path may not be set yet.
BIND = (
    "(lambda os, sys: ["
    "sys.platform.startswith('linux') and __import__('ctypes').CDLL(None).prctl(1, 9), "
    "os.getppid() == parent or os._exit(1)])"
    "(__import__('os'), __import__('sys')) and name"
)


class BoundName(str):
    """The name of a process, which binds the process that unpickles it to this one: the kernel ends it with this one.

    loky sends the name first of all. Where the kernel has no such signal, the worker watches its parent itself.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return eval, (BIND, {"parent": os.getpid(), "name": str(self)})


class BoundProcess(LokyProcess):  # type: ignore[misc]
    """A worker process that is bound to its driver."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._name = BoundName(self.name)


class BoundContext(LokyContext):  # type: ignore[misc]
    """The context of loky with bound processes."""

    Process = BoundProcess
