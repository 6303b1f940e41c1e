"""The type of every finding, of a trial or of a study, the changes that it prescribes, and their JSON."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from sweep.config.records import to_json

Severity = Literal["issue", "tip", "ok", "not applicable"]
Evidence = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """A prescription's single change of configuration."""

    path: str  # key path in TrialConfig, such as "training.optimizer.lr"
    value: Any  # the new value, as a JSON value


@dataclass(frozen=True)
class Finding:
    """The result of one check, of a trial or of a study.

    issue: the check found a problem that costs rollout error and that can be treated. tip: worth knowing, or beyond
    the network's power. ok: the check found nothing. not applicable: the check cannot decide here, and the text says
    why, so that silence never looks like health.
    """

    code: str  # stable: "S03" is a symptom, "C07" a cause, "near_bound" a check of a study
    severity: Severity
    text: str  # the result with its numbers, one or two sentences
    evidence: Evidence = field(
        default_factory=dict
    )  # plain JSON values; non-finite numbers are stored as null
    title: str = ""
    confidence: float | None = None  # 0..1 that the result is right; None: the check gives none
    prescriptions: tuple[tuple[Change, ...], ...] = ()  # alternatives, each a set of changes made together

    def __post_init__(self) -> None:
        """Check the severity and the confidence.

        Raises:
            ValueError: the severity is unknown, or the confidence lies outside [0, 1].
        """
        if self.severity not in get_args(Severity):
            raise ValueError(
                f"severity must be one of {', '.join(get_args(Severity))}, got {self.severity!r}"
            )
        if self.confidence is not None and not 0 <= self.confidence <= 1:
            raise ValueError(f"confidence must lie in [0, 1], got {self.confidence}")


def findings_to_json(findings: Iterable[Finding], muted: Collection[str]) -> list[dict[str, Any]]:
    """Return findings as JSON values, each with `muted`: whether its code is muted and it is not to be shown."""
    return [{**finding_to_json(finding), "muted": finding.code in muted} for finding in findings]


def finding_to_json(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON values; non-finite numbers become None."""
    values: dict[str, Any] = to_json(finding)
    return values


def finding_from_json(values: Mapping[str, Any]) -> Finding:
    """Return the finding that `finding_to_json` or `findings_to_json` wrote.

    Raises:
        KeyError, TypeError: a field is missing or unknown.
        ValueError: as `Finding`.
    """
    prescriptions = tuple(
        tuple(Change(**change) for change in changes) for changes in values["prescriptions"]
    )
    fields = {key: value for key, value in values.items() if key != "muted"}
    return Finding(**{**fields, "prescriptions": prescriptions})
