"""The events that a driver reports while it runs."""

from collections.abc import Callable
from dataclasses import dataclass

from sweep.config.records import TrialRecord


@dataclass(frozen=True)
class Settled:
    """A trial that has ended and is stored."""

    record: TrialRecord


@dataclass(frozen=True)
class Message:
    """One line of information for the user."""

    text: str


@dataclass(frozen=True)
class Progress:
    """How far a run is. Sent after every change, and at least twice a second."""

    total: int  # trials of the run
    complete: int
    pruned: int
    diverged: int
    failed: int
    running: int
    best: TrialRecord | None
    share: float  # of the expected work of this run, in [0, 1]
    elapsed: float  # seconds since this run began
    busy: float  # worker seconds spent since this run began
    stage: str = "run"  # or the name of another use of the driver, such as "confirm"


Watch = Callable[[Settled | Message | Progress], None]
