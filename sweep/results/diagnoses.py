"""The diagnoses of a study's trials, counted over all trials and by choice."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sweep.config.ranges import Choice
from sweep.config.records import TrialRecord
from sweep.config.space import Axis
from sweep.diagnosis.finding import Finding, findings_to_json
from sweep.diagnosis.symptoms import SYMPTOMS
from sweep.diagnosis.trial_diagnosis import Diagnosis
from sweep.diagnosis.version import rules_version
from sweep.results.effects import groups_of, is_late

SHOWN = ("issue", "tip")  # severities of the findings that the report shows


@dataclass(frozen=True)
class Judged:
    """The diagnosed trials, and the tables by which they are counted."""

    diagnoses: Mapping[int, Diagnosis]
    records: Sequence[TrialRecord]
    trials: pd.DataFrame  # from `trials_frame`
    axes: Mapping[str, Axis]
    muted: Collection[str]


def diagnoses_section(judged: Judged) -> dict[str, Any]:
    """Return `diagnoses` of the report's document: counts, shares by choice, causes, and the findings of each trial."""
    scored = [record for record in judged.records if record.settled and record.state != "failed"]
    return {
        "judged": len(judged.diagnoses),
        "not_judged": sum(record.number not in judged.diagnoses for record in scored),
        "other_rules": sum(diagnosis.rules != rules_version() for diagnosis in judged.diagnoses.values()),
        "muted": list(judged.muted),
        "symptoms": symptom_counts(judged),
        "choices": choice_shares(judged),
        "causes": cause_counts(judged),
        "trials": [
            trial_diagnosis(number, diagnosis, judged.muted)
            for number, diagnosis in sorted(judged.diagnoses.items())
        ],
    }


def trial_diagnosis(number: int, diagnosis: Diagnosis, muted: Collection[str]) -> dict[str, Any]:
    """Return one trial's diagnosis as the report holds it: its symptom, and its issues and tips.

    Causes come before symptoms. Evidence and probes are only in diagnosis.json.
    """
    shown = [finding for finding in diagnosis.findings if finding.severity in SHOWN]
    shown.sort(key=lambda finding: not is_cause(finding.code))
    kept = ("code", "title", "text", "mixture", "confidence")
    return {
        "number": number,
        "symptom": {**{key: diagnosis.symptom[key] for key in kept}, "muted": diagnosis.code in muted},
        "findings": [
            {key: value for key, value in finding.items() if key != "evidence"}
            for finding in findings_to_json(shown, muted)
        ],
    }


def is_cause(code: str) -> bool:
    """Return whether a finding is a cause: why a rollout fails, not how."""
    return code.startswith("C")


def mendable_causes(findings: Iterable[Finding], muted: Collection[str] = ()) -> list[Finding]:
    """Return the causes that were found and that prescribe a change, issues before tips, the surest first."""
    causes = [
        finding
        for finding in findings
        if finding.severity in SHOWN
        and is_cause(finding.code)
        and finding.prescriptions
        and finding.code not in muted
    ]
    return sorted(causes, key=lambda one: (SHOWN.index(one.severity), -(one.confidence or 0.0)))


def symptom_counts(judged: Judged) -> list[dict[str, Any]]:
    """Return a row per symptom that some trial has, the most frequent first.

    A trial counts once, with its main symptom. `by_state` counts the trials that trained to the end, were pruned or
    diverged; `best` is the number of the trial with the lowest rollout error among them.
    """
    state = {record.number: record.state for record in judged.records}
    error = {record.number: record.rollout_error for record in judged.records}
    rows = []
    for code, count in _by_frequency(judged.diagnoses.values()):
        numbers = [number for number, diagnosis in judged.diagnoses.items() if diagnosis.code == code]
        states = Counter(state[number] for number in numbers)
        rows.append(
            {
                "code": code,
                "title": title_of_code(code, judged),
                "trials": count,
                "share": count / len(judged.diagnoses),
                "by_state": {name: states[name] for name in ("complete", "pruned", "diverged")},
                "best": min(numbers, key=lambda n: (1.0 if error[n] is None else error[n], n)),
                "muted": code in judged.muted,
            }
        )
    return rows


def choice_shares(judged: Judged) -> list[dict[str, Any]]:
    """Return the share of trials with each symptom, for each value of each choice.

    Columns: param, value (as text), order, basis, trials, shares by code, the most frequent first. A pruned
    trial counts with the symptom at the moment when it was stopped. A scheduler spans the whole budget, so for it and
    for its own hyperparameters only trials that trained to the end count: basis "end", else "all".
    """
    state = {record.number: record.state for record in judged.records}
    rows = []
    for name in judged.trials.attrs["params"]:
        axis = judged.axes.get(name)
        if axis is not None and not isinstance(axis.span, Choice):
            continue
        late = is_late(name, axis)
        for order, (text, numbers) in enumerate(groups_of(judged.trials, name, axis)):
            counted = [n for n in numbers if n in judged.diagnoses and (not late or state[n] == "complete")]
            if not counted:
                continue
            shares = _by_frequency([judged.diagnoses[number] for number in counted])
            rows.append(
                {
                    "param": name,
                    "value": text,
                    "order": order,
                    "basis": "end" if late else "all",
                    "trials": len(counted),
                    "shares": {code: count / len(counted) for code, count in shares},
                }
            )
    return rows


def cause_counts(judged: Judged) -> list[dict[str, Any]]:
    """Return a row per cause that was found in some trial, the most frequent first.

    `prescriptions` are the different sets of changes to try first: for how many `trials`, the most frequent first, and
    one of these trials as `example`.
    """
    by_code: dict[str, list[tuple[int, Finding]]] = {}
    for number, diagnosis in sorted(judged.diagnoses.items()):
        for finding in diagnosis.findings:
            if is_cause(finding.code) and finding.severity in SHOWN:
                by_code.setdefault(finding.code, []).append((number, finding))
    rows = []
    for code, cases in sorted(by_code.items(), key=lambda item: (-len(item[1]), item[0])):
        counts: Counter[tuple[tuple[str, str], ...]] = Counter()
        changes: dict[tuple[tuple[str, str], ...], list[dict[str, Any]]] = {}
        examples: dict[tuple[tuple[str, str], ...], int] = {}
        for number, finding in cases:
            for first in finding.prescriptions[:1]:
                key = tuple((change.path, repr(change.value)) for change in first)
                counts[key] += 1
                changes[key] = [{"path": change.path, "value": change.value} for change in first]
                examples.setdefault(key, number)
        rows.append(
            {
                "code": code,
                "title": cases[0][1].title,
                "trials": len(cases),
                "share": len(cases) / len(judged.diagnoses),
                "numbers": [number for number, _ in cases],
                "prescriptions": [
                    {"changes": changes[key], "trials": count, "example": examples[key]}
                    for key, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
                ],
                "muted": code in judged.muted,
            }
        )
    return rows


def title_of_code(code: str, judged: Judged) -> str:
    """Return a symptom's title; for an unknown code the title in the first diagnosis that has it."""
    if code in SYMPTOMS:
        return SYMPTOMS[code].title
    return next(str(d.symptom["title"]) for d in judged.diagnoses.values() if d.code == code)


def _by_frequency(diagnoses: Collection[Diagnosis]) -> list[tuple[str, int]]:
    counts = Counter(diagnosis.code for diagnosis in diagnoses)
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
