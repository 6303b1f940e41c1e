"""The interface of a projection, which shows trials to other tools, and the projection that does nothing."""

from collections.abc import Callable
from typing import Protocol

from sweep.config.records import TrialRecord


class Projection(Protocol):
    """A copy of the trials for other tools, such as Optuna's."""

    say: Callable[[str], None]  # called with a message when it has to wait

    def start(self, record: TrialRecord) -> None:
        """Add a trial."""

    def settle(self, record: TrialRecord) -> None:
        """Add the result of a trial."""


class NoProjection:
    """No copy: the trials are in their folders only."""

    def __init__(self) -> None:
        self.say: Callable[[str], None] = lambda text: None

    def start(self, record: TrialRecord) -> None:
        """Do nothing."""

    def settle(self, record: TrialRecord) -> None:
        """Do nothing."""
