"""Known configurations trained again, unpruned, by the same driver as a study's trials.

Confirmation compares the best trials on fresh seeds; whatever else asks "is this more than luck?" can do the same. An
audit trains pruned trials to their end on the seeds that they had. A
replication's trials live in a folder of their own and appear in nobody's Optuna study. Which number has which
configuration and seed is written down before the first of them begins, and only ever added to: an arm that
was trained on a seed is never trained on it again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from sweep.config.errors import StoreError, StudyChanged
from sweep.config.records import Origin, TrialRecord
from sweep.config.sections import PruningConfig
from sweep.config.seeds import seed_of
from sweep.config.study import StudyConfig, differences
from sweep.config.trial import TrialConfig, trial_config_from_json
from sweep.diagnosis.symptoms import Baselines
from sweep.search.driver import Draw, Driver, Functions
from sweep.search.events import Message, Progress, Settled, Watch
from sweep.search.executors import Workers
from sweep.search.interrupts import Interrupts
from sweep.search.outcome import Outcome
from sweep.search.proposals import Proposed
from sweep.store import NoProjection, StudyFolder

PLAN = "replication"  # replication.json: the arm and seed of each number

Slot = tuple[str, int]  # key of a configuration, seed


def fresh_seeds(study_seed: int, purpose: str, count: int) -> tuple[int, ...]:
    """Return seeds that depend on the study's seed, the purpose and their index: more of them begin with fewer.

    All arms of a replication share them. They are no trial's own, which depends on its configuration.
    """
    return tuple(seed_of(study_seed, purpose, index) for index in range(count))


@dataclass(frozen=True)
class Arm:
    """A configuration to be trained again, on fresh seeds or on the one that it carries."""

    label: str  # for messages, such as "trial 12"
    config: TrialConfig
    params: Mapping[str, Any]  # what is shown of it


@dataclass(frozen=True)
class Replication:
    """Arms and the fresh seeds of all of them.

    Raises:
        ValueError: two arms have the same configuration, a seed comes twice or is that of an arm's own trial.
    """

    arms: tuple[Arm, ...]
    seeds: tuple[int, ...]

    origin: ClassVar[Origin] = "replicated"

    def __post_init__(self) -> None:
        keys = {arm.config.key for arm in self.arms}
        own = {arm.config.seed for arm in self.arms} & set(self.seeds)
        if len(keys) < len(self.arms) or len(set(self.seeds)) < len(self.seeds) or own:
            raise ValueError(
                f"needs different arms and fresh seeds: {len(keys)} configurations in {len(self.arms)} arms, "
                f"seeds {self.seeds}, not fresh {sorted(own)}"
            )

    @property
    def slots(self) -> list[Slot]:
        """Return every arm on the first seed, then on the second: a stop leaves the arms equally far."""
        return [(arm.config.key, seed) for seed in self.seeds for arm in self.arms]

    def name_of(self, slot: Slot) -> str | None:
        """Return which arm and seed a slot is: "trial 12, fresh seed 2"; seeds count from 1. None for a stranger."""
        key, seed = slot
        label = next((arm.label for arm in self.arms if arm.config.key == key), None)
        if label is None or seed not in self.seeds:
            return None
        return f"{label}, fresh seed {self.seeds.index(seed) + 1}"


@dataclass(frozen=True)
class Completion:
    """Arms on their own seeds: trials that were stopped early, once more and to their end.

    Raises:
        ValueError: two arms are the same trial.
    """

    arms: tuple[Arm, ...]

    origin: ClassVar[Origin] = "completed"

    def __post_init__(self) -> None:
        if len(set(self.slots)) < len(self.arms):
            raise ValueError(f"needs different trials, got {[arm.label for arm in self.arms]}")

    @property
    def slots(self) -> list[Slot]:
        """Return every arm on its own seed."""
        return [(arm.config.key, arm.config.seed) for arm in self.arms]

    def name_of(self, slot: Slot) -> str | None:
        """Return which arm a slot is: "trial 12, to its end"; None for a stranger."""
        label = next((arm.label for arm in self.arms if (arm.config.key, arm.config.seed) == slot), None)
        return None if label is None else f"{label}, to its end"


@dataclass(frozen=True)
class Replicated:
    """How a replication ended, and what there is of it: numbers and records by (arm, seed) index."""

    outcome: Outcome
    numbers: Mapping[tuple[int, int], int]
    records: Mapping[tuple[int, int], TrialRecord]


@dataclass(frozen=True)
class Bench:
    """Where and how trials are trained: what does not change their result."""

    host: Mapping[str, Any]
    workers: Workers
    watch: Watch
    interrupts: Interrupts
    draw: Draw | None
    functions: Functions


@dataclass(frozen=True)
class ArmTrials:
    """The trials of a replication, by number."""

    replication: Replication | Completion
    slots: Sequence[Slot]
    device: str = "cpu"

    def __call__(self, records: Mapping[int, TrialRecord], number: int) -> Proposed:
        """Return the arm of a number with its seed."""
        arm, seed = self._arm(number), self.slots[number][1]
        config = arm.config.model_copy(update={"seed": seed, "device": self.device})
        return Proposed(dict(arm.params), self.replication.origin, config)

    def name_of(self, number: int) -> str:
        """Return which arm and seed a number is; an earlier call's picture may still be missing."""
        return self.replication.name_of(self.slots[number]) or f"replication {number}"

    def _arm(self, number: int) -> Arm:
        return next(arm for arm in self.replication.arms if arm.config.key == self.slots[number][0])


