"""What is prescribed for a trial, as configurations that can be trained, or why they cannot be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sweep.config.changes import changed, config_differences
from sweep.config.errors import DataError, StudyFileError, SweepError, UnknownName
from sweep.config.known_names import KnownNames
from sweep.config.records import TrialRecord
from sweep.config.trial import TrialConfig
from sweep.data import Data, load
from sweep.diagnosis.finding import Change, Finding, finding_from_json
from sweep.followup.diagnose import diagnosis_of
from sweep.store import StudyFolder

FINDINGS_TRIED = 2  # by default, the most confident ones; each further one is a further chance to be lucky
CAUSE = "C"  # first letter of a cause's code
PRESENT = ("issue", "tip")  # severities of what was found
SCORE_KEYS = ("horizon",)  # another value makes another task, of which rollout errors are not comparable
DATA_KEYS = ("source", "options", "path", "target", "id_column", "time_column", "split")


@dataclass(frozen=True)
class Advice:
    """One prescription: an alternative of a finding, or a change of the user's own."""

    number: int | None  # as `--prescription` takes it, from 1; None: the user's own
    code: str | None  # of the finding
    title: str
    confidence: float | None
    changes: tuple[Change, ...]

    @property
    def name(self) -> str:
        """Return what messages call it."""
        return "own change" if self.number is None else f"prescription {self.number}"


@dataclass(frozen=True)
class Applied:
    """A prescription's configuration for a trial; None where it cannot be tried, for a reason."""

    advice: Advice
    config: TrialConfig | None
    reason: str | None = None
    differences: tuple[Mapping[str, Any], ...] = ()  # `path`, `was`, `value`
    same_starts: bool = True  # whether the same rollouts are asked of it as of the trial


def prescriptions_of(folder: StudyFolder, record: TrialRecord) -> tuple[Finding, ...]:
    """Return what a trial's diagnosis found that prescribes a change: issues before tips, the most confident first.

    A cause that was found and prescribes nothing, since only other data help, is among them.

    Raises:
        SweepError: the trial has left no rollout, or its files are damaged.
    """
    found = [
        finding_from_json(entry)
        for entry in diagnosis_of(folder, record.number, probes=False)["findings"]
        if entry["severity"] in PRESENT and not entry.get("muted")
    ]
    kept = [finding for finding in found if finding.prescriptions or finding.code.startswith(CAUSE)]
    return tuple(
        sorted(kept, key=lambda finding: (PRESENT.index(finding.severity), -(finding.confidence or 0.0)))
    )


def advice_of(findings: Sequence[Finding]) -> tuple[Advice, ...]:
    """Return every alternative of every finding, numbered in the order of the findings."""
    pairs = [(finding, changes) for finding in findings for changes in finding.prescriptions]
    return tuple(
        Advice(number, finding.code, finding.title, finding.confidence or 0.0, changes)
        for number, (finding, changes) in enumerate(pairs, start=1)
    )


def own_advice(changes: Mapping[str, Any]) -> Advice:
    """Return the user's own changes as one prescription."""
    return Advice(None, None, "own change", None, tuple(Change(path, v) for path, v in changes.items()))


@dataclass(frozen=True)
class Wanted:
    """What is to be tried on a trial, and what it was chosen from."""

    advice: tuple[Advice, ...]  # in order
    offered: tuple[Advice, ...] = ()  # every prescription of the findings
    findings: tuple[Finding, ...] = ()


def wanted_advice(
    folder: StudyFolder, record: TrialRecord, numbers: Sequence[int], changes: Mapping[str, Any]
) -> Wanted:
    """Return what is to be tried: the user's own changes, or what the trial's findings prescribe, or both.

    Args:
        folder: of the study.
        record: of the trial.
        numbers: of the prescriptions that are asked for; empty: the first ones, unless there are changes.
        changes: the user's own by key path, made together.

    Raises:
        SweepError: the trial cannot be treated, nothing is prescribed, or a number is not known.
    """
    if not record.settled or record.state == "failed":
        raise SweepError(f"trial {record.number} is {record.state}: it has left no rollout to make better")
    own = (own_advice(changes),) if changes else ()
    if own and not numbers:
        return Wanted(own)
    findings = prescriptions_of(folder, record)
    chosen, offered = chosen_advice(findings, numbers, record.number)
    return Wanted((*own, *chosen), offered, findings)


