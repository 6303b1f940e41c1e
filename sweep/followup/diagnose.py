"""The diagnosis of a stored trial: what its end left, what is missing or outdated, and the probes on demand."""

import contextlib
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from sweep.config.errors import StoreError, SweepError, UnknownName
from sweep.config.records import TrialRecord
from sweep.config.registry import nearest
from sweep.config.trial import TrialConfig, config_of
from sweep.diagnosis.finding import findings_to_json
from sweep.diagnosis.probes import PROBES, always_on
from sweep.diagnosis.symptoms import baseline_errors
from sweep.diagnosis.trial_diagnosis import CODES, CannotJudge, Diagnosis, TrialEvidence, diagnosed
from sweep.diagnosis.version import rules_version
from sweep.results.commands import study_command
from sweep.results.prescribed import with_possible_prescriptions
from sweep.results.stored_diagnoses import muted_codes, stored_diagnosis
from sweep.store import StudyFolder
from sweep.study.open_study import require_same_data, require_score_format
from sweep.trial import data_facts, diagnosis_bytes, load_data, probe_trial, setup_facts


def diagnosis_of(
    folder: StudyFolder, number: int, probes: bool, mute: Collection[str] = ()
) -> dict[str, Any]:
    """Return a trial's diagnosis as a JSON document (docs/report.md): what is stored, and what is missing there.

    A stored diagnosis by other rules than this version's is recomputed from the trial's files; with `probes`, so are
    its probes.

    Args:
        folder: of the study.
        number: a settled trial.
        probes: whether to take the probes that are missing; it takes some seconds.
        mute: codes of findings to hide, beside those that the study mutes.

    Raises:
        UnknownName: `mute` has a code that no finding has.
        StudyChanged: the trial's scores are of an older format.
        SweepError: the trial has no rollout, or its files are damaged.
    """
    for code in mute:
        if code not in CODES:
            raise UnknownName(
                f"no finding has the code {code!r}.{nearest(code, CODES)} Known: {', '.join(CODES)}"
            )
    record = folder.record(number)
    if not record.settled or record.state == "failed":
        raise SweepError(f"trial {number} is {record.state}: it has no rollout to diagnose")
    require_score_format(folder)
    study = folder.read_study()
    names = (*PROBES, *plugin_probes(study))
    stored = stored_diagnosis(folder, number)
    outdated = stored is not None and stored.rules != rules_version()
    measured = dict(stored.probes) if stored and not (outdated and probes) else {}
    if probes:
        missing = [PROBES[name] for name in names if name not in measured]
        with folder.using_weights(number) as weights:
            measured |= probe_trial(_config_of(folder, record), weights, missing)
    diagnosis = stored
    if stored is None or outdated or measured != dict(stored.probes):
        new = diagnosed(evidence_of(folder, record, measured))
        diagnosis = new if stored is None or outdated else _completed(stored, new)
    assert diagnosis is not None
    diagnosis = with_possible_prescriptions(diagnosis, record)
    muted = {*muted_codes(study), *mute}
    return {
        "number": number,
        "state": record.state,
        "rollout_error": record.rollout_error,
        "recomputed": outdated,
        "treat": study_command(folder, "treat", number, ...),
        "treatment": folder.treatment_document(number),
        "symptom": {**diagnosis.symptom, "muted": diagnosis.code in muted},
        "findings": findings_to_json(diagnosis.findings, muted),
        "probes": {name: measured[name] for name in names if name in measured},
    }


def recompute_diagnoses(folder: StudyFolder) -> int:
    """Compute and store every diagnosis that is missing or outdated; return how many there were.

    The trials' files and their stored probes are used; where no probes are stored, the cheap ones are taken. A trial
    that cannot be judged keeps what it has.

    Raises:
        StudyChanged: the study's scores are of an older format.
        StoreError: a trial's files are damaged, or the folder cannot be written.
        DataError: the data cannot be read any more.
    """
    require_score_format(folder)
    count = 0
    for record in folder.records():
        if not record.settled or record.state == "failed":
            continue
        try:
            stored = stored_diagnosis(folder, record.number)
        except StoreError:  # a damaged diagnosis counts as missing
            stored = None
        if stored is not None and stored.rules == rules_version():
            continue
        probes: Mapping[str, Mapping[str, Any]] = stored.probes if stored else {}
        if not probes:
            config = _config_of(folder, record)
            taken = always_on(plugin_probes(folder.read_study()))
            with folder.using_weights(record.number) as weights:
                probes = probe_trial(config, weights, taken)
        with contextlib.suppress(CannotJudge):
            diagnosis = diagnosed(evidence_of(folder, record, probes))
            folder.write_files(record.number, {"diagnosis.json": diagnosis_bytes(diagnosis)})
            count += 1
    return count


def plugin_probes(study: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the plug-ins' probes that a study takes.

    Args:
        study: the values of study.toml.
    """
    return tuple((study.get("diagnosis") or {}).get("probes") or ())


def _completed(stored: Diagnosis, new: Diagnosis) -> Diagnosis:
    """Return the stored diagnosis; findings that were not applicable come from the new one, which had more probes."""
    decided = {finding.code: finding for finding in stored.findings if finding.severity != "not applicable"}
    findings = tuple(decided.get(finding.code, finding) for finding in new.findings)
    return replace(stored, findings=findings)


def evidence_of(
    folder: StudyFolder, record: TrialRecord, probes: Mapping[str, Mapping[str, Any]]
) -> TrialEvidence:
    """Return the evidence for a trial's findings, read from its files.

    Raises:
        StoreError: there is no rollout, or a file is damaged.
        DataError: the data cannot be read any more.
        StudyChanged: the data have changed.
    """
    config = _config_of(folder, record)
    curves, facts = folder.curves(record.number), data_facts(config)
    return TrialEvidence(
        config=config,
        rollout=folder.rollout(record.number),
        curves={name: curves[name].to_numpy(dtype=np.float64) for name in curves.columns},
        probes=probes,
        facts=facts,
        setup=setup_facts(config, facts.channels),
        baselines=baseline_errors(folder.baselines()),
        record=replace(record, seconds=0.0, host={}),
    )


def _config_of(folder: StudyFolder, record: TrialRecord) -> TrialConfig:
    """Return the configuration of a trial, whose data are checked: they must be those that it was trained on."""
    config = config_of(record)
    require_same_data(folder, load_data(config.data, config.score).fingerprint)
    return config
