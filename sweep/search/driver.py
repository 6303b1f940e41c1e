"""The driver: starts trials, hands segments to workers, decides at rungs, and alone writes the results."""

import time
from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass, field
from typing import Any

from sweep.config.errors import SweepError, is_out_of_memory
from sweep.config.records import TrialRecord, slim
from sweep.config.study import StudyConfig
from sweep.config.text import plural
from sweep.config.trial import config_of
from sweep.diagnosis.symptoms import Baselines
from sweep.search.events import Message, Settled, Watch
from sweep.search.executors import Slot, TaskLost, WorkerDied, Workers, outcome
from sweep.search.interrupts import Interrupts
from sweep.search.outcome import Outcome
from sweep.search.proposals import Proposed, Proposer, SampledTrials
from sweep.search.rungs import RungDecisions
from sweep.search.running_trial import MAX_DEATHS, RunningTrial
from sweep.search.stopping import Stopping, is_late, steps_done, total_without_gain
from sweep.search.tally import Tally
from sweep.search.tasks import Draw, Functions, SideTask, SlotTask
from sweep.store import Projection, StudyFolder
from sweep.trial import Finished

STOP_SECONDS = 6.0  # how long a stop waits for running segments: all must have ended within 10 s
START_SECONDS = 1800.0  # how long a worker may take to start; minutes on a machine that is busy or swaps
TICK_SECONDS = 0.25  # how long the driver sleeps when nothing happens


