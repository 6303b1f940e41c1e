"""The pipeline with trials that cost nothing: what it decides must not depend on time, order or interruptions."""

import contextlib
import errno
import json
import os
import random
import re
import resource
import time
from asyncio import CancelledError
from dataclasses import replace

import psutil
import pytest
import torch

from sweep.config.breakdown import Breakdown, GroupScores
from sweep.config.errors import StoreError, is_out_of_memory
from sweep.config.records import TrialRecord, to_json
from sweep.config.sections import TrainingConfig
from sweep.config.study import StudyConfig
from sweep.search import Interrupts, Message, Outcome, Settled, Workers, rungs
from sweep.search import driver as driver_module
from sweep.search.executors import EXECUTORS, WorkerDied
from sweep.search.proposals import proposal
from sweep.search.running_trial import RunningTrial
from sweep.search.tasks import Functions, SideTask
from sweep.store import OptunaProjection, StudyFolder
from sweep.store.optuna_rows import OptunaRows
from sweep.store.resume import packed, unpacked
from sweep.trial import Finished
from tests.support.attack import (
    FAKES,
    LateSlot,
    comparable,
    drive,
    driver_of,
    fake_finish,
    fake_segment,
    finish_now,
    same_study,
    small_study,
    sound,
    states_of,
)
from tests.support.disturbances import WRITES, Mortality

TOTAL = 24


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """The study as one worker runs it, undisturbed, in one go."""
    path = tmp_path_factory.mktemp("straight") / "attacked"
    assert drive(small_study(), path, TOTAL) is Outcome.DONE
    return path


def test_scores_by_series_are_stored_and_not_kept_in_memory(tmp_path):
    made = Breakdown(by_series=(GroupScores("a", None, 3, 0.5, 12.0, 0.8, 0.375),))

    def finish(*args):
        return replace(fake_finish(*args), breakdown=made)

    driver = driver_of(small_study(), tmp_path / "attacked", Functions(fake_segment, finish))
    with driver.workers:
        assert driver.run(4) is Outcome.DONE
    driver.projection.close()
    assert [record.breakdown for record in StudyFolder(tmp_path / "attacked").records()] == [made] * 4
    assert [record.breakdown for record in driver.records.values()] == [None] * 4


def test_the_study_has_every_kind_of_end(straight):
    # or the comparisons below compare less than they seem to
    states = states_of(sound(straight, TOTAL))
    assert set(states) == {"complete", "pruned", "diverged"}
    assert min(states.values()) >= 1


@pytest.mark.parametrize(("seed", "workers"), [(0, 2), (1, 4), (2, 8), (3, 16)])
def test_the_order_of_completion_changes_nothing(straight, tmp_path, in_random_order, seed, workers):
    in_random_order(seed)
    drive(small_study(), tmp_path / "attacked", TOTAL, workers=workers)
    same_study(straight, tmp_path / "attacked", TOTAL)


def test_a_longer_study_is_the_shorter_one_gone_on(straight, tmp_path, in_random_order):
    in_random_order(5)
    for total in (7, 20, TOTAL):
        assert drive(small_study(), tmp_path / "attacked", total, workers=3) is Outcome.DONE
        sound(tmp_path / "attacked", total)
    same_study(straight, tmp_path / "attacked", TOTAL)


def test_another_width_is_another_study(straight, tmp_path):
    # control: the oracle sees a change of what the sampler knew
    drive(small_study("search.width=4"), tmp_path / "attacked", TOTAL)
    with pytest.raises(AssertionError):
        same_study(straight, tmp_path / "attacked", TOTAL)


@pytest.mark.parametrize("seed", range(3))
def test_a_driver_that_dies_at_any_write_goes_on_as_if_it_had_not(
    straight, tmp_path, in_random_order, monkeypatch, seed
):
    """Every write and every message may be the last. 12 deaths per seed, before or after the write."""
    in_random_order(seed)
    projection = [(OptunaProjection, "start"), (OptunaProjection, "settle"), (OptunaRows, "_finish")]
    mortality = Mortality(monkeypatch, [*WRITES, *projection], seed)

    def run():
        return drive(small_study(), tmp_path / "attacked", TOTAL, workers=3)

    while mortality.deaths < 12:
        if mortality.attempt(run, 40) is Outcome.DONE and mortality.calls_left > 0:
            break
    assert mortality.deaths > 5
    mortality.calls_left = 0
    assert run() is Outcome.DONE
    same_study(straight, tmp_path / "attacked", TOTAL)


