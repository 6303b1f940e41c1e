"""The forms of the JSON documents of a study, such as baselines.json and winner.json, with the remedy for each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NotRequired

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from sweep.config.records import State
from sweep.store.forms.forecasts import (
    CodingForm,
    CoverageForm,
    FitsForm,
    IntervalsForm,
    RowsForm,
    coding_fits,
    coverage_fits,
    intervals_fit,
)
from sweep.store.forms.json_form import OPEN, Count, Misfit, Number, OrNull, Settings, Share, Text, misfit_of
from sweep.store.forms.records import BreakdownForm

Severity = Literal["issue", "tip", "ok", "not applicable"]


class BaselineForm(TypedDict, total=False):
    """A baseline: its scores, or the reason why it has none."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    rollout_error: Share | None
    prefix_errors: list[Share | None]
    nrmse: OrNull
    rmse: list[OrNull] | None
    valid_steps: OrNull
    diverged_fraction: OrNull
    settings: Settings
    seconds: OrNull
    reason: Text
    breakdown: BreakdownForm | None


class BaselinesForm(TypedDict):
    """baselines.json."""

    baselines: dict[str, BaselineForm]


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


class TestForm(TypedDict):
    """Scores on the locked test."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    rollout_error: Share
    nrmse: OrNull
    valid_steps: Number
    rmse: NotRequired[list[OrNull]]


class NetworkForm(TypedDict):
    """A network on the locked test."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    seed: Count
    replication: Count
    validation: Share
    test: TestForm


class LookForm(TypedDict, total=False):
    """A look at the locked test."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    basis: Literal["selected", "confirmed"]
    key: Text
    number: Count
    test: TestForm
    networks: list[NetworkForm]
    median_seed: Count | None


class WinnerForm(TypedDict):
    """winner.json."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    number: Count | None
    reason: NotRequired[Text | None]
    basis: NotRequired[Literal["selected", "confirmed"]]
    test: NotRequired[TestForm | None]
    networks: NotRequired[list[NetworkForm]]
    median_seed: NotRequired[Count | None]
    baselines_test: NotRequired[dict[str, BaselineForm] | None]
    looks: NotRequired[list[LookForm]]
    coverage: NotRequired[list[CoverageForm]]


class TrainingForm(TypedDict):
    """A training of a plan."""

    arm: Text
    seed: int


class ReplicationForm(TypedDict):
    """replication.json."""

    trainings: list[TrainingForm]


class ChangeForm(TypedDict):
    """A change of a prescription."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    path: Text
    value: Any


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


class FindingForm(TypedDict):
    """A finding of a diagnosis."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    code: Text
    severity: Severity
    text: Text
    evidence: Settings
    title: Text
    confidence: Share | None
    prescriptions: list[list[ChangeForm]]


class SymptomForm(TypedDict):
    """The symptom of a diagnosis."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    code: Text
    title: Text
    text: Text
    mixture: bool
    shares: dict[str, Share]
    numbers: Settings
    confidence: Share


class DiagnosisForm(TypedDict):
    """diagnosis.json."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    rules: Text
    symptom: SymptomForm
    findings: list[FindingForm]
    probes: dict[str, Settings]


def _any_relation(document: Mapping[str, Any]) -> None:
    """Accept the document: its parts do not depend on each other."""


def _arms_fit(document: Mapping[str, Any]) -> None:
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


def _leader_fits(document: Mapping[str, Any]) -> None:
    """Check that a confirmation names trials among its arms.

    Raises:
        Misfit: it names another one.
    """
    _arms_fit(document)
    numbers = [arm["number"] for arm in document["arms"]]
    for number in (document["leader"], *document["equals"]):
        if number not in numbers:
            raise Misfit(f"there is no arm of trial {number}")


def _winner_fits(document: Mapping[str, Any]) -> None:
    """Check that a winner with networks names one of them as the median, and the coverage of intervals.

    Raises:
        Misfit: it does not, or a coverage is not of one forecaster.
    """
    coverage_fits(document)
    for entry in (document, *document.get("looks", ())):
        seeds = [network["seed"] for network in entry.get("networks", ())]
        if seeds and entry.get("median_seed") not in seeds:
            raise Misfit(f"median_seed: there is no network of seed {entry.get('median_seed')}")
    if document.get("networks") and "looks" not in document:
        raise Misfit("looks: missing beside networks")


@dataclass(frozen=True)
class DocumentForm:
    """A document: its form, what to do if a file does not have it, and the check that its parts fit together."""

    form: TypeAdapter[Any]
    remedy: str
    check: Callable[[Mapping[str, Any]], None] = _any_relation

    def require(self, values: Any) -> None:
        """Refuse values of a document of another form.

        Raises:
            Misfit: they have another form, or do not fit together.
        """
        try:
            self.form.validate_python(values, strict=True)
        except ValidationError as error:
            raise misfit_of(error) from None
        self.check(values)


DOCUMENTS = {
    "baselines": DocumentForm(
        TypeAdapter(BaselinesForm), "remove it, and sweep run scores the baselines again"
    ),
    "confirmation": DocumentForm(
        TypeAdapter(ConfirmationForm),
        "remove it, and sweep confirm writes it again from its trainings",
        _leader_fits,
    ),
    "audit": DocumentForm(
        TypeAdapter(AuditForm), "remove it, and sweep audit writes it again from its trainings"
    ),
    "winner": DocumentForm(
        TypeAdapter(WinnerForm), "remove it, and sweep run or sweep confirm writes it again", _winner_fits
    ),
    "replication": DocumentForm(
        TypeAdapter(ReplicationForm), "remove its folder, and the command trains again"
    ),
    "treatment": DocumentForm(
        TypeAdapter(TreatmentForm),
        "remove it, and sweep treat writes it again from its trainings",
        _arms_fit,
    ),
    "diagnosis": DocumentForm(TypeAdapter(DiagnosisForm), "remove it, and sweep diagnose computes a new one"),
    "intervals": DocumentForm(
        TypeAdapter(IntervalsForm), "remove it, and sweep confirm calibrates again", intervals_fit
    ),
    "fit": DocumentForm(TypeAdapter(FitsForm), "remove it, and sweep fit writes it again from its trainings"),
    "rows": DocumentForm(TypeAdapter(RowsForm), "remove it, and sweep run writes it again"),
    "coding": DocumentForm(
        TypeAdapter(CodingForm), "remove its folder, and sweep fit trains the network again", coding_fits
    ),
}
OTHER = DocumentForm(TypeAdapter(dict[str, Any]), "remove it, and the command writes it again")