def replicate(
    replication: Replication | Completion,
    study: StudyConfig,
    facts: Mapping[str, Any],
    folder: StudyFolder,
    bench: Bench,
    stage: str,
    baselines: Baselines,
) -> Replicated:
    """Train every arm on its seeds, or what is missing of it; nothing is pruned.

    Args:
        replication: what to train.
        study: that the arms belong to; its [run] says how.
        facts: its `[record]`, kept beside it.
        folder: of the replication. The caller holds the study's lock.
        bench: where it is trained, and who is told.
        stage: what Progress calls it.
        baselines: of the study, for the diagnoses.

    Raises:
        StudyChanged: the folder was made for other settings.
        StoreError: the folder cannot be written, or holds a trial that is not of its plan.
    """
    _check_study(folder, study, facts)
    folder.write_study({**study.document(), "record": dict(facts)})
    folder.sweep_up()
    slots = planned(folder, replication.slots)
    number_of = {slot: number for number, slot in enumerate(slots)}
    wanted = [number_of[slot] for slot in replication.slots]
    total = max(wanted, default=-1) + 1
    proposer = ArmTrials(replication, slots, study.run.device)
    records = {record.number: record for record in folder.records(_damaged(bench.watch))}
    _check_records(folder, records, slots)
    width = max(study.search.width, len(bench.workers.slots))
    driver = Driver(
        study=replace(
            study,
            pruning=PruningConfig(enabled=False),
            search=study.search.model_copy(update={"width": width}),
        ),
        folder=folder,
        projection=NoProjection(),
        host=dict(bench.host),
        workers=bench.workers,
        watch=_Told(bench.watch, proposer, stage),
        interrupts=bench.interrupts,
        draw=bench.draw,
        functions=bench.functions,
        records=records,
        propose=proposer,
        skip=frozenset(range(total)) - set(wanted),
        baselines=baselines,
    )
    outcome = driver.run(total)
    place = {slot: divmod(k, len(replication.arms))[::-1] for k, slot in enumerate(replication.slots)}
    numbers = {place[slot]: number_of[slot] for slot in replication.slots}
    found = {where: driver.records[n] for where, n in numbers.items() if n in driver.records}
    return Replicated(outcome, numbers, {where: r for where, r in found.items() if r.settled})


def planned(folder: StudyFolder, wanted: Sequence[Slot]) -> list[Slot]:
    """Return the slots by number, with those that are wanted and new added at the end, and store them.

    Raises:
        StoreError: what is stored is damaged.
    """
    stored = folder.read_document(PLAN) or {"slots": []}
    try:
        slots = [(str(entry["arm"]), int(entry["seed"])) for entry in stored["slots"]]
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{folder.path / PLAN}.json is damaged: {error!r}") from error
    known = set(slots)
    added = [slot for slot in wanted if slot not in known]
    if added:
        slots += added
        folder.write_document(PLAN, {"slots": [{"arm": key, "seed": seed} for key, seed in slots]})
    return slots


def untrained(replication: Replication | Completion, folder: StudyFolder) -> int:
    """Return how many trainings of a replication are still to be done; all where a record is damaged."""
    try:
        records = folder.records()
    except StoreError:  # it is put aside, and told of, when the trainings begin
        records = []
    configs = [trial_config_from_json(record.config) for record in records if record.settled]
    settled = {(config.key, config.seed) for config in configs}
    return sum(slot not in settled for slot in replication.slots)


class _Told:
    """Passes on what a driver tells, in the words of a replication."""

    def __init__(self, watch: Watch, proposer: ArmTrials, stage: str) -> None:
        self.watch = watch
        self.proposer = proposer
        self.stage = stage

    def __call__(self, event: Settled | Message | Progress) -> None:
        if isinstance(event, Progress):
            self.watch(replace(event, best=None, stage=self.stage))
        elif isinstance(event, Settled):
            record, name = event.record, self.proposer.name_of(event.record.number)
            said = (
                f"{record.state}: {record.reason}"
                if record.rollout_error is None
                else f"{record.state}: rollout error {record.rollout_error:.4g}"
            )
            self.watch(Message(f"{self.stage}: {name}, {said}"))
        else:
            self.watch(event)


def _damaged(watch: Watch) -> Any:
    def damaged(path: Any, reason: str) -> None:
        watch(Message(f"{reason}; it is trained again, {path.name} is kept beside it"))

    return damaged


def _check_study(folder: StudyFolder, study: StudyConfig, facts: Mapping[str, Any]) -> None:
    """Refuse a folder that was made for other settings or data."""
    if not folder.exists():
        return
    before = folder.read_study()
    changed = differences(before, study.document())
    was, now = before.get("record", {}).get("data_fingerprint"), facts.get("data_fingerprint")
    if was != now:
        changed.append(f"the data: fingerprint {was} in the results, {now} now")
    if changed:
        listed = "\n  ".join(changed)
        raise StudyChanged(f"what is in {folder.path} was made with other settings:\n  {listed}\nRemove it")


def _check_records(folder: StudyFolder, records: Mapping[int, TrialRecord], slots: Sequence[Slot]) -> None:
    """Refuse records that are not of the plan: it was lost, or is another's."""
    for number, record in records.items():
        config = trial_config_from_json(record.config)
        if number >= len(slots) or (config.key, config.seed) != slots[number]:
            raise StoreError(
                f"{folder.trial(number)} is not what {folder.path / PLAN}.json says; remove {folder.path}"
            )
