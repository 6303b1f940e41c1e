"""A trial that is not over yet, as the driver sees it."""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sweep.config.records import (
    Evaluation,
    State,
    TrialRecord,
    evaluation_from_json,
    record_from_json,
    to_json,
)
from sweep.config.sections import PruningConfig, Rung
from sweep.config.trial import TrialConfig
from sweep.search.pruning import AtRung, rung_score

MAX_DEATHS = 3  # of one segment under one driver, before the trial fails


@dataclass
class LiveTrial:
    """Configuration, evaluations so far and the checkpoint from which the next segment goes on."""

    record: TrialRecord  # as stored: running
    config: TrialConfig
    evaluations: list[Evaluation] = field(default_factory=list)
    checkpoint: bytes | None = None
    seconds: float = 0.0
    diverged: str | None = None
    pruned_at: Rung | None = None
    passed: set[float] = field(default_factory=set)  # rungs at which it was let go on
    deaths: int = 0
    told: list[Any] = field(default_factory=list)  # the evaluations as JSON values, made once each

    @property
    def number(self) -> int:
        """Return the trial's number."""
        return self.record.number

    @functools.cached_property
    def points(self) -> tuple[int, ...]:
        """Return the evaluation points in sequence-steps."""
        return self.config.points

    @functools.cached_property
    def _point_of(self) -> dict[float, int]:
        return {at: self.config.point_of(at) for at in self.config.rungs}

    def point_of(self, rung: Rung) -> int:
        """Return the index of the evaluation point of a rung."""
        return self._point_of[rung.at]

    @property
    def trained(self) -> bool:
        """Return whether no segment is left."""
        return (
            self.diverged is not None
            or self.pruned_at is not None
            or len(self.evaluations) == len(self.points)
        )

    @property
    def segments_left(self) -> int:
        """Return how many segments are left if it is let go on to its end, without its last task."""
        return 0 if self.trained else len(self.points) - len(self.evaluations)

    def open_rung(self, pruning: PruningConfig) -> Rung | None:
        """Return the rung at which the trial stands and has not been judged, None if there is none."""
        if not pruning.enabled or not self.evaluations or self.trained:
            return None
        reached = self.evaluations[-1].point
        for rung in pruning.rungs:
            if rung.at not in self.passed and self.point_of(rung) == reached:
                return rung
        return None

    def advance(
        self, checkpoint: bytes, evaluation: Evaluation, diverged: str | None, seconds: float
    ) -> None:
        """Take over the result of a segment."""
        self.checkpoint = checkpoint
        self.evaluations.append(evaluation)
        self.told.append(to_json(evaluation))
        self.diverged = diverged
        self.seconds += seconds
        self.deaths = 0

    def resume_header(self) -> dict[str, Any]:
        """Return, as JSON values, what the trial goes on from after the driver is gone, beside the checkpoint."""
        return {"evaluations": self.told, "diverged": self.diverged, "seconds": self.seconds}

    def go_on(self, header: Mapping[str, Any], checkpoint: bytes) -> None:
        """Take over what an earlier driver stored."""
        self.told = list(header["evaluations"])
        self.evaluations = [evaluation_from_json(entry) for entry in self.told]
        self.diverged, self.seconds = header["diverged"], header["seconds"]
        self.checkpoint = checkpoint

    def settled(self, exposure_gap: float | None, seconds: float) -> TrialRecord:
        """Return the record of the trial, now that it is over."""
        state: State = "diverged" if self.diverged else "pruned" if self.pruned_at else "complete"
        reason = self.diverged
        if state == "pruned" and self.pruned_at is not None:
            score = rung_score(self.evaluations, self.pruned_at)
            reason = (
                f"lowest rollout error {score:.3g} over the first {self.pruned_at.horizon:.0%} of the horizon "
                f"at {self.pruned_at.at:.0%} of the budget"
            )
        last = self.evaluations[-1]
        best = lowest([e.scores.rollout_error if e.updates else math.inf for e in self.evaluations])
        return replace(
            self.record,
            state=state,
            evaluations=tuple(self.evaluations),
            rollout_error=1.0 if best is None else self.evaluations[best].scores.rollout_error,
            best=best,
            best_one_step=lowest(
                [e.scores.one_step_nrmse if e.updates else math.inf for e in self.evaluations]
            ),
            reason=reason,
            diverged_at=last.sequence_steps if self.diverged else None,
            exposure_gap=exposure_gap,
            sequence_steps=last.sequence_steps,
            updates=last.updates,
            seconds=self.seconds + seconds,
        )

    def so_far(self) -> TrialRecord:
        """Return the record of a trained trial before its last task, as it would be read from disk.

        Without seconds and host, so that what is made of it is the same in equal runs, resumed or not.
        """
        record = replace(self.settled(None, 0.0), seconds=0.0, host={})
        return record_from_json(to_json(record))

    def failed(self, reason: str) -> TrialRecord:
        """Return the record of the trial as failed."""
        return replace(
            self.record,
            state="failed",
            evaluations=tuple(self.evaluations),
            reason=reason,
            sequence_steps=self.evaluations[-1].sequence_steps if self.evaluations else 0,
            updates=self.evaluations[-1].updates if self.evaluations else 0,
            seconds=self.seconds,
        )


def lowest(values: list[float]) -> int | None:
    """Return the index of the first lowest finite value, None if no value is finite."""
    finite = [k for k, value in enumerate(values) if math.isfinite(value)]
    return min(finite, key=lambda k: values[k]) if finite else None


def at_rung(
    evaluations: tuple[Evaluation, ...] | list[Evaluation], state: State, point: int, rung: Rung
) -> AtRung:
    """Return what a trial says at a rung: its score, "missed", or "pending".

    Args:
        evaluations: of the trial so far.
        state: "running", or how it ended ("diverged" as soon as that is known).
        point: the rung's evaluation point in that trial.
        rung: the rung.
    """
    if len(evaluations) > point:
        return rung_score(evaluations[: point + 1], rung)
    if state == "diverged":
        return 1.0
    return "pending" if state == "running" else "missed"
