"""Which prescriptions of a trial's findings can be tried: `sweep treat` refuses all others, so no report shows them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from sweep.config.changes import changed
from sweep.config.errors import SweepError
from sweep.config.known_names import KnownNames
from sweep.config.records import TrialRecord
from sweep.config.trial import TrialConfig, trial_config_from_json
from sweep.diagnosis.finding import Change
from sweep.diagnosis.trial_diagnosis import Diagnosis

SCORE_KEYS = ("horizon",)  # another value gives another task, and rollout errors are no longer comparable
DATA_KEYS = ("source", "options", "path", "target", "id_column", "time_column", "split")


class CannotTry(SweepError):
    """A change is valid and cannot be tried: it changes nothing, or it changes the task."""


def prescribed_config(
    base: TrialConfig, changes: Iterable[Change], known: KnownNames | None = None
) -> TrialConfig:
    """Return the configuration that changes give for a trial.

    Args:
        base: the trial's own configuration.
        changes: made together.
        known: the names that it may use; None: names are not checked.

    Raises:
        StudyFileError: a change is invalid.
        CannotTry: the text says why.
    """
    config = changed(base, {change.path: change.value for change in changes}, known)
    if config.key == base.key:
        raise CannotTry("it changes nothing: the trial has these settings already")
    other = [key for key in SCORE_KEYS if getattr(config.score, key) != getattr(base.score, key)]
    other += [key for key in DATA_KEYS if getattr(config.data, key) != getattr(base.data, key)]
    if other:
        raise CannotTry(f"it changes the task ({', '.join(other)}), so errors are not comparable")
    return config


def with_possible_prescriptions(diagnosis: Diagnosis, record: TrialRecord) -> Diagnosis:
    """Return the diagnosis of a trial without the prescriptions that cannot be tried on it.

    Names are not checked: sweep's own prescriptions name only sweep's own components.
    """
    if not any(finding.prescriptions for finding in diagnosis.findings):
        return diagnosis
    base = _config(record.config)
    if base is None:
        return diagnosis
    findings = tuple(
        replace(finding, prescriptions=_possible(base, finding.prescriptions))
        if finding.prescriptions
        else finding
        for finding in diagnosis.findings
    )
    return replace(diagnosis, findings=findings)


def _config(values: Mapping[str, Any]) -> TrialConfig | None:
    """Return a stored configuration; None for one that this version cannot read."""
    try:
        return trial_config_from_json(values)
    except (SweepError, ValidationError):
        return None


def _possible(
    base: TrialConfig, prescriptions: Sequence[tuple[Change, ...]]
) -> tuple[tuple[Change, ...], ...]:
    kept = []
    for changes in prescriptions:
        try:
            prescribed_config(base, changes)
        except SweepError:
            continue
        kept.append(changes)
    return tuple(kept)
