"""A trial's diagnosis in the terminal."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from sweep.config.text import plural
from sweep.report.terminal.console import print_line
from sweep.report.terminal.study import STYLES
from sweep.report.terminal.trial import FINE
from sweep.results.diagnoses import SHOWN
from sweep.results.wording.diagnosis import (
    DiagnosisLine,
    alternatives_text,
    diagnosis_lines,
    probe_rows,
    symptom_text,
)
from sweep.results.wording.numbers import number_text
from sweep.results.wording.treatment import treatment_short_text


def print_diagnosis(document: Mapping[str, Any], console: Console, everything: bool = False) -> None:
    """Print how a trial's rollout fails in a few lines, and its treatment.

    Args:
        document: from `sweep.api.diagnose`.
        console: where to print; its width is respected.
        everything: whether to print every finding with its numbers, and the measurements of the probes.
    """
    symptom, number = document["symptom"], document["number"]
    error = number_text(document["rollout_error"])
    print_line(console, f"trial {number}: {symptom_text(symptom)}, rollout error {error}", "bold")
    if everything:
        _print_findings(document, console)
        _print_probes(document, console)
    else:
        print_lines(diagnosis_lines(symptom, document["findings"], document["treat"]), console)
        print_line(console, _more_text(document), "dim")
    if document["treatment"] is not None:
        print_line(console, f"Treated: {treatment_short_text(document['treatment'])}")


def print_lines(lines: Sequence[DiagnosisLine], console: Console) -> None:
    """Print a short diagnosis; a command is on one line, so that it can be copied."""
    for line in lines:
        _, style = STYLES.get(line.severity, ("", ""))
        if line.command:
            print_line(console, f"{line.text} {line.command}", style, wrap=False)
        else:
            print_line(console, line.text, style)


def _more_text(document: Mapping[str, Any]) -> str:
    """Return how much more there is to see."""
    counts = Counter(finding["severity"] for finding in document["findings"])
    parts = [f"{counts['ok']} checked and not found", f"{counts['not applicable']} not applicable"]
    parts += [plural(len(document["probes"]), "probe")]
    muted = sorted({finding["code"] for finding in document["findings"] if finding["muted"]})
    parts += [f"muted: {', '.join(muted)}"] if muted else []
    again = "; recomputed, as the stored diagnosis is from another version" if document["recomputed"] else ""
    return f"{', '.join(parts)}{again}. Every number: --all"


def _print_findings(document: Mapping[str, Any], console: Console) -> None:
    """Print every finding with its text and its prescriptions."""
    symptom = document["symptom"]
    findings = [finding for finding in document["findings"] if not finding["muted"]]
    if not symptom["muted"]:
        print_line(console, symptom["text"])
    console.print()
    for finding in findings:
        if finding["severity"] in SHOWN and finding["code"] != symptom["code"]:
            mark, style = STYLES[finding["severity"]]
            print_line(console, f"{mark} {finding['code']} {finding['title']}: {finding['text']}", style)
            for words in alternatives_text(finding["prescriptions"]):
                print_line(console, f"  {document['treat']} {words}", style, wrap=False)
    for severity, words in (("ok", "checked and not found"), ("not applicable", "not applicable here")):
        others = [
            f for f in findings if f["severity"] == severity and f["code"] not in (FINE, symptom["code"])
        ]
        codes = [f"{finding['code']} {finding['title']}" for finding in others]
        if codes:
            mark, style = STYLES[severity]
            print_line(console, f"{mark} {words}: {', '.join(codes)}", style)
    muted = sorted({finding["code"] for finding in document["findings"] if finding["muted"]})
    if document["recomputed"]:
        print_line(console, "Recomputed: the stored diagnosis is from another version", "dim")
    if muted:
        print_line(console, f"muted: {', '.join(muted)}", "dim")


def _print_probes(document: Mapping[str, Any], console: Console) -> None:
    for name, measured in document["probes"].items():
        console.print()
        print_line(console, name, "bold")
        for key, value in probe_rows(measured):
            print_line(console, f"  {key}: {value}", "dim" if key == "not applicable" else "")
