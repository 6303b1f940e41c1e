"""SIGKILL at random moments of every command, and how plain Optuna fares under the same kills."""

import json
import random
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import MaxTrialsCallback
from optuna.trial import TrialState

from benchmarks.faults.children import Child, command
from benchmarks.faults.studies import COMMANDS, Place, check
from benchmarks.faults.table import Row, Table

PER_COMMAND = 12  # most kills of a command in one life, so that each life ends
SHARE = 0.15  # mean delay of a kill, as a share of the command's undisturbed time; our choice


def undisturbed(path: Path) -> tuple[Place, dict[str, float]]:
    """Return a study with all commands done undisturbed, and the seconds of each command."""
    place, seconds = Place(path).prepare(), {}
    for name in COMMANDS:
        began = time.monotonic()
        place.finish(name)
        seconds[name] = time.monotonic() - began
    check(place, place)
    return place, seconds


def kill_commands(
    reference: Place,
    seconds: dict[str, float],
    folder: Path,
    wanted: int,
    seed: int,
    table: Table,
    until: float,
    most: int = PER_COMMAND,
) -> None:
    """Kill every command at random moments until `wanted` kills are made or the time is over.

    Each life is a study from its first trial to its report. The moments follow from `seed` and the number of the
    life; they and the outcome of each life are added to kills.jsonl.
    """
    rows = {name: table.row("2", f"SIGKILL of {name}") for name in COMMANDS}
    life = 0
    while sum(row.attempts for row in rows.values()) < wanted and time.monotonic() < until:
        place = Place(folder / f"life-{life}").prepare()
        moments: dict[str, list[float]] = {}
        name = "run"
        try:
            for name, row in rows.items():
                chance = random.Random(f"{seed}/{life}/{name}")
                moments[name] = _kill(place, name, chance, seconds[name], row, most)
                place.finish(name)
            check(place, reference)
            outcome = "equal"
        except AssertionError as error:
            outcome = str(error).splitlines()[0] if str(error) else "differs"
            rows[name].loss(f"seed {seed}, life {life}: {outcome}")
        with (folder / "kills.jsonl").open("a") as lines:
            lines.write(
                json.dumps({"seed": seed, "life": life, "moments": moments, "outcome": outcome}) + "\n"
            )
        if outcome == "equal":
            shutil.rmtree(place.path)
        life += 1


def _kill(place: Place, name: str, chance: random.Random, seconds: float, row: Row, most: int) -> list[float]:
    """Kill a command again and again; return the delays of the kills that came in time."""
    delays: list[float] = []
    for _ in range(most):
        delay = chance.expovariate(1 / (SHARE * seconds))
        child = command(place.words(name), place.log)
        code = child.wait(delay)
        if code is not None:
            assert code == 0, f"{name} ended with {code}: {place.printed[-300:]}"
            break
        child.kill()
        delays.append(round(delay, 4))
        row.attempts += 1
        assert not child.left, f"{name} left processes"
    return delays


# --- plain Optuna -----------------------------------------------------------------------------------

OPTUNA_TRIALS = 40
OPTUNA_PROCESSES = 2


def _sqlite(path: Path) -> Any:
    return RDBStorage(f"sqlite:///{path / 'study.db'}")


def _journal(path: Path) -> Any:
    return JournalStorage(JournalFileBackend(str(path / "journal.log")))


STORAGES: dict[str, Callable[[Path], Any]] = {"SQLite": _sqlite, "journal": _journal}


def _optimize(path: Path, kind: str, process: int) -> None:
    """Run a study as Optuna's documentation says for several processes that may be started again."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        storage=STORAGES[kind](path), study_name="plain", load_if_exists=True,
        sampler=optuna.samplers.TPESampler(seed=process),
    )  # fmt: skip

    def objective(trial: optuna.Trial) -> float:
        x = trial.suggest_float("x", -1, 1)
        time.sleep(0.02)
        return x * x

    def acknowledge(study: optuna.Study, trial: Any) -> None:
        with (path / f"acknowledged-{process}").open("a") as lines:
            lines.write(f"{trial.number} {trial.value!r}\n")

    enough = MaxTrialsCallback(OPTUNA_TRIALS, states=(TrialState.COMPLETE,))
    study.optimize(objective, n_trials=OPTUNA_TRIALS, callbacks=[acknowledge, enough])


def kill_optuna(kind: str, folder: Path, wanted: int, seed: int, table: Table, until: float) -> None:
    """Kill plain Optuna in the same way and count what it loses, life by life."""
    row = table.row("2", f"SIGKILL of plain Optuna, {kind}")
    counts = dict.fromkeys(
        ("left RUNNING", "too many", "acknowledged and lost", "process errors", "unreadable"), 0
    )
    life = 0
    while row.attempts < wanted and time.monotonic() < until:
        path = folder / f"optuna-{kind}-{life}"
        path.mkdir(parents=True)
        chance = random.Random(f"{seed}/{life}/{kind}")
        kills = 0
        for attempt in range(PER_COMMAND + 1):
            log = path / "output.txt"
            children = [
                Child(partial(_optimize, path, kind, process), log) for process in range(OPTUNA_PROCESSES)
            ]
            delay = chance.expovariate(1 / 0.6)
            codes = [children[0].wait(delay if attempt < PER_COMMAND else 90)]
            codes.append(children[1].wait(0 if codes[0] is None else 90))
            for child, code in zip(children, codes, strict=True):
                if code is None:
                    child.kill()
            if attempt < PER_COMMAND and None in codes:
                kills += 1
            counts["process errors"] += sum(code not in (None, 0) for code in codes)
            if codes == [0, 0]:
                break
        row.attempts += kills
        _count_losses(path, kind, counts)
        shutil.rmtree(path)
        life += 1
    row.losses = sum(counts.values())
    row.notes.append(
        f"{life} studies of {OPTUNA_TRIALS} trials: " + ", ".join(f"{n} {what}" for what, n in counts.items())
    )


def _count_losses(path: Path, kind: str, counts: dict[str, int]) -> None:
    try:
        storage = STORAGES[kind](path)
        trials = optuna.load_study(study_name="plain", storage=storage).get_trials(deepcopy=False)
    except Exception:  # whatever it is, the study cannot be read
        counts["unreadable"] += 1
        return
    values = {trial.number: trial.value for trial in trials}
    complete = sum(trial.state == TrialState.COMPLETE for trial in trials)
    counts["left RUNNING"] += sum(trial.state == TrialState.RUNNING for trial in trials)
    counts["too many"] += max(0, complete - OPTUNA_TRIALS)
    for file in path.glob("acknowledged-*"):
        for line in file.read_text().splitlines():
            number, value = line.split()
            counts["acknowledged and lost"] += values.get(int(number)) != float(value)
