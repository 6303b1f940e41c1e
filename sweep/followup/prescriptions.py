"""Prescriptions: the changes that a trial's findings prescribe, and the configurations that they give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sweep.config.changes import config_differences
from sweep.config.errors import DataError, StudyFileError, SweepError, UnknownName
from sweep.config.known_names import KnownNames
from sweep.config.records import TrialRecord
from sweep.config.trial import TrialConfig
from sweep.data import Data, load
from sweep.diagnosis.finding import Change, Finding, finding_from_json
from sweep.followup.diagnose import diagnosis_of
from sweep.results.prescribed import CannotTry, prescribed_config
from sweep.results.wording.diagnosis import changes_text
from sweep.store import StudyFolder

FINDINGS_TRIED = (
    2  # by default, the most confident ones: each further one is another chance of a lucky result
)
CAUSE = "C"  # first letter of a cause's code
PRESENT = ("issue", "tip")  # severities of findings that were found


@dataclass(frozen=True)
class Prescription:
    """Changes to try together: an alternative of a finding, or the user's own."""

    number: int | None  # for `--prescription`, from 1; None: the user's own
    code: str | None  # of the finding
    title: str
    confidence: float | None
    changes: tuple[Change, ...]

    @property
    def name(self) -> str:
        """Return its name in messages."""
        return "own change" if self.number is None else f"prescription {self.number}"


@dataclass(frozen=True)
class Applied:
    """The configuration that a prescription gives for a trial, or why it cannot be tried."""

    prescription: Prescription
    config: TrialConfig | None
    reason: str | None = None
    differences: tuple[Mapping[str, Any], ...] = ()  # `path`, `was`, `value`
    same_starts: bool = True  # whether it is scored on the same rollouts as the trial


def prescribing_findings(folder: StudyFolder, record: TrialRecord) -> tuple[Finding, ...]:
    """Return the findings of a trial that prescribe a change: issues before tips, the most confident first.

    They include causes that prescribe no change because only other data help.

    Raises:
        SweepError: the trial has no rollout, or its files are damaged.
    """
    present = [
        finding_from_json(entry)
        for entry in diagnosis_of(folder, record.number, probes=False)["findings"]
        if entry["severity"] in PRESENT and not entry.get("muted")
    ]
    kept = [finding for finding in present if finding.prescriptions or finding.code.startswith(CAUSE)]
    return tuple(
        sorted(kept, key=lambda finding: (PRESENT.index(finding.severity), -(finding.confidence or 0.0)))
    )


def numbered_prescriptions(findings: Sequence[Finding]) -> tuple[Prescription, ...]:
    """Return every alternative of every finding, numbered in the order of the findings."""
    pairs = [(finding, changes) for finding in findings for changes in finding.prescriptions]
    return tuple(
        Prescription(number, finding.code, finding.title, finding.confidence or 0.0, changes)
        for number, (finding, changes) in enumerate(pairs, start=1)
    )


def own_prescription(changes: Mapping[str, Any]) -> Prescription:
    """Return the user's own changes, by key path, as one prescription."""
    return Prescription(
        None, None, "own change", None, tuple(Change(path, value) for path, value in changes.items())
    )


@dataclass(frozen=True)
class PrescriptionChoice:
    """The prescriptions to try on a trial, and those that they were chosen from."""

    chosen: tuple[Prescription, ...]  # in the order in which they are tried
    offered: tuple[Prescription, ...] = ()  # every prescription of the findings
    findings: tuple[Finding, ...] = ()


