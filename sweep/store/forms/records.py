"""The form of trial.json."""

from typing import Annotated, Any, NotRequired

from pydantic import ConfigDict, Field, TypeAdapter
from typing_extensions import TypedDict

from sweep.config.records import Origin, State, TrialRecord
from sweep.store.forms.json_form import OPEN, Count, Misfit, OrNull, Settings, Share, Text

Value = bool | int | float | Text | list[bool | int | float | Text]  # of a hyperparameter
Sizes = Annotated[list[OrNull], Field(max_length=100_000)]


class ScoresForm(TypedDict):
    """`scores` of an evaluation."""

    rollout_error: Share | None
    prefix_errors: list[Share | None]
    nrmse: OrNull
    valid_steps: OrNull
    valid_steps_low: OrNull
    valid_steps_high: OrNull
    diverged_fraction: Share | None
    one_step_error: Share | None
    one_step_nrmse: OrNull
    trivial_skill: NotRequired[OrNull]
    rmse: NotRequired[Sizes]


class EvaluationForm(TypedDict):
    """An evaluation."""

    point: Count
    sequence_steps: Count
    updates: Count
    scores: ScoresForm
    train_loss: OrNull
    lr: OrNull
    evidence: Settings


class GroupForm(TypedDict):
    """A row of `breakdown`."""

    series: Text | None
    channel: Text | None
    starts: Count
    rollout_error: Share
    valid_steps: OrNull
    trivial_error: Share
    trivial_skill: OrNull


class BreakdownForm(TypedDict, total=False):
    """`breakdown`."""

    by_series: list[GroupForm]
    by_channel: list[GroupForm]
    by_series_and_channel: list[GroupForm]


class ConfigForm(TypedDict, total=False):
    """`config`: of an infeasible trial only what is fixed."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    data: Settings
    score: Settings
    model: Settings
    training: Settings


class RecordForm(TypedDict):
    """A trial's record."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]
    number: Count
    state: State
    params: dict[str, Value]
    config: ConfigForm
    origin: Origin
    evaluations: list[EvaluationForm]
    rollout_error: Share | None
    best: Count | None
    best_one_step: Count | None
    reason: Text | None
    diverged_at: Count | None
    exposure_gap: OrNull
    sequence_steps: Count
    updates: Count
    seconds: Annotated[float, Field(ge=0, le=1e12)]
    host: Settings
    score_format: NotRequired[Count]
    breakdown: NotRequired[BreakdownForm | None]


RECORD: TypeAdapter[Any] = TypeAdapter(RecordForm)


def related(record: TrialRecord) -> TrialRecord:
    """Return the record if its parts fit together.

    Raises:
        Misfit: they contradict each other; the text says how.
    """
    last = len(record.evaluations) - 1
    for name in ("best", "best_one_step"):
        index = getattr(record, name)
        if index is not None and index > last:
            raise Misfit(f"{name}: there is no evaluation {index}, the last one is {last}")
    if record.rollout_error is not None and record.state in ("running", "failed"):
        raise Misfit(f"rollout_error: a trial that is {record.state} has none")
    return record
