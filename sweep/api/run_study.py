"""Running a study: search, confirmation, winner. And its preview, which runs nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from sweep.api.execution import measured, with_plots
from sweep.config.sections import DataConfig, ScoreConfig
from sweep.data import load
from sweep.diagnosis.symptoms import baseline_errors
from sweep.followup.confirm import confirm_best, covers
from sweep.followup.winner import name_best
from sweep.results.document import stored_confirmation
from sweep.score import score_baselines
from sweep.search import Driver, Ended, Message, Outcome, Watch
from sweep.search.execution import ExecutionSettings
from sweep.search.tasks import SideTask
from sweep.store import OptunaProjection
from sweep.study.engine import WITHOUT_KERNEL
from sweep.study.machine import machine_facts
from sweep.study.open_study import OpenStudy, open_study
from sweep.study.preview import Preview, preview_of


@dataclass(frozen=True)
class RunResult(Ended):
    """How a run ended, and where its results are."""

    trials: int  # settled
    scored: int  # settled with a score: neither failed nor running
    winner: dict[str, Any] | None  # winner.json
    confirmation: dict[str, Any] | None  # as in report.json; None if nothing was confirmed
    utilisation: float  # share of the workers' time that went into tasks


def run(
    study: str = "sine",
    *,
    trials: int | None = None,
    overrides: Sequence[str] = (),
    name: str | None = None,
    results: str | Path = "results",
    confirm: bool = True,
    **execution: Unpack[ExecutionSettings],
) -> RunResult:
    """Run or resume a study up to a total number of trials, confirm the best configurations and name one.

    Args:
        study: name of a study, or path of a study file.
        trials: total to reach; None: the study's `search.trials`.
        overrides: `key.path=value` for any value of the study file; recorded with the results.
        name: name of the results folder; None: the study's.
        results: folder of all studies.
        confirm: whether to end with a confirmation, as the study's `[confirm]` says. Without it the winner is the
            selected trial, unless today's best trials have been confirmed already.
        execution: settings of `sweep.Execution`, such as `workers=2`; they never affect results.

    Raises:
        SweepError: the study file, the data or the results folder cannot be used.
    """
    how, utilisation = measured(with_plots(execution))
    opened = open_study(study, results, name=name, overrides=overrides, execution=how)
    config, warnings, folder = opened.config, opened.warnings, opened.folder
    with opened.locked(), how.interrupts, opened.workers() as workers:
        for text in warnings:
            how.watch(Message(text))
        if config.instructions is None and config.run.engine == "auto" and config.run.device == "cpu":
            how.watch(Message(WITHOUT_KERNEL))
        total = trials or config.search.trials
        opened.write()
        records = {record.number: record for record in folder.records(_watch_damage(how.watch))}
        total = max(total, len(records))
        if len(records) == total and all(record.settled for record in records.values()):
            how.watch(Message(f"all {total} trials are complete: nothing to train"))
        projection = OptunaProjection(folder.database, config.name, config.space)
        rebuilt = projection.open(list(records.values()))
        if rebuilt is not None:
            how.watch(Message(f"study.db was rebuilt from the trial folders: {rebuilt}"))
        driver = Driver(
            study=config,
            folder=folder,
            projection=projection,
            host=machine_facts(),
            workers=workers,
            watch=how.watch,
            interrupts=how.interrupts,
            draw=how.draw,
            functions=how.functions,
            records=records,
        )
        stored = folder.read_document("baselines")
        if stored is None:
            driver.side_tasks.append(_baselines_task(driver))
        else:
            driver.baselines = baseline_errors(stored["baselines"])
        try:
            outcome = driver.run(total)
        finally:
            projection.close()
        known = list(driver.records.values())
        top, seeds = config.confirm.top, config.confirm.seeds
        wanted = confirm and top and seeds and not covers(folder, known, top, seeds)
        if outcome is Outcome.DONE and wanted:
            outcome, _ = confirm_best(opened, known, top, seeds, workers)
        winner = name_best(folder, opened.data, known) if outcome is Outcome.DONE else None
    settled = [record for record in known if record.settled]
    return RunResult(
        outcome,
        folder,
        trials=len(settled),
        scored=sum(record.rollout_error is not None for record in settled),
        winner=winner,
        confirmation=stored_confirmation(folder) if winner is not None else None,
        utilisation=utilisation(config.run.workers),
    )


def preview(
    study: str = "sine",
    *,
    trials: int | None = None,
    overrides: Sequence[str] = (),
    name: str | None = None,
    results: str | Path = "results",
    confirm: bool = True,
) -> Preview:
    """Return the first configurations that a study would try, and what it would cost. Nothing is run.

    Args:
        study: as in `run`.
        trials: as in `run`.
        overrides: as in `run`.
        name: as in `run`.
        results: as in `run`.
        confirm: whether the cost includes a confirmation.

    Raises:
        SweepError: the study file or the data cannot be used.
    """
    opened: OpenStudy = open_study(study, results, name=name, overrides=overrides)
    return preview_of(opened, trials or opened.config.search.trials, confirm)


def _watch_damage(watch: Watch) -> Any:
    """Return the function that reports a damaged trial record."""

    def damaged(path: Path, reason: str) -> None:
        watch(Message(f"{reason}; the trial is run again, the damaged file is kept as {path.name}"))

    return damaged


def _baselines_task(driver: Driver) -> SideTask:
    def store(results: dict[str, Any]) -> None:
        driver.folder.write_document("baselines", {"baselines": results})
        driver.baselines = baseline_errors(results)

    args = (driver.study.data, driver.study.score)
    return SideTask("the baselines", _baselines_of, args, store, before_finish=True)


def _baselines_of(data: DataConfig, score: ScoreConfig) -> dict[str, Any]:
    return score_baselines(load(data, score), score.baselines)
