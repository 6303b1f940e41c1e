"""The diagnosis of a stored trial: what was found at its end, and what is asked for beside it."""

import contextlib
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from sweep.config.errors import StoreError, SweepError, UnknownName
from sweep.config.records import TrialRecord
from sweep.config.registry import nearest
from sweep.config.trial import trial_config_from_json
from sweep.diagnosis.finding import findings_to_json
from sweep.diagnosis.probes import PROBES, always_on
from sweep.diagnosis.symptoms import baseline_errors
from sweep.diagnosis.trial_diagnosis import CODES, CannotJudge, Diagnosis, TrialEvidence, diagnosed
from sweep.diagnosis.version import rules_version
from sweep.results.stored_diagnoses import muted_codes, stored_diagnosis
from sweep.store import StudyFolder
from sweep.trial import data_facts, diagnosis_bytes, probe_trial, setup_facts


def diagnosis_of(
    folder: StudyFolder, number: int, probes: bool, mute: Collection[str] = ()
) -> dict[str, Any]:
    """Return a trial's diagnosis as a JSON document (docs/report.md): stored parts as they are, others made now.

    What was stored by other rules than today's is made again, from the trial's files; with `probes`, so are the probes.

    Args:
        folder: of the study.
        number: a settled trial.
        probes: whether the network is probed where that has not been done, which takes some seconds.
        mute: codes of findings that are not to be told, beside those that the study mutes.

    Raises:
        UnknownName: a code to mute that there is not.
        SweepError: the trial has left no rollout, or its files are damaged.
    """
    for code in mute:
        if code not in CODES:
            raise UnknownName(
                f"no finding has the code {code!r}.{nearest(code, CODES)} Known: {', '.join(CODES)}"
            )
    record = folder.record(number)
    if not record.settled or record.state == "failed":
        raise SweepError(f"trial {number} is {record.state}: it has left no rollout to diagnose")
    stored = stored_diagnosis(folder, number)
    again = stored is not None and stored.rules != rules_version()
    measured = dict(stored.probes) if stored and not (again and probes) else {}
    if probes:
        missing = [probe for name, probe in PROBES.items() if name not in measured]
        weights = folder.weights(number)
        measured |= probe_trial(trial_config_from_json(record.config), weights, missing)
    found = stored
    if stored is None or again or measured != dict(stored.probes):
        found = _completed(None if again else stored, diagnosed(stored_evidence_of(folder, record, measured)))
    assert found is not None
    muted = {*muted_codes(folder.read_study()), *mute}
    return {
        "number": number,
        "state": record.state,
        "rollout_error": record.rollout_error,
        "made_again": again,
        "symptom": {**found.symptom, "muted": found.code in muted},
        "findings": findings_to_json(found.findings, muted),
        "probes": {name: measured[name] for name in PROBES if name in measured},
    }


def diagnose_again(folder: StudyFolder) -> int:
    """Make and store anew every diagnosis that there is not, or that was made by other rules; return how many.

    From the trials' files and the probes that are stored with them; where there are none, the cheap ones are taken.
    What cannot be judged is left as it is.

    Raises:
        StoreError: a trial's files are damaged, or the folder cannot be written.
        DataError: the data are not there any more.
    """
    made = 0
    for record in folder.records():
        if not record.settled or record.state == "failed":
            continue
        try:
            stored = stored_diagnosis(folder, record.number)
        except StoreError:  # a damaged one is as good as none
            stored = None
        if stored is not None and stored.rules == rules_version():
            continue
        probes: Mapping[str, Mapping[str, Any]] = stored.probes if stored else {}
        if not probes:
            config = trial_config_from_json(record.config)
            probes = probe_trial(config, folder.weights(record.number), always_on())
        with contextlib.suppress(CannotJudge):
            found = diagnosed(stored_evidence_of(folder, record, probes))
            folder.write_files(record.number, {"diagnosis.json": diagnosis_bytes(found)})
            made += 1
    return made


def _completed(stored: Diagnosis | None, made: Diagnosis) -> Diagnosis:
    """Return what is stored, with what more probes can decide that was not applicable at the trial's end."""
    if stored is None:
        return made
    decided = {one.code: one for one in stored.findings if one.severity != "not applicable"}
    findings = tuple(decided.get(one.code, one) for one in made.findings)
    return replace(stored, findings=findings)


def stored_evidence_of(
    folder: StudyFolder, record: TrialRecord, probes: Mapping[str, Mapping[str, Any]]
) -> TrialEvidence:
    """Return what a trial's findings are drawn from, read from its files.

    Raises:
        StoreError: there is no rollout, or a file is damaged.
        DataError: the data are not there any more.
    """
    config = trial_config_from_json(record.config)
    baselines = folder.baselines()
    curves, facts = folder.curves(record.number), data_facts(config)
    return TrialEvidence(
        config=config,
        rollout=folder.rollout(record.number),
        curves={name: curves[name].to_numpy(dtype=np.float64) for name in curves.columns},
        probes=probes,
        facts=facts,
        setup=setup_facts(config, facts.channels),
        baselines=baseline_errors(baselines),
        record=replace(record, seconds=0.0, host={}),
    )
