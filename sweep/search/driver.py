"""The driver: asks for trials, hands out segments, decides at rungs, and alone writes what is stored."""

import math
import time
from collections import Counter
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field, replace
from typing import Any

from sweep.config.errors import SweepError
from sweep.config.records import State, TrialRecord
from sweep.config.sections import Rung
from sweep.config.study import StudyConfig
from sweep.config.trial import TrialConfig, trial_config_from_json
from sweep.diagnosis.symptoms import Baselines
from sweep.search.events import Message, Progress, Settled, Watch
from sweep.search.executors import Slot, WorkerDied, Workers, outcome
from sweep.search.interrupts import Interrupts
from sweep.search.outcome import Outcome
from sweep.search.proposals import Proposed, Proposer, SampledTrials
from sweep.search.pruning import AtRung, goes_on
from sweep.search.running_trial import MAX_DEATHS, LiveTrial, at_rung
from sweep.store import Projection, StudyFolder
from sweep.trial import Finished, Segment, finish, run_segment

STOP_SECONDS = 6.0  # how long a stop waits for running segments: within 10 s all must be over
TICK_SECONDS = 0.25  # how long the driver sleeps when nothing happens

Draw = Callable[[StudyFolder, int], bytes]


@dataclass(frozen=True)
class Functions:
    """What a trial consists of; replaced in tests and in measurements of the driver itself."""

    segment: Callable[[TrialConfig, bytes | None, int], Segment] = run_segment
    finish: Callable[..., Finished] = finish
    draw: Draw | None = None  # the rollout plot of a settled trial as PNG; None: there are no plots


@dataclass
class SideTask:
    """Work beside the trials, such as the baselines or a plot: its result is stored by `store`.

    One that comes `before_finish` holds back the last task of every trial until it is stored or has failed.
    """

    name: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    store: Callable[[Any], None]
    before_finish: bool = False
    deaths: int = 0


@dataclass
class Running:
    """What a slot is doing."""

    future: "Future[Any]"
    task: LiveTrial | SideTask
    finishing: bool = False  # a trial's last task


