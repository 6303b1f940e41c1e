"""The stored diagnoses of trials, and the findings that a study mutes."""

from collections.abc import Mapping, Sequence
from typing import Any

from sweep.config.errors import StoreError
from sweep.config.records import TrialRecord
from sweep.diagnosis.trial_diagnosis import Diagnosis, diagnosis_from_json
from sweep.results.prescribed import with_possible_prescriptions
from sweep.store.folder import StudyFolder


def stored_diagnosis(folder: StudyFolder, number: int) -> Diagnosis | None:
    """Return the diagnosis that was stored at a trial's end, None if there is none.

    Raises:
        StoreError: it is damaged.
    """
    values = folder.diagnosis(number)
    try:
        return None if values is None else diagnosis_from_json(values)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        path = folder.trial(number) / "diagnosis.json"
        raise StoreError(
            f"{path} is damaged: {error!r}; remove it, and sweep diagnose computes a new one"
        ) from error


def readable_diagnoses(folder: StudyFolder, records: Sequence[TrialRecord]) -> dict[int, Diagnosis]:
    """Return the stored diagnoses of settled trials by number, without prescriptions that cannot be tried.

    One that cannot be read counts as missing.
    """
    diagnoses = {}
    for record in records:
        try:
            diagnosis = stored_diagnosis(folder, record.number) if record.settled else None
        except StoreError:
            continue
        if diagnosis is not None:
            diagnoses[record.number] = with_possible_prescriptions(diagnosis, record)
    return diagnoses


def muted_codes(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the codes that a study's `[diagnosis]` mutes.

    Args:
        document: study.toml.
    """
    return tuple((document.get("diagnosis") or {}).get("mute") or ())
