"""Symptoms: how a rollout fails, found from the rollout alone, each with a name and its numbers.

No torch and no files: `symptom_of_trial` is a pure function of a `RolloutEvidence`.
"""

from sweep.diagnosis.symptoms.evidence import Baselines, RolloutEvidence, baseline_errors, stored_evidence
from sweep.diagnosis.symptoms.findings import symptom_findings
from sweep.diagnosis.symptoms.known_symptoms import HEALTHY, SYMPTOMS, Symptom
from sweep.diagnosis.symptoms.trial_symptom import TrialSymptom, symptom_of_trial

__all__ = [
    "HEALTHY",
    "SYMPTOMS",
    "Baselines",
    "RolloutEvidence",
    "Symptom",
    "TrialSymptom",
    "baseline_errors",
    "stored_evidence",
    "symptom_findings",
    "symptom_of_trial",
]
