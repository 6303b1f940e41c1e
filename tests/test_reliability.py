"""What happens to a study when processes die: real trials, real workers, real signals."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from sweep.store import StudyFolder
from tests.support.attack import comparable, same_study, sound, states_of, trial_files
from tests.support.command_line import invoke
from tests.support.waiting import wait_for

ROOT = Path(__file__).resolve().parents[1]
TOTAL = 8
SETTINGS = (
    "training.budget=500000",
    "training.evaluations=5",
    "training.window=32",
    "training.burn_in=4",
    "model.hidden=8",
    "model.layers=1",
    "score.warmup=60",
    "score.horizon=60",
    "score.starts=8",
    "pruning.startup=1",
    "search.width=4",
    "space.readout_refit.always.budget=250000",
    "space.readout_refit.always.window=32",
)
LONG = (  # segments of minutes: nobody can wait for them
    "--set", "training.budget=20000000000", "--set", "space.readout_refit.always.budget=20000000000",
)  # fmt: skip
TREE_KILLS = 4

pytestmark = pytest.mark.slow


def arguments(results, *options, trials=TOTAL, workers=2):
    """Return the arguments of a run on the command line."""
    sets = [word for setting in SETTINGS for word in ("--set", setting)]
    where = ["--results", str(results), "--trials", str(trials), "--workers", str(workers)]
    return ["run", "sine", *where, "--no-confirm", *sets, *options]


def without_baselines(results):
    """Make a run believe that the baselines have been scored: no part of what is attacked here, and slow."""
    (results / "sine").mkdir(parents=True, exist_ok=True)
    (results / "sine" / "baselines.json").write_text('{"baselines": {}}')


def in_a_session(results, *words):
    """Start `sweep` in a session of its own, whose processes can be told from all others."""
    return subprocess.Popen(
        [sys.executable, "-c", "from sweep.cli import main; main()", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SWEEP_TEST_MARK": str(results)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def started(results, *options, **settings):
    """Start a run as a process, with worker processes."""
    without_baselines(results)
    return in_a_session(results, *arguments(results, *options, **settings))


def ended(process, timeout=120):
    """Return exit code and messages of a run that ends by itself."""
    _, messages = process.communicate(timeout=timeout)
    return process.returncode, messages


def run(results, *options, **settings):
    """Run to the end with worker processes."""
    code, messages = ended(started(results, *options, **settings))
    assert code == 0, messages


def run_here(results, *options, **settings):
    """Run to the end in this process, for tests that are not about processes; return exit code and messages."""
    without_baselines(results)
    done = invoke(*arguments(results, "--executor", "inline", *options, **settings))
    return done.exit_code, done.stderr


def ours(results):
    """Return every living process of runs in this results folder: they inherit a mark in the environment."""
    living = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("SWEEP_TEST_MARK") == str(results) and process.status() != "zombie":
                living.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return living


def changed(path):
    """Return when a file was written, 0 where it is gone meanwhile."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0


def all_gone(results, seconds=10):
    """Fail unless no process of a run survives."""
    wait_for(lambda: not ours(results), seconds, f"the end of {[p.cmdline()[-3:] for p in ours(results)]}")


def workers_of(process):
    """Return the worker processes of a driver, without the trackers that loky and multiprocessing keep."""
    try:
        children = psutil.Process(process.pid).children()
        return [child for child in children if "popen_loky" in " ".join(child.cmdline())]
    except psutil.NoSuchProcess:
        return []