@dataclass
class Driver:
    """Runs a study up to a total number of trials. Everything it decides depends on records, not on time.

    What trial n is comes from `propose`: by default the study's sampler. `skip` are numbers below the total
    that are not asked for. `baselines` are what trials are told of the baselines at their end; a side task that
    finds them out comes `before_finish`, so that every trial is told the same.
    """

    study: StudyConfig
    folder: StudyFolder
    projection: Projection
    host: dict[str, Any]
    workers: Workers
    watch: Watch
    interrupts: Interrupts
    draw: Draw | None = None
    side_tasks: list[SideTask] = field(default_factory=list)
    functions: Functions = field(default_factory=Functions)
    records: dict[int, TrialRecord] = field(default_factory=dict)
    live: dict[int, LiveTrial] = field(default_factory=dict)
    propose: Proposer | None = None
    skip: Collection[int] = ()
    baselines: Baselines = field(default_factory=dict)

    def run(self, total: int) -> Outcome:
        """Run trials until `total` are settled, or until interrupted.

        Raises:
            StoreError: the results folder cannot be written.
        """
        self._began = time.monotonic()
        self._busy = 0.0
        self._total = total
        self._propose: Proposer = self.propose or SampledTrials(self.study)
        self._settled_below = 0  # all trials below this number are settled
        self._all_asked = False  # whether no trial is to come
        self._at_rungs: dict[float, list[AtRung]] = {}  # what those say at each rung
        self._counts: Counter[State] = Counter()
        self._best: TrialRecord | None = None
        self.projection.say = lambda text: self.watch(Message(text))
        self._running: dict[int, Running] = {}  # by slot
        self._take_up()
        self._work_at_start = self._work_done()
        try:
            return self._loop()
        finally:
            for number in self._running:
                self.workers.slots[number].kill()

    # --- the loop --------------------------------------------------------------------------------

    def _loop(self) -> Outcome:
        stop_by = None
        while True:
            if self.interrupts.requests and stop_by is None:
                stop_by = time.monotonic() + STOP_SECONDS
                if self._running:
                    self.watch(
                        Message("stopping: waiting for running segments; Ctrl-C again to stop at once")
                    )
            if stop_by is None:
                self._ask()
                self._judge()
                self._submit()
            if not self._running:
                if stop_by is not None:
                    return Outcome.INTERRUPTED
                if self._all_settled() and not self.side_tasks:
                    return Outcome.DONE
                if not self._work_is_left():
                    raise AssertionError("nothing runs and nothing can: the study is stuck")
            if stop_by is not None and (self.interrupts.requests > 1 or time.monotonic() > stop_by):
                return Outcome.INTERRUPTED
            self._collect()
            self.watch(self._progress())

    def _collect(self) -> None:
        futures = [running.future for running in self._running.values()]
        wait(futures, timeout=TICK_SECONDS, return_when=FIRST_COMPLETED)
        now = time.monotonic()
        for number, slot in enumerate(self.workers.slots):
            running = self._running.get(number)
            if running is None:
                continue
            if running.future.done():
                del self._running[number]
                self._busy += now - slot.started
                self._take(running, slot)
            elif now - slot.started > self.study.run.segment_timeout:
                del self._running[number]
                slot.kill()
                self._died(running, f"hung: no result after {self.study.run.segment_timeout:g} s")

    def _all_settled(self) -> bool:
        return not self.live and all(self._is_settled(number) for number in range(self._total))

    def _work_is_left(self) -> bool:
        return bool(self.side_tasks) or any(
            trial.open_rung(self.study.pruning) is None for trial in self.live.values()
        )

    # --- asking ----------------------------------------------------------------------------------

    def _take_up(self) -> None:
        """Go on with the trials that an earlier driver left running."""
        for number, record in list(self.records.items()):
            if record.settled:
                self.folder.drop_resume(number)  # a driver may have died just before it did
                self._note(record)
                continue
            if not self._is_wanted(number):
                continue
            trial = LiveTrial(record, trial_config_from_json(record.config))
            stored = self.folder.read_resume(number)
            if stored is not None:
                trial.go_on(*stored)
            self.live[number] = trial
        if self.draw is not None:
            for number, record in self.records.items():
                drawn = (self.folder.trial(number) / "rollout.png").exists()
                if record.settled and record.state != "failed" and not drawn:
                    self._add_drawing(number)

    def _ask(self) -> None:
        """Start every trial that the pipeline has room for, in the order of their numbers.

        Trial n may start once the trials 0 .. n - width are settled.
        """
        while self._is_settled(self._settled_below):
            self._settled_below += 1
        end = min(self._total, self._settled_below + self.study.search.width)
        self._all_asked = end == self._total
        for number in range(self._settled_below, end):
            if number in self.records or number in self.skip:
                continue
            proposed = self._propose(self.records, number)
            if proposed.config is None:
                self._refuse(number, proposed)
                continue
            record = TrialRecord(
                number=number,
                state="running",
                params=proposed.params,
                config=proposed.config.model_dump(mode="json"),
                origin=proposed.origin,
                host=self.host,
            )
            self.folder.write_record(record)
            self.projection.start(record)
            self.records[number] = record
            self.live[number] = LiveTrial(record, proposed.config)

    def _refuse(self, number: int, proposed: Proposed) -> None:
        """Store an infeasible trial as failed: its parameters are in their ranges, but do not go together."""
        record = TrialRecord(
            number,
            "failed",
            proposed.params,
            proposed.fixed,
            proposed.origin,
            reason=proposed.infeasible,
            host=self.host,
        )
        self.folder.write_record(record)
        self.projection.start(record)
        self._note(record)
        self.watch(Settled(record))

    def _is_settled(self, number: int) -> bool:
        return number in self.skip or (number in self.records and self.records[number].settled)

    def _is_wanted(self, number: int) -> bool:
        return number < self._total and number not in self.skip

    # --- rungs -----------------------------------------------------------------------------------

    def _judge(self) -> None:
        """Decide about every trial that stands at a rung and whose lower-numbered trials have spoken."""
        for number in sorted(self.live):
            trial = self.live[number]
            rung = trial.open_rung(self.study.pruning)
            if rung is None:
                continue
            point = trial.point_of(rung)
            long_ago = self._long_ago(rung, point)
            recent = [self._at_rung(k, rung, point) for k in range(len(long_ago), number)]
            if "pending" in recent and number >= self.study.pruning.startup:
                continue  # as the rule would say, without looking at thousands of others
            score = self._at_rung(number, rung, point)
            assert isinstance(score, float)
            verdict = goes_on(score, [*long_ago, *recent], rung.keep, self.study.pruning.startup)
            if verdict is True:
                trial.passed.add(rung.at)
            elif verdict is False:
                trial.pruned_at = rung

    def _long_ago(self, rung: Rung, point: int) -> list[AtRung]:
        """Return what the trials say of which all lower ones are settled too: nothing changes there any more."""
        known = self._at_rungs.setdefault(rung.at, [])
        known += [self._at_rung(number, rung, point) for number in range(len(known), self._settled_below)]
        return known

    def _at_rung(self, number: int, rung: Rung, point: int) -> AtRung:
        live = self.live.get(number)
        if live is None:
            record = self.records.get(number)
            if record is None:  # its record was damaged, and the pipeline has no room for it yet
                return "pending"
            return at_rung(record.evaluations, record.state, point, rung)
        state: State = "diverged" if live.diverged else "pruned" if live.pruned_at else "running"
        return at_rung(live.evaluations, state, point, rung)

    # --- handing out -----------------------------------------------------------------------------

    def _submit(self) -> None:
        for number, slot in enumerate(self.workers.slots):
            if number in self._running:
                continue
            task = self._next_task()
            if task is None:
                return
            self._running[number] = self._start(task, slot)

    def _next_task(self) -> LiveTrial | SideTask | None:
        """Return the next thing to do: side tasks first, then the lowest trial that can go on.

        Once no trial is to come any more, the one with most segments left instead: taking turns, the last trials end
        near each other, while an odd one out would run on alone.
        """
        if self.side_tasks:
            return self.side_tasks.pop(0)
        taken = {
            running.task.number for running in self._running.values() if isinstance(running.task, LiveTrial)
        }
        held = any(
            isinstance(running.task, SideTask) and running.task.before_finish
            for running in self._running.values()
        )
        able = [
            trial
            for number, trial in sorted(self.live.items())
            if number not in taken
            and trial.open_rung(self.study.pruning) is None
            and not (held and trial.trained)
        ]
        if self._all_asked:
            return max(able, key=lambda trial: trial.segments_left, default=None)
        return able[0] if able else None

    def _start(self, task: LiveTrial | SideTask, slot: Slot) -> Running:
        if isinstance(task, SideTask):
            return Running(slot.submit(task.function, *task.args), task)
        if task.trained:
            assert task.checkpoint is not None
            probes = self.study.diagnosis.probes  # of plug-ins
            args = (
                task.config,
                task.checkpoint,
                self.baselines,
                task.so_far(),
                *([probes] if probes else []),
            )
            future = slot.submit(self.functions.finish, *args)
            return Running(future, task, finishing=True)
        point = len(task.evaluations)
        return Running(slot.submit(self.functions.segment, task.config, task.checkpoint, point), task)

    # --- taking in -------------------------------------------------------------------------------

    def _take(self, running: Running, slot: Slot) -> None:
        try:
            result = outcome(running.future)
        except WorkerDied as death:
            slot.kill()
            self._died(running, str(death))
            return
        except Exception as error:
            self._raised(running, error)
            return
        if isinstance(running.task, SideTask):
            running.task.store(result)
        elif running.finishing:
            self._settle(running.task, result)
        else:
            trial = running.task
            trial.advance(result.checkpoint, result.evaluation, result.diverged, result.seconds)
            self.folder.write_resume(trial.number, trial.resume_header(), result.checkpoint)

    def _settle(self, trial: LiveTrial, finished: Finished) -> None:
        self.folder.write_files(trial.number, finished.files)
        self._store(trial.settled(finished.exposure_gap, finished.seconds))
        if self.draw is not None:
            self._add_drawing(trial.number)

    def _store(self, record: TrialRecord) -> None:
        self.folder.write_record(record)
        self.projection.settle(record)
        self.folder.drop_resume(record.number)
        self._note(record)
        del self.live[record.number]
        self.watch(Settled(record))

    def _note(self, record: TrialRecord) -> None:
        """Keep a settled record, without its evidence: that is on disk, and large in memory."""
        slim = tuple(replace(evaluation, evidence={}) for evaluation in record.evaluations)
        self.records[record.number] = record = replace(record, evaluations=slim)
        if self._is_wanted(record.number):
            self._counts[record.state] += 1
        if record.rollout_error is not None and (self._best is None or _rank(record) < _rank(self._best)):
            self._best = record

    def _died(self, running: Running, reason: str) -> None:
        task = running.task
        task.deaths += 1
        if task.deaths < MAX_DEATHS:
            what = self._propose.name_of(task.number) if isinstance(task, LiveTrial) else task.name
            self.watch(Message(f"{what}: {reason}; trying again"))
            if isinstance(task, SideTask):
                self.side_tasks.append(task)
            return
        self._give_up(task, f"{reason}, {MAX_DEATHS} times in a row")

    def _raised(self, running: Running, error: Exception) -> None:
        if isinstance(error, MemoryError):
            text = "out of memory"
        else:
            text = str(error) if isinstance(error, SweepError) else f"{type(error).__name__}: {error}"
        self._give_up(running.task, text)

    def _give_up(self, task: LiveTrial | SideTask, reason: str) -> None:
        if isinstance(task, LiveTrial):
            self._store(task.failed(reason))
        else:
            self.watch(Message(f"{task.name} failed: {reason}"))

    def _add_drawing(self, number: int) -> None:
        def store(png: bytes) -> None:
            self.folder.write_files(number, {"rollout.png": png})

        assert self.draw is not None
        name = f"drawing {self._propose.name_of(number)}"
        self.side_tasks.append(SideTask(name, self.draw, (self.folder, number), store))

    # --- progress --------------------------------------------------------------------------------

    def _work_done(self) -> float:
        """Return the work behind the study, in budgets of a trial; a settled one counts as one. It never falls."""
        settled = self._counts.total()
        return math.fsum([settled, *(len(t.evaluations) / len(t.points) for t in self.live.values())])

    def _progress(self) -> Progress:
        wanted = self._total - len(self.skip)
        expected = wanted - self._work_at_start
        share = (self._work_done() - self._work_at_start) / expected if expected > 0 else 1.0
        return Progress(
            total=wanted,
            complete=self._counts["complete"],
            pruned=self._counts["pruned"],
            diverged=self._counts["diverged"],
            failed=self._counts["failed"],
            running=len(self.live),
            best=self._best,
            share=min(1.0, max(0.0, share)),
            elapsed=time.monotonic() - self._began,
            busy=self._busy,
        )


def _rank(record: TrialRecord) -> tuple[float, int]:
    assert record.rollout_error is not None
    return record.rollout_error, record.number
