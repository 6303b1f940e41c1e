"""What a driver tells those who watch it."""

from collections.abc import Callable
from dataclasses import dataclass

from sweep.config.records import TrialRecord


@dataclass(frozen=True)
class Settled:
    """A trial is over and stored."""

    record: TrialRecord


@dataclass(frozen=True)
class Message:
    """Something the user should know, in one line."""

    text: str


@dataclass(frozen=True)
class Progress:
    """How far the study is. Sent whenever something changes, and at least twice a second."""

    total: int  # trials asked for
    complete: int
    pruned: int
    diverged: int
    failed: int
    running: int
    best: TrialRecord | None
    share: float  # of the expected work of this run, in [0, 1]
    elapsed: float  # seconds since this run began
    busy: float  # worker seconds spent since this run began
    stage: str = "run"  # or what else trials are trained for, such as "confirm"


Watch = Callable[[Settled | Message | Progress], None]
