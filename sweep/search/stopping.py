"""When a run stops starting trials before it has its total. The trials that have started are trained to their end."""

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sweep.config.records import TrialRecord
from sweep.search.running_trial import RunningTrial


@dataclass(frozen=True)
class Stopping:
    """The rules of a run; None: the rule is off."""

    deadline: float | None = None  # by `time.monotonic`, for the trials and what follows them
    steps_after: int = 0  # sequence-steps of the trainings that follow the trials
    without_gain: int | None = None  # trials in a row, by number, without a lower rollout error


def total_without_gain(
    records: Mapping[int, TrialRecord], settled_below: int, without_gain: int, width: int
) -> int | None:
    """Return the number of trials after which a run without gain ends, None if there is gain or too few are settled.

    It depends on the records alone, and not on the order in which trials end: trial n + width may start only after
    trial n is settled, so that all trials below n + width have started, or may start, when trial n shows no gain.

    Args:
        records: settled ones, by number.
        settled_below: all trials below this number are settled.
        without_gain: trials in a row without a lower rollout error.
        width: trials in flight.
    """
    best, lowest = -1, math.inf
    for number in range(settled_below):
        record = records.get(number)
        if record is not None and record.rollout_error is not None and record.rollout_error < lowest:
            best, lowest = number, record.rollout_error
        if number - best >= without_gain:
            return number + width
    return None


def steps_done(records: Iterable[TrialRecord], running: Iterable[RunningTrial]) -> int:
    """Return the sequence-steps that trials have consumed."""
    evaluations = [*(record.evaluations for record in records), *(trial.evaluations for trial in running)]
    return sum(several[-1].sequence_steps for several in evaluations if several)


def is_late(stopping: Stopping, began: float, done: int, running: Iterable[RunningTrial]) -> bool:
    """Return whether the time that is left is needed by the trials that run and by what follows them.

    Args:
        stopping: the rules.
        began: by `time.monotonic`.
        done: sequence-steps since then.
        running: trials that have not ended; each counts as if it were not pruned.
    """
    now = time.monotonic()
    left = sum(
        trial.points[-1] - (trial.evaluations[-1].sequence_steps if trial.evaluations else 0)
        for trial in running
        if not trial.trained
    )
    seconds_per_step = (now - began) / done if done else 0.0
    return stopping.deadline is not None and (
        now + seconds_per_step * (left + stopping.steps_after) >= stopping.deadline
    )
