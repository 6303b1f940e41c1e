"""The whole matrix: each experiment in a folder of its own, and one table at the end."""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.faults.kills import PER_COMMAND, STORAGES, kill_commands, kill_optuna, undisturbed
from benchmarks.faults.table import Table

KILLS, QUICK_KILLS = 1000, 6
OPTUNA_KILLS, QUICK_OPTUNA_KILLS = 100, 2


def measured(folder: Path, quick: bool, seed: int, kills: int, minutes: float) -> Table:
    """Return the table of all experiments.

    Args:
        folder: for the studies; those that lost something stay.
        quick: whether each fault is tried once or a few times only.
        seed: of all random moments.
        kills: of commands of `sweep`.
        minutes: after which no further kill is made.
    """
    table = Table()
    until = time.monotonic() + 60 * minutes
    reference, seconds = undisturbed(folder / "undisturbed")
    for kind in STORAGES:
        kill_optuna(kind, folder, QUICK_OPTUNA_KILLS if quick else OPTUNA_KILLS, seed, table, until)
    most = 1 if quick else PER_COMMAND
    kill_commands(reference, seconds, folder, kills, seed, table, until, most)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few attempts of each fault, under a minute")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kills", type=int, help="kills of commands; by default 1000, or 6 with --quick")
    parser.add_argument("--minutes", type=float, default=60, help="make no further kill after this time")
    parser.add_argument("--folder", type=Path, help="keep the studies and kills.jsonl there")
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="sweep-faults-"))
    folder.mkdir(parents=True, exist_ok=True)
    kills = given.kills or (QUICK_KILLS if given.quick else KILLS)
    table = measured(folder, given.quick, given.seed, kills, given.minutes)
    print(table.markdown())
    (folder / "table.md").write_text(table.markdown() + "\n")
    if table.losses:
        print(f"what was lost: {folder}", file=sys.stderr)
        sys.exit(1)
    if given.folder is None:
        shutil.rmtree(folder)