@dataclass
class Driver:
    """Runs a study up to a total number of trials. Its decisions depend on records, never on time.

    `propose` returns the configuration of trial n: by default the study's sampler does. `skip` holds numbers below
    the total that are not run. `baselines` are passed to the last task of each trial. A side task that computes them
    has `before_finish`, so that every trial gets the same ones. `stopping` may end the run before its total; `stopped`
    is then the reason.
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
    running: dict[int, RunningTrial] = field(default_factory=dict)
    propose: Proposer | None = None
    skip: Collection[int] = ()
    baselines: Baselines = field(default_factory=dict)
    stopping: Stopping = field(default_factory=Stopping)
    stopped: str | None = None

    def run(self, total: int) -> Outcome:
        """Run trials until `total` are settled, or until interrupted.

        Raises:
            StoreError: the results folder cannot be written.
        """
        self._total = total
        self._tally = Tally(total - len(self.skip))
        self._propose: Proposer = self.propose or SampledTrials(self.study)
        self._settled_below = 0  # all trials below this number are settled
        self._all_started = False  # whether every trial of the run has started
        self._rungs = RungDecisions(self.study.pruning, self.running, self.records)
        self.projection.say = lambda text: self.watch(Message(text))
        self._slot_tasks: dict[int, SlotTask] = {}  # by slot number
        self._told_of_idle = False
        self._resume_trials()
        self._tally.work_at_start = self._tally.work_done(self.running.values())
        self._steps_at_start = steps_done(self.records.values(), self.running.values())
        try:
            return self._loop()
        finally:
            for number in self._slot_tasks:
                self.workers.slots[number].kill()

    # --- the loop --------------------------------------------------------------------------------

    def _loop(self) -> Outcome:
        stop_by = None
        while True:
            if self.interrupts.requests and stop_by is None:
                stop_by = time.monotonic() + STOP_SECONDS
                if self._slot_tasks:
                    self.watch(
                        Message("stopping: waiting for running segments; press Ctrl-C again to stop at once")
                    )
            self.workers.refresh(self.watch)
            self._tell_of_idle_workers()
            if stop_by is None:
                self._start_trials()
                self._rungs.decide(self._settled_below)
                self._fill_slots()
            if not self._slot_tasks:
                if stop_by is not None:
                    return Outcome.INTERRUPTED
                if self._all_settled() and not self.side_tasks:
                    return Outcome.DONE
                if not self._work_is_left():
                    raise AssertionError("no task runs and none can start: the study is stuck")
            if stop_by is not None and (self.interrupts.requests > 1 or time.monotonic() > stop_by):
                return Outcome.INTERRUPTED
            self._collect()
            self.watch(self._tally.progress(self.running.values()))

    def _tell_of_idle_workers(self) -> None:
        """Tell once if there are more workers than the study has trials in flight."""
        width = self.study.search.width
        count = sum(slot.ready and slot.runs_trials for slot in self.workers.slots)
        if count > width and not self._told_of_idle:
            self._told_of_idle = True
            self.watch(
                Message(
                    f"{count} workers, but only {plural(width, 'trial')} in flight: the others wait. A study that is "
                    f"to use them takes search.width={count}, set before its first trial"
                )
            )

    def _collect(self) -> None:
        """Wait for results, at most for one tick, and take in those of the slots that are done or hang."""
        if not self._slot_tasks:  # workers of a cluster that are not there yet
            time.sleep(TICK_SECONDS)
        wait(
            [task.future for task in self._slot_tasks.values()],
            timeout=TICK_SECONDS,
            return_when=FIRST_COMPLETED,
        )
        now = time.monotonic()
        for number, slot in enumerate(self.workers.slots):
            task = self._slot_tasks.get(number)
            if task is None:
                continue
            if task.future.done():
                del self._slot_tasks[number]
                self._tally.busy += slot.seconds(now)
                self._take_result(task, slot)
            elif slot.seconds(now) > self.study.run.segment_timeout:
                del self._slot_tasks[number]
                slot.kill()
                self._worker_died(task, f"hung: no result after {self.study.run.segment_timeout:g} s")
            elif slot.starting(now) > START_SECONDS:
                del self._slot_tasks[number]
                slot.kill()
                self._worker_died(task, f"its worker process did not start within {START_SECONDS:g} s")

    def _all_settled(self) -> bool:
        return not self.running and all(self._is_settled(number) for number in range(self._total))

    def _work_is_left(self) -> bool:
        return bool(self.side_tasks) or any(
            trial.undecided_rung(self.study.pruning) is None for trial in self.running.values()
        )

    # --- starting trials -------------------------------------------------------------------------

    def _resume_trials(self) -> None:
        """Resume the trials that an earlier driver left running."""
        for number, record in list(self.records.items()):
            if record.settled:
                self.folder.drop_resume(number)  # a driver may have died just before it did
                self._remember(record)
                continue
            if not self._is_wanted(number):
                continue
            trial = RunningTrial(record, config_of(record))
            stored = self.folder.read_resume(number)
            if stored is not None:
                trial.resume(*stored)
            self.running[number] = trial
        if self.draw is not None:
            for number, record in self.records.items():
                if record.settled and record.state != "failed" and self.folder.picture(number) is None:
                    self._add_drawing(number)

    def _start_trials(self) -> None:
        """Start every trial that the pipeline has room for, in the order of their numbers.

        Trial n may start once the trials 0 .. n - width are settled.
        """
        while self._is_settled(self._settled_below):
            self._settled_below += 1
        if self.stopped is None:
            self._stop_early()
        end = min(self._total, self._settled_below + self.study.search.width)
        self._all_started = end == self._total
        for number in range(self._settled_below, end):
            if number in self.records or number in self.skip:
                continue
            proposed = self._propose(self.records, number)
            if proposed.config is None:
                self._store_infeasible(number, proposed)
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
            self.running[number] = RunningTrial(record, proposed.config)

    def _stop_early(self) -> None:
        """Lower the total if a rule says so, never below the trials that have started."""
        rules, total, reason = self.stopping, 0, None
        if rules.without_gain is not None:
            width = self.study.search.width
            end = total_without_gain(self.records, self._settled_below, rules.without_gain, width)
            if end is not None:
                total, reason = end, f"{plural(rules.without_gain, 'trial')} in a row without gain"
        if rules.deadline is not None:
            done = steps_done(self.records.values(), self.running.values()) - self._steps_at_start
            if is_late(rules, self._tally.began, done, self.running.values()):
                total, reason = 0, "the time that is left is for the trials that run and the confirmation"
        if reason is None:
            return
        total = max(total, max(self.records, default=-1) + 1)
        if total < self._total:
            self._total, self.stopped = total, reason
            self._tally.wanted = sum(number not in self.skip for number in range(total))
            self.watch(Message(f"no more trials after {total}: {reason}"))

    def _store_infeasible(self, number: int, proposed: Proposed) -> None:
        """Store a trial as failed whose parameters are in their ranges, but not valid together."""
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
        self._remember(record)
        self.watch(Settled(record))

    def _is_settled(self, number: int) -> bool:
        return number in self.skip or (number in self.records and self.records[number].settled)

    def _is_wanted(self, number: int) -> bool:
        return number < self._total and number not in self.skip

    # --- filling slots ---------------------------------------------------------------------------

    def _fill_slots(self) -> None:
        for number, slot in enumerate(self.workers.slots):
            if number in self._slot_tasks or not slot.ready:
                continue
            work = self._next_work(slot)
            if work is None and slot.runs_trials:
                return  # nor is there any for those after it
            if work is None:
                continue
            self._slot_tasks[number] = self._submit(work, slot)

    def _next_work(self, slot: Slot) -> RunningTrial | SideTask | None:
        """Return the next work of a slot: side tasks first, then the lowest-numbered trial that is not waiting.

        Once every trial has started, return the trial with most segments left instead. The last trials then take
        turns and end near each other; by number, the last one would run on alone.
        """
        if self.side_tasks and slot.runs_side_tasks:
            return self.side_tasks.pop(0)
        if not slot.runs_trials:
            return None
        works = [task.work for task in self._slot_tasks.values()]
        busy = {work.number for work in works if isinstance(work, RunningTrial)}
        finish_waits = any(isinstance(work, SideTask) and work.before_finish for work in works)
        ready = [
            trial
            for number, trial in sorted(self.running.items())
            if number not in busy
            and trial.undecided_rung(self.study.pruning) is None
            and not (finish_waits and trial.trained)
        ]
        if self._all_started:
            return max(ready, key=lambda trial: trial.segments_left, default=None)
        return ready[0] if ready else None

    def _submit(self, work: RunningTrial | SideTask, slot: Slot) -> SlotTask:
        if isinstance(work, SideTask):
            return SlotTask(slot.submit(work.function, *work.args), work)
        if work.trained:
            assert work.checkpoint is not None
            probes = self.study.diagnosis.probes  # of plug-ins
            args = (work.config, work.checkpoint, self.baselines, work.trained_record())
            future = slot.submit(self.functions.finish, *args, *([probes] if probes else []))
            return SlotTask(future, work, finishing=True)
        point = len(work.evaluations)
        return SlotTask(slot.submit(self.functions.segment, work.config, work.checkpoint, point), work)

    # --- taking results --------------------------------------------------------------------------

    def _take_result(self, task: SlotTask, slot: Slot) -> None:
        try:
            result = outcome(task.future)
        except WorkerDied as death:
            slot.kill()
            self._worker_died(task, str(death))
            return
        except TaskLost as loss:
            self._repeat(task.work, str(loss))
            return
        except Exception as error:
            self._fail(task.work, _reason(error))
            return
        if isinstance(task.work, SideTask):
            task.work.store(result)
        elif task.finishing:
            self._settle(task.work, result)
        else:
            trial = task.work
            trial.advance(result.checkpoint, result.evaluation, result.diverged, result.seconds)
            self.folder.write_resume(trial.number, trial.resume_header(), result.checkpoint)

    def _settle(self, trial: RunningTrial, finished: Finished) -> None:
        self.folder.write_files(trial.number, finished.files)
        self._store(trial.settled(finished.exposure_gap, finished.seconds, finished.breakdown))
        if self.draw is not None:
            self._add_drawing(trial.number)

    def _store(self, record: TrialRecord) -> None:
        self.folder.write_record(record)
        self.projection.settle(record)
        self.folder.drop_resume(record.number)
        self._remember(record)
        del self.running[record.number]
        self.watch(Settled(record))

    def _remember(self, record: TrialRecord) -> None:
        """Keep a settled record, without what is large and needed no more."""
        self.records[record.number] = record = slim(record)
        self._tally.add(record, wanted=self._is_wanted(record.number))

    def _worker_died(self, task: SlotTask, reason: str) -> None:
        """Repeat the work of a dead worker, or let it fail after MAX_DEATHS deaths."""
        work = task.work
        work.deaths += 1
        if work.deaths >= MAX_DEATHS:
            self._fail(work, f"{reason}, {MAX_DEATHS} times in a row")
            return
        self._repeat(work, reason)

    def _repeat(self, work: RunningTrial | SideTask, reason: str) -> None:
        name = self._propose.name_of(work.number) if isinstance(work, RunningTrial) else work.name
        self.watch(Message(f"{name}: {reason}; trying again"))
        if isinstance(work, SideTask):
            self.side_tasks.append(work)

    def _fail(self, work: RunningTrial | SideTask, reason: str) -> None:
        if isinstance(work, RunningTrial):
            self._store(work.failed(reason))
        else:
            self.watch(Message(f"{work.name} failed: {reason}"))

    def _add_drawing(self, number: int) -> None:
        def store(png: bytes) -> None:
            self.folder.write_files(number, {"rollout.png": png})

        assert self.draw is not None
        name = f"drawing {self._propose.name_of(number)}"
        self.side_tasks.append(SideTask(name, self.draw, (self.folder, number), store))


def _reason(error: Exception) -> str:
    """Return why a task failed, from the error that it raised."""
    if is_out_of_memory(error):
        return "out of memory"
    return str(error) if isinstance(error, SweepError) else f"{type(error).__name__}: {error}"
