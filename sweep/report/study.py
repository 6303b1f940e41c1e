"""A study as the report reads it, once: settings, space, records, baselines, confirmation, winner."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sweep.config.records import TrialRecord
from sweep.config.sections import PruningConfig, Rung
from sweep.config.space import COMPONENTS, Axis, Condition
from sweep.config.space_file import parse_range
from sweep.diagnosis.trial import Diagnosis
from sweep.report.stored_diagnoses import muted_codes, readable_diagnoses
from sweep.store.folder import StudyFolder

TRIVIAL = ("mean", "persistence")  # a trial that beats neither has learnt nothing
FEW_STARTS = 8  # starts that do not overlap; below, no claim that one setting beats another (docs/metrics.md)


@dataclass(frozen=True)
class Study:
    """Everything of a results folder but curves and rollouts."""

    folder: StudyFolder
    document: Mapping[str, Any]  # study.toml
    records: tuple[TrialRecord, ...]
    baselines: Mapping[str, Mapping[str, Any]]  # scored ones by name
    missing_baselines: Mapping[str, str]  # why not, by name
    winner: Mapping[str, Any] | None  # winner.json
    confirmation: Mapping[str, Any] | None = None  # confirmation.json, where it is of today's best trials
    audit: Mapping[str, Any] | None = None  # audit.json
    outdated: bool = False  # a confirmation is stored, but others are the best today
    diagnoses: Mapping[int, Diagnosis] = field(default_factory=dict)  # by trial, where stored
    treatments: tuple[Mapping[str, Any], ...] = ()  # treatment.json of each trial that was treated, by number

    @property
    def name(self) -> str:
        """Return the study's name."""
        return str(self.document.get("name") or self.folder.name)

    @property
    def facts(self) -> Mapping[str, Any]:
        """Return `[record]`: source, overrides, versions, fingerprint, period and so on."""
        return self.document.get("record") or {}

    @property
    def horizon(self) -> int | None:
        """Return the steps of a rollout."""
        value = (self.document.get("score") or {}).get("horizon")
        return None if value is None else int(value)

    @property
    def budget(self) -> int | None:
        """Return the sequence-steps of a full trial."""
        value = (self.document.get("training") or {}).get("budget")
        return None if value is None else int(value)

    @property
    def n_eff(self) -> int | None:
        """Return the number of validation starts that do not overlap, None where it is not recorded."""
        value = self.facts.get("n_eff_validation")
        return None if value is None else int(value)

    @property
    def muted(self) -> tuple[str, ...]:
        """Return the codes of findings that are kept but not told."""
        return muted_codes(self.document)

    @property
    def claims(self) -> bool:
        """Return whether there are enough starts to say that one setting beats another."""
        return self.n_eff is None or self.n_eff >= FEW_STARTS

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """Return the rungs at which trials may have been pruned, rising; empty where nothing was."""
        pruning = PruningConfig.model_validate(self.document.get("pruning") or {})
        return pruning.rungs if pruning.enabled else ()

    @property
    def axes(self) -> dict[str, Axis]:
        """Return the hyperparameters of the search space by flat name, owners first."""
        return {axis.name: axis for axis in axes_of(self.document.get("space") or {})}

    @property
    def basis(self) -> str:
        """Return what the best trial is named by: "confirmed" on fresh seeds, or merely "selected"."""
        return "selected" if self.confirmation is None else "confirmed"

    @property
    def finished(self) -> bool:
        """Return whether a run came to its end, which stores winner.json, and no trial has begun since."""
        return self.winner is not None and all(record.settled for record in self.records)


def read_study(folder: StudyFolder) -> Study:
    """Return what a results folder holds.

    Raises:
        StoreError: there is no study, or a file of it is damaged.
    """
    document = folder.read_study()
    stored = folder.baselines()
    scored = {name: entry for name, entry in stored.items() if entry.get("rollout_error") is not None}
    records = tuple(folder.records())
    confirmation = folder.read_document("confirmation")
    current = confirmation is not None and confirmation_is_current(confirmation, records, scored)
    return Study(
        folder=folder,
        document=document,
        records=records,
        baselines=scored,
        missing_baselines={
            name: str(entry.get("reason", "not scored"))
            for name, entry in stored.items()
            if name not in scored
        },
        winner=folder.read_document("winner"),
        confirmation=confirmation if current else None,
        audit=folder.read_document("audit"),
        outdated=confirmation is not None and not current,
        diagnoses=readable_diagnoses(folder, records),
        treatments=tuple(folder.treatments()),
    )


