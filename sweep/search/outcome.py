"""How a run, or a command that runs trials, ended."""

import enum
from dataclasses import dataclass

from sweep.store import StudyFolder


class Outcome(enum.Enum):
    """How a run ended."""

    DONE = "done"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Ended:
    """How a command that runs trials ended, and where its results are. Each command adds its own results."""

    outcome: Outcome
    folder: StudyFolder

    @property
    def interrupted(self) -> bool:
        """Return whether it was stopped before its end."""
        return self.outcome is Outcome.INTERRUPTED
