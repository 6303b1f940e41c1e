"""The execution settings of a command: workers, callbacks and stop requests. They never affect results."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypedDict

from pydantic import ValidationError

from sweep.config.bounds import MOST_PROCESSES
from sweep.config.errors import UsageError
from sweep.config.sections import RunConfig
from sweep.search.events import Message, Progress, Settled, Watch
from sweep.search.interrupts import Interrupts
from sweep.search.tasks import Draw, Functions


def silent(event: Settled | Message | Progress) -> None:
    """Ignore the event."""


class ExecutionSettings(TypedDict, total=False):
    """The keyword arguments by which the functions of the API take an `Execution`."""

    workers: int | None
    executor: str | None
    scheduler: str | None
    storage: str | None
    watch: Watch
    interrupts: Interrupts
    plots: bool
    functions: Functions


@dataclass(frozen=True)
class Execution:
    """How one command runs trials. Nothing here affects results."""

    workers: int | None = None  # worker processes; None: the study's `run.workers`, where 0 is one per core
    executor: str | None = None  # "loky", "inline" or "dask"; None: the study's `run.executor`
    scheduler: str | None = None  # of Dask; None: the study's `run.scheduler`
    storage: str | None = field(
        default=None, repr=False
    )  # PostgreSQL instead of study.db; may hold a password
    watch: Watch = silent  # called with every event
    interrupts: Interrupts = field(default_factory=Interrupts)  # Ctrl-C and SIGTERM while a command runs
    plots: bool = True  # whether the rollout plot of each settled trial is drawn
    functions: Functions = field(default_factory=Functions)  # that make up a trial; tests replace them

    @property
    def draw(self) -> Draw | None:
        """Return the function that draws the plot of a settled trial; None if no plots are drawn."""
        return self.functions.draw if self.plots else None

    def settings(self, run: RunConfig) -> RunConfig:
        """Return `[run]` of a study with the number of workers and the executor of this execution."""
        executor = self.executor or run.executor
        workers = 1 if executor == "inline" else self.workers or run.workers or available_cores()
        scheduler = run.scheduler if self.scheduler is None else self.scheduler
        changed = {"executor": executor, "workers": workers, "scheduler": scheduler}
        try:
            return RunConfig.model_validate({**run.model_dump(), **changed})
        except ValidationError as error:
            raise UsageError(
                f"workers and executor: wanted at most {MOST_PROCESSES} workers and a known executor, got {workers} "
                f"and {executor!r}"
            ) from error


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    affinity: Callable[[int], set[int]] | None = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
