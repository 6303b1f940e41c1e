"""Running a study: samplers, pruning, the driver that alone writes, and the workers that train.

The same study gives the same trials, whatever the number of workers and whenever the driver is killed. Each name is
imported at its first use, so that a worker process does not import what the driver needs, such as the database.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sweep.search.driver import Driver
    from sweep.search.events import Message, Progress, Settled, Watch
    from sweep.search.executors import Workers
    from sweep.search.history import History
    from sweep.search.interrupts import Interrupts
    from sweep.search.outcome import Ended, Outcome
    from sweep.search.samplers import SAMPLERS, check_sampler

_HOME = {
    "SAMPLERS": "samplers",
    "Driver": "driver",
    "Ended": "outcome",
    "History": "history",
    "Interrupts": "interrupts",
    "Message": "events",
    "Outcome": "outcome",
    "Progress": "events",
    "Settled": "events",
    "Watch": "events",
    "Workers": "executors",
    "check_sampler": "samplers",
}

__all__ = [
    "SAMPLERS",
    "Driver",
    "Ended",
    "History",
    "Interrupts",
    "Message",
    "Outcome",
    "Progress",
    "Settled",
    "Watch",
    "Workers",
    "check_sampler",
]


def __getattr__(name: str) -> Any:
    """Import a name from the file that holds it."""
    if name in _HOME:
        return getattr(import_module(f"sweep.search.{_HOME[name]}"), name)
    raise AttributeError(f"module 'sweep.search' has no attribute {name!r}")
