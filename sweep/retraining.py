"""What trains known configurations of a stored study again, as functions: confirm, treat, audit."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweep.audit import audit_pruning
from sweep.bench import bench_of, silent, stored_config
from sweep.best import name_best
from sweep.catalogue import catalogue
from sweep.config.study import StudyConfig
from sweep.confirmation import confirm_best
from sweep.data import Data, load
from sweep.opening import check_data
from sweep.prescribed import wanted_advice
from sweep.report import stored_confirmation
from sweep.search import Ended, Interrupts, Outcome, Watch
from sweep.search.driver import Functions
from sweep.store import DriverLock, StudyFolder
from sweep.studies import stored_study
from sweep.treatment import treat_trial, treatment_plan


@dataclass(frozen=True)
class ConfirmResult(Ended):
    """How a confirmation ended, and what it says."""

    confirmation: dict[str, Any] | None  # as in report.json; None where it was stopped or there is nothing
    winner: dict[str, Any] | None  # winner.json; None where it was stopped


@dataclass(frozen=True)
class TreatResult(Ended):
    """How a treatment ended, and what it says."""

    treatment: dict[str, Any] | None  # as in report.json; None where it was stopped


@dataclass(frozen=True)
class AuditResult(Ended):
    """How an audit of the pruning ended, and what it says."""

    audit: dict[str, Any] | None  # as in report.json; None where it was stopped or nothing was pruned


def confirm(
    study: str = "sine",
    *,
    top: int = 5,
    seeds: int = 5,
    results: str | Path = "results",
    workers: int | None = None,
    executor: str | None = None,
    watch: Watch = silent,
    interrupts: Interrupts | None = None,
    draw: bool = True,
    functions: Functions | None = None,
) -> ConfirmResult:
    """Train the best configurations of a stored study on fresh seeds, name one, read the locked test for it.

    Args:
        study: name of a study that has results.
        top: how many configurations, at least 1; fewer where fewer have learnt anything.
        seeds: how many fresh seeds each, at least 1; what was trained before is kept.
        results: folder of all studies.
        workers: as in `run`.
        executor: as in `run`.
        watch: as in `run`.
        interrupts: as in `run`.
        draw: whether to draw the rollout plot of each training.
        functions: as in `run`.

    Raises:
        SweepError: there are no such results, or they or the data have changed; the text says why.
    """
    if top < 1 or seeds < 1:
        raise ValueError(f"needs at least one configuration and one seed, got top={top}, seeds={seeds}")
    stop = interrupts or Interrupts()
    with _reopened(study, results, workers, executor) as (folder, config, data):
        records = folder.records()
        bench = bench_of(config, watch, stop, draw, functions)
        with stop, bench.workers:
            outcome, stored = confirm_best(config, folder, records, top, seeds, bench)
        winner = name_best(folder, data, records) if outcome is Outcome.DONE else None
    said = None if stored is None else stored_confirmation(folder)
    return ConfirmResult(outcome, folder, said, winner)


def treat(
    trial: int,
    study: str = "sine",
    *,
    seeds: int = 5,
    prescriptions: Sequence[int] = (),
    changes: Mapping[str, Any] | None = None,
    results: str | Path = "results",
    workers: int | None = None,
    executor: str | None = None,
    watch: Watch = silent,
    interrupts: Interrupts | None = None,
    draw: bool = True,
    functions: Functions | None = None,
) -> TreatResult:
    """Train a trial's prescriptions on fresh seeds, beside the trial unchanged and beside a random change.

    Args:
        trial: its number.
        study: name of a study that has results.
        seeds: how many fresh seeds, at least 1; below 5 nothing is claimed. What was trained before is kept.
        prescriptions: numbers of those to try; by default the first one of each of the two most confident findings.
        changes: a prescription of one's own: values by key path, such as "training.optimizer.lr", made together.
        results: folder of all studies.
        workers: as in `run`.
        executor: as in `run`.
        watch: as in `run`.
        interrupts: as in `run`.
        draw: whether to draw the rollout plot of each training.
        functions: as in `run`.

    Raises:
        SweepError: there is no such trial, nothing that can be tried on it, or the data have changed.
    """
    if seeds < 1:
        raise ValueError(f"needs at least one seed, got seeds={seeds}")
    stop = interrupts or Interrupts()
    with _reopened(study, results, workers, executor) as (folder, config, data):
        record = folder.record(trial)
        wanted = wanted_advice(folder, record, prescriptions, changes or {})
        plan = treatment_plan(config, record, data, wanted, catalogue())
        bench = bench_of(config, watch, stop, draw, functions)
        with stop, bench.workers:
            outcome, document = treat_trial(config, folder, record, plan, seeds, bench)
    return TreatResult(outcome, folder, document)


def audit(
    study: str = "sine",
    *,
    trials: int = 8,
    results: str | Path = "results",
    workers: int | None = None,
    executor: str | None = None,
    watch: Watch = silent,
    interrupts: Interrupts | None = None,
    draw: bool = True,
    functions: Functions | None = None,
) -> AuditResult:
    """Train some pruned trials of a stored study to their end: would one of them have won?

    Args:
        study: name of a study that has results.
        trials: how many, at least 1; fewer where fewer were pruned. What was trained before is kept.
        results: folder of all studies.
        workers: as in `run`.
        executor: as in `run`.
        watch: as in `run`.
        interrupts: as in `run`.
        draw: whether to draw the rollout plot of each training.
        functions: as in `run`.

    Raises:
        SweepError: there are no such results, or they or the data have changed; the text says why.
    """
    if trials < 1:
        raise ValueError(f"needs at least one trial, got trials={trials}")
    stop = interrupts or Interrupts()
    with _reopened(study, results, workers, executor) as (folder, config, _):
        records = folder.records()
        bench = bench_of(config, watch, stop, draw, functions)
        with stop, bench.workers:
            outcome, document = audit_pruning(config, folder, records, trials, bench)
    return AuditResult(outcome, folder, document)


@contextlib.contextmanager
def _reopened(
    study: str, results: str | Path, workers: int | None, executor: str | None
) -> Iterator[tuple[StudyFolder, StudyConfig, Data]]:
    """Yield a stored study's folder, settings and data while its lock is held.

    Raises:
        SweepError: there are no such results, they are being run, or the data have changed.
    """
    folder = stored_study(study, Path(results))
    config = stored_config(folder, workers, executor)
    data = load(config.data, config.score)
    with DriverLock(folder.lock):
        check_data(folder, data)
        folder.sweep_up()
        yield folder, config, data
