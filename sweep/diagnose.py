"""The diagnosis of a stored trial: how its rollout fails, and what the probes of its network measure."""

from typing import Any

from sweep.config.errors import SweepError
from sweep.config.records import TrialRecord, to_json
from sweep.config.trial import trial_config_from_json
from sweep.diagnosis.finding import finding_to_json
from sweep.diagnosis.symptoms import TrialSymptom, stored_evidence, symptom_findings, symptom_of_trial
from sweep.store import StudyFolder
from sweep.trial import probe_trial


def diagnosis_of(folder: StudyFolder, number: int, probes: bool) -> dict[str, Any]:
    """Return a trial's diagnosis as a JSON document (docs/report.md); nothing is stored.

    Args:
        folder: of the study.
        number: a settled trial.
        probes: whether the network is probed, too, which takes some seconds.

    Raises:
        SweepError: the trial has left no rollout, or its files are damaged.
    """
    record = folder.record(number)
    symptom = stored_symptom(folder, record)
    return {
        "number": number,
        "state": record.state,
        "rollout_error": record.rollout_error,
        "symptom": {
            "code": symptom.code,
            "title": symptom.title,
            "text": symptom.text,
            "mixture": symptom.mixture,
            "shares": dict(symptom.shares),
            "numbers": to_json(symptom.numbers),
            "confidence": symptom.confidence,
        },
        "findings": [finding_to_json(finding) for finding in symptom_findings(symptom)],
        "probes": to_json(_probes(folder, record)) if probes else {},
    }


def stored_symptom(folder: StudyFolder, record: TrialRecord) -> TrialSymptom:
    """Return how a stored trial's rollout fails.

    Raises:
        SweepError: it has left no rollout, or the file is damaged.
    """
    if not record.settled or record.state == "failed":
        raise SweepError(f"trial {record.number} is {record.state}: it has left no rollout to diagnose")
    facts = folder.read_study().get("record", {})
    stored = (folder.read_document("baselines") or {}).get("baselines", {})
    errors = {
        name: tuple(1.0 if error is None else float(error) for error in entry["prefix_errors"])
        for name, entry in stored.items()
        if "prefix_errors" in entry
    }
    return symptom_of_trial(
        stored_evidence(
            folder.rollout(record.number),
            period=facts.get("period"),
            lyapunov_time=facts.get("lyapunov_time"),
            baselines=errors,
        )
    )


def _probes(folder: StudyFolder, record: TrialRecord) -> dict[str, dict[str, Any]]:
    return probe_trial(trial_config_from_json(record.config), folder.weights(record.number))
