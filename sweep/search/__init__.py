"""Running a study: samplers, pruning, the driver that alone writes, and the workers that train.

The same study gives the same trials, whatever the number of workers and whenever the driver is killed.
"""

from sweep.search.driver import Driver
from sweep.search.events import Message, Progress, Settled, Watch
from sweep.search.executors import Workers
from sweep.search.history import History
from sweep.search.interrupts import Interrupts
from sweep.search.outcome import Ended, Outcome
from sweep.search.samplers import SAMPLERS, check_sampler

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
