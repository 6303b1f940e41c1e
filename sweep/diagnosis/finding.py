"""What all of diagnosis says: findings with their numbers, and the changes of configuration they prescribe."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sweep.config.records import to_json

Severity = Literal["issue", "tip", "ok", "not applicable"]
Evidence = Mapping[str, float | int | str | bool | list[Any] | None]


@dataclass(frozen=True)
class Change:
    """A prescription's single change of configuration."""

    path: str  # key path in TrialConfig, such as "training.optimizer.lr"
    value: Any  # the new value, as JSON knows it


@dataclass(frozen=True)
class Finding:
    """A check's verdict. "not applicable" is one, so that silence is never taken for health.

    issue: it costs rollout error, and something can be done. tip: worth knowing, or beyond the network's
    power. ok: looked for and not found. not applicable: cannot be decided here, and the text says why.
    """

    code: str  # stable: "S03" is a symptom, "C07" a cause
    title: str
    severity: Severity
    text: str  # the verdict with its numbers, one or two sentences
    evidence: Evidence  # plain JSON values; what is not finite is stored as null
    confidence: float  # 0..1 that the verdict is right
    prescriptions: tuple[tuple[Change, ...], ...] = ()  # alternatives, each a set of changes made together

    def __post_init__(self) -> None:
        """Refuse what no reader could show.

        Raises:
            ValueError: an unknown severity, or a confidence outside [0, 1].
        """
        if self.severity not in get_args(Severity):
            raise ValueError(f"severity is one of {', '.join(get_args(Severity))}, got {self.severity!r}")
        if not 0 <= self.confidence <= 1:
            raise ValueError(f"a confidence lies in [0, 1], got {self.confidence}")


def findings_to_json(findings: Iterable[Finding], muted: Collection[str]) -> list[dict[str, Any]]:
    """Return findings as JSON values, each with whether it is `muted`: kept, but not told.

    Args:
        findings: any.
        muted: codes.
    """
    return [{**finding_to_json(finding), "muted": finding.code in muted} for finding in findings]


def finding_to_json(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON values; non-finite numbers become None."""
    values: dict[str, Any] = to_json(finding)
    return values


def finding_from_json(values: Mapping[str, Any]) -> Finding:
    """Return the finding that `finding_to_json` wrote.

    Raises:
        KeyError, TypeError: a field is missing or unknown.
        ValueError: as `Finding`.
    """
    prescriptions = tuple(
        tuple(Change(**change) for change in changes) for changes in values["prescriptions"]
    )
    known = {
        key: value for key, value in values.items() if key != "muted"
    }  # whether it is told, no part of it
    return Finding(**{**known, "prescriptions": prescriptions})
