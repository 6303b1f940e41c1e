"""Which prescriptions mend which faults: measured, so that an answer counts as right if its advice works.

    python -m benchmarks.diagnosis.mends --cache DIR --labels labels.json [--kinds sine] [--severity 2] [--json]

Every fault that bites is run with labelling seeds, then again with the first prescription of every cause that
changes anything. A cause *mends* a fault if the rollout error falls by more than 0.1 decades (whole bootstrap interval
of the mean, pairs of the same seed, clustered by background) and by at least half of the difference from the healthy
twin. Accepted answers of a fault are the planted cause and every cause that mends it.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.diagnosis.bites import BITE, decades_worse, error, interval
from benchmarks.diagnosis.cases import case_of
from benchmarks.diagnosis.data import KINDS
from benchmarks.diagnosis.faults import FAULTS, SEVERITIES
from benchmarks.diagnosis.plan import Plan
from benchmarks.diagnosis.record import Cache
from benchmarks.diagnosis.run import biting_places
from benchmarks.diagnosis.runs import Key, faulty, numbered_places, plan
from sweep.diagnosis.causes.known_causes import CAUSES
from sweep.diagnosis.finding import Change
from sweep.model import CELLS

HALF = 0.5  # of the difference from the healthy twin; our choice
DEAREST = 12  # most budgets of the faulty run for a prescription; our choice, a bound on time


@dataclass(frozen=True)
class Mend:
    """The effect of a cause's first prescription on a fault."""

    fault: str
    cause: str
    pairs: int
    gain: float  # mean decades by which the rollout error falls
    low: float
    high: float
    way_back: float  # gain as a share of the fault's cost
    mends: bool


def treated(plan: Plan, changes: Sequence[Change]) -> Plan:
    """Return the plan with a prescription's changes."""
    return plan.with_(**{change.path.replace(".", "__"): change.value for change in changes})


def trials(cache: Cache, keys: Sequence[Key], until: float) -> Iterator[tuple[Key, str, float, float]]:
    """Yield (fault's key, cause, decades gained, the fault's cost in decades) of prescriptions that change anything."""
    for key in keys:
        planned, healthy = plan(key), plan(key.twin)
        config = planned.settled(cache.data)
        ill, well = cache.make(config), cache.make(healthy.settled(cache.data))
        case = case_of(cache, config)
        for cause in CAUSES.values():
            alternatives = cause.prescribe(case)
            if not alternatives or time.monotonic() > until:
                continue
            try:
                changed = treated(planned, alternatives[0]).settled(cache.data)
            except ValueError:  # a setting that this trial does not have
                continue
            dear = changed.training.budget > DEAREST * config.training.budget
            if changed == config or (dear and key.cause != cause.fault):
                continue
            after = cache.make(changed)
            yield (
                key,
                cause.fault,
                -decades_worse(error(after), error(ill)),
                decades_worse(error(ill), error(well)),
            )


def mends(found: Sequence[tuple[Key, str, float, float]]) -> list[Mend]:
    """Return the table, a row per fault and cause."""
    groups: dict[tuple[str, str], list[tuple[Key, float, float]]] = {}
    for key, cause, gain, cost in found:
        groups.setdefault((key.cause, cause), []).append((key, gain, cost))
    table = []
    for (fault, cause), rows in groups.items():
        gains, costs = [gain for _, gain, _ in rows], [cost for *_, cost in rows]
        low, high = interval(gains, numbered_places([key for key, *_ in rows]))
        back = float(np.mean(gains) / np.mean(costs)) if np.mean(costs) > 0 else 0.0
        works = low > BITE and back >= HALF and len(rows) > 1
        table.append(Mend(fault, cause, len(rows), float(np.mean(gains)), low, high, back, works))
    return table


def accepted(table: Sequence[Mapping[str, Any]]) -> dict[str, set[str]]:
    """Return the accepted answers by fault, from the rows of a document."""
    sets = {fault: {fault} for fault in FAULTS}
    for row in table:
        if row["mends"]:
            sets[row["fault"]].add(row["cause"])
    return sets


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the runs and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=["sine", "lorenz"])
    parser.add_argument("--severity", type=int, choices=SEVERITIES, default=2)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    biting = biting_places(json.loads(options.labels.read_text())["bites"])
    keys = [
        key
        for key in faulty(
            "label", range(options.seeds), options.kinds, tuple(CELLS), severities=[options.severity]
        )
        if (key.cause, key.severity, key.cell, key.kind) in biting and FAULTS[key.cause].bites_by == "rollout"
    ]
    until = time.monotonic() + 60 * options.minutes
    found = []
    for row in trials(Cache(options.cache), keys, until):
        found.append(row)
        if len(found) % 50 == 0:
            print(f"{len(found)} prescriptions tried, {row[0]}", file=sys.stderr, flush=True)
    table = mends(found)
    if options.json:
        print(json.dumps([asdict(row) for row in table], indent=1))
        return
    for fault in FAULTS:
        rows = [row for row in table if row.fault == fault and row.mends]
        mending = ", ".join(f"{row.cause} ({row.gain:+.2f}, {row.way_back:.0%})" for row in rows)
        print(f"{fault}: {mending or 'nothing mends it'}")


if __name__ == "__main__":
    main()
