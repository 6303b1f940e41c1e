"""The forms of the JSON documents of a study, such as baselines.json and winner.json, with the remedy for each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from sweep.store.forms.diagnosis import DiagnosisForm
from sweep.store.forms.forecasts import (
    CodingForm,
    FitsForm,
    IntervalsForm,
    RowsForm,
    coding_fits,
    intervals_fit,
)
from sweep.store.forms.json_form import misfit_of
from sweep.store.forms.scores import BaselinesForm, WinnerForm, winner_fits
from sweep.store.forms.trainings import (
    AuditForm,
    ConfirmationForm,
    ReplicationForm,
    TreatmentForm,
    arms_fit,
    leader_fits,
)


def _any_relation(document: Mapping[str, Any]) -> None:
    """Accept the document: its parts do not depend on each other."""


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
        leader_fits,
    ),
    "audit": DocumentForm(
        TypeAdapter(AuditForm), "remove it, and sweep audit writes it again from its trainings"
    ),
    "winner": DocumentForm(
        TypeAdapter(WinnerForm), "remove it, and sweep run or sweep confirm writes it again", winner_fits
    ),
    "replication": DocumentForm(
        TypeAdapter(ReplicationForm), "remove its folder, and the command trains again"
    ),
    "treatment": DocumentForm(
        TypeAdapter(TreatmentForm),
        "remove it, and sweep treat writes it again from its trainings",
        arms_fit,
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
