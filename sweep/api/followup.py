"""Training configurations of a stored study again: confirm, treat, audit, reproduce."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Unpack

from sweep.api.execution import with_plots
from sweep.followup.audit import audit_pruning
from sweep.followup.confirm import confirm_best
from sweep.followup.prescriptions import choose_prescriptions
from sweep.followup.reproduce import reproduce_trial
from sweep.followup.treat import treat_trial
from sweep.followup.treatment_plan import treatment_plan
from sweep.followup.winner import name_best
from sweep.forecast.calibrate import calibrate
from sweep.results.document import stored_confirmation
from sweep.results.reproduction import Reproduction
from sweep.search import Ended, Outcome
from sweep.search.execution import Execution, ExecutionSettings
from sweep.study.components import known_names
from sweep.study.open_study import open_study


@dataclass(frozen=True)
class ConfirmResult(Ended):
    """How a confirmation ended, and its result."""

    confirmation: (
        dict[str, Any] | None
    )  # as in report.json; None if it was stopped or there is nothing to confirm
    winner: dict[str, Any] | None  # winner.json; None if it was stopped


@dataclass(frozen=True)
class TreatResult(Ended):
    """How a treatment ended, and its result."""

    treatment: dict[str, Any] | None  # as in report.json; None if it was stopped


@dataclass(frozen=True)
class AuditResult(Ended):
    """How an audit of the pruning ended, and its result."""

    audit: dict[str, Any] | None  # as in report.json; None if it was stopped or nothing was pruned


@dataclass(frozen=True)
class ReproduceResult(Ended):
    """How a reproduction ended, and its result."""

    reproduction: Reproduction | None  # None if it was stopped


def confirm(
    study: str = "sine",
    *,
    top: int = 5,
    seeds: int = 5,
    results: str | Path = "results",
    **execution: Unpack[ExecutionSettings],
) -> ConfirmResult:
    """Train the best configurations of a stored study on fresh seeds, name one and score it on the locked test.

    The intervals of its forecasts are calibrated, and their coverage is measured there, too.

    Args:
        study: name of a study that has results.
        top: how many configurations, at least 1; fewer if fewer have learnt anything.
        seeds: how many fresh seeds each, at least 1. Trainings of an earlier confirmation are reused.
        results: folder of all studies.
        execution: settings of `sweep.Execution`, such as `workers=2`; they never affect results.

    Raises:
        SweepError: there are no such results, or they or the data have changed.
    """
    if top < 1 or seeds < 1:
        raise ValueError(f"needs at least one configuration and one seed, got top={top}, seeds={seeds}")
    opened = open_study(study, results, execution=with_plots(execution), stored=True)
    with opened.locked(), opened.execution.interrupts, opened.workers() as workers:
        records = opened.folder.records()
        outcome, stored = confirm_best(opened, records, top, seeds, workers)
        winner = None
        if outcome is Outcome.DONE:
            name_best(opened.folder, opened.data, records)
            winner = calibrate(opened)
    confirmation = None if stored is None else stored_confirmation(opened.folder)
    return ConfirmResult(outcome, opened.folder, confirmation, winner)


def treat(
    trial: int,
    study: str = "sine",
    *,
    seeds: int = 5,
    prescriptions: tuple[int, ...] = (),
    changes: Mapping[str, Any] | None = None,
    results: str | Path = "results",
    **execution: Unpack[ExecutionSettings],
) -> TreatResult:
    """Train a trial's prescriptions on fresh seeds, beside the unchanged trial and beside a random change.

    Args:
        trial: its number.
        study: name of a study that has results.
        seeds: how many fresh seeds, at least 1; below 5 nothing is claimed. Earlier trainings are reused.
        prescriptions: numbers of those to try; by default the first one of each of the two most confident findings.
        changes: a change of one's own: values by key path, such as "training.optimizer.lr", made together.
        results: folder of all studies.
        execution: settings of `sweep.Execution`, such as `workers=2`; they never affect results.

    Raises:
        SweepError: there is no such trial, nothing that can be tried on it, or the data have changed.
    """
    if seeds < 1:
        raise ValueError(f"needs at least one seed, got seeds={seeds}")
    opened = open_study(study, results, execution=with_plots(execution), stored=True)
    with opened.locked(), opened.execution.interrupts, opened.workers() as workers:
        record = opened.folder.record(trial)
        choice = choose_prescriptions(opened.folder, record, prescriptions, changes or {})
        plan = treatment_plan(opened.config, record, opened.data, choice, known_names())
        outcome, document = treat_trial(opened, record, plan, seeds, workers)
    return TreatResult(outcome, opened.folder, document)


def audit(
    study: str = "sine",
    *,
    trials: int = 8,
    results: str | Path = "results",
    **execution: Unpack[ExecutionSettings],
) -> AuditResult:
    """Train some pruned trials of a stored study to their end: would one of them have won?

    Args:
        study: name of a study that has results.
        trials: how many, at least 1; fewer if fewer were pruned. Earlier trainings are reused.
        results: folder of all studies.
        execution: settings of `sweep.Execution`, such as `workers=2`; they never affect results.

    Raises:
        SweepError: there are no such results, or they or the data have changed.
    """
    if trials < 1:
        raise ValueError(f"needs at least one trial, got trials={trials}")
    opened = open_study(study, results, execution=with_plots(execution), stored=True)
    with opened.locked(), opened.execution.interrupts, opened.workers() as workers:
        outcome, document = audit_pruning(opened, opened.folder.records(), trials, workers)
    return AuditResult(outcome, opened.folder, document)


def reproduce(
    trial: int,
    study: str = "sine",
    *,
    tolerance: float = 0.01,
    results: str | Path = "results",
    **execution: Unpack[ExecutionSettings],
) -> ReproduceResult:
    """Train a trial of a stored study again on its own seed: do bits and scores agree with its record, and why not?

    The study stays as it is. A pruned trial is trained to its end and compared up to where it was pruned. Data that
    have changed, and an engine that this machine lacks, are named as reasons and raise no error.

    Args:
        trial: its number.
        study: name of a study that has results.
        tolerance: relative difference up to which two rollout errors agree, at least 0.
        results: folder of all studies.
        execution: settings of `sweep.Execution`, such as `workers=2`; they never affect results.

    Raises:
        SweepError: there is no such trial, or it has no score.
    """
    if not tolerance >= 0:
        raise ValueError(f"wanted a tolerance of at least 0, got {tolerance}")
    opened = open_study(study, results, execution=Execution(**execution), stored=True)
    opened = replace(opened, any_engine=True, execution=replace(opened.execution, plots=False))
    with opened.locked(same_data=False), opened.execution.interrupts, opened.workers() as workers:
        outcome, result = reproduce_trial(opened, opened.folder.record(trial), tolerance, workers)
    return ReproduceResult(outcome, opened.folder, result)
