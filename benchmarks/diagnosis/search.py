"""Find backgrounds: a random search per kind of data and cell, then more seeds for the best of each optimizer.

    python -m benchmarks.diagnosis.search --cache DIR [--tries 20] [--minutes 10] [--kinds sine ...] [--cells gru ...]
    python -m benchmarks.diagnosis.search --cache DIR --also sgd muon   # one of each if a split has none

Writes backgrounds.json. A setting is kept if most of its seeds forecast well (`Kind.healthy`). The best one
calibrates, the second one is scored, and so on; a kind that is kept out of calibration is scored with all.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.diagnosis.backgrounds import TABLE
from benchmarks.diagnosis.data import KINDS, Kind
from benchmarks.diagnosis.plan import plan_of
from benchmarks.diagnosis.record import Cache
from sweep.config.seeds import seed_of
from sweep.model import CELLS

# name: (share of the tries, range of the rate, range of 1 - momentum); our choice, around the usual settings
OPTIMIZERS = {
    "adam": (0.3, (4e-3, 3e-2), (0.05, 0.3)),
    "nadam": (0.15, (4e-3, 3e-2), (0.05, 0.3)),
    "radam": (0.1, (4e-3, 3e-2), (0.05, 0.3)),
    "rmsprop": (0.15, (1e-3, 8e-3), (0.1, 1.0)),
    "muon": (0.15, (4e-3, 3e-2), (0.05, 0.2)),
    "sgd": (0.15, (0.1, 1.0), (0.02, 0.1)),
}
SCHEDULERS = ("cosine", "warmup_cosine", "one_cycle", "exponential", "none")
# Without these some faults have no background to be planted into; each gets a few tries of its own.
WANTED: tuple[dict[str, str], ...] = ({"optimizer": "sgd"}, {"scheduler": "none"})
EXTRA_TRIES = 5
ALSO_TRIES = 25  # with `--also`, for each optimizer that a split lacks
KEPT, SEEDS, MOST_OF_ONE_OPTIMIZER = 6, 3, 2


def drawn(
    rng: np.random.Generator, cell: str, optimizer: str | None = None, scheduler: str | None = None
) -> dict[str, Any]:
    """Return random settings of model and training, with an optimizer and a scheduler if they are given."""

    def log(low: float, high: float) -> float:
        return float(f"{np.exp(rng.uniform(np.log(low), np.log(high))):.2g}")

    name = optimizer or str(rng.choice(list(OPTIMIZERS), p=[share for share, _, _ in OPTIMIZERS.values()]))
    _, rates, rests = OPTIMIZERS[name]
    window = int(rng.choice([32, 48, 64]))
    return {
        "model": {"cell": cell, "hidden": int(rng.choice([12, 16, 20, 24, 32]))},
        "training": {
            "optimizer": {"name": name, "lr": log(*rates), "momentum": round(1 - log(*rests), 3)},
            "scheduler": {"name": scheduler or str(rng.choice(SCHEDULERS, p=[0.2, 0.25, 0.2, 0.15, 0.2]))},
            "batch_size": int(rng.choice([16, 32, 48])),
            "window": window,
            "burn_in": window // int(rng.choice([4, 8])),
            "input_noise": float(rng.choice([0.0, 0.0, 1e-3])),
            "clip": float(rng.choice([0.0, 0.0, 1.0])),
        },
    }


def rollout_error(cache: Cache, kind: Kind, settings: dict[str, Any], seed: int) -> float:
    """Return the rollout error of one run of the search; its seeds are used nowhere else."""
    run_seed = seed_of("diagnosis", "search", kind.name, settings, seed)
    config = plan_of(kind, settings, 9000 + seed, run_seed).settled(cache.data)
    return float(cache.make(config).rollout_error or 0.0)


def found(cache: Cache, kind: Kind, cell: str, tries: int, until: float) -> list[dict[str, Any]]:
    """Return the kept settings, best first, as rows of the table."""
    rng = np.random.default_rng([list(KINDS).index(kind.name), list(CELLS).index(cell)])
    first = []
    for _ in range(tries):
        settings = drawn(rng, cell)
        first.append((rollout_error(cache, kind, settings, 0), settings))
        if time.monotonic() > until:
            break
    rows = chosen(cache, kind, cell, first)
    for wanted in WANTED:
        for _ in range(EXTRA_TRIES):
            if any(wanted.items() <= traits(row["settings"]).items() for row in rows):
                break
            settings = drawn(rng, cell, **wanted)
            rows += chosen(cache, kind, cell, [(rollout_error(cache, kind, settings, 0), settings)])
    splits = ("score", "score") if kind.kept_out else ("calibrate", "score")
    return [{**row, "split": splits[number % 2]} for number, row in enumerate(rows)]


def lacking(
    cache: Cache, kind: Kind, cell: str, optimizers: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return a row for each split and optimizer without one, if the search finds it."""
    rng = np.random.default_rng([list(KINDS).index(kind.name), list(CELLS).index(cell), 1])
    known = {(row["split"], traits(row["settings"])["optimizer"]) for row in rows}
    new: list[dict[str, Any]] = []
    for optimizer in optimizers:
        for split in ("score",) if kind.kept_out else ("calibrate", "score"):
            if (split, optimizer) in known:
                continue
            for _ in range(ALSO_TRIES):
                settings = drawn(rng, cell, optimizer)
                good = chosen(cache, kind, cell, [(rollout_error(cache, kind, settings, 0), settings)])
                new += [{**row, "split": split} for row in good]
                if good:
                    break
    return new