def test_no_segment_is_computed_twice_without_need(tmp_path):
    seen = []

    def segment(config, checkpoint, point):
        seen.append((config.seed, point))
        return fake_segment(config, checkpoint, point)

    for total in (5, 12):
        drive(small_study(), tmp_path / "attacked", total, Functions(segment, fake_finish))
    assert len(seen) == len(set(seen)) > 12


def test_a_stop_and_a_resume_lose_nothing(straight, tmp_path):
    chance = random.Random(3)
    for _ in range(20):
        interrupts, left = Interrupts(), [chance.randint(1, 40)]

        def segment(config, checkpoint, point, left=left, interrupts=interrupts):
            left[0] -= 1
            if left[0] == 0:
                interrupts.requests = 1
            return fake_segment(config, checkpoint, point)

        run = drive(
            small_study(),
            tmp_path / "attacked",
            TOTAL,
            Functions(segment, fake_finish),
            interrupts=interrupts,
        )
        if run is Outcome.DONE:
            break
        assert run is Outcome.INTERRUPTED
    else:
        raise AssertionError("twenty runs were not enough")
    same_study(straight, tmp_path / "attacked", TOTAL)


# --- trials that fail ---------------------------------------------------------------------------------


PENDING = {k: TrialRecord(k, "running", {}, {}, "sampled") for k in range(8)}  # nothing known of them


def failing(error, *numbers, tmp_path):
    """Run a study of 8 in which some trials raise at their second segment; return its records and messages."""
    study = small_study("pruning.enabled=false", "search.sampler=random")
    seeds = {study.trial(proposal(study, PENDING, number)[0]).seed for number in numbers}

    def segment(config, checkpoint, point):
        if config.seed in seeds and point == 1:
            raise error
        return fake_segment(config, checkpoint, point)

    events = []
    drive(study, tmp_path / "failing", 8, Functions(segment, fake_finish), watch=events.append)
    return sound(tmp_path / "failing", 8), events


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("an odd shape"), "ValueError: an odd shape"),
        (StoreError("cannot read the data: why"), "cannot read the data: why"),
        (MemoryError(), "out of memory"),
        (SystemExit(3), r"RuntimeError: the trial called sys.exit\(3\)"),
        (CancelledError("off"), "RuntimeError: CancelledError: off"),
        (RecursionError("deep"), "RecursionError: deep"),
    ],
)
def test_an_error_fails_its_trial_with_the_reason_and_stops_nothing(tmp_path, error, reason):
    records, events = failing(error, 2, 5, tmp_path=tmp_path)
    assert [record.number for record in records if record.state == "failed"] == [2, 5]
    for number in (2, 5):
        record = records[number]
        assert re.fullmatch(reason, record.reason)
        assert record.rollout_error is None
        assert len(record.evaluations) == 1  # what it had reached is kept
    assert sum(isinstance(event, Settled) for event in events) == 8


def test_variable_projection_with_mini_batches_is_infeasible(tmp_path):
    study = small_study("search.sampler=random", "space.readout_refit=['never', 'always']")
    drive(study, tmp_path, 12)
    projected = [r for r in sound(tmp_path, 12) if r.params["readout_refit"] == "always"]
    mini = [r for r in projected if r.params["optimizer"] != "lbfgs"]
    assert mini and len(mini) < len(projected)
    assert {r.number for r in projected if r.state == "failed"} == {r.number for r in mini}
    assert all(
        re.fullmatch(
            r'infeasible: readout_refit = "always" needs an optimizer that takes all windows at once, not \w+',
            r.reason,
        )
        for r in mini
    )


class Infeasible(StudyConfig):
    """A study in which Adam and GRU do not go together."""

    def trial(self, params):
        if params["cell"] == "gru" and params["optimizer"] == "adam":
            TrainingConfig(window=8, burn_in=16)
        return super().trial(params)


