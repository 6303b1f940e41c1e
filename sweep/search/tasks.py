"""The tasks of a driver: the functions that make up a trial, side tasks, and the task of a busy slot."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from sweep.config.trial import TrialConfig
from sweep.search.running_trial import RunningTrial
from sweep.store import StudyFolder
from sweep.trial import Finished, Segment, finish, run_segment

Draw = Callable[[StudyFolder, int], bytes]


@dataclass(frozen=True)
class Functions:
    """The functions that make up a trial. Tests and measurements of the driver replace them."""

    segment: Callable[[TrialConfig, bytes | None, int], Segment] = run_segment
    finish: Callable[..., Finished] = finish
    draw: Draw | None = None  # returns the rollout plot of a settled trial as PNG; None: no plots


@dataclass
class SideTask:
    """Work beside the trials, such as the baselines or a plot; `store` stores its result.

    A task with `before_finish` holds back the last task of every trial until it is stored or has failed.
    """

    name: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    store: Callable[[Any], None]
    before_finish: bool = False
    deaths: int = 0


@dataclass
class SlotTask:
    """The task that a slot runs."""

    future: "Future[Any]"
    work: RunningTrial | SideTask
    finishing: bool = False  # whether it is the last task of a trial
