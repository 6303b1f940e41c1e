"""What sweep does, as functions: run, confirm, report on, load a study. The command line only calls these."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweep.bench import bench_of, run_by, silent
from sweep.best import name_best
from sweep.config.errors import SweepError
from sweep.confirmation import confirm_best, covers
from sweep.data import load
from sweep.diagnose import diagnose_again, diagnosis_of
from sweep.diagnosis.symptoms import baseline_errors
from sweep.loaded import LoadedStudy
from sweep.opening import check_data, data_warnings, make_folder, read, write_study
from sweep.preview import Preview, preview_of
from sweep.report import (
    ReportPaths,
    audit_lines,
    audit_text,
    confirmation_lines,
    optimism_text,
    print_diagnosis,
    print_report,
    print_trial,
    report_document,
    stored_confirmation,
    treatment_lines,
    treatment_texts,
    trial_document,
    verdict_text,
    write_report,
)
from sweep.retraining import AuditResult, ConfirmResult, TreatResult, audit, confirm, treat
from sweep.score import score_baselines
from sweep.search import (
    Driver,
    Ended,
    Interrupts,
    Message,
    Outcome,
    Progress,
    Settled,
    Watch,
)
from sweep.search.driver import Functions, SideTask
from sweep.store import DriverLock, OptunaProjection
from sweep.studies import stored_study
from sweep.study_engine import WITHOUT_KERNEL

__all__ = [
    "AuditResult",
    "ConfirmResult",
    "Message",
    "Outcome",
    "Progress",
    "RunResult",
    "Settled",
    "TreatResult",
    "Watch",
    "audit",
    "audit_lines",
    "audit_text",
    "confirm",
    "confirmation_lines",
    "diagnose",
    "load_study",
    "optimism_text",
    "preview",
    "print_diagnosis",
    "print_report",
    "print_trial",
    "report",
    "run",
    "show",
    "treat",
    "treatment_lines",
    "treatment_texts",
    "verdict_text",
]


@dataclass(frozen=True)
class RunResult(Ended):
    """How a run ended, and where its results are."""

    trials: int  # settled
    scored: int  # settled with a score: neither failed nor running
    winner: dict[str, Any] | None  # winner.json
    confirmation: dict[str, Any] | None  # as in report.json; None where nothing was confirmed
    utilisation: float  # share of the workers' time that went into tasks


class _Heard:
    """Passes events on and remembers the latest progress of each stage."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.progress: dict[str, Progress] = {}

    def __call__(self, event: Settled | Message | Progress) -> None:
        if isinstance(event, Progress):
            self.progress[event.stage] = event
        self.watch(event)

    def utilisation(self, workers: int) -> float:
        elapsed = sum(progress.elapsed for progress in self.progress.values())
        busy = sum(progress.busy for progress in self.progress.values())
        return busy / (elapsed * workers) if elapsed > 0 else 0.0


def run(
    study: str = "sine",
    *,
    trials: int | None = None,
    overrides: Sequence[str] = (),
    name: str | None = None,
    results: str | Path = "results",
    workers: int | None = None,
    executor: str | None = None,
    confirm: bool = True,
    watch: Watch = silent,
    interrupts: Interrupts | None = None,
    draw: bool = True,
    functions: Functions | None = None,
) -> RunResult:
    """Run a study up to a total number of trials, or go on with it; then confirm the best and name one.

    Args:
        study: name of a study, or path of a study file.
        trials: total to reach; by default the study's `search.trials`.
        overrides: `key.path=value` for any value of the study file; recorded.
        name: of the results folder, by default the study's.
        results: folder of all studies.
        workers: worker processes; by default the study's `run.workers`, where 0 is one per core.
        executor: "loky" or "inline"; by default the study's.
        confirm: whether to end with a confirmation, as the study's [confirm] says. Without it the best is
            the selected trial, unless a confirmation of today's best trials is there already.
        watch: called with what happens.
        interrupts: stop requests; by default Ctrl-C and SIGTERM are heard while the run lasts.
        draw: whether to draw each trial's rollout plot.
        functions: what a trial consists of, for measurements of the driver itself.

    Raises:
        SweepError: the study file, data or results folder cannot be used; the text says why.
    """
    config, folder, recorded, source = read(study, overrides, name, Path(results))
    config = run_by(config, workers, executor)
    data = load(config.data, config.score)
    warnings = data_warnings(config, data)
    heard = _Heard(watch)
    make_folder(folder)
    with DriverLock(folder.lock):
        check_data(folder, data)
        folder.sweep_up()
        for text in warnings:
            watch(Message(text))
        if config.instructions is None and config.run.engine == "auto" and config.run.device == "cpu":
            watch(Message(WITHOUT_KERNEL))
        total = trials or config.search.trials
        write_study(folder, config, data, recorded, source)
        records = {record.number: record for record in folder.records(watch_damage(watch))}
        total = max(total, len(records))
        if len(records) == total and all(record.settled for record in records.values()):
            watch(Message(f"all {total} trials are there: none is left to train"))
        projection = OptunaProjection(folder.database, config.name, config.space)
        remade = projection.open(list(records.values()))
        if remade is not None:
            watch(Message(f"study.db was made again from the trial folders: {remade}"))
        stop = interrupts or Interrupts()
        bench = bench_of(config, heard, stop, draw, functions)
        driver = Driver(
            study=config,
            folder=folder,
            projection=projection,
            host=dict(bench.host),
            workers=bench.workers,
            watch=heard,
            interrupts=stop,
            draw=bench.draw,
            functions=bench.functions,
            records=records,
        )
        stored = folder.read_document("baselines")
        if stored is None:
            driver.side_tasks.append(_baselines_task(driver))
        else:
            driver.baselines = baseline_errors(stored["baselines"])
        with stop, bench.workers:
            try:
                outcome = driver.run(total)
            finally:
                projection.close()
            known = list(driver.records.values())
            top, seeds = config.confirm.top, config.confirm.seeds
            if (
                outcome is Outcome.DONE
                and confirm
                and top
                and seeds
                and not covers(folder, known, top, seeds)
            ):
                outcome, _ = confirm_best(config, folder, known, top, seeds, bench)
        winner = name_best(folder, data, known) if outcome is Outcome.DONE else None
    settled = [record for record in known if record.settled]
    scored = sum(record.rollout_error is not None for record in settled)
    confirmation = stored_confirmation(folder) if winner is not None else None
    return RunResult(
        outcome,
        folder,
        len(settled),
        scored,
        winner,
        confirmation,
        heard.utilisation(config.run.workers),
    )