def test_an_infeasible_combination_is_a_failed_trial(tmp_path):
    # each value is in its range, but some do not go together
    study = Infeasible(**vars(small_study("search.sampler=random")))
    drive(study, tmp_path / "attacked", 16)
    records = sound(tmp_path / "attacked", 16)
    odd = {r.number for r in records if r.params["cell"] == "gru" and r.params["optimizer"] == "adam"}
    assert odd
    assert odd == {r.number for r in records if r.state == "failed"}
    assert all(
        records[k].reason == "infeasible: burn_in + unroll = 16 leaves nothing of a window of 8" for k in odd
    )
    drive(study, tmp_path / "attacked", 20)
    drive(study, tmp_path / "once", 20)
    same_study(tmp_path / "once", tmp_path / "attacked", 20)


def test_a_trial_that_gets_nowhere_is_scored_1_and_never_best(tmp_path):
    def segment(config, checkpoint, point):
        from dataclasses import replace

        from tests.support.attack import fake_scores

        result = fake_segment(config, checkpoint, point)
        bad = replace(result.evaluation, scores=fake_scores(1.0), train_loss=float("nan"), updates=0)
        return replace(result, evaluation=bad, diverged="non-finite loss")

    events = []
    drive(small_study(), tmp_path / "attacked", 6, Functions(segment, fake_finish), watch=events.append)
    records = sound(tmp_path / "attacked", 6)
    assert {(r.state, r.rollout_error, r.best, r.reason) for r in records} == {
        ("diverged", 1.0, None, "non-finite loss")
    }


# --- workers that die ----------------------------------------------------------------------------------


def dying(monkeypatch, times):
    """Let the segment (trial 1, point 2) lose its worker so many times."""
    deaths, original = [], driver_module.outcome

    def outcome(future):
        function, args = future.task
        if function is fake_segment and args[2] == 2 and args[0].seed == dying.seed and len(deaths) < times:
            deaths.append(1)
            raise WorkerDied("its worker process died: SIGKILL(-9) (out of memory?)")
        return original(future)

    monkeypatch.setattr(driver_module, "outcome", outcome)
    return deaths


@pytest.mark.parametrize("times", [2, 3])
def test_three_deaths_of_one_segment_fail_the_trial_two_do_not(tmp_path, in_random_order, monkeypatch, times):
    study = small_study("pruning.enabled=false")
    drive(study, tmp_path / "sound", 6)
    before = sound(tmp_path / "sound", 6)
    dying.seed = before[1].config["seed"]
    in_random_order(0)
    deaths, events = dying(monkeypatch, times), []
    drive(study, tmp_path / "dying", 6, watch=events.append)
    after = sound(tmp_path / "dying", 6)
    assert len(deaths) == times
    messages = [event.text for event in events if isinstance(event, Message)]
    assert messages == ["trial 1: its worker process died: SIGKILL(-9) (out of memory?); trying again"] * 2
    if times == 2:
        assert [comparable(r) for r in after] == [comparable(r) for r in before]
    else:
        assert after[1].state == "failed"
        assert after[1].reason == "its worker process died: SIGKILL(-9) (out of memory?), 3 times in a row"
        others = [k for k in range(6) if k != 1]
        assert [comparable(after[k]) for k in others] == [comparable(before[k]) for k in others]


def test_deaths_are_counted_per_segment(tmp_path, in_random_order, monkeypatch):
    # two deaths of each of two segments are no reason to give up
    in_random_order(0)
    deaths, original = {}, driver_module.outcome

    def outcome(future):
        function, args = future.task
        if function is fake_segment and args[2] in (1, 3):
            key = (args[0].seed, args[2])
            deaths[key] = deaths.get(key, 0) + 1
            if deaths[key] <= 2:
                raise WorkerDied("gone")
        return original(future)

    monkeypatch.setattr(driver_module, "outcome", outcome)
    drive(small_study("pruning.enabled=false"), tmp_path / "attacked", 4)
    assert "failed" not in states_of(sound(tmp_path / "attacked", 4))