def chosen_advice(
    findings: Sequence[Finding], numbers: Sequence[int], number: int
) -> tuple[tuple[Advice, ...], tuple[Advice, ...]]:
    """Return what is to be tried, and all that could be.

    Args:
        findings: of the trial, the most confident first.
        numbers: of the prescriptions that are asked for; empty: the first alternative of the first findings.
        number: of the trial, for messages.

    Raises:
        SweepError: nothing is prescribed, or there is no prescription of a number.
    """
    offered = advice_of(findings)
    if not offered:
        others = ", ".join(f"{finding.code} {finding.title}" for finding in findings)
        but = f"; only other data help against {others}" if others else ""
        raise SweepError(
            f"no finding of trial {number} prescribes a change{but}. "
            "Name one of your own, such as --change training.optimizer.lr=0.001"
        )
    known = {advice.number: advice for advice in offered}
    for wanted in numbers:
        if wanted not in known:
            listed = "\n  ".join(f"{advice.number}: {advice_text(advice)}" for advice in offered)
            raise SweepError(f"no prescription {wanted} for trial {number}. There are:\n  {listed}")
    if numbers:
        return tuple(known[wanted] for wanted in dict.fromkeys(numbers)), offered
    prescribing = [finding for finding in findings if finding.prescriptions][:FINDINGS_TRIED]
    firsts = [sum(len(f.prescriptions) for f in prescribing[:k]) for k in range(len(prescribing))]
    return tuple(offered[first] for first in firsts), offered


def advice_text(advice: Advice) -> str:
    """Return a prescription on one line: "C01 learning rate too high: training.optimizer.lr = 0.003"."""
    changes = ", ".join(f"{change.path} = {change.value}" for change in advice.changes)
    return changes if advice.code is None else f"{advice.code} {advice.title}: {changes}"


def applied(
    base: TrialConfig, data: Data, advice: Sequence[Advice], known_names: KnownNames
) -> tuple[Applied, ...]:
    """Return the configuration of each prescription, or why it cannot be tried.

    Args:
        base: the trial's own configuration.
        data: that it is trained and scored on.
        advice: in the order in which it is to be tried; of equal configurations the first is.
        known_names: the names that may be used.

    Raises:
        StudyFileError: the user's own change cannot be made.
    """
    found: list[Applied] = []
    for one in advice:
        result = _applied(base, data, one, known_names)
        twin = next(
            (a for a in found if a.config and result.config and a.config.key == result.config.key), None
        )
        if twin is not None:
            result = Applied(one, None, f"it is the same configuration as {twin.advice.name}")
        found.append(result)
    return tuple(found)


def _applied(base: TrialConfig, data: Data, advice: Advice, known_names: KnownNames) -> Applied:
    try:
        config = changed(base, {change.path: change.value for change in advice.changes}, known_names)
    except StudyFileError as error:
        if advice.number is None:
            raise  # the user's own mistake
        return Applied(advice, None, f"it is not applicable: {'; '.join(error.problems)}")
    if config.key == base.key:
        return Applied(advice, None, "it changes nothing: the trial has these settings already")
    other = [key for key in SCORE_KEYS if getattr(config.score, key) != getattr(base.score, key)]
    other += [key for key in DATA_KEYS if getattr(config.data, key) != getattr(base.data, key)]
    if other:
        return Applied(
            advice, None, f"it makes another task ({', '.join(other)}), of which errors are not comparable"
        )
    same = True
    if (config.data, config.score) != (base.data, base.score):
        try:
            same = _same_starts(data, load(config.data, config.score))
        except (DataError, UnknownName) as error:
            return Applied(advice, None, f"it is not applicable: {error}")
    return Applied(advice, config, None, tuple(config_differences(base, config)), same)


def _same_starts(one: Data, other: Data) -> bool:
    """Return whether the same truths are to be forecast on validation, measured by the same scales."""
    return np.array_equal(one.validation.truth, other.validation.truth) and np.array_equal(
        one.validation.scale, other.validation.scale
    )
