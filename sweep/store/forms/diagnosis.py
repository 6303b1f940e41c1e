"""The form of diagnosis.json: the symptom, and the findings with their prescriptions."""

from typing import Any, Literal

from typing_extensions import TypedDict

from sweep.store.forms.json_form import OPEN, Settings, Share, Text

Severity = Literal["issue", "tip", "ok", "not applicable"]


class ChangeForm(TypedDict):
    """A change of a prescription."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    path: Text
    value: Any


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