OUT_OF_MEMORY = {
    "Python": MemoryError(),
    "NumPy": MemoryError("Unable to allocate 1.46 TiB for an array"),
    "torch": RuntimeError(
        "[enforce fail at alloc_cpu.cpp:131] err == 0. DefaultCPUAllocator: can't allocate memory: "
    ),
    "CUDA": RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB"),
    "mmap": OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)),
}


@pytest.mark.parametrize("kind", OUT_OF_MEMORY)
def test_a_trial_without_memory_fails_as_out_of_memory(tmp_path, kind):
    def segment(config, checkpoint, point):
        raise OUT_OF_MEMORY[kind]

    drive(small_study(), tmp_path / "attacked", 1, Functions(segment, fake_finish))
    (record,) = StudyFolder(tmp_path / "attacked").records()
    assert (record.state, record.reason) == ("failed", "out of memory")


def test_torch_says_so_when_memory_is_short():
    with pytest.raises(RuntimeError, match="allocate") as raised:
        torch.empty(2**50, dtype=torch.float64)
    assert is_out_of_memory(raised.value)
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert is_out_of_memory(ImportError("x.so: failed to map segment from shared object"))
    assert not is_out_of_memory(ImportError("No module named 'x'"))
    assert not is_out_of_memory(OSError(errno.ENOSPC, "full"))


def test_a_worker_that_never_starts_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(driver_module, "START_SECONDS", 0.05)
    monkeypatch.setattr(driver_module, "TICK_SECONDS", 0.01)

    class Never(LateSlot):
        def submit(self, function, *args):
            future = super().submit(function, *args)
            self.began = None
            return future

    monkeypatch.setitem(EXECUTORS, "inline", Never)
    drive(small_study(), tmp_path / "attacked", 1)
    (record,) = StudyFolder(tmp_path / "attacked").records()
    assert record.reason == "its worker process did not start within 0.05 s, 3 times in a row"


def test_a_hung_segment_meets_its_deadline_and_its_late_result_is_ignored(tmp_path, monkeypatch):
    hung, slots = [], []

    class SlowSlot(LateSlot):
        def submit(self, function, *args):
            future = super().submit(function, *args)
            slots.append(self)
            return future

        def kill(self):
            hung.append(self.future)

    def wait(futures, timeout, return_when):
        for future in futures:
            function, args = future.task
            if function is fake_segment and args[2] == 1 and len(hung) < 2:
                time.sleep(0.06)  # beyond the deadline, without a result
            else:
                finish_now(future)

    monkeypatch.setitem(EXECUTORS, "inline", SlowSlot)
    monkeypatch.setattr(driver_module, "wait", wait)
    study, events = small_study("pruning.enabled=false", "run.segment_timeout=0.05"), []
    driver = driver_of(study, tmp_path / "attacked", watch=events.append)
    driver.run(1)
    driver.projection.close()
    (record,) = sound(tmp_path / "attacked", 1)
    assert record.state == "complete"
    messages = [event.text for event in events if isinstance(event, Message)]
    assert messages == ["trial 0: hung: no result after 0.05 s; trying again"] * 2
    before = (tmp_path / "attacked/trials/0000/trial.json").read_bytes()
    for future in hung:
        finish_now(future)  # too late: nobody listens
    assert (tmp_path / "attacked/trials/0000/trial.json").read_bytes() == before


# --- what stands beside the trials ---------------------------------------------------------------------


def test_side_tasks_are_stored_and_a_failing_one_stops_nothing(tmp_path):
    stored, events = [], []
    driver = driver_of(small_study(), tmp_path / "attacked", watch=events.append)
    driver.side_tasks = [
        SideTask("the sum", sum, ([1, 2],), stored.append),
        SideTask("the quotient", divmod, (1, 0), stored.append),
    ]
    assert driver.run(2) is Outcome.DONE
    driver.projection.close()
    assert stored == [3]
    (message,) = [event.text for event in events if isinstance(event, Message)]
    assert message.startswith("the quotient failed: ZeroDivisionError")
    sound(tmp_path / "attacked", 2)


# --- what the last task of a trial receives -----------------------------------------------------------------


