"""The study in motion: who proposes configurations, which trials stop early, and the one driver that writes.

Whatever the number of workers and whenever it is killed, the same study gives the same trials.
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
