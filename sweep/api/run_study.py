"""Running a study: search, confirmation, winner. And its preview, which runs nothing."""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from sweep.api.execution import measured, with_plots
from sweep.api.given_data import Given, previewed_study_of_file, study_of_file, study_of_values
from sweep.api.init_study import Asked, asked_of, is_data_file
from sweep.config.bounds import MOST_TRIALS
from sweep.config.data_section import DataConfig
from sweep.config.errors import UsageError
from sweep.config.records import TrialRecord
from sweep.config.sections import ScoreConfig
from sweep.config.space import Space
from sweep.data import load
from sweep.diagnosis.symptoms import baseline_errors
from sweep.followup.confirm import confirm_best, covers
from sweep.followup.winner import name_best
from sweep.forecast.calibrate import calibrate
from sweep.results.document import stored_confirmation
from sweep.score import best_baseline_forecast, score_baselines
from sweep.search import Driver, Ended, Message, Outcome, Watch
from sweep.search.execution import Execution, ExecutionSettings
from sweep.search.stopping import Stopping
from sweep.search.tasks import SideTask
from sweep.store import OptunaProjection, ServerProjection, StudyFolder, rebuilt_text
from sweep.study.engine import WITHOUT_KERNEL
from sweep.study.machine import machine_facts
from sweep.study.open_study import open_study
from sweep.study.preview import Preview, preview_of


@dataclass(frozen=True)
class RunResult(Ended):
    """How a run ended, and where its results are."""

    trials: int  # settled
    scored: int  # settled with a score: neither failed nor running
    winner: dict[str, Any] | None  # winner.json
    confirmation: dict[str, Any] | None  # as in report.json; None if nothing was confirmed
    utilisation: float  # share of the workers' time that went into tasks
    stopped: str | None = None  # why the run ended before its total; None: it did not


def run(
    study: str | None = None,
    *,
    data: Given | None = None,
    horizon: int | None = None,
    target: str | Sequence[str] = (),
    known: str | Sequence[str] = (),
    trials: int | None = None,
    overrides: Sequence[str] = (),
    name: str | None = None,
    results: str | Path = "results",
    confirm: bool = True,
    time_limit: float | None = None,
    max_trials_without_gain: int | None = None,
    **execution: Unpack[ExecutionSettings],
) -> RunResult:
    """Run or resume a study up to a total number of trials, confirm the best configurations and name one.

    Args:
        study: name of a study, path of a study file, or path of a data file, which gets a study file that fits it
            (`sweep.init`). None: "sine", or the study of `data`.
        data: a pandas DataFrame or Series, or a NumPy array, instead of a file. They are stored in the results folder
            with a study file that fits them; the same data under the same name resume the study.
        horizon: free-running steps to score, only for data; None: chosen by period and length.
        target: channels to forecast and score, only for data; empty: all.
        known: columns of inputs whose future is given, only for data; empty: none.
        trials: total to reach; None: the study's `search.trials`.
        overrides: `key.path=value` for any value of the study file; recorded with the results.
        name: name of the results folder; None: the study's, or "data" for `data`.
        results: folder of all studies.
        confirm: whether to end with a confirmation, as the study's `[confirm]` says. Without it the winner is the
            selected trial, unless today's best trials have been confirmed already.
        time_limit: seconds after which the run and its confirmation should be done. No trial starts for which there
            is no time; those that run are trained to their end. A later run continues to the total.
        max_trials_without_gain: end the run after so many trials in a row, by number, without a lower rollout error;
            how many trials that gives does not depend on time or workers.
        execution: settings of `sweep.Execution`, such as `workers=2`; they never affect results.

    Raises:
        SweepError: the study file, the data or the results folder cannot be used.
    """
    began = time.monotonic()
    how, utilisation = measured(with_plots(execution))
    asked = asked_of(horizon, target, known, overrides)
    file: str | Path = study or "sine"
    if data is not None:
        if study is not None:
            raise UsageError(f"give either a study ({study}) or data")
        name = name or "data"
        file = study_of_values(data, name, Path(results), asked)
    elif is_data_file(file):
        file = study_of_file(str(file), asked)
    else:
        _require_no_data_settings(str(file), asked)
    opened = open_study(str(file), results, name=name, overrides=overrides, execution=how)
    config, warnings, folder = opened.config, opened.warnings, opened.folder
    with opened.locked(), how.interrupts, opened.workers() as workers:
        for text in warnings:
            how.watch(Message(text))
        if config.instructions is None and config.run.engine == "auto" and config.run.device == "cpu":
            how.watch(Message(WITHOUT_KERNEL))
        total = trials or config.search.trials
        if total > MOST_TRIALS:
            raise UsageError(f"a study has at most {MOST_TRIALS} trials, got {total}")
        opened.write()
        records = {record.number: record for record in folder.records(_watch_damage(how.watch), whole=False)}
        total = max(total, len(records))
        top, seeds = config.confirm.top if confirm else 0, config.confirm.seeds
        if len(records) == total and all(record.settled for record in records.values()):
            how.watch(Message(f"all {total} trials are complete: nothing to train"))
        projection = _projection(folder, config.space, how, list(records.values()))
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
            stopping=Stopping(
                deadline=None if time_limit is None else began + time_limit,
                steps_after=top * seeds * config.training.budget,
                without_gain=max_trials_without_gain,
            ),
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
        all_records = list(driver.records.values())
        wanted = top and seeds and not covers(folder, all_records, top, seeds)
        if outcome is Outcome.DONE and wanted:
            outcome, _ = confirm_best(opened, all_records, top, seeds, workers)
        winner = None
        if outcome is Outcome.DONE:
            name_best(folder, opened.data, all_records)
            winner = calibrate(opened)
    settled = [record for record in all_records if record.settled]
    return RunResult(
        outcome,
        folder,
        trials=len(settled),
        scored=sum(record.rollout_error is not None for record in settled),
        winner=winner,
        confirmation=stored_confirmation(folder) if winner is not None else None,
        utilisation=utilisation(config.run.workers),
        stopped=driver.stopped,
    )


