"""The same study on a Dask cluster: workers come, go and are killed, and the scheduler is lost and comes back."""

import os
import signal
import threading
import time
from dataclasses import replace

import pytest

from sweep.config.errors import SweepError, UsageError
from sweep.search import Message, Outcome
from sweep.search import dask_workers as module
from sweep.search.dask_workers import Admission, DaskWorkers
from sweep.search.executors import WorkerDied, outcome
from sweep.study.cluster import cluster_workers, unlike
from sweep.trial import load_data
from tests.support.attack import FAKES, drive, driver_of, fake_segment, same_study, small_study, sound
from tests.support.dask_cluster import Cluster

pytestmark = pytest.mark.slow
TOTAL = 16


def admitted(*args):
    return os.getpid()


ANY = Admission(admitted, (), lambda there: None)


def slow_segment(config, checkpoint, point):
    time.sleep(0.05)
    return fake_segment(config, checkpoint, point)


SLOW = replace(FAKES, segment=slow_segment)


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    path = tmp_path_factory.mktemp("straight") / "attacked"
    drive(small_study(), path, TOTAL)
    return path


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    yield made
    made.close()


def run_on(path, workers, **settings):
    driver = driver_of(small_study(), path, **{"functions": SLOW, **settings})
    driver.workers = workers
    try:
        return driver.run(TOTAL)
    finally:
        driver.projection.close()


def test_workers_that_join_and_are_killed_change_nothing(cluster, straight, tmp_path):
    processes = [cluster.start_worker()]
    messages, busy = [], threading.Event()
    disturbed = threading.Event()

    def watch(event):
        if isinstance(event, Message):
            messages.append(event.text)
        busy.set()

    def disturb():
        busy.wait(60)
        for _ in range(3):
            time.sleep(2.0)
            processes.append(cluster.start_worker())
            time.sleep(2.0)
            cluster.kill(processes.pop(0))
        disturbed.set()

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        with DaskWorkers(cluster.address, 0, ANY) as workers:
            assert run_on(tmp_path / "attacked", workers, watch=watch) is Outcome.DONE
            assert not any("failed" in text for text in messages)
    finally:
        thread.join()
        for process in processes:
            cluster.kill(process)
    assert disturbed.is_set()
    same_study(straight, tmp_path / "attacked", TOTAL)


def test_a_scheduler_that_is_killed_and_comes_back_loses_nothing(tmp_path, straight):
    cluster = Cluster(tmp_path)
    messages = []

    def watch(event):
        if isinstance(event, Message):
            messages.append(event.text)

    def disturb():
        time.sleep(3.0)
        cluster.kill(cluster.scheduler)
        time.sleep(2.0)
        cluster.start_scheduler()
        cluster.start_worker()  # as a cluster manager does

    cluster.start_worker()
    thread = threading.Thread(target=disturb)
    try:
        with DaskWorkers(cluster.address, 0, ANY) as workers:
            thread.start()
            assert run_on(tmp_path / "attacked", workers, watch=watch) is Outcome.DONE
    finally:
        thread.join()
        cluster.close()
    assert any(text.startswith("the Dask scheduler is lost") for text in messages)
    same_study(straight, tmp_path / "attacked", TOTAL)


def test_a_scheduler_that_stays_away_stops_the_run_which_can_be_resumed(tmp_path, straight, monkeypatch):
    monkeypatch.setattr(module, "SCHEDULER_SECONDS", 1.0)
    monkeypatch.setattr(module, "CALL_SECONDS", 1.0)
    cluster = Cluster(tmp_path)
    cluster.start_worker()
    try:
        with DaskWorkers(cluster.address, 0, ANY) as workers:
            threading.Timer(3.0, cluster.kill, (cluster.scheduler,)).start()
            with pytest.raises(
                SweepError, match=r"the Dask scheduler has been away for \d+ s: start it, and rerun"
            ):
                run_on(tmp_path / "attacked", workers)
    finally:
        cluster.close()
    assert drive(small_study(), tmp_path / "attacked", TOTAL) is Outcome.DONE
    same_study(straight, tmp_path / "attacked", TOTAL)


