"""What the intervals of forecasts cover: small studies as a user runs them, and their coverage on the locked test.

    python benchmarks/intervals.py [NAME...] [--data FOLDER] [--json]

Each study tries two configurations and trains the better one on five fresh seeds. Its networks are small and trained
for seconds: coverage must hold for any network. Then the intervals are calibrated and measured by the functions of
`sweep confirm`, but on as many starts as the data hold: coverage is known to 0.03 or better only from 500 on either
side. Beside the absolute errors of `sweep`, two other kinds of interval from the same rollouts: of signed errors, and
of errors divided by the spread of the five networks. FOLDER holds elecdemand.csv, without which that row is left out.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from machine import machine

import sweep
from sweep.config.trial import trial_config_from_json
from sweep.data import load
from sweep.forecast import ensemble_of, networks_of
from sweep.forecast.calibrate import calibrated, coverage_on_test, predict_of
from sweep.forecast.ensemble import combined
from sweep.stats.conformal import rank_of
from sweep.store import StudyFolder

Array = np.ndarray

LEVEL = 90
GOAL = (0.85, 0.95)  # of the coverage at that level, on average and at each step
STUDY = """
[data]
{data}
[score]
warmup = 40
horizon = {horizon}
starts = 16
[model]
hidden = 16
layers = 1
[training]
window = 80
budget = {budget}
evaluations = 4
batch_size = 32
optimizer = {{ name = "adam", lr = 0.01 }}
scheduler = "cosine"
[search]
trials = 2
[pruning]
enabled = false
[confirm]
top = 1
seeds = 5
[space]
cell = ["lstm", "gru"]
[run]
workers = 1
executor = "inline"
"""
LONG = "train = 5_000, validation = 41_000, test = 41_000"


@dataclass(frozen=True)
class Row:
    """A data set with its task; a file is written by a function below."""

    data: str  # lines of [data]
    horizon: int = 40
    starts: int = 1000  # on test, and for sources that make a series for each also for calibration
    budget: int = 200_000


ROWS = {
    "sine, noise 0.2": Row('source = "sine"\noptions = { noise = 0.2 }'),
    "narendra_li": Row('source = "narendra_li"'),
    "duffing, noise": Row('source = "duffing"\noptions = { noise = 0.05 }'),
    "lorenz": Row(f'source = "lorenz"\noptions = {{ {LONG} }}\ncalibration = 0.5'),
    "lorenz, noise 1": Row(f'source = "lorenz"\noptions = {{ {LONG}, noise = 1.0 }}\ncalibration = 0.5'),
    "mackey_glass, noise 0.05": Row(
        f'source = "mackey_glass"\noptions = {{ {LONG}, noise = 0.05 }}\ncalibration = 0.5'
    ),
    "ar2": Row('path = "ar2.csv"\nsplit = [0.1, 0.45, 0.45]\ncalibration = 0.5', 30),
    "seasonal": Row(
        'path = "seasonal.csv"\nscaling = "series"\nsplit = [0.1, 0.45, 0.45]\ncalibration = 0.5', 36
    ),
    "elecdemand": Row(
        'path = "elecdemand.csv"\nknown = ["WorkDay", "Temperature"]\ncalendar = ["time_of_day"]\n'
        "split = [0.3, 0.4, 0.3]\ncalibration = 0.5",
        24,
        219,
    ),
}


def ar2(rows: int = 60_000) -> Array:
    """Return a noisy oscillation of 12 steps, (time, 1): x_t = 1.6 x_{t-1} - 0.86 x_{t-2} + noise."""
    noise = np.random.default_rng(0).normal(size=rows)
    values = np.zeros(rows)
    for step in range(2, rows):
        values[step] = 1.6 * values[step - 1] - 0.86 * values[step - 2] + noise[step]
    return values


def seasonal(rows: int = 6_000, count: int = 10) -> Array:
    """Return series of different size, (series, time): two seasons, heavy-tailed noise that remembers 0.7 of itself."""
    rng, step = np.random.default_rng(1), np.arange(rows)
    series = []
    for number in range(count):
        noise = rng.standard_t(4, size=rows)
        for at in range(1, rows):
            noise[at] += 0.7 * noise[at - 1]
        waves = 3 * np.sin(2 * np.pi * step / 24 + number) + np.sin(2 * np.pi * step / 168)
        series.append(100 * number + 3**number * (waves + 0.5 * noise))
    return np.stack(series)


def write_files(folder: Path, data: Path | None) -> None:
    """Write the files of data into the folder."""
    (folder / "ar2.csv").write_text("y\n" + "\n".join(repr(float(value)) for value in ar2()))
    lines = ["unique_id,y"]
    for number, values in enumerate(seasonal()):
        lines += [f"s{number},{value!r}" for value in values.tolist()]
    (folder / "seasonal.csv").write_text("\n".join(lines))
    if data is not None:
        (folder / "elecdemand.csv").write_bytes((data / "elecdemand.csv").read_bytes())


def measured(folder: Path, row: Row) -> dict[str, Any]:
    """Run a study, and return the coverage that it stores with that of two other kinds of interval."""
    number = len(list(folder.glob("*.toml")))
    path = folder / f"study{number}.toml"
    text = STUDY.format(data=row.data, horizon=row.horizon, budget=row.budget)
    path.write_text(text)
    began = time.perf_counter()
    sweep.run(str(path), results=folder / "results", plots=False)
    study = StudyFolder(folder / "results" / path.stem)
    winner = study.read_document("winner") or {}
    number = winner["number"]
    if number is None:  # no configuration beats a trivial forecast: its networks are measured all the same
        number = (study.read_document("confirmation") or {})["leader"]
    source = networks_of(study, number)
    config = trial_config_from_json(study.record(number).config)
    score = config.score.model_copy(update={"starts": row.starts})
    loaded = load(config.data, score, calibrated=True)
    ensemble = ensemble_of(source, loaded)
    assert loaded.calibration is not None
    errors, spreads = [], []
    for starts in (loaded.calibration, loaded.test):
        made = ensemble.forecasts(starts.past, starts.known, starts.series)
        unit = starts.std[:, None]
        errors.append((starts.truth - combined(made)) / unit)
        spreads.append(made.std(axis=0) / unit)
    predict = predict_of(ensemble)
    coverage = coverage_on_test(calibrated(predict, loaded), predict, loaded)
    return {
        "error": winner["test"]["rollout_error"] if winner["test"] else 1.0,
        "calibration": len(errors[0]),
        "test": loaded.test.n_eff,
        "coverage": coverage["levels"],
        "kinds": kinds(errors, spreads),
        "seconds": time.perf_counter() - began,
    }


def kinds(errors: list[Array], spreads: list[Array]) -> dict[str, dict[str, float]]:
    """Return coverage, width and interval score of three kinds of interval.

    Args:
        errors: of calibration and test, truth minus forecast, (start, step, channel), standard deviations.
        spreads: standard deviations of the networks' forecasts there, same shapes and units.
    """
    floor = np.median(spreads[0], axis=0)  # half of the unit: or a start on which networks agree has no width
    scaled = statistic(np.abs(errors[0]) / (spreads[0] + floor), LEVEL) * (spreads[1] + floor)
    plain = np.broadcast_to(statistic(np.abs(errors[0]), LEVEL), errors[1].shape)
    tail = (100 + LEVEL) // 2  # each side by itself, 95 %
    ends = {
        "absolute": (-plain, plain),
        "signed": (
            np.broadcast_to(-statistic(-errors[0], tail), errors[1].shape),
            np.broadcast_to(statistic(errors[0], tail), errors[1].shape),
        ),
        "spread": (-scaled, scaled),
    }
    wide = spreads[1].mean(axis=(1, 2))
    third = wide >= np.quantile(wide, 2 / 3)
    return {name: graded(low, high, errors[1], third) for name, (low, high) in ends.items()}


def statistic(values: Array, level: int) -> Array:
    """Return the order statistic of a level, (step, channel)."""
    return np.sort(values, axis=0)[rank_of(len(values), level) - 1]


def graded(low: Array, high: Array, errors: Array, third: Array) -> dict[str, float]:
    """Return what intervals cover and how wide they are; the interval score is Gneiting and Raftery's (2007)."""
    inside = (low <= errors) & (errors <= high)
    missed = np.maximum(low - errors, 0) + np.maximum(errors - high, 0)
    steps = inside.mean(axis=(0, 2))
    return {
        "coverage": float(inside.mean()),
        "least": float(steps.min()),
        "most": float(steps.max()),
        "width": float((high - low).mean()),
        "score": float((high - low + 2 / (1 - LEVEL / 100) * missed).mean()),
        "third": float(inside[third].mean()),  # of the third of the starts with the largest spread
    }


