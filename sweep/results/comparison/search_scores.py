"""What a study's trials and fresh seeds scored, as one value that two studies are compared by."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sweep.config.records import TrialRecord, error_of
from sweep.data.types import Array
from sweep.results.contest import leading_trial
from sweep.results.selection import leading_arm
from sweep.results.stored_diagnoses import readable_diagnoses
from sweep.results.study import StoredStudy


@dataclass(frozen=True)
class ScoredTrial:
    """A settled trial: its error, its cost and its symptom."""

    number: int
    error: float  # in [0, 1]
    sequence_steps: int
    symptom: str | None  # code; None: it has no diagnosis


@dataclass(frozen=True)
class SearchScores:
    """The trials of a study, by number, and the networks of its leading configuration on fresh seeds."""

    trials: tuple[ScoredTrial, ...]
    leader: int  # number of the trial whose configuration leads
    fresh: tuple[float, ...] = ()  # errors, by seed; empty: the study is not confirmed
    fresh_symptoms: tuple[str | None, ...] = ()

    @property
    def errors(self) -> Array:
        """Return (trial,), errors by number."""
        return np.array([trial.error for trial in self.trials])

    @property
    def cost(self) -> Array:
        """Return (trial,), the sequence-steps of the search up to the end of each trial."""
        return np.cumsum([trial.sequence_steps for trial in self.trials])

    @property
    def best_so_far(self) -> Array:
        """Return (trial,), the lowest error of all trials up to each of them."""
        return np.asarray(np.minimum.accumulate(self.errors))

    @property
    def best(self) -> ScoredTrial:
        """Return the trial with the lowest error, of equal ones the first."""
        return min(self.trials, key=lambda trial: (trial.error, trial.number))

    def first(self, count: int) -> "SearchScores":
        """Return the study as it was after its first trials; confirmed networks stay those of its whole search."""
        return SearchScores(self.trials[:count], self.leader, self.fresh, self.fresh_symptoms)

    def best_symptoms(self, count: int) -> list[str | None]:
        """Return the symptoms of the best trials, best first."""
        ranked = sorted(self.trials, key=lambda trial: (trial.error, trial.number))
        return [trial.symptom for trial in ranked[:count]]


def stored_scores(study: StoredStudy) -> SearchScores | None:
    """Return the scores as they are stored; None before any trial has one."""
    leader = leading_trial(study)
    if leader is None:
        return None
    return scores_of(
        study, leader.number, [error_of(record) for record in settled(study)], fresh_errors(study)
    )


def scores_of(
    study: StoredStudy, leader: int, errors: Sequence[float], fresh: Sequence[float]
) -> SearchScores:
    """Return a study's scores with given errors.

    Args:
        study: as stored.
        leader: number of the trial whose configuration leads.
        errors: of `settled(study)`.
        fresh: of `fresh_records(study)`.
    """
    codes = {number: diagnosis.code for number, diagnosis in study.diagnoses.items()}
    trained = fresh_records(study)
    judged = readable_diagnoses(study.folder.below("confirm"), trained) if trained else {}
    trials = [
        ScoredTrial(record.number, error, record.sequence_steps, codes.get(record.number))
        for record, error in zip(settled(study), errors, strict=True)
    ]
    symptoms = [judged[record.number].code if record.number in judged else None for record in trained]
    return SearchScores(tuple(trials), leader, tuple(fresh), tuple(symptoms))


def settled(study: StoredStudy) -> list[TrialRecord]:
    """Return the trials that have ended, by number."""
    return [record for record in study.records if record.settled]


def fresh_records(study: StoredStudy) -> list[TrialRecord]:
    """Return the trainings of the leading configuration on fresh seeds, by seed; empty if it is not confirmed."""
    if study.confirmation is None:
        return []
    by_number = {record.number: record for record in study.fresh}
    numbers = leading_arm(study.confirmation)["replications"]
    return [by_number[number] for number in numbers if number in by_number]


def fresh_errors(study: StoredStudy) -> list[float]:
    """Return the errors of `fresh_records`."""
    return [error_of(record) for record in fresh_records(study)]
