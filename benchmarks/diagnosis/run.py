"""Make the runs of a split, and decide which faults bite.

    python -m benchmarks.diagnosis.run --cache DIR [--split label] [--seeds 5] [--minutes 60] [--json]

Resumable: a run that is in the cache is not repeated. Runs go seed by seed, so that a benchmark out of time leaves a
smaller but complete table. Progress goes to stderr, the table (or with --json one document) to stdout.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.diagnosis.backgrounds import SPLITS, backgrounds
from benchmarks.diagnosis.bites import Bite, bites, error, leaked_share
from benchmarks.diagnosis.data import KINDS
from benchmarks.diagnosis.faults import FAULTS, HEALTHY, KEPT_OUT_SEVERITY, SEVERITIES
from benchmarks.diagnosis.record import Cache, inside
from benchmarks.diagnosis.runs import Key, faulty, healthy, plan, with_twins
from benchmarks.diagnosis.table import text
from sweep.config.records import TrialRecord
from sweep.model import CELLS
from sweep.trial.inputs import load_data

SMALL = {
    "kinds": ["sine", "two_tones"],
    "causes": [
        "lr_high",
        "undertrained",
        "window_short",
        "capacity_small",
        "noise_large",
        "distribution_gap",
    ],
    "severities": [3],
    "seeds": 2,
}


def keys_of(options: argparse.Namespace) -> list[Key]:
    """Return the runs of the options.

    Labels: every fault and its healthy twins. Calibration and scoring: every fault that bites (all that fit,
    without a document of labels), and as many healthy runs, over all backgrounds of the split; calibration
    sees no kept-out kind and severity.
    """
    split, seeds = options.split, range(options.seeds)
    kinds, severities = options.kinds, options.severities
    if split == "calibrate":
        kinds = [kind for kind in kinds if not KINDS[kind].kept_out]
        severities = [severity for severity in severities if severity != KEPT_OUT_SEVERITY]
    ill = list(faulty(split, seeds, kinds, options.cells, options.causes, severities))
    if split == "label":
        return with_twins(ill)
    if options.labels is not None:
        biting = biting_places(json.loads(options.labels.read_text())["bites"])
        ill = [key for key in ill if (key.cause, key.severity, key.cell, key.kind) in biting]
    well = islice(healthy(split, range(10_000), kinds, options.cells), len(ill))
    return [key for pair in zip(well, ill, strict=False) for key in pair]


def whole_split(split: str, seeds: int, labels: Path | None) -> list[Key]:
    """Return the runs of a split over all kinds, cells, causes and severities; with labels only faults that bite."""
    return keys_of(
        argparse.Namespace(
            split=split, seeds=seeds, kinds=list(KINDS), cells=list(CELLS), causes=list(FAULTS),
            severities=list(SEVERITIES), labels=labels,
        )
    )  # fmt: skip


def biting_places(rows: Sequence[Mapping[str, Any]]) -> set[tuple[str, int, str, str]]:
    """Return (cause, severity, cell, kind) of biting faults, from the rows of a document."""
    return {
        (row["cause"], row["severity"], row["cell"], row["kind"]) for row in rows if row["verdict"] == "bites"
    }


def made(cache: Cache, key: Key) -> tuple[Key, TrialRecord]:
    """Return a key with the record of its run."""
    return key, cache.make(plan(key).settled(cache.data))


def all_made(
    cache: Cache, keys: Sequence[Key], workers: int, until: float
) -> Iterator[tuple[Key, TrialRecord]]:
    """Yield the records of the runs that are known or can start in time.

    Args:
        cache: where runs are kept.
        keys: the runs, in order.
        workers: processes; 1 works in this one.
        until: monotonic time after which no run starts.
    """
    in_time = (
        key for key in keys if time.monotonic() < until or cache.place(plan(key).settled(cache.data)).exists()
    )
    if workers == 1:
        yield from (made(cache, key) for key in in_time)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as executor:
        waiting: set[Future[tuple[Key, TrialRecord]]] = set()
        while True:
            waiting |= {
                executor.submit(made, cache, key) for key in islice(in_time, 2 * workers - len(waiting))
            }
            if not waiting:
                return
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from (one.result() for one in done)


def leaks(cache: Cache, keys: Sequence[Key]) -> dict[Key, float]:
    """Return the leaked share of the runs with a leak."""
    found = {}
    with inside(cache.data):
        for key in keys:
            if key.cause in FAULTS and FAULTS[key.cause].bites_by == "leak":
                config = plan(key).settled(cache.data)
                found[key] = leaked_share(load_data(config.data, config.score))
    return found


def healthy_errors(records: Mapping[Key, TrialRecord]) -> list[dict[str, Any]]:
    """Return median and 90 % quantile of the healthy runs' rollout errors, by kind and cell."""
    rows = []
    for kind in KINDS:
        for cell in CELLS:
            errors = [
                error(record)
                for key, record in records.items()
                if (key.kind, key.cell, key.cause) == (kind, cell, HEALTHY)
            ]
            if errors:
                low, median, high = np.quantile(errors, [0.1, 0.5, 0.9])
                good = float(np.mean(np.asarray(errors) <= KINDS[kind].healthy))
                row = {"kind": kind, "cell": cell, "runs": len(errors), "median": float(median)}
                rows.append({**row, "low": float(low), "high": float(high), "within_bound": good})
    return rows


def document(records: Mapping[Key, TrialRecord], table: Sequence[Bite], wanted: int) -> dict[str, Any]:
    """Return all results, as JSON values."""
    seconds = [record.seconds for record in records.values()]
    return {
        "runs": len(records),
        "wanted": wanted,
        "cpu_seconds": sum(seconds),
        "cpu_seconds_per_run": float(np.mean(seconds)) if seconds else None,
        "healthy": healthy_errors(records),
        "bites": [bite.json() for bite in table],
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the runs and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, required=True, help="folder of runs and data, outside git")
    parser.add_argument("--split", choices=SPLITS, default="label")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=list(CELLS))
    parser.add_argument("--causes", nargs="+", choices=FAULTS, default=list(FAULTS))
    parser.add_argument("--severities", nargs="+", type=int, choices=SEVERITIES, default=list(SEVERITIES))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no run after that time")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--labels", type=Path, help="document of --split label --json: only what bites there")
    parser.add_argument("--count", action="store_true", help="print the number of runs, and make none")
    parser.add_argument("--small", action="store_true", help="a part of it for CI, about half a minute")
    options = parser.parse_args(arguments)
    if options.small:
        vars(options).update(SMALL)
    if not all(backgrounds(kind, cell) for kind in options.kinds for cell in options.cells):
        parser.error("a kind of data has no backgrounds yet: run benchmarks.diagnosis.search")
    cache = Cache(options.cache)
    keys = keys_of(options)
    if options.count:
        print(len(keys))
        return
    began = time.monotonic()
    records: dict[Key, TrialRecord] = {}
    for key, record in all_made(cache, keys, options.workers, began + 60 * options.minutes):
        records[key] = record
        if len(records) % 50 == 0:
            spent = time.monotonic() - began
            print(f"{len(records)} of {len(keys)} runs, {spent:.0f} s", file=sys.stderr, flush=True)
    records = {key: records[key] for key in keys if key in records}  # in the order of the keys
    table = bites(records, leaks(cache, list(records))) if options.split == "label" else []
    results = document(records, table, len(keys))
    print(json.dumps(results, indent=1) if options.json else text(results))


if __name__ == "__main__":
    main()