def table(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the results as a table."""
    lines = [
        "| data | calibration, test | error | 90 %: mean [95 %] | by step | signed: coverage, score | "
        "spread: coverage, score | widest third: absolute, spread |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, result in results.items():
        plain, signed, spread = (result["kinds"][kind] for kind in ("absolute", "signed", "spread"))
        own = result["coverage"][str(LEVEL)]
        steps = own["by_step"]["value"]
        mark = "" if GOAL[0] <= min(steps) and max(steps) <= GOAL[1] else " (missed)"
        lines.append(
            f"| {name} | {result['calibration']}, {result['test']} | {result['error']:.2g} | "
            f"{own['value']:.3f} [{own['low']:.3f}, {own['high']:.3f}] | {min(steps):.3f} to {max(steps):.3f}{mark} | "
            f"{signed['coverage']:.3f}, {signed['score'] / plain['score'] - 1:+.1%} | "
            f"{spread['coverage']:.3f}, {spread['score'] / plain['score'] - 1:+.1%} | "
            f"{plain['third']:.3f}, {spread['third']:.3f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Print the table, or everything as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="rows; default: all")
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    names = given.names or [name for name in ROWS if name != "elecdemand" or given.data]
    results = {}
    with tempfile.TemporaryDirectory() as place:
        write_files(Path(place), given.data)
        for name in names:
            results[name] = measured(Path(place), ROWS[name])
            print(f"{name}: {results[name]['seconds']:.0f} s", file=sys.stderr)
    print(json.dumps({"machine": machine(), "results": results}, indent=1) if given.json else table(results))


if __name__ == "__main__":
    main()
