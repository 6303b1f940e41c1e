"""Proposals: the configuration of trial n. In a sampled study it is a pure function of the records before it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pydantic import ValidationError

from sweep.config.plugins import PluginError
from sweep.config.ranges import contains
from sweep.config.records import Origin, TrialRecord
from sweep.config.space import Space
from sweep.config.study import StudyConfig
from sweep.config.trial import TrialConfig
from sweep.search.history import Histories
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
    histories: Histories = field(init=False)

    def __post_init__(self) -> None:
        """Begin without a history."""
        object.__setattr__(self, "histories", histories_of(self.study))

    def __call__(self, records: Mapping[int, TrialRecord], number: int) -> Proposed:
        """Return the configuration of a trial; see `proposal`."""
        try:
            params, origin = proposal(self.study, records, number, self.histories)
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


def histories_of(study: StudyConfig) -> Histories:
    """Return the histories of a study's proposals, before the first one."""
    return Histories(study.search.width, study.search.in_turn)


def proposal(
    study: StudyConfig,
    records: Mapping[int, TrialRecord],
    number: int,
    histories: Histories | None = None,
) -> tuple[dict[str, Any], Literal["sampled", "enqueued"]]:
    """Return the hyperparameters of a trial and where they come from.

    They depend on the records of trials 0 .. number - width, the configurations of the trials in between, and the
    study's seed, and on nothing else. Where the values of a choice take turns, they depend on trials of the same value
    alone.

    Args:
        study: its space, sampler, seed, width and enqueued trials.
        records: by number: of all trials below `number`; those up to number - width are settled.
        number: of the trial, 0 or more.
        histories: of the earlier proposals from the same records, which it continues; None: none is kept.

    Raises:
        PluginError: the sampler is a plug-in that raised an error or returned parameters outside of the space.
    """
    if number < len(study.enqueue):
        return dict(study.enqueue[number]), "enqueued"
    space, turn = study.space, study.search.in_turn
    value = None
    if turn:
        choice = space.choice(turn)
        assert choice is not None  # the study file has been checked
        value = choice.values[number % len(choice.values)]
        space = space.restricted(turn, value)
    history = (histories or histories_of(study)).of(records, number, value)
    name = study.search.sampler
    if SAMPLERS[name].shortens:
        history = history.shortened(study.search.history)
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
