"""How what runs trials came to its end."""

import enum
from dataclasses import dataclass

from sweep.store import StudyFolder


class Outcome(enum.Enum):
    """How a run ended."""

    DONE = "done"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Ended:
    """How a command that runs trials ended, and where its results are; what it found is added by each."""

    outcome: Outcome
    folder: StudyFolder

    @property
    def interrupted(self) -> bool:
        """Return whether it was stopped before its end."""
        return self.outcome is Outcome.INTERRUPTED
