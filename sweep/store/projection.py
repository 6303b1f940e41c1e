"""What a driver tells about its trials beside their folders, and the one that tells nobody."""

from collections.abc import Callable
from typing import Protocol

from sweep.config.records import TrialRecord


class Projection(Protocol):
    """Where trials are shown to another world, such as Optuna's."""

    say: Callable[[str], None]  # told of what it waits for

    def start(self, record: TrialRecord) -> None:
        """Add a trial."""

    def settle(self, record: TrialRecord) -> None:
        """Tell how a trial ended."""


class NoProjection:
    """Shows trials to nobody: their folders are all there is."""

    def __init__(self) -> None:
        self.say: Callable[[str], None] = lambda text: None

    def start(self, record: TrialRecord) -> None:
        """Do nothing."""

    def settle(self, record: TrialRecord) -> None:
        """Do nothing."""
