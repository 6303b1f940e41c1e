"""A stored study, read once: settings, search space, records, baselines, confirmation, winner."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sweep.config.errors import StoreError
from sweep.config.range_text import parse_range
from sweep.config.records import TrialRecord
from sweep.config.sections import PruningConfig, Rung
from sweep.config.space import COMPONENTS, Axis, Condition
from sweep.diagnosis.trial_diagnosis import Diagnosis
from sweep.results.fits import stored_fits
from sweep.results.selection import FEW_STARTS, NO_SCORE, is_current, named_trial
from sweep.results.stored_diagnoses import muted_codes, readable_diagnoses
from sweep.store.folder import StudyFolder


@dataclass(frozen=True)
class StoredStudy:
    """The contents of a results folder except curves and rollouts."""

    folder: StudyFolder
    document: Mapping[str, Any]  # study.toml
    records: tuple[TrialRecord, ...]
    baselines: Mapping[str, Mapping[str, Any]]  # scored ones by name
    missing_baselines: Mapping[str, str]  # the reason, by name
    winner: Mapping[str, Any] | None  # winner.json
    confirmation: Mapping[str, Any] | None = None  # confirmation.json, where it is of today's best trials
    audit: Mapping[str, Any] | None = None  # audit.json
    intervals: Mapping[str, Any] | None = None  # intervals.json
    outdated: bool = False  # a confirmation is stored, but other trials are the best today
    diagnoses: Mapping[int, Diagnosis] = field(default_factory=dict)  # by trial, where stored
    fresh: tuple[TrialRecord, ...] = ()  # the trainings of that confirmation, on fresh seeds
    treatments: tuple[Mapping[str, Any], ...] = ()  # treatment.json of each trial that was treated, by number
    fits: tuple[Mapping[str, Any], ...] = ()  # the entries of fit.json, the latest last
    damaged: tuple[str, ...] = ()  # a line for each file that cannot be read: what is wrong, what to do

    @property
    def name(self) -> str:
        """Return the study's name."""
        return str(self.document.get("name") or self.folder.name)

    @property
    def facts(self) -> Mapping[str, Any]:
        """Return `[record]`: source, overrides, versions, fingerprint, period and so on."""
        return self.document.get("record") or {}

    @property
    def score_format(self) -> int:
        """Return the score format of the records; the first had no number."""
        return int(self.facts.get("score_format", 1))

    @property
    def horizon(self) -> int | None:
        """Return the steps of a rollout on validation."""
        return self._horizon("horizon")

    @property
    def horizon_on_test(self) -> int | None:
        """Return the steps of a rollout on the locked test; they differ from those on validation in whole records."""
        return self._horizon("horizon_test")

    @property
    def from_start(self) -> bool | str:
        """Return whether each rollout is a whole record; "test": those of the locked test are."""
        value: bool | str = (self.document.get("score") or {}).get("from_start", False)
        return value

    def _horizon(self, fact: str) -> int | None:
        value = self.facts.get(fact) or (self.document.get("score") or {}).get("horizon")
        return None if value is None else int(value)

    @property
    def budget(self) -> int | None:
        """Return the sequence-steps of a full trial."""
        value = (self.document.get("training") or {}).get("budget")
        return None if value is None else int(value)

    def budget_of(self, record: TrialRecord) -> int | None:
        """Return the sequence-steps of the whole trial, None if neither trial nor study gives them."""
        value = (record.config.get("training") or {}).get("budget") or self.budget
        return None if value is None else int(value)

    @property
    def n_eff(self) -> int | None:
        """Return the number of validation starts that do not overlap, None where it is not recorded."""
        value = self.facts.get("n_eff_validation")
        return None if value is None else int(value)

    @property
    def driven(self) -> bool:
        """Return whether inputs from outside drive the data; a static input, constant in each series, does not."""
        return bool(self.inputs_ahead)

    @property
    def inputs_ahead(self) -> tuple[str, ...]:
        """Return the names of the inputs that a forecast needs at each of its steps: all but the static ones."""
        known = (self.facts.get("data") or {}).get("known") or ()
        static = (self.document.get("data") or {}).get("static") or ()
        return tuple(str(name) for name in known if name not in static)

    @property
    def falling_schedulers(self) -> frozenset[str]:
        """Return the schedulers of the study whose learning rate falls to zero at the end of any budget."""
        return frozenset(self.facts.get("falling_schedulers") or ())

    @property
    def outside_checks(self) -> tuple[str, ...]:
        """Return the checks of plug-ins that the study names."""
        return tuple((self.document.get("diagnosis") or {}).get("checks") or ())

    @property
    def muted(self) -> tuple[str, ...]:
        """Return the codes of findings that are kept but not shown."""
        return muted_codes(self.document)

    @property
    def enough_starts(self) -> bool:
        """Return whether there are enough starts to claim that one setting beats another."""
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
        """Return the scores that decide who wins: "confirmed" ones on fresh seeds, or "selected" ones."""
        return "selected" if self.confirmation is None else "confirmed"

    @property
    def named(self) -> tuple[TrialRecord | None, str | None]:
        """Return the trial that wins, or None and the reason why none does; see `selection.named_trial`."""
        number, reason = named_trial(self.records, self.baselines, self.confirmation)
        if reason == NO_SCORE and not self.finished:
            reason = "no trial has a score yet"
        return next((record for record in self.records if record.number == number), None), reason

    def scores_on_test(self, number: int | None) -> Mapping[str, Any] | None:
        """Return a trial's scores on the locked test; None unless it is the winner and has been scored there."""
        if number is None or self.winner is None or self.winner.get("number") != number:
            return None
        if self.winner.get("basis") != self.basis:
            return None
        test = self.winner.get("test")
        return test if isinstance(test, Mapping) else None

    @property
    def baselines_on_test(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the scores of the baselines on the locked test by name, empty before a winner is scored there."""
        return (self.winner or {}).get("baselines_test") or {}

    @property
    def finished(self) -> bool:
        """Return whether a run has ended, which stores winner.json, and no trial has begun since."""
        return self.winner is not None and all(record.settled for record in self.records)


def read_study(folder: StudyFolder) -> StoredStudy:
    """Return the stored study of a results folder; `damaged` has a line for each file that cannot be read.

    Raises:
        StoreError: there is no study, or its study.toml is damaged.
    """
    damaged: list[str] = []

    def readable(read: Callable[[], Any]) -> Any:
        try:
            return read()
        except StoreError as error:
            damaged.append(str(error))
            return None

    document = folder.read_study()
    stored = readable(folder.baselines) or {}
    scored = {name: entry for name, entry in stored.items() if entry.get("rollout_error") is not None}
    sound, errors = folder.readable_records()
    damaged += errors
    records = tuple(sound)
    confirmation = readable(partial(folder.read_document, "confirmation"))
    current = confirmation is not None and is_current(confirmation, records, scored)
    treatments = [readable(partial(folder.treatment_document, number)) for number in folder.treated()]
    readable(folder.baseline_forecast)  # the report draws it, and does without it
    return StoredStudy(
        folder=folder,
        document=document,
        records=records,
        baselines=scored,
        missing_baselines={
            name: str(entry.get("reason", "not scored"))
            for name, entry in stored.items()
            if name not in scored
        },
        winner=readable(partial(folder.read_document, "winner")),
        confirmation=confirmation if current else None,
        audit=readable(partial(folder.read_document, "audit")),
        intervals=readable(partial(folder.read_document, "intervals")),
        outdated=confirmation is not None and not current,
        diagnoses=readable_diagnoses(folder, records),
        fresh=_fresh_trainings(folder, confirmation) if current and confirmation is not None else (),
        treatments=tuple(treatment for treatment in treatments if treatment is not None),
        fits=tuple(readable(partial(stored_fits, folder)) or ()),
        damaged=tuple(damaged),
    )


def _fresh_trainings(folder: StudyFolder, confirmation: Mapping[str, Any]) -> tuple[TrialRecord, ...]:
    """Return the trainings of a confirmation's arms; none where a record is damaged, as the report can do without."""
    numbers = {number for arm in confirmation["arms"] for number in arm["replications"]}
    try:
        records = folder.below("confirm").records()
    except StoreError:
        return ()
    return tuple(record for record in records if record.number in numbers)


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
                if _is_range(value) and key not in COMPONENTS:  # readout_refit may fix an optimizer
                    condition = Condition(owner, frozenset([name]))
                    yield Axis(f"{name}.{key}", ("training", owner, key), parse_range(value), condition)
    for name in sorted(set(space) - set(COMPONENTS)):
        if _is_range(space[name]):
            yield Axis(name, (name,), parse_range(space[name]))


def _is_range(value: Any) -> bool:
    return isinstance(value, Mapping | Sequence) and not isinstance(value, str)