def recording(config, checkpoint, baselines, record):
    """Finish a made-up trial with a file that holds its arguments."""
    received = json.dumps({"baselines": baselines, "record": to_json(record)})
    return Finished({"checkpoint.pt": checkpoint, "received.json": received.encode()}, 0.5, 0.0)


def received_by_trials(path, key):
    return [json.loads(file.read_text())[key] for file in sorted(path.glob("trials/*/received.json"))]


def baselines_task(driver, function=dict, args=({"ar": [0.1]},)):
    def store(results):
        driver.baselines = results

    return SideTask("the baselines", function, args, store, before_finish=True)


@pytest.mark.parametrize(("seed", "workers"), [(0, 1), (1, 2), (2, 4), (3, 16)])
def test_no_trial_is_finished_before_the_baselines_are_known(
    straight, tmp_path, in_random_order, seed, workers
):
    in_random_order(seed)
    driver = driver_of(small_study(), tmp_path / "attacked", Functions(fake_segment, recording), workers)
    driver.side_tasks = [baselines_task(driver)]
    assert driver.run(TOTAL) is Outcome.DONE
    driver.projection.close()
    assert received_by_trials(tmp_path / "attacked", "baselines") == TOTAL * [{"ar": [0.1]}]
    for file in tmp_path.glob("attacked/trials/*/received.json"):
        file.unlink()
    same_study(straight, tmp_path / "attacked", TOTAL)


def naming_its_worker(config, checkpoint, baselines, record):
    return Finished({"worker": str(os.getpid()).encode()}, 0.5, 0.0)


def never_done(config, checkpoint, point):
    time.sleep(600)


def test_workers_outlast_a_driver_unless_it_leaves_them_busy(tmp_path):
    def run(name, **settings):
        driver = driver_of(small_study(), tmp_path / name, **settings)
        driver.workers = workers
        with contextlib.closing(driver.projection):
            driver.run(2)
        return {int(path.read_text()) for path in tmp_path.glob(f"{name}/trials/*/worker")}

    interrupts = Interrupts()

    def stop_at_once(event):
        interrupts.requests = 2

    def is_there(pid):
        return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE

    with Workers(1, "loky") as workers:
        (worker,) = run("one", functions=Functions(fake_segment, naming_its_worker))
        assert worker != os.getpid()
        assert run("two", functions=Functions(fake_segment, naming_its_worker)) == {worker}
        never = Functions(never_done, fake_finish)
        run("three", functions=never, watch=stop_at_once, interrupts=interrupts)
        assert not is_there(worker)
        (worker,) = run("four", functions=Functions(fake_segment, naming_its_worker))
        assert is_there(worker)
    assert not is_there(worker)


