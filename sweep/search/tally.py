"""The tally of a run: settled trials by state, the best of them, and how far the run has come."""

import math
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from sweep.config.records import State, TrialRecord
from sweep.search.events import Progress
from sweep.search.running_trial import RunningTrial


@dataclass
class Tally:
    """Counts what a driver has done; no decision depends on it."""

    wanted: int  # trials of the run
    busy: float = 0.0  # seconds in which workers computed, of all workers together
    counts: Counter[State] = field(default_factory=Counter)
    best: TrialRecord | None = None
    began: float = field(default_factory=time.monotonic)
    work_at_start: float = 0.0  # see `work_done`

    def add(self, record: TrialRecord, wanted: bool) -> None:
        """Count a settled trial; one that is not wanted can only be the best."""
        if wanted:
            self.counts[record.state] += 1
        if record.rollout_error is not None and (self.best is None or _rank(record) < _rank(self.best)):
            self.best = record

    def work_done(self, running: Collection[RunningTrial]) -> float:
        """Return the work done so far, in budgets of a trial; a settled trial counts as one. It never falls."""
        return math.fsum([self.counts.total(), *(len(t.evaluations) / len(t.points) for t in running)])

    def progress(self, running: Collection[RunningTrial]) -> Progress:
        """Return the counts and the share of the work of this run that is done."""
        expected = self.wanted - self.work_at_start
        share = (self.work_done(running) - self.work_at_start) / expected if expected > 0 else 1.0
        return Progress(
            total=self.wanted,
            complete=self.counts["complete"],
            pruned=self.counts["pruned"],
            diverged=self.counts["diverged"],
            failed=self.counts["failed"],
            running=len(running),
            best=self.best,
            share=min(1.0, max(0.0, share)),
            elapsed=time.monotonic() - self.began,
            busy=self.busy,
        )


def _rank(record: TrialRecord) -> tuple[float, int]:
    assert record.rollout_error is not None
    return record.rollout_error, record.number
