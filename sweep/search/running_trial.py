"""A trial that has not ended yet, as the driver holds it."""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sweep.config.breakdown import Breakdown
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
from sweep.search.pruning import rung_score

MAX_DEATHS = 3  # of workers on one segment under one driver, before the trial fails


@dataclass
class RunningTrial:
    """Configuration, evaluations so far, and the checkpoint from which the next segment starts."""

    record: TrialRecord  # as stored, with state "running"
    config: TrialConfig
    evaluations: list[Evaluation] = field(default_factory=list)
    checkpoint: bytes | None = None
    seconds: float = 0.0
    diverged: str | None = None
    pruned_at: Rung | None = None
    passed: set[float] = field(default_factory=set)  # rungs after which it continues
    deaths: int = 0

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
        """Return whether all its segments are done."""
        return (
            self.diverged is not None
            or self.pruned_at is not None
            or len(self.evaluations) == len(self.points)
        )

    @property
    def segments_left(self) -> int:
        """Return the number of segments up to its end if it is not pruned; its last task does not count."""
        return 0 if self.trained else len(self.points) - len(self.evaluations)

    def undecided_rung(self, pruning: PruningConfig) -> Rung | None:
        """Return the rung that the trial has reached and that has not been decided yet; None if none."""
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
        """Add the result of a segment."""
        self.checkpoint = checkpoint
        self.evaluations.append(evaluation)
        self.diverged = diverged
        self.seconds += seconds
        self.deaths = 0

    def resume_header(self) -> dict[str, Any]:
        """Return the values with which another driver can resume the trial, beside the checkpoint."""
        return {"evaluations": self.evaluations, "diverged": self.diverged, "seconds": self.seconds}

    def resume(self, header: Mapping[str, Any], checkpoint: bytes) -> None:
        """Continue from the header and checkpoint that an earlier driver stored."""
        self.evaluations = [evaluation_from_json(entry) for entry in header["evaluations"]]
        self.diverged, self.seconds = header["diverged"], header["seconds"]
        self.checkpoint = checkpoint

    def settled(
        self, exposure_gap: float | None, seconds: float, breakdown: Breakdown | None = None
    ) -> TrialRecord:
        """Return the record of the ended trial; without a best checkpoint it has no breakdown.

        One that was trained on all data has neither a score nor a best checkpoint.
        """
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
            rollout_error=self._error_of(best),
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
            breakdown=None if best is None else breakdown,
        )

    def _error_of(self, best: int | None) -> float | None:
        """Return the score of the trial, given the index of its best evaluation."""
        if self.config.fitted is not None:
            return None
        return 1.0 if best is None else self.evaluations[best].scores.rollout_error

    def trained_record(self) -> TrialRecord:
        """Return the record of a trained trial before its last task, as it would be read from disk.

        It has no seconds and no host, so that its last task gives the same result in equal runs, resumed or not.
        """
        record = replace(self.settled(None, 0.0), seconds=0.0, host={})
        return record_from_json(to_json(record))

    def failed(self, reason: str) -> TrialRecord:
        """Return the record of the failed trial."""
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
