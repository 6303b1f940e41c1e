"""What sweep does, as functions: run a study, report on it, load it. The command line only calls these."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sweep.catalogue import catalogue
from sweep.config.errors import StudyChanged, SweepError
from sweep.config.records import TrialRecord
from sweep.config.study import StudyConfig, differences
from sweep.config.study_file import read_study
from sweep.config.trial import trial_config_from_json
from sweep.data import Data, load
from sweep.host import host_facts
from sweep.loaded import LoadedStudy
from sweep.preview import Preview, preview_of
from sweep.report import (
    ReportPaths,
    draw_trial,
    print_report,
    print_trial,
    trial_document,
    write_report,
)
from sweep.score import block_length, score_baselines, score_baselines_on_test
from sweep.search import (
    Driver,
    Interrupts,
    Message,
    Outcome,
    Progress,
    Settled,
    Watch,
    check_sampler,
)
from sweep.search.driver import Functions, SideTask
from sweep.store import DriverLock, OptunaProjection, StudyFolder
from sweep.studies import chosen_study, stored_study
from sweep.study_engine import WITHOUT_KERNEL, engine_facts, with_engine
from sweep.trial import score_on_test

__all__ = [
    "Message",
    "Outcome",
    "Progress",
    "RunResult",
    "Settled",
    "Watch",
    "load_study",
    "preview",
    "print_report",
    "print_trial",
    "report",
    "run",
    "show",
]

TRIVIAL = ("mean", "persistence")  # a trial that beats neither has learnt nothing


@dataclass(frozen=True)
class RunResult:
    """How a run ended, and where its results are."""

    outcome: Outcome
    folder: StudyFolder
    trials: int  # settled
    scored: int  # settled with a score: neither failed nor running
    winner: dict[str, Any] | None  # winner.json
    utilisation: float  # share of the workers' time that went into tasks

    @property
    def interrupted(self) -> bool:
        """Return whether the run was stopped before its end."""
        return self.outcome is Outcome.INTERRUPTED


class _Heard:
    """Passes events on and remembers the latest progress."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.progress: Progress | None = None

    def __call__(self, event: Settled | Message | Progress) -> None:
        if isinstance(event, Progress):
            self.progress = event
        self.watch(event)

    def utilisation(self, workers: int) -> float:
        if self.progress is None or self.progress.elapsed <= 0:
            return 0.0
        return self.progress.busy / (self.progress.elapsed * workers)


def _silent(event: object) -> None:
    """Watch nothing."""


def read(
    study: str, overrides: Sequence[str] = (), name: str | None = None, results: Path = Path("results")
) -> tuple[StudyConfig, StudyFolder, list[str], Path]:
    """Return a study as it would run: its configuration, results folder, overrides and file.

    A study that has results runs with the overrides recorded there, and the given ones on top.

    Raises:
        StudyFileError: with every mistake of the file.
        StudyChanged: it differs from what the results folder was made with; the text gives the difference.
    """
    chosen = chosen_study(study, name, results)
    recorded: list[str] = []
    old = chosen.folder.read_study() if chosen.folder.exists() else None
    if old is not None:
        recorded = list(old.get("record", {}).get("overrides", []))
    together = [*recorded, *(text for text in overrides if text not in recorded)]
    config = read_study(chosen.file, together, catalogue())
    config = replace(config, name=chosen.folder.name, data=_with_whole_path(config, chosen.file))
    check_sampler(config.search.sampler, config.space)
    if old is not None:
        changed = differences(old, config.document())
        if changed:
            listed = "\n  ".join(changed)
            raise StudyChanged(
                f"the study in {chosen.folder.path} was made with other settings:\n  {listed}\n"
                "Run it under another name (--name), or take the change back"
            )
    config = with_engine(config, None if old is None else old.get("record", {}))
    return config, chosen.folder, together, chosen.file


