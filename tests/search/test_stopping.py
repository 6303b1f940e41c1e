"""Runs that end before their total: after trials without gain, and when time is short."""

import math
import time
from types import SimpleNamespace

import pytest

from sweep.search import Outcome
from sweep.search.stopping import Stopping, is_late, total_without_gain
from tests.support.attack import drive, driver_of, same_study, small_study, sound

TOTAL = 60


def records(*errors):
    return {n: SimpleNamespace(rollout_error=error) for n, error in enumerate(errors)}


@pytest.mark.parametrize(
    ("errors", "settled", "expected"),
    [
        ((0.5, 0.4, 0.6, 0.6, 0.6), 5, 4 + 8),  # trial 4 is the third in a row
        ((0.5, 0.4, 0.6, 0.6, 0.6), 4, None),  # which is not settled yet
        ((0.5, 0.4, 0.6, 0.6, 0.3), 5, None),
        ((0.5, 0.5, 0.5, 0.5), 4, 3 + 8),  # an equal error is no gain
        ((None, None, None), 3, 2 + 8),  # nor is a failure
        ((0.5, 0.6, 0.6, 0.6, 0.1, 0.6), 6, 3 + 8),  # later gains do not count: they were not known
    ],
)
def test_the_run_ends_after_trials_without_gain(errors, settled, expected):
    assert total_without_gain(records(*errors), settled, 3, 8) == expected


def driven(path, total=TOTAL, workers=1, **rules):
    driver = driver_of(small_study(), path, workers=workers, stopping=Stopping(**rules))
    try:
        with driver.workers:
            return driver.run(total), driver.stopped, len(driver.records)
    finally:
        driver.projection.close()


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    path = tmp_path_factory.mktemp("stopped") / "attacked"
    outcome, reason, count = driven(path, without_gain=6)
    assert (outcome, reason) == (Outcome.DONE, "6 trials in a row without gain")
    assert 6 < count < TOTAL
    sound(path, count)
    return path, count


@pytest.mark.parametrize(("seed", "workers"), [(0, 2), (1, 5), (2, 8)])
def test_the_number_of_trials_does_not_depend_on_who_ends_first(
    stopped, tmp_path, in_random_order, seed, workers
):
    path, count = stopped
    in_random_order(seed)
    assert driven(tmp_path / "attacked", workers=workers, without_gain=6)[2] == count
    same_study(path, tmp_path / "attacked", count)


def test_a_stopped_study_is_a_part_of_the_whole_one_and_goes_on(stopped, tmp_path):
    path, count = stopped
    drive(small_study(), tmp_path / "attacked", count)
    same_study(path, tmp_path / "attacked", count)
    assert driven(tmp_path / "attacked", without_gain=6)[2] == count  # again: nothing is added
    assert drive(small_study(), tmp_path / "attacked", count + 3) is Outcome.DONE
    sound(tmp_path / "attacked", count + 3)


def trial(done, budget=1000, pruned=False):
    evaluations = [SimpleNamespace(sequence_steps=done)] if done else []
    trained = pruned or done == budget
    return SimpleNamespace(points=(budget // 2, budget), evaluations=evaluations, trained=trained)


@pytest.mark.parametrize(
    ("seconds_left", "late"),
    # 100 steps took 10 s: 900 and 1000 steps of two trials and 2000 afterwards take 390 s
    [(400.0, False), (380.0, True), (-1.0, True)],
)
def test_time_is_kept_for_what_runs_and_what_follows(seconds_left, late):
    now = time.monotonic()
    rules = Stopping(deadline=now + seconds_left, steps_after=2000)
    running = [trial(100), trial(0), trial(1000), trial(100, pruned=True)]
    assert is_late(rules, now - 10, 100, running) is late
    assert not is_late(Stopping(steps_after=2000), now - 10, 100, [trial(100)])


def test_a_run_without_time_starts_nothing_and_one_with_time_everything(tmp_path):
    outcome, reason, count = driven(tmp_path / "none", deadline=time.monotonic() - 1)
    assert (outcome, count) == (Outcome.DONE, 0)
    assert reason == "the time that is left is for the trials that run and the confirmation"
    assert driven(tmp_path / "all", total=9, deadline=math.inf) == (Outcome.DONE, None, 9)


def test_a_run_that_gets_late_ends_the_trials_that_have_started(tmp_path, monkeypatch):
    now = time.monotonic()
    clock = iter([now + second * 0.01 for second in range(100_000)])
    monkeypatch.setattr("sweep.search.stopping.time", SimpleNamespace(monotonic=lambda: next(clock)))
    outcome, reason, count = driven(tmp_path / "attacked", deadline=now + 1.0)
    assert outcome is Outcome.DONE and reason is not None and 8 <= count < TOTAL
    sound(tmp_path / "attacked", count)
