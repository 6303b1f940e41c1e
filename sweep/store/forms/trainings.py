"""The forms of trainings after a study: replication.json, confirmation.json, audit.json, treatment.json."""

from collections.abc import Mapping
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from sweep.config.records import State
from sweep.store.forms.diagnosis import ChangeForm
from sweep.store.forms.json_form import OPEN, Count, Misfit, Number, OrNull, Settings, Share, Text


class IntervalForm(TypedDict):
    """A value with its interval."""

    value: Number
    low: OrNull
    high: OrNull


class TrainedForm(TypedDict):
    """What the arms of a confirmation and of a treatment share: their trainings, by seed."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    key: Text
    replications: list[Count]
    errors: list[Share]
    rmse: NotRequired[list[list[OrNull]]]
    valid_steps: list[OrNull]
    failed: Count
    diverged: Count
    iqm: IntervalForm
    median: Share


class ConfirmedForm(TrainedForm):
    """An arm of a confirmation."""

    number: Count
    selected: Share
    selected_state: State
    optimism: IntervalForm
    difference: IntervalForm | None
    leader_wins: OrNull
    p: OrNull
    told_apart: bool | None


class ConfirmationForm(TypedDict):
    """confirmation.json."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    top: Count
    seeds: Count
    fresh_seeds: list[int]
    verdict: Literal["winner", "tied", "alone"]
    reason: Text | None
    leader: Count
    equals: list[Count]
    optimism: IntervalForm
    seed_noise: OrNull
    arms: list[ConfirmedForm]


class AuditedForm(TypedDict):
    """A trial of audit.json."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    number: Count
    picked: Literal["near", "drawn"]
    pruned_at: Count
    pruned_error: Share
    state: State
    error: Share | None
    valid_steps: OrNull
    replication: Count
    reproduced: bool


class AuditForm(TypedDict):
    """audit.json."""

    trials: list[AuditedForm]


class TrainingForm(TypedDict):
    """A training of a plan."""

    arm: Text
    seed: int


class ReplicationForm(TypedDict):
    """replication.json."""

    trainings: list[TrainingForm]


class EffectForm(TypedDict):
    """The effect of a change."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    decades: Number
    low: OrNull
    high: OrNull
    better: Count
    worse: Count
    equal: Count
    verdict: NotRequired[Text]


class TreatedForm(TrainedForm):
    """An arm of a treatment."""

    kind: Text
    prescription: Count | None
    code: Text | None
    title: Text | None
    changes: list[Settings]
    budget: Count
    same_starts: bool
    against_unchanged: EffectForm | None
    against_random: EffectForm | None
    verdict: Text | None
    beats_random: bool | None


class PrescriptionForm(TypedDict):
    """A prescription."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    prescription: Count | None
    code: Text | None
    title: Text | None
    confidence: OrNull
    changes: list[ChangeForm]
    reason: NotRequired[Text | None]


class UnmendedForm(TypedDict):
    """A finding without a prescription."""

    code: Text
    title: Text


class TreatmentForm(TypedDict):
    """treatment.json."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    number: Count
    rollout_error: Share | None
    state: State
    seeds: Count
    fresh_seeds: list[int]
    reason: Text | None
    chance: EffectForm
    arms: list[TreatedForm]
    random_reason: Text | None
    left_out: list[PrescriptionForm]
    offered: list[PrescriptionForm]
    unmended: list[UnmendedForm]
    tried: list[Text]


def arms_fit(document: Mapping[str, Any]) -> None:
    """Check that each arm of a confirmation or treatment has a training for each seed.

    Raises:
        Misfit: one has not, or there is no arm.
    """
    seeds = document["seeds"]
    if not seeds or len(document["fresh_seeds"]) != seeds:
        raise Misfit(f"fresh_seeds: wanted {seeds}, at least 1, got {len(document['fresh_seeds'])}")
    for index, arm in enumerate(document["arms"]):
        for name in ("replications", "errors", "valid_steps", *(["rmse"] if "rmse" in arm else [])):
            if len(arm[name]) != seeds:
                raise Misfit(
                    f"arms.{index}.{name}: wanted one for each of {seeds} seeds, got {len(arm[name])}"
                )
    if not document["arms"]:
        raise Misfit("arms: there are none")


def leader_fits(document: Mapping[str, Any]) -> None:
    """Check that a confirmation names trials among its arms.

    Raises:
        Misfit: it names another one.
    """
    arms_fit(document)
    numbers = [arm["number"] for arm in document["arms"]]
    for number in (document["leader"], *document["equals"]):
        if number not in numbers:
            raise Misfit(f"there is no arm of trial {number}")