def candidates(
    records: Sequence[TrialRecord], baselines: Mapping[str, Mapping[str, Any]]
) -> tuple[list[TrialRecord], str | None]:
    """Return the trials that have learnt something, lowest rollout error on validation first, or why there are none.

    Left out are scores of 1 and those that do not beat the mean and persistence. Of equal scores the lower
    number comes first, and alone where the configurations are equal too.

    Args:
        records: of a study.
        baselines: by name, those without a `rollout_error` are passed over.
    """
    scored = [r for r in records if r.settled and r.best is not None and r.rollout_error is not None]
    if not scored:
        return [], "no trial was completed with a score"
    scored.sort(key=lambda record: (record.rollout_error, record.number))
    lowest = scored[0].rollout_error
    assert lowest is not None
    bars = {name: baselines.get(name, {}).get("rollout_error") for name in TRIVIAL}
    good = [record for record in scored if _learnt(record, bars)]
    if not good and lowest >= 1:
        return [], "every trial's rollout error is 1: as bad as it can be"
    if not good:
        name = next(name for name, error in bars.items() if error is not None and lowest >= error)
        return [], (
            f"no trial beats the baseline {name!r}: best rollout error {lowest:.3g}, "
            f"baseline {bars[name]:.3g}"
        )
    different: list[TrialRecord] = []
    seen: set[str] = set()
    for record in good:
        content = {key: value for key, value in record.config.items() if key not in ("seed", "device")}
        text = json.dumps(content, sort_keys=True, default=str)
        if text not in seen:
            seen.add(text)
            different.append(record)
    return different, None


def _learnt(record: TrialRecord, bars: Mapping[str, float | None]) -> bool:
    error = record.rollout_error
    assert error is not None
    return error < 1 and all(bar is None or error < bar for bar in bars.values())


def selected(study: Study) -> tuple[TrialRecord | None, str | None]:
    """Return the trial with the lowest rollout error on validation, or None and why there is none.

    There is none where every score is 1, or where no trial beats the mean and persistence: nothing has
    been learnt then. Of equal scores the lower number wins.
    """
    best, reason = candidates(study.records, study.baselines)
    if best:
        return best[0], None
    if reason == "no trial was completed with a score" and not study.finished:
        return None, "no trial has a score yet"
    return None, reason


def confirmation_is_current(
    confirmation: Mapping[str, Any],
    records: Sequence[TrialRecord],
    baselines: Mapping[str, Mapping[str, Any]],
) -> bool:
    """Return whether a confirmation is of the trials that are the best today; new ones may have come since."""
    best, _ = candidates(records, baselines)
    confirmed = {arm["number"] for arm in confirmation["arms"]}
    return confirmed == {record.number for record in best[: len(confirmed)]}


def named(study: Study) -> tuple[TrialRecord | None, str | None]:
    """Return the best trial, or None and why there is none: the confirmed one, or else the selected one."""
    confirmation = study.confirmation
    if confirmation is None:
        return selected(study)
    number, reason = confirmed_best(confirmation, study.baselines)
    return next((record for record in study.records if record.number == number), None), reason


def confirmed_best(
    confirmation: Mapping[str, Any], baselines: Mapping[str, Mapping[str, Any]]
) -> tuple[int | None, str | None]:
    """Return the trial whose configuration leads on fresh seeds, or None and why it is not worth a name."""
    leader = next(arm for arm in confirmation["arms"] if arm["number"] == confirmation["leader"])
    error = leader["iqm"]["value"]
    if error >= 1:
        return None, "on fresh seeds every configuration's rollout error is 1: as bad as it can be"
    for name in TRIVIAL:
        bar = baselines.get(name, {}).get("rollout_error")
        if bar is not None and error >= bar:
            return None, (
                f"on fresh seeds no configuration beats the baseline {name!r}: lowest rollout error "
                f"{error:.3g}, baseline {bar:.3g}"
            )
    return leader["number"], None


def scores_on_test(study: Study, number: int | None) -> Mapping[str, Any] | None:
    """Return a trial's scores on the locked test starts; None unless it is the one that was named and scored."""
    winner = study.winner
    if number is None or winner is None or winner.get("number") != number:
        return None
    if winner.get("basis", "selected") != study.basis:
        return None
    test = winner.get("test")
    return test if isinstance(test, Mapping) else None


def axes_of(space: Mapping[str, Any]) -> Iterator[Axis]:
    """Yield the hyperparameters of a stored `[space]`: components and what each owns, then the rest."""
    for owner in COMPONENTS:
        entry = space.get(owner)
        if entry is None:
            continue
        offered: Mapping[str, Any] = (
            entry if isinstance(entry, Mapping) else {str(name): {} for name in entry}
        )
        yield Axis(owner, ("training", owner), parse_range(list(offered)))
        for name, settings in offered.items():
            for key, value in sorted(settings.items()):
                if _is_range(value):
                    condition = Condition(owner, frozenset([name]))
                    yield Axis(f"{name}.{key}", ("training", owner, key), parse_range(value), condition)
    for name in sorted(set(space) - set(COMPONENTS)):
        if _is_range(space[name]):
            yield Axis(name, (name,), parse_range(space[name]))


def _is_range(value: Any) -> bool:
    return isinstance(value, Mapping | Sequence) and not isinstance(value, str)
