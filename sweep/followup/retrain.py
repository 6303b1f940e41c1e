"""Retraining: known configurations trained again, unpruned, by the same driver as a study's trials.

Confirmation and treatment train arms on fresh seeds; an audit trains pruned trials to their end on their own seeds.
The trainings have a folder of their own and are not part of the Optuna study. Its replication.json holds the
configuration and seed of each number. That file is written before the first training and only ever extended, so a
(configuration, seed) pair is never trained twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sweep.config.errors import StoreError, StudyChanged
from sweep.config.records import Origin, TrialRecord
from sweep.config.sections import PruningConfig
from sweep.config.study import StudyConfig, differences
from sweep.config.trial import TrialConfig, config_of
from sweep.diagnosis.symptoms import baseline_errors
from sweep.search import Driver, Message, Outcome, Progress, Settled, Watch, Workers
from sweep.search.proposals import Proposed
from sweep.store import NoProjection, StudyFolder
from sweep.study.machine import machine_facts
from sweep.study.open_study import OpenStudy

PLAN = "replication"  # replication.json: the configuration and seed of each number

Pair = tuple[str, int]  # key of a configuration, seed


@dataclass(frozen=True)
class Arm:
    """A configuration to train again, on fresh seeds or on its own seed."""

    label: str  # for messages, such as "trial 12"
    config: TrialConfig
    params: Mapping[str, Any]  # sampled hyperparameters, for messages and tables


@dataclass(frozen=True)
class Retraining:
    """(Configuration, seed) pairs to train: each arm on the same fresh seeds, or each on its own seed.

    Raises:
        ValueError: two pairs are equal, or a fresh seed is the own seed of an arm.
    """

    arms: tuple[Arm, ...]
    seeds: tuple[int, ...] | None  # fresh ones, shared by all arms; None: each arm's own seed

    def __post_init__(self) -> None:
        keys = {arm.config.key for arm in self.arms}
        own = {arm.config.seed for arm in self.arms}
        if self.seeds is None:
            if len(set(self.pairs)) < len(self.arms):
                raise ValueError(f"wanted different trials, got {[arm.label for arm in self.arms]}")
        elif len(keys) < len(self.arms) or len(set(self.seeds)) < len(self.seeds) or own & set(self.seeds):
            raise ValueError(
                f"wanted different arms and fresh seeds, got {len(keys)} configurations in {len(self.arms)} arms "
                f"and the seeds {self.seeds}, of which {sorted(own & set(self.seeds))} are seeds of the arms"
            )

    @property
    def origin(self) -> Origin:
        """Return the origin in the records of the trainings."""
        return "completed" if self.seeds is None else "replicated"

    @property
    def pairs(self) -> list[Pair]:
        """Return the pairs, every arm on the first seed, then on the second, so that a stop leaves all arms equal."""
        if self.seeds is None:
            return [(arm.config.key, arm.config.seed) for arm in self.arms]
        return [(arm.config.key, seed) for seed in self.seeds for arm in self.arms]

    def name_of(self, pair: Pair) -> str | None:
        """Return a name such as "trial 12, fresh seed 2" or "trial 12, to its end"; None if the pair is not planned."""
        if pair not in self.pairs:
            return None
        key, seed = pair
        label = next(
            arm.label
            for arm in self.arms
            if arm.config.key == key and (self.seeds is not None or arm.config.seed == seed)
        )
        return (
            f"{label}, to its end"
            if self.seeds is None
            else f"{label}, fresh seed {self.seeds.index(seed) + 1}"
        )

    def arm_of(self, pair: Pair) -> Arm:
        """Return the arm with the configuration of a pair."""
        return next(arm for arm in self.arms if arm.config.key == pair[0])


@dataclass(frozen=True)
class Retrained:
    """How a retraining ended, and its numbers and records by (arm, seed) index."""

    outcome: Outcome
    numbers: Mapping[tuple[int, int], int]
    records: Mapping[tuple[int, int], TrialRecord]


@dataclass(frozen=True)
class PlannedTrials:
    """Proposes the trials of a retraining, by number."""

    retraining: Retraining
    pairs: Sequence[Pair]  # by number
    device: str = "cpu"

    def __call__(self, records: Mapping[int, TrialRecord], number: int) -> Proposed:
        """Return the configuration of a number with its seed."""
        arm, seed = self.retraining.arm_of(self.pairs[number]), self.pairs[number][1]
        config = arm.config.model_copy(update={"seed": seed, "device": self.device})
        return Proposed(dict(arm.params), self.retraining.origin, config)

    def name_of(self, number: int) -> str:
        """Return the arm and seed of a number; a number of an earlier call, which may lack its picture, has no arm."""
        return self.retraining.name_of(self.pairs[number]) or f"replication {number}"


def retrain(
    retraining: Retraining, study: OpenStudy, folder: StudyFolder, workers: Workers, stage: str
) -> Retrained:
    """Train every pair that has not been trained yet; nothing is pruned.

    Args:
        retraining: the pairs to train.
        study: that the arms belong to, with its lock held.
        folder: of the retraining.
        workers: that train.
        stage: name of the retraining in progress events.

    Raises:
        StudyChanged: the folder was made with other settings.
        StoreError: the folder cannot be written, or holds a trial that is not planned.
    """
    config, execution, facts = study.config, study.execution, study.facts or {}
    _check_study(folder, config, facts)
    folder.write_study({**config.document(), "record": dict(facts)})
    folder.sweep_up()
    pairs = planned(folder, retraining.pairs)
    number_of = {pair: number for number, pair in enumerate(pairs)}
    wanted = [number_of[pair] for pair in retraining.pairs]
    total = max(wanted, default=-1) + 1
    proposer = PlannedTrials(retraining, pairs, config.run.device)
    watch = _Renamed(execution.watch, proposer, stage)
    records = {record.number: record for record in folder.records(watch.damaged)}
    _check_records(folder, records, pairs)
    width = max(config.search.width, len(wanted))  # nothing is sampled: every worker may have one
    driver = Driver(
        study=replace(
            config,
            pruning=PruningConfig(enabled=False),
            search=config.search.model_copy(update={"width": width}),
        ),
        folder=folder,
        projection=NoProjection(),
        host=machine_facts(),
        workers=workers,
        watch=watch,
        interrupts=execution.interrupts,
        draw=execution.draw,
        functions=execution.functions,
        records=records,
        propose=proposer,
        skip=frozenset(range(total)) - set(wanted),
        baselines=baseline_errors(study.folder.baselines()),
    )
    outcome = driver.run(total)
    place = {pair: divmod(k, len(retraining.arms))[::-1] for k, pair in enumerate(retraining.pairs)}
    numbers = {place[pair]: number_of[pair] for pair in retraining.pairs}
    trained = {where: driver.records[n] for where, n in numbers.items() if n in driver.records}
    return Retrained(outcome, numbers, {where: r for where, r in trained.items() if r.settled})


def planned(folder: StudyFolder, wanted: Sequence[Pair]) -> list[Pair]:
    """Return the pairs by number, with new wanted ones appended, and store them.

    Raises:
        StoreError: the stored plan is damaged.
    """
    stored = folder.read_document(PLAN) or {"trainings": []}
    pairs = [(entry["arm"], entry["seed"]) for entry in stored["trainings"]]
    known = set(pairs)
    added = [pair for pair in wanted if pair not in known]
    if added:
        pairs += added
        folder.write_document(PLAN, {"trainings": [{"arm": key, "seed": seed} for key, seed in pairs]})
    return pairs


def untrained(retraining: Retraining, folder: StudyFolder) -> int:
    """Return how many trainings are still to run; all if a record is damaged."""
    try:
        records = folder.records()
    except StoreError:  # the record is moved aside, with a message, when the trainings begin
        records = []
    configs = [config_of(record) for record in records if record.settled]
    settled = {(config.key, config.seed) for config in configs}
    return sum(pair not in settled for pair in retraining.pairs)


class _Renamed:
    """Passes on the events of a driver with the names of trainings instead of trial numbers."""

    def __init__(self, watch: Watch, proposer: PlannedTrials, stage: str) -> None:
        self.watch = watch
        self.proposer = proposer
        self.stage = stage

    def __call__(self, event: Settled | Message | Progress) -> None:
        if isinstance(event, Progress):
            self.watch(replace(event, best=None, stage=self.stage))
        elif isinstance(event, Settled):
            record, name = event.record, self.proposer.name_of(event.record.number)
            result = record.reason or "not scored"
            if record.rollout_error is not None:
                result = f"rollout error {record.rollout_error:.4g}"
            self.watch(Message(f"{self.stage}: {name}, {record.state}: {result}"))
        else:
            self.watch(event)

    def damaged(self, path: Path, reason: str) -> None:
        """Report a damaged record that was moved aside."""
        self.watch(
            Message(f"{reason}; the trial is trained again, and the damaged file is kept as {path.name}")
        )


def _check_study(folder: StudyFolder, config: StudyConfig, facts: Mapping[str, Any]) -> None:
    """Refuse a folder that was made with other settings or data."""
    if not folder.exists():
        return
    before = folder.read_study()
    changed = differences(before, config.document())
    was, now = before.get("record", {}).get("data_fingerprint"), facts.get("data_fingerprint")
    if was != now:
        changed.append(f"the data: fingerprint {was} in the results, {now} now")
    if changed:
        listed = "\n  ".join(changed)
        raise StudyChanged(
            f"{folder.path} was made with other settings:\n  {listed}\nRemove the folder to start again"
        )


def _check_records(folder: StudyFolder, records: Mapping[int, TrialRecord], pairs: Sequence[Pair]) -> None:
    """Refuse records that differ from the plan: it was lost, or belongs to another study."""
    for number, record in records.items():
        config = config_of(record)
        if number >= len(pairs) or (config.key, config.seed) != pairs[number]:
            raise StoreError(
                f"{folder.trial(number)} does not match {folder.path / PLAN}.json; remove {folder.path}"
            )