def preview(
    study: str = "sine",
    *,
    horizon: int | None = None,
    target: str | Sequence[str] = (),
    known: str | Sequence[str] = (),
    trials: int | None = None,
    overrides: Sequence[str] = (),
    name: str | None = None,
    results: str | Path = "results",
    confirm: bool = True,
    measure: bool = True,
    workers: int | None = None,
    executor: str | None = None,
) -> Preview:
    """Return the first configurations that a study would try, and what it would cost. Nothing is stored.

    Args:
        study: name of a study, path of a study file, or path of a data file.
        horizon: as in `run`.
        target: as in `run`.
        known: as in `run`.
        trials: as in `run`.
        overrides: as in `run`.
        name: as in `run`.
        results: as in `run`.
        confirm: whether the cost includes a confirmation.
        measure: whether a few configurations are trained for about three seconds, for the time of the study.
        workers: as in `run`.
        executor: as in `run`.

    Raises:
        SweepError: the study file or the data cannot be used.
    """
    execution = Execution(workers=workers, executor=executor)
    asked = asked_of(horizon, target, known, overrides)
    with contextlib.ExitStack() as stack:
        file: str | Path = study
        if is_data_file(study):
            file = stack.enter_context(previewed_study_of_file(study, asked))
        else:
            _require_no_data_settings(study, asked)
        opened = open_study(str(file), results, name=name, overrides=overrides, execution=execution)
        return preview_of(opened, trials or opened.config.search.trials, confirm, measure)


def _require_no_data_settings(study: str, asked: Asked) -> None:
    """Refuse the settings of data where a study has its own."""
    for key, value in asked.settings.items():
        if value:
            name = key.partition(".")[2]
            raise UsageError(
                f"{name} is for a data file, and {study!r} is a study: set {key} in its file, or override it with "
                f"--set {key}=..."
            )


def _watch_damage(watch: Watch) -> Any:
    """Return the function that reports a damaged trial record."""

    def damaged(path: Path, reason: str) -> None:
        watch(Message(f"{reason}; the trial is run again, the damaged file is kept as {path.name}"))

    return damaged


def _projection(
    folder: StudyFolder, space: Space, how: Execution, records: Sequence[TrialRecord]
) -> OptunaProjection | ServerProjection:
    """Return the open projection of a study, up to date with its records: on a server if one is named."""

    def say(text: str) -> None:
        how.watch(Message(text))

    if how.storage is not None:
        on_server = ServerProjection(folder, how.storage, space, say)
        on_server.open(records)
        return on_server
    projection = OptunaProjection(folder.database, folder.name, space, say)
    rebuilt = projection.open(records)
    if rebuilt is not None:
        say(rebuilt_text(rebuilt))
    return projection


def _baselines_task(driver: Driver) -> SideTask:
    def store(results: tuple[dict[str, Any], dict[str, Any]]) -> None:
        scored, best = results
        if best:
            driver.folder.write_baseline_forecast(best)
        driver.folder.write_document("baselines", {"baselines": scored})
        driver.baselines = baseline_errors(scored)

    args = (driver.study.data, driver.study.score)
    return SideTask("the baselines", _baselines_of, args, store, before_finish=True)


def _baselines_of(data: DataConfig, score: ScoreConfig) -> tuple[dict[str, Any], dict[str, Any]]:
    loaded = load(data, score)
    scored = score_baselines(loaded, score.baselines)
    return scored, best_baseline_forecast(loaded, scored)
