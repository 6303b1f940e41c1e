"""Where trials are trained this time: what does not change their results."""

import os
from dataclasses import replace

from sweep.catalogue import catalogue
from sweep.config.study import StudyConfig
from sweep.config.study_file import read_study
from sweep.host import host_facts
from sweep.search import Bench, Interrupts, Watch, Workers
from sweep.search.driver import Functions
from sweep.store import StudyFolder
from sweep.study_engine import with_engine


def stored_config(folder: StudyFolder, workers: int | None, executor: str | None) -> StudyConfig:
    """Return a stored study with its engine, and [run] as it is this time."""
    config = read_study(folder.path / "study.toml", (), catalogue())
    config = with_engine(config, folder.read_study().get("record", {}))
    return run_by(replace(config, name=folder.name), workers, executor)


def run_by(config: StudyConfig, workers: int | None, executor: str | None) -> StudyConfig:
    """Return the study with [run] as it is this time."""
    settings = config.run.model_dump()
    settings["executor"] = executor or settings["executor"]
    settings["workers"] = (
        1 if settings["executor"] == "inline" else workers or settings["workers"] or _cores()
    )
    return replace(config, run=type(config.run).model_validate(settings))


def bench_of(
    config: StudyConfig, watch: Watch, interrupts: Interrupts, draw: bool, functions: Functions | None
) -> Bench:
    """Return where a study's trials are trained, and who is told. Its workers are the caller's to close."""
    return Bench(
        host=host_facts(),
        workers=Workers(config.run.workers, config.run.executor),
        watch=watch,
        interrupts=interrupts,
        draw=_picture if draw else None,
        functions=functions or Functions(),
    )


def _picture(folder: StudyFolder, number: int) -> bytes:
    """Return a trial's rollout plot; matplotlib is imported by the process that draws, the driver need not."""
    from sweep.report import draw_trial

    return draw_trial(folder, number)


def silent(event: object) -> None:
    """Watch nothing."""


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
