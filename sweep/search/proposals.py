"""Proposals: the configuration of trial n. In a sampled study it is a pure function of the records before it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pydantic import ValidationError

from sweep.config.plugins import PluginError
from sweep.config.ranges import contains
from sweep.config.records import Origin, TrialRecord
from sweep.config.space import Space
from sweep.config.study import StudyConfig
from sweep.config.trial import TrialConfig
from sweep.search.history import History
from sweep.search.samplers import SAMPLERS
from sweep.train import infeasible

TRIAL_SECTIONS = ("data", "score", "model", "training")


@dataclass(frozen=True)
class Proposed:
    """The configuration of a trial, or why its parameters cannot be trained."""

    params: Mapping[str, Any]
    origin: Origin
    config: TrialConfig | None
    infeasible: str | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict)


class Proposer(Protocol):
    """Proposes the trials of a driver, from its arguments alone."""

    def __call__(self, records: Mapping[int, TrialRecord], number: int) -> Proposed:
        """Return the configuration of a trial, given the records of the trials before it."""

    def name_of(self, number: int) -> str:
        """Return the name of a trial in messages."""


@dataclass(frozen=True)
class SampledTrials:
    """The trials of a study as its sampler draws them."""

    study: StudyConfig

    def __call__(self, records: Mapping[int, TrialRecord], number: int) -> Proposed:
        """Return the configuration of a trial; see `proposal`."""
        try:
            params, origin = proposal(self.study, records, number)
        except PluginError as error:
            return Proposed({}, "sampled", None, str(error), self._fixed())
        try:
            config = self.study.trial(params)
        except ValidationError as error:
            reasons = "; ".join(entry["msg"].removeprefix("Value error, ") for entry in error.errors())
            return Proposed(params, origin, None, f"infeasible: {reasons}", self._fixed())
        problem = infeasible(config.training)
        if problem is not None:
            return Proposed(params, origin, None, f"infeasible: {problem}", self._fixed())
        return Proposed(params, origin, config)

    def _fixed(self) -> dict[str, Any]:
        return {name: getattr(self.study, name).model_dump(mode="json") for name in TRIAL_SECTIONS}

    def name_of(self, number: int) -> str:
        """Return the name of a trial in messages."""
        return f"trial {number}"


def proposal(
    study: StudyConfig, records: Mapping[int, TrialRecord], number: int
) -> tuple[dict[str, Any], Literal["sampled", "enqueued"]]:
    """Return the hyperparameters of a trial and where they come from.

    They depend on the records of trials 0 .. number - width, the configurations of the trials in between, and the
    study's seed, and on nothing else. Where the values of a choice take turns, they depend on trials of the same value
    alone.

    Args:
        study: its space, sampler, seed, width and enqueued trials.
        records: by number: of all trials below `number`; those up to number - width are settled.
        number: of the trial, 0 or more.

    Raises:
        PluginError: the sampler is a plug-in that raised an error or returned parameters outside of the space.
    """
    if number < len(study.enqueue):
        return dict(study.enqueue[number]), "enqueued"
    space, turn = study.space, study.search.in_turn
    earlier: Sequence[int] = range(number)
    if turn:
        choice = space.choice(turn)
        assert choice is not None  # the study file has been checked
        value = choice.values[number % len(choice.values)]
        space = space.restricted(turn, value)
        earlier = [k for k in earlier if records[k].params.get(turn) == value]
    first_running = max(0, number - study.search.width + 1)
    settled = [records[k] for k in earlier if k < first_running]
    history = History(
        settled=tuple((_plain(r.params), r.rollout_error) for r in settled if r.rollout_error is not None),
        running=tuple(_plain(records[k].params) for k in earlier if k >= first_running),
    )
    name = study.search.sampler
    with SAMPLERS.running(name):
        params = SAMPLERS[name].propose(space, history, study.search.seed, number)
        return (params if SAMPLERS.origin(name) is None else checked(params, space)), "sampled"


def checked(params: Mapping[str, Any], space: Space) -> dict[str, Any]:
    """Return sampled parameters in the order of the space.

    Raises:
        ValueError: a parameter is missing, out of its range, or unknown.
    """
    ordered: dict[str, Any] = {}
    for axis in space.axes:
        if not axis.exists(ordered):
            continue
        if axis.name not in params:
            raise ValueError(f"{axis.name} is missing")
        if not contains(axis.span, params[axis.name]):
            raise ValueError(f"{axis.name} = {params[axis.name]!r} is not in {axis.span}")
        ordered[axis.name] = params[axis.name]
    unknown = [name for name in params if name not in ordered]
    if unknown:
        raise ValueError(f"this trial has no hyperparameter {', '.join(unknown)}")
    return ordered


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in params.items()}