def report(
    study: str = "sine", *, results: str | Path = "results", diagnose_anew: bool = False
) -> ReportPaths:
    """Write a study's report page, report.json and trials.csv; return where they are.

    Args:
        study: its name.
        results: folder of all studies.
        diagnose_anew: whether trials without a diagnosis, or with one of other rules, are diagnosed before, which is
            stored. Nothing is trained.

    Raises:
        SweepError: there are no results of that study, a file is damaged, or the study is being run while it is to be
            diagnosed.
    """
    folder = stored_study(study, Path(results))
    if diagnose_anew:
        with DriverLock(folder.lock):
            diagnose_again(folder)
    return write_report(folder)


def show(trial: int, study: str = "sine", *, results: str | Path = "results") -> dict[str, Any]:
    """Return one trial as a JSON document (docs/report.md).

    Raises:
        SweepError: no such study or trial, or a file is damaged.
    """
    return trial_document(stored_study(study, Path(results)), trial)


def diagnose(
    trial: int | None = None,
    study: str = "sine",
    *,
    probes: bool = True,
    mute: Sequence[str] = (),
    results: str | Path = "results",
) -> dict[str, Any]:
    """Return how a trial's rollout fails and what probes of its network measure, as a JSON document.

    Args:
        trial: its number; the study's best where None.
        study: its name.
        probes: whether to take the probes that are not stored, which takes some seconds.
        mute: codes of findings that are not to be told, beside those that the study mutes.
        results: folder of all studies.

    Raises:
        SweepError: no such study or trial, no best one yet, or a file is damaged.
    """
    folder = stored_study(study, Path(results))
    if trial is None:
        trial = report_document(folder)["best"]
        if trial is None:
            raise SweepError(
                f"the study {study} has no best trial: name one, such as sweep diagnose 0 {study}"
            )
    return diagnosis_of(folder, trial, probes, mute)


def load_study(study: str | Path = "sine", *, results: str | Path = "results") -> LoadedStudy:
    """Return a stored study as DataFrames and plots.

    Args:
        study: its name, or the path of its folder.
        results: folder of all studies, for a name.

    Raises:
        SweepError: there are no results of that study.
    """
    return LoadedStudy(stored_study(str(study), Path(results)))


def preview(
    study: str = "sine",
    *,
    trials: int | None = None,
    overrides: Sequence[str] = (),
    name: str | None = None,
    results: str | Path = "results",
    confirm: bool = True,
) -> Preview:
    """Return the first configurations that a study would try, and what it would cost; runs nothing."""
    config, _, _, _ = read(study, overrides, name, Path(results))
    return preview_of(config, load(config.data, config.score), trials or config.search.trials, confirm)


def watch_damage(watch: Watch) -> Any:
    """Return what is told of a damaged trial record."""

    def damaged(path: Path, reason: str) -> None:
        watch(Message(f"{reason}; the trial is run again, {path.name} is kept beside it"))

    return damaged


# --- pieces ---------------------------------------------------------------------------------------


def _baselines_task(driver: Driver) -> SideTask:
    def store(results: dict[str, Any]) -> None:
        driver.folder.write_document("baselines", {"baselines": results})
        driver.baselines = baseline_errors(results)

    args = (driver.study.data, driver.study.score)
    return SideTask("the baselines", _baselines_of, args, store, before_finish=True)


def _baselines_of(data: Any, score: Any) -> dict[str, Any]:
    return score_baselines(load(data, score))