@pytest.mark.parametrize(("total", "workers"), [(3, 2), (5, 2), (5, 3), (7, 4), (13, 3)])
def test_the_last_trials_end_near_each_other(tmp_path, monkeypatch, total, workers):
    """Of three equal trials on two workers the third would run alone, half of the time."""
    busy, order = [], []

    def wait(futures, timeout, return_when):
        busy.append(len(futures))
        for future in futures:
            finish_now(future)

    def segment(config, checkpoint, point):
        order.append(config.seed)
        return replace(fake_segment(config, checkpoint, point), diverged=None)

    monkeypatch.setitem(EXECUTORS, "inline", LateSlot)
    monkeypatch.setattr(driver_module, "wait", wait)
    functions = Functions(segment, fake_finish)
    study = small_study("pruning.enabled=false")  # 8 trials in flight
    assert drive(study, tmp_path / "attacked", total, functions, workers) is Outcome.DONE
    records = sound(tmp_path / "attacked", total)
    tasks = sum(len(record.evaluations) + 1 for record in records)
    assert sum(busy) == tasks
    assert len(busy) <= -(-tasks // workers) + 1
    # while more are to come, one after the other: the first end first, and others can be learnt from them
    at_once = len(set(order[: workers * len(records[0].evaluations)]))
    assert at_once == (workers if total > 8 else total)


def test_trials_train_while_the_baselines_are_scored(tmp_path, monkeypatch):
    order = []

    def wait(futures, timeout, return_when):
        # the baselines come last of all: the rest of the pipeline runs until it can go no further
        pending = [future for future in futures if not future.done()]
        others = [future for future in pending if future.task[0] is not dict]
        finish_now((others or pending)[0])

    def segment(config, checkpoint, point):
        order.append("segment")
        return fake_segment(config, checkpoint, point)

    def finish(config, checkpoint, baselines, record):
        order.append("finish")
        return recording(config, checkpoint, baselines, record)

    monkeypatch.setitem(EXECUTORS, "inline", LateSlot)
    monkeypatch.setattr(driver_module, "wait", wait)
    study = small_study("pruning.enabled=false")
    driver = driver_of(study, tmp_path / "attacked", Functions(segment, finish), workers=2)
    driver.side_tasks = [baselines_task(driver)]
    assert driver.run(10) is Outcome.DONE
    driver.projection.close()
    sound(tmp_path / "attacked", 10)
    assert order.index("finish") > 6 * 8 - 8  # all eight that the pipeline has room for, but for divergences
    assert received_by_trials(tmp_path / "attacked", "baselines") == 10 * [{"ar": [0.1]}]


@pytest.mark.parametrize("how", ["raises", "dies"])
def test_baselines_that_fail_are_done_without(tmp_path, monkeypatch, how):
    original = driver_module.outcome

    def outcome(future):
        if how == "dies" and future.task[0] is divmod:
            raise WorkerDied("its worker process died")
        return original(future)

    def wait(futures, timeout, return_when):
        for future in futures:
            if not future.done():
                finish_now(future)

    monkeypatch.setitem(EXECUTORS, "inline", LateSlot)
    monkeypatch.setattr(driver_module, "outcome", outcome)
    monkeypatch.setattr(driver_module, "wait", wait)
    events = []
    path = tmp_path / "attacked"
    driver = driver_of(
        small_study(), path, Functions(fake_segment, recording), workers=2, watch=events.append
    )
    driver.side_tasks = [baselines_task(driver, divmod, (1, 0))]
    assert driver.run(6) is Outcome.DONE
    driver.projection.close()
    sound(path, 6)
    assert received_by_trials(path, "baselines") == 6 * [{}]
    messages = [event.text for event in events if isinstance(event, Message)]
    assert messages[-1].startswith("the baselines failed:") and len(messages) == (3 if how == "dies" else 1)


def test_the_last_task_receives_the_record_without_time_and_place(tmp_path):
    nan = float("nan")

    def segment(config, checkpoint, point):
        result = fake_segment(config, checkpoint, point)
        return replace(result, evaluation=replace(result.evaluation, evidence={"odd": [nan]}), seconds=3.0)

    path, interrupts = tmp_path / "attacked", Interrupts()

    def stopped(config, checkpoint, baselines, record):
        interrupts.requests = 2  # what comes of it is lost: the trial is finished by the next driver
        return recording(config, checkpoint, baselines, record)

    drive(small_study(), tmp_path / "straight", 6, Functions(segment, recording))
    assert drive(small_study(), path, 6, Functions(segment, stopped), interrupts=interrupts) is (
        Outcome.INTERRUPTED
    )
    drive(small_study(), path, 6, Functions(segment, recording))
    assert received_by_trials(path, "record") == received_by_trials(tmp_path / "straight", "record")
    for received, record in zip(received_by_trials(path, "record"), sound(path, 6), strict=True):
        assert (
            received.pop("seconds") == 0
            and received.pop("host") == {}
            and received.pop("exposure_gap") is None
        )
        assert received["evaluations"][0]["evidence"] == {"odd": [None]}
        assert received == {key: value for key, value in comparable(record).items() if key != "exposure_gap"}


def test_a_record_is_the_same_before_and_after_the_disk():
    study = small_study()
    trial = RunningTrial(TrialRecord(0, "running", {}, {}, "sampled", host={"a": 1}), study.trial(
        proposal(study, {}, 0)[0]))  # fmt: skip
    result = fake_segment(trial.config, None, 0)
    odd = replace(result.evaluation, evidence={"odd": (float("nan"), 1.0)}, train_loss=float("nan"))
    trial.advance(b"", odd, "stopped", 2.0)
    again = RunningTrial(trial.record, trial.config)
    again.resume(*unpacked(packed(trial.resume_header(), b"")))
    assert repr(trial.trained_record()) == repr(again.trained_record())
    assert trial.trained_record().evaluations[0].evidence == {"odd": [None, 1.0]}


def draw(folder, number):
    return f"a picture of trial {number}".encode()


def test_pictures_are_drawn_for_every_scored_trial_also_later(tmp_path):
    drive(small_study(), tmp_path / "attacked", 3)
    pictures = tmp_path / "attacked/trials"
    assert not list(pictures.glob("*/rollout.png"))
    drive(small_study(), tmp_path / "attacked", 6, draw=draw)
    assert [p.read_text() for p in sorted(pictures.glob("*/rollout.png"))] == [
        f"a picture of trial {k}" for k in range(6)
    ]


# --- damage --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", [b"", b'{"number": 3', b"[]", b'{"number": 3}', b"\xff\xfe\x00"])
def test_a_damaged_record_is_put_aside_and_its_trial_run_again_with_the_same_result(
    straight, tmp_path, damage
):
    path = tmp_path / "attacked"
    drive(small_study(), path, TOTAL)
    for number in (3, 11, 12):
        (path / f"trials/{number:04d}/trial.json").write_bytes(damage)
    assert drive(small_study(), path, TOTAL) is Outcome.DONE
    for number in (3, 11, 12):
        aside = path / f"trials/{number:04d}/trial.json.damaged"
        assert aside.read_bytes() == damage
        aside.unlink()
    same_study(straight, path, TOTAL)


def test_records_damaged_further_apart_than_the_pipeline_is_wide(tmp_path):
    # a trial above the second hole waits at its rung for one that has not even been asked for
    study = small_study("search.width=2", "pruning.startup=1")
    drive(study, tmp_path / "straight", 14)
    driver = driver_of(study, tmp_path / "attacked")
    stop = [0]

    def segment(config, checkpoint, point):
        stop[0] += 1
        if len(driver.records) == 14 and point == 1:
            driver.interrupts.requests = 1
        return fake_segment(config, checkpoint, point)

    driver.functions = Functions(segment, fake_finish)
    assert driver.run(14) is Outcome.INTERRUPTED
    driver.projection.close()
    for number in (2, 9):
        (tmp_path / f"attacked/trials/{number:04d}/trial.json").write_bytes(b"{")
    drive(study, tmp_path / "attacked", 14)
    for number in (2, 9):
        (tmp_path / f"attacked/trials/{number:04d}/trial.json.damaged").unlink()
    same_study(tmp_path / "straight", tmp_path / "attacked", 14)


@pytest.mark.parametrize("keep", [0, 20, 60, -1])
def test_a_truncated_checkpoint_starts_its_trial_over(tmp_path, keep):
    study = small_study()
    drive(study, tmp_path / "straight", 8)
    driver = driver_of(study, tmp_path / "attacked")

    def segment(config, checkpoint, point):
        if point == 4:
            driver.interrupts.requests = 1
        return fake_segment(config, checkpoint, point)

    driver.functions = Functions(segment, fake_finish)
    assert driver.run(8) is Outcome.INTERRUPTED
    driver.projection.close()
    left = list((tmp_path / "attacked").glob("trials/*/resume.bin"))
    assert left
    for path in left:
        path.write_bytes(path.read_bytes()[:keep])
    drive(study, tmp_path / "attacked", 8)
    same_study(tmp_path / "straight", tmp_path / "attacked", 8)


def test_what_a_driver_left_behind_as_it_died_is_cleared_away(tmp_path):
    drive(small_study(), tmp_path / "attacked", 4)
    (tmp_path / "attacked/trials/0001/resume.bin").write_bytes(b"of a settled trial")
    drive(small_study(), tmp_path / "attacked", 5)
    sound(tmp_path / "attacked", 5)


@pytest.mark.parametrize("kilobytes", [1, 60])
def test_a_full_disk_is_one_error_with_the_path_and_nothing_earlier_is_lost(straight, tmp_path, kilobytes):
    path = tmp_path / "attacked"
    drive(small_study(), path, 6)
    before = [comparable(record) for record in sound(path, 6)]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    driver = driver_of(small_study(), path)
    try:
        # the system refuses to let a file grow: first where records go, then where the database does
        resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, hard))
        with pytest.raises(StoreError, match=f"cannot write {path}/"):
            driver.run(TOTAL)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        driver.projection.close()
    assert [comparable(record) for record in StudyFolder(path).records() if record.number < 6] == before
    drive(small_study(), path, TOTAL)
    same_study(straight, path, TOTAL)


