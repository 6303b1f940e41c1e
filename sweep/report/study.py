"""A study as the report reads it, once: settings, search space, records, baselines, winner."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sweep.config.records import TrialRecord
from sweep.config.sections import PruningConfig, Rung
from sweep.config.space import COMPONENTS, Axis, Condition
from sweep.config.space_file import parse_range
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
    def finished(self) -> bool:
        """Return whether a run came to its end, which stores winner.json, and no trial has begun since."""
        return self.winner is not None and all(record.settled for record in self.records)


def read_study(folder: StudyFolder) -> Study:
    """Return what a results folder holds.

    Raises:
        StoreError: there is no study, or a file of it is damaged.
    """
    document = folder.read_study()
    stored = (folder.read_document("baselines") or {}).get("baselines") or {}
    scored = {name: entry for name, entry in stored.items() if entry.get("rollout_error") is not None}
    return Study(
        folder=folder,
        document=document,
        records=tuple(folder.records()),
        baselines=scored,
        missing_baselines={
            name: str(entry.get("reason", "not scored"))
            for name, entry in stored.items()
            if name not in scored
        },
        winner=folder.read_document("winner"),
    )


def selected(study: Study) -> tuple[TrialRecord | None, str | None]:
    """Return the trial with the lowest rollout error on validation, or None and why there is none.

    There is none where every score is 1, or where no trial beats the mean and persistence: nothing has
    been learnt then. Of equal scores the lower number wins.
    """
    scored = [r for r in study.records if r.settled and r.best is not None and r.rollout_error is not None]
    if not scored:
        return (
            None,
            "no trial has a score yet" if not study.finished else "no trial was completed with a score",
        )
    best = min(scored, key=lambda record: (record.rollout_error, record.number))
    error = best.rollout_error
    assert error is not None
    if error >= 1:
        return None, "every trial's rollout error is 1: as bad as it can be"
    for name in TRIVIAL:
        other = study.baselines.get(name, {}).get("rollout_error")
        if other is not None and error >= other:
            return None, (
                f"no trial beats the baseline {name!r}: best rollout error {error:.3g}, baseline {other:.3g}"
            )
    return best, None


def scores_on_test(study: Study, number: int | None) -> Mapping[str, Any] | None:
    """Return a trial's scores on the locked test starts; None unless it is the winner that was scored."""
    if number is None or study.winner is None or study.winner.get("number") != number:
        return None
    test = study.winner.get("test")
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
