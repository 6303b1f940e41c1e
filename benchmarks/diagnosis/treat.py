"""Whether the advice works: prescriptions of scored faults on new seeds, against no change and a random change.

    python -m benchmarks.diagnosis.treat --cache DIR --labels labels.json [--each 3] [--seeds 5] [--minutes 30] [--json]
    python -m benchmarks.diagnosis.treat --cache DIR --labels labels.json --ringing KIND

A stratified sample of the scoring split's biting faults: `each` per cause, spread over kinds, cells and severities.
Each is diagnosed by the shipped calibration; then three arms are trained on the same new seeds, never the
fault's own: *unchanged*, the first *prescription* of the first cause, and one *random change* of a hyperparameter.
An arm beats another if its mean log10 rollout error over the seeds is lower by more than 0.1. A fault without an alarm,
or whose first cause has no prescription, counts as not mended. Leaks and gaps of the data are left out, since no
configuration mends them.

With `--ringing` instead: the healthy scoring runs of a kind of data with an alarm, at most `each` per background and
cell. If the advice helps them, they were not as healthy as planned.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.diagnosis.accuracy import part_of, share
from benchmarks.diagnosis.bites import BITE, decades_worse, error, interval
from benchmarks.diagnosis.cases import case_of
from benchmarks.diagnosis.faults import FAULTS, HEALTHY
from benchmarks.diagnosis.mends import treated
from benchmarks.diagnosis.plan import Plan
from benchmarks.diagnosis.record import Cache
from benchmarks.diagnosis.run import whole_split
from benchmarks.diagnosis.runs import Key, plan
from sweep.config.ranges import LogUniform, OneMinusLog
from sweep.config.seeds import seed_of
from sweep.diagnosis.causes.findings import cause_findings
from sweep.diagnosis.finding import Change, Finding
from sweep.model import CELLS
from sweep.train import OPTIMIZERS, SCHEDULERS

BEYOND = ("distribution_gap", "leak")  # no configuration mends them
DRAWN = ("sgd", "rmsprop", "adam", "nadam", "muon")
SIZES: dict[str, tuple[int, ...]] = {
    "training.batch_size": (8, 16, 32, 64),
    "model.hidden": (8, 16, 32, 64),
}


@dataclass(frozen=True)
class Treatment:
    """One fault and the results of the arms: mean log10 rollout error over the seeds."""

    cause: str
    severity: int
    kind: str
    cell: str
    background: int
    named: str | None  # the first cause; None: no alarm
    unchanged: float
    prescription: float | None  # None: nothing was prescribed
    random: float
    changes: str

    @property
    def gain(self) -> float:
        """Return the decades by which the prescription is better than no change; 0 if there is none."""
        return 0.0 if self.prescription is None else self.unchanged - self.prescription

    @property
    def over_random(self) -> float:
        """Return the decades by which it is better than the random change; below 0 if there is none."""
        return self.random - (self.unchanged if self.prescription is None else self.prescription)


def random_change(planned: Plan, rng: np.random.Generator) -> tuple[Change, ...]:
    """Return one change of a hyperparameter among the axes of the default space, drawn from its range."""
    training = planned.config.training
    own = training.optimizer.name
    axis = rng.choice(["optimizer", "lr", "momentum", "scheduler", "cell", *SIZES])
    if axis == "optimizer":
        name = str(rng.choice([one for one in DRAWN if one != own]))
        settings = {key: _drawn(range_, rng) for key, range_ in OPTIMIZERS[name].space.items()}
        return (Change("training.optimizer", {"name": name, **settings}),)
    if axis in ("lr", "momentum"):
        return (Change(f"training.optimizer.{axis}", _drawn(OPTIMIZERS[own].space[str(axis)], rng)),)
    if axis == "scheduler":
        others = [name for name in SCHEDULERS if name != training.scheduler.name]
        return (Change("training.scheduler", {"name": str(rng.choice(others))}),)
    if axis == "cell":
        return (Change("model.cell", next(cell for cell in CELLS if cell != planned.config.model.cell)),)
    return (Change(str(axis), int(rng.choice(SIZES[str(axis)]))),)


def _drawn(range_: Any, rng: np.random.Generator) -> float:
    if isinstance(range_, LogUniform):
        return float(np.exp(rng.uniform(np.log(range_.low), np.log(range_.high))))
    assert isinstance(range_, OneMinusLog)
    return float(1 - np.exp(rng.uniform(np.log(1 - range_.high), np.log(1 - range_.low))))


def sample(keys: Sequence[Key], each: int) -> list[Key]:
    """Return `each` keys per cause, as different as they come: by part, kind, cell, then severity."""
    chosen: list[Key] = []
    for number, fault in enumerate(FAULTS):
        own = [key for key in keys if key.cause == fault]
        rng = np.random.default_rng([number, 11])
        order = [own[i] for i in rng.permutation(len(own))]
        picked: list[Key] = []
        while order and len(picked) < each:
            seen = {(key.kind, key.cell, key.severity) for key in picked}
            kinds, cells = {key.kind for key in picked}, {key.cell for key in picked}
            places = {(key.kind, key.cell) for key in picked}
            order.sort(
                key=lambda k: (
                    k.kind in kinds,
                    k.cell in cells,
                    (k.kind, k.cell) in places,
                    (k.kind, k.cell, k.severity) in seen,
                )
            )
            picked.append(order.pop(0))
        chosen += picked
    return chosen


def issue_of(cache: Cache, planned: Plan) -> Finding | None:
    """Return the issue that the diagnosis finds in a run, None without an alarm."""
    findings = cause_findings(case_of(cache, planned.settled(cache.data)))
    return next((one for one in findings if one.severity == "issue"), None)


def ringing(cache: Cache, keys: Sequence[Key], each: int) -> tuple[list[Key], int]:
    """Return at most `each` healthy runs per place among those with an alarm, and how many have one."""
    alarmed = [key for key in keys if issue_of(cache, plan(key)) is not None]
    chosen: list[Key] = []
    for key in alarmed:
        if sum(other.place == key.place for other in chosen) < each:
            chosen.append(key)
    return chosen, len(alarmed)


def treatment(cache: Cache, key: Key, seeds: int) -> Treatment:
    """Return the results of the arms on new seeds."""
    planned = plan(key)
    issue = issue_of(cache, planned)
    rng = np.random.default_rng([seed_of("random change", *asdict(key).values()) % 2**32])
    advice = issue.prescriptions[0] if issue is not None and issue.prescriptions else None

    def reached(changes: Sequence[Change]) -> float:
        logs = []
        for index in range(seeds):
            config = treated(planned, changes).settled(cache.data)
            fresh = config.model_copy(update={"seed": seed_of("treat", *asdict(key).values(), index)})
            logs.append(decades_worse(error(cache.make(fresh)), 1.0))
        return float(np.mean(logs))

    return Treatment(
        key.cause, key.severity, key.kind, key.cell, key.background,
        named=issue.title if issue else None,
        unchanged=reached(()),
        prescription=None if advice is None else reached(advice),
        random=reached(random_change(planned, rng)),
        changes=", ".join(f"{change.path} = {change.value}" for change in advice or ()),
    )  # fmt: skip


def treatments(
    cache: Cache, keys: Sequence[Key], seeds: int, until: float
) -> Iterator[tuple[Key, Treatment]]:
    """Yield the results of the arms, fault by fault, alternating between the parts of the scores, until time is out."""
    for key in keys:
        if time.monotonic() > until:
            return
        yield key, treatment(cache, key, seeds)


def document(found: Sequence[tuple[Key, Treatment]]) -> dict[str, Any]:
    """Return all results, as JSON values."""
    keys = [key for key, _ in found]
    beats = [one.gain > BITE and one.over_random > BITE for _, one in found]
    owners = [number for number, _ in enumerate(found)]
    told: dict[str, Any] = {"faults": len(found), "beats both": share(keys, beats)}
    told["beats unchanged"] = share(keys, [one.gain > BITE for _, one in found])
    told["random beats unchanged"] = share(keys, [one.unchanged - one.random > BITE for _, one in found])
    for name, values in (
        ("decades over unchanged", [one.gain for _, one in found]),
        ("decades over random", [one.over_random for _, one in found]),
    ):
        low, high = interval(values, owners)
        told[name] = {"value": float(np.mean(values)), "low": low, "high": high, "runs": len(values)}
    told["by_part"] = {
        part: share(chosen, [beats[keys.index(key)] for key in chosen])
        for part in sorted({part_of(key) for key in keys})
        if (chosen := [key for key in keys if part_of(key) == part])
    }
    told["rows"] = [{**asdict(one), "gain": one.gain, "over_random": one.over_random} for _, one in found]
    return told


def main(arguments: Sequence[str] | None = None) -> None:
    """Treat the faults and print the results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--each", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=5, help="seeds of the scoring split")
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--ringing", metavar="KIND", help="treat healthy runs with an alarm")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    cache = Cache(options.cache)
    wanted = [
        key
        for key in whole_split("score", options.runs, options.labels)
        if (key.cause == HEALTHY and key.kind == options.ringing)
        or (key.cause != HEALTHY and key.cause not in BEYOND and not options.ringing)
    ]
    made = [key for key in wanted if cache.place(plan(key).settled(cache.data)).exists()]
    if options.ringing:
        keys, count = ringing(cache, made, options.each)
        print(f"{count} of {len(made)} healthy runs ring; {len(keys)} are treated", file=sys.stderr)
    else:
        keys = sample(made, options.each)
    order = np.random.default_rng(0).permutation(len(keys))
    found = []
    until = time.monotonic() + 60 * options.minutes
    for row in treatments(cache, [keys[i] for i in order], options.seeds, until):
        found.append(row)
        print(f"{len(found)} of {len(keys)}: {row[1]}", file=sys.stderr, flush=True)
    told = document(found)
    if not options.json:
        told.pop("rows")
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
