"""Diagnoses as trials have stored them, and which of their findings a study mutes."""

from collections.abc import Mapping, Sequence
from typing import Any

from sweep.config.errors import StoreError
from sweep.config.records import TrialRecord
from sweep.diagnosis.trial_diagnosis import Diagnosis, diagnosis_from_json
from sweep.store.folder import StudyFolder


def stored_diagnosis(folder: StudyFolder, number: int) -> Diagnosis | None:
    """Return what was found at a trial's end, None for trials from before that was done.

    Raises:
        StoreError: it is damaged.
    """
    values = folder.diagnosis(number)
    try:
        return None if values is None else diagnosis_from_json(values)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        path = folder.trial(number) / "diagnosis.json"
        raise StoreError(f"{path} is damaged: {error!r}; without it, sweep diagnose makes one") from error


def readable_diagnoses(folder: StudyFolder, records: Sequence[TrialRecord]) -> dict[int, Diagnosis]:
    """Return the stored diagnoses of settled trials by number; what cannot be read is as good as missing."""
    found = {}
    for record in records:
        try:
            diagnosis = stored_diagnosis(folder, record.number) if record.settled else None
        except StoreError:
            continue
        if diagnosis is not None:
            found[record.number] = diagnosis
    return found


def muted_codes(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the codes that a study's `[diagnosis]` mutes.

    Args:
        document: study.toml.
    """
    return tuple((document.get("diagnosis") or {}).get("mute") or ())
