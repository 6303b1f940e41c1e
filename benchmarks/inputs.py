"""Data with inputs from outside: studies as a user runs them, and what their named configuration reaches on the test.

    python benchmarks/inputs.py [NAME...] --data FOLDER [--workers 2] [--trials N] [--json]

Each study of benchmarks/inputs/ is run whole: the search on parts of the training record, three configurations on five
fresh seeds, and the locked test once, for the named configuration and for every baseline. The RMSE is in data units, of
the five networks on fresh seeds: median, lowest and highest. `elecdemand` is run a second time without its inputs.
Beside it, the lowest validation error of the trials with feedback and without. FOLDER holds
cascaded_tanks_train.csv, cascaded_tanks_test.csv and elecdemand.csv.
"""

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from machine import machine

import sweep

STUDIES = Path(__file__).parent / "inputs"
RUNS = {  # name: study file, overrides
    "cascaded_tanks": ("cascaded_tanks", ()),
    "narendra_li": ("narendra_li", ()),
    "elecdemand": ("elecdemand", ()),
    "elecdemand_without": (
        "elecdemand",
        ("data.known=[]", "space.feedback=[true]", 'data.channels=["Demand"]'),
    ),
}
PUBLISHED = {
    "cascaded_tanks": "LSTM 0.490, GRU 0.396, polynomial NARX 0.413",
    "narendra_li": "0.64 (60,000 samples) to 0.94",
}


def result(name: str, folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Run a study and return its test scores."""
    study, overrides = RUNS[name]
    path = folder / f"{name}.toml"
    shutil.copy(STUDIES / f"{study}.toml", path)
    began = time.perf_counter()
    sweep.run(
        str(path),
        trials=given.trials,
        overrides=overrides,
        results=folder / "results",
        workers=given.workers,
        plots=False,
    )
    seconds = time.perf_counter() - began
    loaded = sweep.load_study(name, results=folder / "results")
    document = loaded.document()
    test = document["confirmation"]["test"]
    trials = loaded.trials
    by_feedback = {}
    if "feedback" in trials:
        by_feedback = {
            str(value): float(rows["rollout_error"].min()) for value, rows in trials.groupby("feedback")
        }
    rmse = [entry["rmse"][0] for entry in test["networks"]]  # of the only target channel
    return {
        "name": name,
        "rmse": rmse,
        "rollout_error": [entry["rollout_error"] for entry in test["networks"]],
        "verdict": document["verdict"]["text"],
        "baselines": {
            key: entry["test"] for key, entry in document["baselines"].items() if entry["test"] is not None
        },
        "by_feedback": by_feedback,
        "seconds": seconds,
    }


def main() -> None:
    """Run and print; a row as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"rows to compute: {', '.join(RUNS)}")
    parser.add_argument("--data", type=Path, required=True, help="folder of the records")
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--trials", type=int, default=None, help="fewer trials than the study file has")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args()
    unknown = set(given.names) - set(RUNS)
    if unknown:
        parser.error(f"no row named {', '.join(sorted(unknown))}; known: {', '.join(RUNS)}")
    results = []
    if not given.json:
        print(machine() + "\n")
        print(
            "| data | RMSE on test: median [lowest, highest] | rollout error | best baselines | published | minutes |"
        )
        print("|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for file in ("cascaded_tanks_train.csv", "cascaded_tanks_test.csv", "elecdemand.csv"):
            shutil.copy(given.data / file, folder)
        for name in given.names or RUNS:
            row = result(name, folder, given)
            results.append(row)
            if not given.json:
                best = sorted(row["baselines"].items(), key=lambda item: item[1]["rollout_error"])[:2]
                rivals = ", ".join(f"{key} {entry['rollout_error']:.3g}" for key, entry in best)
                print(
                    f"| {name} | {np.median(row['rmse']):.3g} [{min(row['rmse']):.3g}, {max(row['rmse']):.3g}] | "
                    f"{np.median(row['rollout_error']):.3g} | {rivals} | {PUBLISHED.get(name, '')} | "
                    f"{row['seconds'] / 60:.1f} |",
                    flush=True,
                )
    if given.json:
        print(json.dumps({"machine": machine(), "rows": results}, indent=1))


if __name__ == "__main__":
    main()