@pytest.mark.parametrize("place", ["study.db", "trials/0008"])
def test_what_disappears_during_a_run_is_an_error_or_made_again(straight, tmp_path, place):
    path = tmp_path / "attacked"
    driver = driver_of(small_study(), path)

    def segment(config, checkpoint, point):
        if len(driver.records) > 8 and (path / place).exists():
            for file in (path / "trials/0008").glob("*") if place != "study.db" else path.glob("study.db*"):
                file.unlink()
            if place != "study.db":
                (path / place).rmdir()
        return fake_segment(config, checkpoint, point)

    driver.functions = Functions(segment, fake_finish)
    with contextlib.suppress(StoreError):
        driver.run(TOTAL)
    driver.projection.close()
    drive(small_study(), path, TOTAL)
    same_study(straight, path, TOTAL)


# --- memory and cost -------------------------------------------------------------------------------------


def test_records_in_memory_are_slim_those_on_disk_are_whole(tmp_path):
    from dataclasses import replace

    def segment(config, checkpoint, point):
        result = fake_segment(config, checkpoint, point)
        return replace(result, evaluation=replace(result.evaluation, evidence={"gradients": list(range(99))}))

    for total in (3, 6):  # the second run reads what the first one wrote
        driver = driver_of(small_study(), tmp_path / "attacked", Functions(segment, fake_finish))
        driver.run(total)
        driver.projection.close()
        assert all(not e.evidence for r in driver.records.values() for e in r.evaluations)
    stored = StudyFolder(tmp_path / "attacked").records()
    assert all(e.evidence == {"gradients": list(range(99))} for r in stored for e in r.evaluations)