def ready(workers, count, watch=lambda event: None):
    end = time.monotonic() + 90
    while sum(slot.ready for slot in workers.slots[1:]) < count and time.monotonic() < end:
        workers.refresh(watch)
        time.sleep(0.1)
    return [slot for slot in workers.slots[1:] if slot.ready]


def test_what_kills_its_worker_is_a_death_and_a_hang_is_ended(cluster):
    process = cluster.start_worker()
    try:
        with DaskWorkers(cluster.address, 0, ANY) as workers:
            (slot,) = ready(workers, 1)
            future = slot.submit(_die)
            while not future.done():
                workers.refresh(lambda event: None)
                time.sleep(0.1)
            with pytest.raises(WorkerDied, match="its worker left the cluster"):
                outcome(future)
            assert slot.gone and not slot.ready
            (again,) = ready(workers, 1)  # the nanny has started it again
            hung = again.submit(time.sleep, 600)
            again.kill()
            with pytest.raises(WorkerDied, match="its worker was stopped"):
                outcome(hung)
            (third,) = ready(workers, 1)
            assert outcome(third.submit(os.getpid)) > 0
            with pytest.raises(ZeroDivisionError):
                outcome(third.submit(divmod, 1, 0))
    finally:
        cluster.kill(process)


def _die():
    os.kill(os.getpid(), signal.SIGKILL)


def test_workers_that_do_not_fit_are_not_used_and_it_is_told_once(cluster):
    processes = [cluster.start_worker(threads=2), cluster.start_worker(), cluster.start_worker()]
    messages = []

    def watch(event):
        messages.append(event.text)

    try:
        other = Admission(admitted, (), lambda there: "version of torch: 1.0 there, 2.13.0 here")
        with DaskWorkers(cluster.address, 0, other) as workers:
            end = time.monotonic() + 60
            while len(messages) < 3 and time.monotonic() < end:
                workers.refresh(watch)
                time.sleep(0.1)
            assert not ready(workers, 0)
    finally:
        for process in processes:
            cluster.kill(process)
    host = "tcp://127.0.0.1"
    assert sorted(messages) == sorted(
        [
            f"a worker at {host} is not used: it has 2 threads: start it with --nthreads 1",
            f"a worker at {host} is not used: version of torch: 1.0 there, 2.13.0 here",
            "waiting for workers of the cluster",
        ]
    )


def test_a_study_sends_its_data_and_checks_versions(cluster):
    study = small_study()
    data = load_data(study.data, study.score)
    study = replace(
        study, run=study.run.model_copy(update={"executor": "dask", "scheduler": cluster.address})
    )
    process = cluster.start_worker()
    try:
        with cluster_workers(study, data) as workers:
            (slot,) = ready(workers, 1)
            assert outcome(slot.submit(_given_fingerprint)) == [data.fingerprint]
    finally:
        cluster.kill(process)


def _given_fingerprint():
    from sweep.trial.inputs import _given

    return [data.fingerprint for data in _given.values()]


def test_a_worker_fits_only_with_the_same_versions_and_arithmetic():
    here = {"version of torch": "2.13.0", "arithmetic": "mkl, AVX512"}
    assert unlike(here, dict(here)) is None
    assert (
        unlike(here, {**here, "arithmetic": "mkl, AVX2"}) == "arithmetic: mkl, AVX2 there, mkl, AVX512 here"
    )
    assert unlike(here, {"arithmetic": "mkl, AVX512"}) == "version of torch: none there, 2.13.0 here"


def test_no_scheduler_is_one_line(monkeypatch):
    monkeypatch.setattr(module, "CALL_SECONDS", 0.5)
    with pytest.raises(UsageError, match=r"^no Dask scheduler answers at 'tcp://127.0.0.1:1'"):
        DaskWorkers("tcp://127.0.0.1:1", 0, ANY)


def test_a_cluster_of_this_machine_runs_a_study(tmp_path, straight):
    with DaskWorkers("", 1, ANY) as workers:
        assert run_on(tmp_path / "attacked", workers, functions=FAKES) is Outcome.DONE
    same_study(straight, tmp_path / "attacked", TOTAL)
    sound(tmp_path / "attacked", TOTAL)
