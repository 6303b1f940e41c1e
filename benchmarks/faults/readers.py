"""Row 18: `report`, the optuna command line and optuna-dashboard read in loops while a study runs."""

import os
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from benchmarks.faults.children import Child, command
from benchmarks.faults.studies import TOTAL, Place
from benchmarks.faults.table import Table
from tests.support.dask_cluster import free_port

ROOT = Path(__file__).resolve().parents[2]


def read_while_running(folder: Path, seconds: float, table: Table) -> None:
    """Let each reader read as often as it can for the seconds; a lock error on either side is a loss.

    The dashboard is left out where it is not installed; the note says how often each reader has read.
    """
    row = table.row("18", "readers in loops during a run")
    place = Place(folder / "read").prepare()
    place.finish("run")  # so that there is a study to be read
    storage = f"sqlite:///{place.study / 'study.db'}"
    optuna = str(Path(sys.executable).with_name("optuna"))
    loops: dict[str, Any] = {
        "report": lambda log: command(place.words("report"), log),
        "optuna": lambda log: _program(
            [optuna, "trials", "--storage", storage, "--study-name", "sine", "-f", "json"], log
        ),
    }
    port = free_port()
    dashboard = _program(
        [
            sys.executable,
            "-c",
            "from optuna_dashboard._cli import main; main()",
            storage,
            "--port",
            str(port),
        ],
        folder / "dashboard.txt",
    )
    reads, running = dict.fromkeys((*loops, "dashboard"), 0), dict[str, Child]()
    until, total = time.monotonic() + seconds, TOTAL
    run: Child | None = None
    while time.monotonic() < until:
        if run is None or (code := run.wait(0)) is not None:
            if run is not None and code != 0:
                row.loss(f"the run ended with {code}: {place.printed[-200:]}")
            total += 50
            words = place.words("run")
            words[words.index("--trials") + 1] = str(total)
            run = command(words, place.log)
        for name, start in loops.items():
            log = folder / f"{name}.txt"
            if name in running:
                code = running[name].wait(0)
                if code is None:
                    continue
                reads[name] += code == 0
                text = log.read_text(errors="replace")
                if code not in (0, 3) or "locked" in text:
                    row.loss(f"{name} ended with {code}: {text[-200:]}")
                log.unlink()
            running[name] = start(log)
        reads["dashboard"] += _answers(f"http://127.0.0.1:{port}/api/studies/1?after=0")
        time.sleep(0.05)
    for child in (run, dashboard, *running.values()):
        if child is not None and child.wait(0) is None:
            child.kill()
    printed = {"the run": place.printed, "dashboard": (folder / "dashboard.txt").read_text(errors="replace")}
    for name, text in printed.items():
        if "locked" in text or "waiting for another program" in text:
            row.loss(f"{name}: a lock was met")
    row.attempts = sum(reads.values())
    texts = [f"{count} by {name}" for name, count in reads.items()]
    row.notes.append(f"{seconds:.0f} s, up to {total} trials; reads: {', '.join(texts)}")


def _program(words: list[str], log: Path) -> Child:
    return Child(lambda: os.execv(words[0], words), log)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.read())
    except OSError:  # not installed, not started yet, or an error of its own
        return False
