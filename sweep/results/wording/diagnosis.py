"""Diagnoses in short words, the same on the page, in the terminal and in plots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sweep.config.text import assignment_text
from sweep.diagnosis.symptoms import HEALTHY
from sweep.results.wording.numbers import number_text, param_text

MUTED = "muted"
HIDDEN = ("weight", "bias", "by_step")  # of a probe: only in the JSON document


def symptom_text(symptom: Mapping[str, Any] | None, muted: bool = False) -> str:
    """Return a symptom's code and title: `S05 frequency drift`; `muted` if it is muted, `–` for None."""
    if symptom is None:
        return "–"
    return MUTED if muted or symptom.get("muted") else f"{symptom['code']} {symptom['title']}"


def alternatives_text(prescriptions: Sequence[Sequence[Mapping[str, Any]]]) -> list[str]:
    """Return each set of changes as options of `sweep treat`: `--change training.window=256`.

    Args:
        prescriptions: of a finding as JSON values.
    """
    return [changes_text(changes) for changes in prescriptions if changes]


def changes_text(changes: Sequence[Mapping[str, Any]]) -> str:
    """Return changes that are made together as options of `sweep treat`, to be pasted into a shell."""
    return " ".join(f"--change {assignment_text(change['path'], change['value'])}" for change in changes)


def first_try_text(row: Mapping[str, Any]) -> str | None:
    """Return the change to try first against a cause, over all trials that have it; None without a prescription.

    Args:
        row: of `cause_counts`.
    """
    if not row["prescriptions"]:
        return None
    most = row["prescriptions"][0]
    words = changes_text(most["changes"])
    if 2 * most["trials"] >= row["trials"]:
        return f"try {words}"
    return f"the change to try varies by trial; for trial {most['example']}: {words}"


def probe_rows(measured: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the measurements of a probe as names and texts; weights and curves are only in the JSON documents."""
    if "reason" in measured:
        return [("not applicable", str(measured["reason"]))]
    return [(key, _measured_text(value)) for key, value in measured.items() if key not in HIDDEN]


def _measured_text(value: Any) -> str:
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, list):
        return "[" + ", ".join(_measured_text(entry) for entry in value) + "]"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_measured_text(entry)}" for key, entry in value.items())
    return "none" if value is None else str(value)


@dataclass(frozen=True)
class DiagnosisLine:
    """A line of a short diagnosis, and the command that it proposes."""

    text: str
    severity: str = ""  # of the finding
    command: str = ""


def diagnosis_lines(
    symptom: Mapping[str, Any], findings: Sequence[Mapping[str, Any]], treat: str
) -> list[DiagnosisLine]:
    """Return a trial's diagnosis in at most four lines: symptom, surest cause, the change to try, other findings.

    Args:
        symptom: as JSON values, with `muted`.
        findings: as JSON values, with `muted`.
        treat: the command that treats the trial, to which the change is added.
    """
    text = "" if symptom["muted"] else f": {symptom['text']}"
    healthy = symptom["code"] in HEALTHY
    lines = [DiagnosisLine(f"{symptom_text(symptom)}{text}", "ok" if healthy else "issue")]
    found = [
        finding
        for finding in findings
        if finding["severity"] in ("issue", "tip")
        and not finding["muted"]
        and finding["code"] != symptom["code"]
    ]
    found.sort(key=_weight)
    causes = [finding for finding in found if finding["code"].startswith("C")]
    for finding in causes[:1]:
        name = f"{finding['code']} {finding['title']}: {_first_sentence(finding['text'])}"
        lines.append(DiagnosisLine(name, finding["severity"]))
        for changes in finding["prescriptions"][:1]:
            lines.append(DiagnosisLine("Try:", finding["severity"], f"{treat} {changes_text(changes)}"))
    others = [f"{finding['code']} {finding['title']}" for finding in found if finding not in causes[:1]]
    if others:
        lines.append(DiagnosisLine(f"Also found: {', '.join(others)}.", "tip"))
    return lines


def _weight(finding: Mapping[str, Any]) -> tuple[bool, bool, float]:
    """Return the place of a finding: causes first, issues before tips, then the surest."""
    cause = finding["code"].startswith("C")
    return not cause, finding["severity"] != "issue", -(finding.get("confidence") or 0.0)


def _first_sentence(text: str) -> str:
    head, dot, _ = text.partition(". ")
    return f"{head}." if dot else text


def setting_text(path: str, value: Any) -> str:
    """Return the value of a setting in words, by its key path: "sgd lr 0.03" for a component, "default" for None."""
    if value is None:
        return "default"
    if isinstance(value, Mapping):
        name = str(value.get("name", ""))
        rest = [f"{key} {param_text(key, entry)}" for key, entry in value.items() if key != "name"]
        return " ".join([name, *rest])
    return param_text(path, value)