def chosen(
    cache: Cache, kind: Kind, cell: str, tried: list[tuple[float, dict[str, Any]]]
) -> list[dict[str, Any]]:
    """Return the tried settings that forecast well on most seeds, best first, as rows of the table."""
    rows: list[dict[str, Any]] = []
    for error, settings in sorted(tried, key=lambda entry: entry[0]):
        same = [row for row in rows if style(row["settings"]) == style(settings)]
        if len(rows) == KEPT or error > kind.healthy:
            break
        if len(same) < MOST_OF_ONE_OPTIMIZER:
            errors = [error, *(rollout_error(cache, kind, settings, seed) for seed in range(1, SEEDS))]
            if np.median(errors) <= kind.healthy:
                rounded = [float(f"{value:.3g}") for value in errors]
                rows.append({"kind": kind.name, "cell": cell, "settings": settings, "found": rounded})
    return rows


def style(settings: dict[str, Any]) -> tuple[str, bool]:
    """Return the optimizer and whether its rate is constant."""
    own = traits(settings)
    return own["optimizer"], own["scheduler"] == "none"


def traits(settings: dict[str, Any]) -> dict[str, str]:
    """Return the names of optimizer and scheduler."""
    return {owner: settings["training"][owner]["name"] for owner in ("optimizer", "scheduler")}


def main() -> None:
    """Search and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--tries", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=list(CELLS))
    parser.add_argument(
        "--also", nargs="+", choices=OPTIMIZERS, default=[], help="keep what there is, and add"
    )
    options = parser.parse_args()
    cache = Cache(options.cache)
    places = [(kind, cell) for kind in options.kinds for cell in options.cells]
    began, rows = time.monotonic(), []
    if TABLE.exists():
        rows = json.loads(TABLE.read_text())
    if not options.also:
        rows = [row for row in rows if (row["kind"], row["cell"]) not in places]
    for number, (kind, cell) in enumerate(places, 1):
        until = began + 60 * options.minutes * number / len(places)
        if options.also:
            own = [row for row in rows if (row["kind"], row["cell"]) == (kind, cell)]
            new = lacking(cache, KINDS[kind], cell, options.also, own)
        else:
            new = found(cache, KINDS[kind], cell, options.tries, until)
        rows += new
        print(
            f"{kind} {cell}: {len(new)} kept, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True
        )
        for row in new:
            print("   ", row["found"], row["settings"]["training"], file=sys.stderr, flush=True)
    rows.sort(key=lambda row: (list(KINDS).index(row["kind"]), row["cell"] != "lstm"))
    TABLE.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")


if __name__ == "__main__":
    main()
