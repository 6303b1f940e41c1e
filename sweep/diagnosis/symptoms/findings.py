"""Findings of the symptom level: one for every symptom, present or not."""

from typing import Any

from sweep.diagnosis.finding import Finding, Severity
from sweep.diagnosis.symptoms.known_symptoms import HEALTHY, SYMPTOMS
from sweep.diagnosis.symptoms.trial_symptom import TrialSymptom
from sweep.diagnosis.symptoms.wording import detail

COUNTS = 0.1  # share from which a symptom beside the main one is an issue; our choice


def symptom_findings(symptom: TrialSymptom) -> tuple[Finding, ...]:
    """Return one finding per symptom, in the order of the table.

    issue: a failure that is the main symptom or has a share of COUNTS. tip: the limit of the data.
    ok: not seen, or fine. not applicable: this truth cannot show it.
    """
    return tuple(_finding(symptom, code) for code in SYMPTOMS)


def _finding(symptom: TrialSymptom, code: str) -> Finding:
    entry, share = SYMPTOMS[code], symptom.shares.get(code, 0.0)
    evidence: dict[str, Any] = {"share": share}
    if symptom.applicable[code] and not share:
        why = f"Cannot be decided here: {symptom.applicable[code]}."
        return Finding(code, "not applicable", why, evidence, entry.title, confidence=1.0)
    if code != symptom.code:
        found = share >= COUNTS
        severity: Severity = "issue" if found and code not in HEALTHY else "ok"
        text = f"{share:.0%} of starts and channels. {entry.meaning}" if share else "Not found."
        return Finding(code, severity, text, evidence, entry.title, confidence=1 - symptom.confidence / 2)
    severity = "ok" if code == "S01" else "tip" if code in HEALTHY else "issue"
    text = symptom.text if not symptom.mixture else f"{share:.0%} of starts: {detail(code, symptom.numbers)}"
    return Finding(code, severity, text, {**evidence, **symptom.numbers}, entry.title, symptom.confidence)