def test_progress_counts_what_is_there(tmp_path):
    from sweep.search import Progress

    for total in (8, 20):
        events = []
        drive(small_study(), tmp_path / "attacked", total, watch=events.append)
        last = [event for event in events if isinstance(event, Progress)][-1]
        records = StudyFolder(tmp_path / "attacked").records()
        states = states_of(records)
        counted = {s: getattr(last, s) for s in ("complete", "pruned", "diverged", "failed")}
        assert {s: n for s, n in counted.items() if n} == states
        assert (last.total, last.running, last.share) == (total, 0, 1.0)
        best = min(records, key=lambda r: (r.rollout_error, r.number))
        assert last.best is not None
        assert (last.best.number, last.best.rollout_error) == (best.number, best.rollout_error)
        shares = [event.share for event in events if isinstance(event, Progress)]
        assert shares == sorted(shares)


def test_the_number_of_looks_at_others_grows_with_the_study_not_with_its_square(tmp_path, monkeypatch):
    looks, original = [0], rungs.rung_result

    def rung_result(*args):
        looks[0] += 1
        return original(*args)

    monkeypatch.setattr(rungs, "rung_result", rung_result)
    counts = []
    for total in (24, 48):
        looks[0] = 0
        drive(small_study("search.sampler=random"), tmp_path / str(total), total)
        counts.append(looks[0])
    assert counts[1] < 2.6 * counts[0]


def test_a_running_trial_knows_the_points_of_its_configuration():
    study = small_study()
    config = study.trial({"optimizer": "lbfgs", "lbfgs.lr": 0.5, "scheduler": "none", "cell": "gru"})
    trial = RunningTrial(None, config)
    assert trial.points == config.points
    assert [trial.point_of(rung) for rung in study.pruning.rungs] == [
        config.point_of(a) for a in config.rungs
    ]
    assert FAKES.segment is fake_segment