def run(
    study: str = "sine",
    *,
    trials: int | None = None,
    overrides: Sequence[str] = (),
    name: str | None = None,
    results: str | Path = "results",
    workers: int | None = None,
    executor: str | None = None,
    watch: Watch = _silent,
    interrupts: Interrupts | None = None,
    draw: bool = True,
    functions: Functions | None = None,
) -> RunResult:
    """Run a study up to a total number of trials, or go on with it.

    Args:
        study: name of a study, or path of a study file.
        trials: total to reach; by default the study's `search.trials`.
        overrides: `key.path=value` for any value of the study file; recorded.
        name: of the results folder, by default the study's.
        results: folder of all studies.
        workers: worker processes; by default the study's `run.workers`, where 0 is one per core.
        executor: "loky" or "inline"; by default the study's.
        watch: called with what happens.
        interrupts: stop requests; by default Ctrl-C and SIGTERM are heard while the run lasts.
        draw: whether to draw each trial's rollout plot.
        functions: what a trial consists of, for measurements of the driver itself.

    Raises:
        SweepError: the study file, data or results folder cannot be used; the text says why.
    """
    config, folder, recorded, source = read(study, overrides, name, Path(results))
    settings = config.run.model_dump()
    settings["executor"] = executor or settings["executor"]
    settings["workers"] = (
        1 if settings["executor"] == "inline" else workers or settings["workers"] or _cores()
    )
    config = replace(config, run=type(config.run).model_validate(settings))
    data = load(config.data, config.score)
    heard = _Heard(watch)
    _make(folder)
    with DriverLock(folder.lock):
        _check_data(folder, data)
        folder.sweep_up()
        for text in data.warnings:
            watch(Message(text))
        if config.instructions is None and config.run.engine == "auto" and config.run.device == "cpu":
            watch(Message(WITHOUT_KERNEL))
        total = trials or config.search.trials
        _write_study(folder, config, data, recorded, source)
        records = {record.number: record for record in folder.records(watch_damage(watch))}
        total = max(total, len(records))
        projection = OptunaProjection(folder.database, config.name, config.space)
        remade = projection.open(list(records.values()))
        if remade is not None:
            watch(Message(f"study.db was made again from the trial folders: {remade}"))
        driver = Driver(
            study=config,
            folder=folder,
            projection=projection,
            host=host_facts(),
            workers=config.run.workers,
            watch=heard,
            interrupts=interrupts or Interrupts(),
            draw=draw_trial if draw else None,
            functions=functions or Functions(),
            records=records,
        )
        if folder.read_document("baselines") is None:
            driver.side_tasks.append(_baselines_task(config, folder))
        try:
            with driver.interrupts:
                outcome = driver.run(total)
        finally:
            projection.close()
        winner = None
        if outcome is Outcome.DONE:
            winner = _score_winner(folder, data, list(driver.records.values()))
    settled = [record for record in driver.records.values() if record.settled]
    scored = sum(record.rollout_error is not None for record in settled)
    return RunResult(outcome, folder, len(settled), scored, winner, heard.utilisation(config.run.workers))


def report(study: str = "sine", *, results: str | Path = "results") -> ReportPaths:
    """Write a study's report page, report.json and trials.csv; return where they are.

    Raises:
        SweepError: there are no results of that study, or a file is damaged.
    """
    return write_report(stored_study(study, Path(results)))


def show(trial: int, study: str = "sine", *, results: str | Path = "results") -> dict[str, Any]:
    """Return one trial as a JSON document (docs/report.md).

    Raises:
        SweepError: no such study or trial, or a file is damaged.
    """
    return trial_document(stored_study(study, Path(results)), trial)


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
) -> Preview:
    """Return the first configurations that a study would try, and what it would cost; runs nothing."""
    config, _, _, _ = read(study, overrides, name, Path(results))
    return preview_of(config, load(config.data, config.score), trials or config.search.trials)