def segments_done(results):
    """Return how many checkpoints and records there are: a measure of how far a run has come."""
    trials = results / "sine" / "trials"
    return len(list(trials.glob("*/resume.bin"))) + 3 * len(list(trials.glob("*/checkpoint.pt")))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The study as two workers run it in one go."""
    results = tmp_path_factory.mktemp("undisturbed")
    run(results)
    all_gone(results)
    records = sound(results / "sine", TOTAL)
    assert {"complete", "pruned"} <= set(states_of(records)), (
        "a study without prunings tests less than it seems to"
    )
    return results / "sine"


def test_one_worker_or_four_and_half_first_or_all_at_once(undisturbed, tmp_path):
    run(tmp_path, trials=4, workers=1)
    sound(tmp_path / "sine", 4)
    run(tmp_path, workers=4)
    same_study(undisturbed, tmp_path / "sine", TOTAL)


def test_the_process_that_computes_changes_nothing(undisturbed, tmp_path):
    assert run_here(tmp_path)[0] == 0
    same_study(undisturbed, tmp_path / "sine", TOTAL)


def test_killed_workers_cost_a_segment_and_change_nothing(undisturbed, tmp_path):
    process = started(tmp_path)
    killed = set()
    for number, done in enumerate((2, 8, 14)):
        wait_for(lambda done=done: segments_done(tmp_path) >= done and workers_of(process), 60, "progress")
        # the workers take turns, or a slow segment may die three times, which fails its trial
        for worker in workers_of(process)[number % 2 :][:1]:
            killed.add(worker.pid)
            worker.kill()
    code, messages = ended(process)
    assert code == 0, messages
    assert len(killed) == 3
    assert "Traceback" not in messages
    all_gone(tmp_path)
    same_study(undisturbed, tmp_path / "sine", TOTAL)


def test_the_driver_killed_and_then_the_whole_tree_at_random_moments(undisturbed, tmp_path):
    process = started(tmp_path)
    wait_for(lambda: segments_done(tmp_path) >= 2, 60, "progress")
    assert len(ours(tmp_path)) >= 4  # driver, workers, trackers
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    all_gone(tmp_path)
    chance = random.Random(0)
    landed = 0
    for _ in range(TREE_KILLS):
        process = started(tmp_path)
        before = segments_done(tmp_path)
        # a moment of the start, of the study itself, or of anything in between
        if chance.random() < 0.7:
            target = before + chance.randint(1, 3)
            wait_for(
                lambda target=target, process=process: (
                    segments_done(tmp_path) >= target or process.poll() is not None
                ),
                60,
                "progress",
            )
        time.sleep(chance.random() * 0.5)
        landed += process.poll() is None
        for victim in ours(tmp_path):
            victim.kill()
        process.communicate()
    assert landed >= TREE_KILLS // 2, "most kills came too late to disturb anything"
    all_gone(tmp_path)
    run(tmp_path)
    all_gone(tmp_path)
    same_study(undisturbed, tmp_path / "sine", TOTAL)


def test_one_request_to_stop_ends_the_run_in_order(undisturbed, tmp_path):
    for number in (signal.SIGINT, signal.SIGTERM):
        process = started(tmp_path)
        target = segments_done(tmp_path) + 2
        wait_for(lambda target=target: segments_done(tmp_path) >= target, 60, "progress")
        began = time.monotonic()
        if number == signal.SIGINT:
            os.killpg(process.pid, number)  # as a terminal does it
        else:
            process.send_signal(number)
        code, messages = ended(process, 30)
        assert time.monotonic() - began < 10
        assert code == 130, messages
        assert "Traceback" not in messages
        assert "rerun the command to resume" in messages
        all_gone(tmp_path, 3)
    run(tmp_path)
    same_study(undisturbed, tmp_path / "sine", TOTAL)


def test_the_second_request_stops_at_once(tmp_path):
    process = started(tmp_path, *LONG)
    wait_for(lambda: len(workers_of(process)) == 2, 60, "workers")
    time.sleep(2)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    time.sleep(0.6)
    process.send_signal(signal.SIGINT)
    code, messages = ended(process, 30)
    assert time.monotonic() - began < 5
    assert code == 130, messages
    all_gone(tmp_path, 3)


def test_ctrl_c_in_the_first_moments_is_quiet(tmp_path):
    # workers that are still starting hear it too, being of the same terminal: they must not complain
    process = started(tmp_path)
    wait_for(lambda: workers_of(process), 60, "a worker that starts")
    os.killpg(process.pid, signal.SIGINT)
    code, messages = ended(process, 30)
    assert code == 130, messages
    assert "Traceback" not in messages
    assert "died" not in messages
    all_gone(tmp_path, 3)


def test_a_second_driver_is_told_who_holds_the_study(tmp_path):
    process = started(tmp_path, *LONG)
    wait_for((tmp_path / "sine/.lock.holder").exists, 60, "the lock")
    code, messages = run_here(tmp_path, *LONG)
    assert code == 1
    assert f"is being run by process {process.pid} on " in messages
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)  # its segments do not end in time: they are killed
    assert ended(process, 30)[0] == 130
    assert time.monotonic() - began < 10
    all_gone(tmp_path, 3)


def test_a_changed_study_is_refused_with_the_difference(undisturbed, tmp_path):
    shutil.copytree(undisturbed, tmp_path / "sine")
    before = (tmp_path / "sine/study.toml").read_bytes()
    code, messages = run_here(tmp_path, "--set", "model.hidden=9")
    assert code == 2
    assert "model.hidden: 8 in the results, 9 now" in messages
    assert "--name" in messages
    assert (tmp_path / "sine/study.toml").read_bytes() == before
    code, messages = run_here(tmp_path, "--set", "space.cell=['gru']")
    assert code == 2
    assert "space.cell" in messages


def test_the_optuna_command_line_reads_the_study_and_so_does_it_after_a_rebuild(undisturbed, tmp_path):
    shutil.copytree(undisturbed, tmp_path / "sine")

    def listed():
        optuna = Path(sys.executable).with_name("optuna")
        storage = f"sqlite:///{tmp_path / 'sine/study.db'}"
        words = [optuna, "trials", "--storage", storage, "--study-name", "sine", "-f", "json"]
        return json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)

    records = sound(tmp_path / "sine", TOTAL)
    first = listed()
    assert [(t["number"], t["state"], t["value"]) for t in first] == [
        (r.number, {"diverged": "COMPLETE"}.get(r.state, r.state.upper()), r.rollout_error) for r in records
    ]
    for path in (tmp_path / "sine").glob("study.db*"):
        path.unlink()
    assert run_here(tmp_path)[0] == 0
    again = listed()
    for trials in (first, again):
        for trial in trials:
            del trial["datetime_start"], trial["datetime_complete"], trial["duration"]
    assert again == first


def test_a_huge_rate_is_a_result_and_never_the_best(tmp_path):
    rates = (
        "space.optimizer={sgd={lr={log=[1e6,1e7]}},lbfgs={lr={log=[1e6,1e7]}},adam={lr={log=[1e-3,1e-2]}}}"
    )
    trained = "space.readout_refit=['never']"  # a readout that is solved mends what a rate has spoilt
    assert run_here(tmp_path, "--set", rates, "--set", trained, "--set", "search.sampler='random'")[0] == 0
    records = sound(tmp_path / "sine", 8)
    wild = [record for record in records if record.params["optimizer"] != "adam"]
    assert {record.params["optimizer"] for record in wild} == {"sgd", "lbfgs"}
    for record in wild:
        assert record.state != "failed", record.reason
        assert record.state == "diverged" or record.rollout_error > 0.5
    winner = json.loads((tmp_path / "sine/winner.json").read_text())["number"]
    assert records[winner].params["optimizer"] == "adam"


def confirm_arguments(results):
    """Return the arguments of a confirmation on the command line."""
    return ["confirm", "sine", "--top", "2", "--seeds", "2", "--results", str(results)]


def confirming(results):
    """Start a confirmation of a study as a process, with worker processes."""
    return in_a_session(results, *confirm_arguments(results), "--workers", "2")


def confirmation_of(results):
    """Return everything that a confirmation leaves, but for seconds and host."""
    path = results / "sine"
    below = StudyFolder(path / "confirm")
    records = below.records()
    left = [p.name for p in below.path.rglob("*") if p.name == "resume.bin" or p.name.startswith(".")]
    assert not left
    documents = [json.loads((path / f"{name}.json").read_text()) for name in ("confirmation", "winner")]
    for entry in documents[1]["baselines_test"].values():
        del entry["seconds"]
    return [(comparable(r), trial_files(below, r.number)) for r in records], documents


def test_a_confirmation_that_is_killed_goes_on_with_the_same_result(undisturbed, tmp_path):
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    for results in (straight, killed):
        results.mkdir()
        shutil.copytree(undisturbed, results / "sine")
    done = invoke(*confirm_arguments(straight), "--executor", "inline")
    assert done.exit_code == 0, done.stderr
    expected = confirmation_of(straight)
    assert len(expected[0]) == 4
    for _ in range(2):
        began = time.time()
        process = confirming(killed)
        trials = killed / "sine/confirm/trials"
        wait_for(
            lambda began=began, trials=trials: any(
                changed(path) >= began
                for name in ("resume.bin", "checkpoint.pt")
                for path in trials.glob(f"*/{name}")
            ),
            60,
            "progress",
        )
        process.send_signal(signal.SIGSTOP)  # to look for the others takes longer than the last trainings
        for victim in ours(killed):
            victim.kill()
        process.communicate()
        assert not (killed / "sine/confirmation.json").exists()
    all_gone(killed)
    code, messages = ended(confirming(killed))
    assert code == 0, messages
    assert "Traceback" not in messages
    all_gone(killed)
    assert confirmation_of(killed) == expected
    sound(killed / "sine", TOTAL)
