"""The result of training a trial again: what agrees with its record, and what differs around it."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from sweep.config.records import to_json

Agreement = Literal["bits and scores", "scores", "bits", "neither"]


@dataclass(frozen=True)
class Differing:
    """A fact about the surroundings of a training that is not what it was."""

    kind: Literal["machine", "versions", "engine", "threads", "data"]
    path: str
    stored: Any  # None: not recorded
    now: Any


@dataclass(frozen=True)
class Reproduction:
    """A trial beside the same trial trained again."""

    number: int
    state: str
    state_again: str
    compared_until: int  # sequence-steps: the end of the trial, or where it was pruned
    bits: bool
    scores: bool
    rollout_error: float
    rollout_error_again: float | None  # None: it failed
    tolerance: float
    first_difference: int | None  # sequence-steps of the first evaluation point whose training differs
    differing: tuple[Differing, ...]

    @property
    def agreement(self) -> Agreement:
        """Return what agrees."""
        if self.bits:
            return "bits and scores" if self.scores else "bits"
        return "scores" if self.scores else "neither"

    def document(self) -> dict[str, Any]:
        """Return what `sweep reproduce --json` prints (docs/reproduce.md)."""
        document: dict[str, Any] = to_json({"agreement": self.agreement, **asdict(self)})
        return document
