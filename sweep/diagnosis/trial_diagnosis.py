"""The diagnosis of a trial: a pure function of its evidence, computed when the trial ends or later from its files.

A new level of diagnosis adds its codes to CODES and its findings in `diagnosed`; everything else reads these.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sweep.config.errors import SweepError
from sweep.config.records import TrialRecord, to_json
from sweep.config.trial import TrialConfig
from sweep.data.types import Array
from sweep.diagnosis.causes import CAUSES, Case, SetupFacts, cause_findings
from sweep.diagnosis.facts import DataFacts
from sweep.diagnosis.finding import Finding, finding_from_json, finding_to_json
from sweep.diagnosis.symptoms import (
    HEALTHY,
    SYMPTOMS,
    Baselines,
    TrialSymptom,
    stored_evidence,
    symptom_findings,
    symptom_of_trial,
)
from sweep.diagnosis.version import rules_version

CODES: tuple[str, ...] = (*SYMPTOMS, *CAUSES)  # of all findings of trials


class CannotJudge(SweepError):
    """The rollout cannot be judged, for example because its data exceed the range of the stored precision."""


@dataclass(frozen=True)
class TrialEvidence:
    """The evidence for findings: plain values and arrays, the same in memory and read from files."""

    config: TrialConfig
    rollout: Mapping[str, Array]  # arrays of rollout.npz
    curves: Mapping[str, Array] = field(default_factory=dict)  # columns of curves.csv
    probes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # JSON values by name
    facts: DataFacts | None = None  # causes need them, the setup and the record
    setup: SetupFacts | None = None
    baselines: Baselines = field(default_factory=dict)
    record: TrialRecord | None = None  # without seconds and host; None if only a checkpoint is known


@dataclass(frozen=True)
class Diagnosis:
    """The diagnosis of a trial: its findings, and JSON values."""

    symptom: Mapping[str, Any]  # code, title, text, mixture, shares, numbers, confidence
    findings: tuple[Finding, ...]
    probes: Mapping[str, Mapping[str, Any]]  # numbers by name of the probe, or only `reason`
    rules: str = ""  # `rules_version` of the rules that it was made by; empty: unknown

    @property
    def code(self) -> str:
        """Return the main symptom's code."""
        return str(self.symptom["code"])


def diagnosed(evidence: TrialEvidence) -> Diagnosis:
    """Return the diagnosis of a trial.

    Raises:
        CannotJudge: the arrays of the rollout are incomplete or not finite.
    """
    try:
        rollout = stored_evidence(
            evidence.rollout,
            period=evidence.facts.period if evidence.facts else None,
            lyapunov_time=evidence.facts.lyapunov_time if evidence.facts else None,
            baselines=evidence.baselines,
            objective=evidence.config.score.objective,
        )
    except (KeyError, ValueError) as error:
        raise CannotJudge(f"the rollout cannot be judged: {error}") from error
    symptom = symptom_of_trial(rollout)
    findings = (*symptom_findings(symptom), *_causes(evidence, symptom))
    return Diagnosis(symptom_to_json(symptom), findings, evidence.probes, rules_version())


def _causes(evidence: TrialEvidence, symptom: TrialSymptom) -> tuple[Finding, ...]:
    if evidence.record is None or evidence.facts is None or evidence.setup is None:
        return ()
    case = Case(
        evidence.config,
        evidence.record,
        evidence.curves,
        evidence.probes,
        evidence.facts,
        evidence.setup,
        evidence.rollout["truth"].shape[1],
    )
    excuse = symptom.hopeless
    if not excuse and symptom.code == "S12" and evidence.facts.lyapunov_time is None:
        excuse = f"the forecast is as good as the data are known to allow ({symptom.numbers['limit']})"
    return cause_findings(case, symptom.code not in HEALTHY, excuse)


def symptom_to_json(symptom: TrialSymptom) -> dict[str, Any]:
    """Return a trial's symptom as JSON values; non-finite numbers become None."""
    values: dict[str, Any] = to_json(
        {
            "code": symptom.code,
            "title": symptom.title,
            "text": symptom.text,
            "mixture": symptom.mixture,
            "shares": symptom.shares,
            "numbers": symptom.numbers,
            "confidence": symptom.confidence,
        }
    )
    return values


SYMPTOM_KEYS = {
    "code": str,
    "title": str,
    "text": str,
    "mixture": bool,
    "shares": dict,
    "numbers": dict,
    "confidence": int | float,
}


def diagnosis_to_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return diagnosis.json: `rules`, `symptom`, `findings`, `probes`."""
    return {
        "rules": diagnosis.rules,
        "symptom": dict(diagnosis.symptom),
        "findings": [finding_to_json(finding) for finding in diagnosis.findings],
        "probes": {name: dict(numbers) for name, numbers in diagnosis.probes.items()},
    }


def diagnosis_from_json(values: Mapping[str, Any]) -> Diagnosis:
    """Return the diagnosis that `diagnosis_to_json` wrote.

    Raises:
        KeyError, TypeError: a field is missing or unknown.
        ValueError: a value is of the wrong kind.
    """
    symptom, probes = values["symptom"], values["probes"]
    for key, kind in SYMPTOM_KEYS.items():
        if not isinstance(symptom[key], kind):
            raise ValueError(f"symptom.{key} is {symptom[key]!r}")
    if not all(isinstance(numbers, Mapping) for numbers in probes.values()):
        raise ValueError("probes are objects by name")
    findings = tuple(finding_from_json(finding) for finding in values["findings"])
    return Diagnosis(symptom, findings, probes, str(values["rules"]))