def watch_damage(watch: Watch) -> Any:
    """Return what is told of a damaged trial record."""

    def damaged(path: Path, reason: str) -> None:
        watch(Message(f"{reason}; the trial is run again, {path.name} is kept beside it"))

    return damaged


# --- pieces ---------------------------------------------------------------------------------------


def winner_of(
    records: Sequence[TrialRecord], baselines: dict[str, Any]
) -> tuple[TrialRecord | None, str | None]:
    """Return the best trial on validation, or None and why there is none.

    There is none where every score is 1, or where no trial beats the mean and persistence: then nothing
    has been learnt that is worth a name.
    """
    scored = [record for record in records if record.best is not None and record.rollout_error is not None]
    if not scored:
        return None, "no trial was completed with a score"
    best = min(scored, key=lambda record: (record.rollout_error, record.number))
    assert best.rollout_error is not None
    if best.rollout_error >= 1:
        return None, "every trial's rollout error is 1: as bad as it can be"
    for name in TRIVIAL:
        error = baselines.get(name, {}).get("rollout_error")
        if error is not None and best.rollout_error >= error:
            return None, (
                f"no trial beats the baseline {name!r}: best rollout error {best.rollout_error:.3g}, "
                f"baseline {error:.3g}"
            )
    return best, None


def _score_winner(folder: StudyFolder, data: Data, records: list[TrialRecord]) -> dict[str, Any]:
    """Score the winner on the locked test, once, and store it; a winner that is already scored stays."""
    baselines = (folder.read_document("baselines") or {}).get("baselines", {})
    best, reason = winner_of(records, baselines)
    stored = folder.read_document("winner")
    if best is None:
        document: dict[str, Any] = {"number": None, "reason": reason, "test": None, "baselines_test": {}}
    elif stored is not None and stored["number"] == best.number:
        return stored
    else:
        weights = (folder.trial(best.number) / "checkpoint.pt").read_bytes()
        document = {
            "number": best.number,
            "reason": None,
            "test": score_on_test(trial_config_from_json(best.config), weights),
            "baselines_test": score_baselines_on_test(data, baselines),
        }
    folder.write_document("winner", document)
    return folder.read_document("winner") or document


def _baselines_task(config: StudyConfig, folder: StudyFolder) -> SideTask:
    def store(results: dict[str, Any]) -> None:
        folder.write_document("baselines", {"baselines": results})

    return SideTask("the baselines", _baselines_of, (config.data, config.score), store)


def _baselines_of(data: Any, score: Any) -> dict[str, Any]:
    return score_baselines(load(data, score))


def _with_whole_path(config: StudyConfig, file: Path) -> Any:
    """Return [data] with a path that holds from everywhere: relative ones are relative to the study file."""
    if config.data.path is None:
        return config.data
    return config.data.model_copy(update={"path": str((file.parent / config.data.path).resolve())})


def _check_data(folder: StudyFolder, data: Data) -> None:
    if not folder.exists():
        return
    before = folder.read_study().get("record", {}).get("data_fingerprint")
    if before is not None and before != data.fingerprint:
        raise StudyChanged(
            f"the data of the study in {folder.path} have changed since it began; run it under another name (--name)"
        )


def _write_study(
    folder: StudyFolder, config: StudyConfig, data: Data, overrides: list[str], source: Path
) -> None:
    horizon = data.validation.truth.shape[1]
    record = {
        "source": str(source),
        "overrides": overrides,
        "data_fingerprint": data.fingerprint,
        "channels": list(data.channels),
        "targets": list(data.targets),
        "period": data.period,
        "lyapunov_time": data.lyapunov_time,
        "block": block_length(data.period, horizon),
        "n_eff_validation": data.validation.n_eff,
        "n_eff_test": data.test.n_eff,
        **engine_facts(config),
        **host_facts(),
    }
    folder.write_study({**config.document(), "record": record})


def _make(folder: StudyFolder) -> None:
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SweepError(f"cannot make the folder {folder.path}: {error.strerror or error}") from error


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
