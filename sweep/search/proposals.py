"""What trial n is to be: for a sampled study a pure function of the records before it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pydantic import ValidationError

from sweep.config.records import Origin, TrialRecord
from sweep.config.study import StudyConfig
from sweep.config.trial import TrialConfig
from sweep.search.history import History
from sweep.search.samplers import SAMPLERS

TRIAL_SECTIONS = ("data", "score", "model", "training")


@dataclass(frozen=True)
class Proposed:
    """What a trial is to be; where its parameters do not go together, why, and what is fixed in it."""

    params: Mapping[str, Any]
    origin: Origin
    config: TrialConfig | None
    infeasible: str | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict)


class Proposer(Protocol):
    """Says what the trials of a driver are. Must not depend on anything but its arguments."""

    def __call__(self, records: Mapping[int, TrialRecord], number: int) -> Proposed:
        """Return what a trial is to be, given the records of those before it."""

    def name_of(self, number: int) -> str:
        """Return what messages call a trial."""


@dataclass(frozen=True)
class SampledTrials:
    """The trials of a study, as its sampler draws them."""

    study: StudyConfig

    def __call__(self, records: Mapping[int, TrialRecord], number: int) -> Proposed:
        """Return what a trial is to be; see `proposal`."""
        params, origin = proposal(self.study, records, number)
        try:
            return Proposed(params, origin, self.study.trial(params))
        except ValidationError as error:
            reasons = "; ".join(entry["msg"].removeprefix("Value error, ") for entry in error.errors())
            fixed = {name: getattr(self.study, name).model_dump(mode="json") for name in TRIAL_SECTIONS}
            return Proposed(params, origin, None, f"infeasible: {reasons}", fixed)

    def name_of(self, number: int) -> str:
        """Return what messages call a trial."""
        return f"trial {number}"


def proposal(
    study: StudyConfig, records: Mapping[int, TrialRecord], number: int
) -> tuple[dict[str, Any], Literal["sampled", "enqueued"]]:
    """Return the hyperparameters of a trial and where they come from.

    It depends on the records of trials 0 .. number - width, the configurations of those in between, and
    the study's seed: not on what else happens to be known.

    Args:
        study: its space, sampler, seed, width and enqueued trials.
        records: by number; all below `number`, of which those up to number - width are settled.
        number: of the trial, 0 or more.
    """
    if number < len(study.enqueue):
        return dict(study.enqueue[number]), "enqueued"
    over = max(0, number - study.search.width + 1)
    settled = [records[k] for k in range(over)]
    history = History(
        settled=tuple((_plain(r.params), r.rollout_error) for r in settled if r.rollout_error is not None),
        running=tuple(_plain(records[k].params) for k in range(over, number)),
    )
    return SAMPLERS[study.search.sampler].propose(study.space, history, study.search.seed, number), "sampled"


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in params.items()}
