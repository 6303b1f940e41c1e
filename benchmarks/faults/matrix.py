"""The whole matrix: each experiment in a folder of its own, and one table at the end."""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.faults.disk import copied, failing_disk
from benchmarks.faults.kills import PER_COMMAND, STORAGES, kill_commands, kill_optuna, undisturbed
from benchmarks.faults.readers import read_while_running
from benchmarks.faults.segments import fail_in_segments, fork_after_threads, short_of_memory
from benchmarks.faults.studies import Place
from benchmarks.faults.table import Table


@dataclass(frozen=True)
class Setting:
    """What all experiments share."""

    folder: Path  # for the studies; those that lost something stay
    reference: Place  # the undisturbed study
    seconds: dict[str, float]  # of each of its commands
    quick: bool
    seed: int  # of all random moments
    kills: int  # of commands of `sweep`
    copies: int
    reading: float  # seconds
    until: float  # time.monotonic() after which no kill is made


def _optuna(given: Setting, table: Table) -> None:
    for kind in STORAGES:
        kill_optuna(kind, given.folder, 2 if given.quick else 100, given.seed, table, given.until)


def _kills(given: Setting, table: Table) -> None:
    most = 1 if given.quick else PER_COMMAND
    kill_commands(
        given.reference, given.seconds, given.folder, given.kills, given.seed, table, given.until, most
    )


EXPERIMENTS: dict[str, Callable[[Setting, Table], None]] = {
    "segments": lambda given, table: fail_in_segments(given.folder, given.quick, table),
    "memory": lambda given, table: short_of_memory(given.folder, given.quick, table),
    "fork": lambda given, table: fork_after_threads(given.folder, given.quick, table),
    "disk": lambda given, table: failing_disk(
        given.reference, given.folder, 1 if given.quick else 20, given.seed, table
    ),
    "copies": lambda given, table: copied(given.reference, given.folder, given.copies, given.seed, table),
    "readers": lambda given, table: read_while_running(given.folder, given.reading, table),
    "optuna": _optuna,
    "kills": _kills,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few attempts of each fault, under a minute")
    parser.add_argument("--only", nargs="+", choices=EXPERIMENTS, default=list(EXPERIMENTS), metavar="NAME")
    parser.add_argument("--seed", type=int, default=0, help="of all random moments (default 0)")
    parser.add_argument("--kills", type=int, help="of commands (default 1000; with --quick 6)")
    parser.add_argument("--copies", type=int, help="of the folder of a run (default 500; with --quick 3)")
    parser.add_argument("--reading", type=float, help="seconds of reading (default 600; with --quick 3)")
    parser.add_argument("--minutes", type=float, default=60, help="make no kill after this time (default 60)")
    parser.add_argument("--folder", type=Path, help="keep kills.jsonl and the table there")
    asked = parser.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="sweep-faults-"))
    folder.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + 60 * asked.minutes
    reference, seconds = undisturbed(folder / "undisturbed")
    kills, copies, reading = (6, 3, 3.0) if asked.quick else (1000, 500, 600.0)
    given = Setting(
        folder, reference, seconds, asked.quick, asked.seed, asked.kills or kills, asked.copies or copies,
        asked.reading or reading, until,
    )  # fmt: skip
    table = Table(folder / "table.md")
    for name in asked.only:
        EXPERIMENTS[name](given, table)
        table.save()
    print(table.markdown())
    if table.losses:
        print(f"the studies that lost something are in {folder}", file=sys.stderr)
        sys.exit(1)
    if asked.folder is None:
        shutil.rmtree(folder)
