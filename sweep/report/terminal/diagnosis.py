"""A trial's diagnosis in the terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from sweep.report.terminal.console import print_line
from sweep.report.terminal.study import STYLES
from sweep.report.terminal.trial import FINE
from sweep.results.diagnoses import SHOWN
from sweep.results.wording.diagnosis import alternatives_text, symptom_text
from sweep.results.wording.numbers import number_text

HIDDEN = ("reason", "weight", "bias", "by_step")  # of a probe: only in the JSON document


def print_diagnosis(document: Mapping[str, Any], console: Console) -> None:
    """Print how a trial's rollout fails, the other findings, and the measurements of the probes.

    Args:
        document: from `sweep.api.diagnose`.
        console: where to print; its width is respected.
    """
    symptom = document["symptom"]
    findings = [finding for finding in document["findings"] if not finding["muted"]]
    print_line(
        console,
        f"trial {document['number']}: {symptom_text(symptom)}, "
        f"rollout error {number_text(document['rollout_error'])}",
        "bold",
    )
    if not symptom["muted"]:
        print_line(console, symptom["text"])
    console.print()
    for finding in findings:
        if finding["severity"] in SHOWN and finding["code"] != symptom["code"]:
            mark, style = STYLES[finding["severity"]]
            print_line(console, f"{mark} {finding['code']} {finding['title']}: {finding['text']}", style)
            for words in alternatives_text(finding["prescriptions"]):
                print_line(console, f"  try {words}", style)
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
    for name, measured in document["probes"].items():
        console.print()
        print_line(console, name, "bold")
        if "reason" in measured:
            print_line(console, f"  not applicable: {measured['reason']}", "dim")
            continue
        for key, value in measured.items():
            if key not in HIDDEN:
                print_line(console, f"  {key}: {_value(value)}")


def _value(value: Any) -> str:
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, list):
        return "[" + ", ".join(_value(entry) for entry in value) + "]"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_value(entry)}" for key, entry in value.items())
    return "none" if value is None else str(value)