def choose_prescriptions(
    folder: StudyFolder, record: TrialRecord, numbers: Sequence[int], changes: Mapping[str, Any]
) -> PrescriptionChoice:
    """Return the prescriptions to try: the user's own changes, prescriptions of the trial's findings, or both.

    Args:
        folder: of the study.
        record: of the trial.
        numbers: of the prescriptions; empty: the first ones, or none if there are changes.
        changes: the user's own by key path, to try together.

    Raises:
        SweepError: the trial cannot be treated, no change is prescribed, or a number is unknown.
    """
    if not record.settled or record.state == "failed":
        raise SweepError(f"trial {record.number} is {record.state}: it has no rollout to improve")
    own = (own_prescription(changes),) if changes else ()
    if own and not numbers:
        return PrescriptionChoice(own)
    findings = prescribing_findings(folder, record)
    offered = numbered_prescriptions(findings)
    if not offered:
        others = ", ".join(f"{finding.code} {finding.title}" for finding in findings)
        but = f"; only other data help against {others}" if others else ""
        raise SweepError(
            f"no finding of trial {record.number} prescribes a change{but}. "
            "Give a change of your own, such as --change training.optimizer.lr=0.001"
        )
    by_number = {prescription.number: prescription for prescription in offered}
    for number in numbers:
        if number not in by_number:
            listed = "\n  ".join(f"{entry.number}: {prescription_text(entry)}" for entry in offered)
            raise SweepError(f"trial {record.number} has no prescription {number}. Choose from:\n  {listed}")
    chosen = [by_number[number] for number in dict.fromkeys(numbers)] or _first_prescriptions(
        findings, offered
    )
    return PrescriptionChoice((*own, *chosen), offered, findings)


def _first_prescriptions(findings: Sequence[Finding], offered: Sequence[Prescription]) -> list[Prescription]:
    """Return the first alternative of each of the first findings that prescribe a change."""
    prescribing = [finding for finding in findings if finding.prescriptions][:FINDINGS_TRIED]
    firsts = [sum(len(f.prescriptions) for f in prescribing[:k]) for k in range(len(prescribing))]
    return [offered[first] for first in firsts]


def prescription_text(prescription: Prescription) -> str:
    """Return a prescription on one line: "C01 learning rate too high: --change training.optimizer.lr=0.003"."""
    changes = changes_text([vars(change) for change in prescription.changes])
    return changes if prescription.code is None else f"{prescription.code} {prescription.title}: {changes}"


def applied(
    base: TrialConfig, data: Data, prescriptions: Sequence[Prescription], known_names: KnownNames
) -> tuple[Applied, ...]:
    """Return the configuration of each prescription, or why it cannot be tried.

    Args:
        base: the trial's own configuration.
        data: of its training and scores.
        prescriptions: in the order in which they are tried; of equal configurations only the first is tried.
        known_names: the names that a configuration may use.

    Raises:
        StudyFileError: the user's own change is invalid.
    """
    results: list[Applied] = []
    for prescription in prescriptions:
        result = _applied(base, data, prescription, known_names)
        twin = next(
            (a for a in results if a.config and result.config and a.config.key == result.config.key), None
        )
        if twin is not None:
            result = Applied(prescription, None, f"it is the same configuration as {twin.prescription.name}")
        results.append(result)
    return tuple(results)


def _applied(base: TrialConfig, data: Data, prescription: Prescription, known_names: KnownNames) -> Applied:
    try:
        config = prescribed_config(base, prescription.changes, known_names)
    except StudyFileError as error:
        if prescription.number is None:
            raise  # the user's own mistake
        return Applied(prescription, None, f"it is not applicable: {'; '.join(error.problems)}")
    except CannotTry as error:
        return Applied(prescription, None, str(error))
    same = True
    if (config.data, config.score) != (base.data, base.score):
        try:
            same = _same_starts(data, load(config.data, config.score))
        except (DataError, UnknownName) as error:
            return Applied(prescription, None, f"it is not applicable: {error}")
    return Applied(prescription, config, None, tuple(config_differences(base, config)), same)


def _same_starts(one: Data, other: Data) -> bool:
    """Return whether validation has the same truths to forecast and the same scales of errors."""
    return np.array_equal(one.validation.truth, other.validation.truth) and np.array_equal(
        one.validation.scale, other.validation.scale
    )
