"""What the intervals of forecasts cover, for small networks on data sets with many starts that do not overlap.

    python benchmarks/intervals.py [NAME...] [--data FOLDER] [--json]

Five networks of one configuration are trained for seconds on each data set: coverage must hold for any network. Their
median is calibrated and measured by the functions of `sweep confirm`, on as many starts as the data hold, up to 2000 on
either side, so that a fault shows through chance. Beside the coverage, the range that chance alone would give it;
beside the absolute errors of `sweep`, two other kinds of interval from the same rollouts: of signed errors, and of
errors divided by the spread of the networks. FOLDER holds elecdemand.csv, without which that row is left out.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from machine import machine
from scipy.stats import betabinom, binom

from sweep.config.data_section import DataConfig
from sweep.config.engines import engine_name
from sweep.config.section import Component
from sweep.config.sections import ModelConfig, ScoreConfig, TrainingConfig
from sweep.config.trial import TrialConfig
from sweep.data import load
from sweep.forecast import Source, ensemble_of
from sweep.forecast.calibrate import calibrated, coverage_on_test, predict_of
from sweep.forecast.ensemble import combined
from sweep.model import best_kernel
from sweep.stats.conformal import rank_of
from sweep.trial import run_segment
from sweep.trial.checkpoint import read_checkpoint
from sweep.trial.finish import weights_bytes
from sweep.trial.segment import Run

Array = np.ndarray

LEVEL = 90
GOAL = (0.85, 0.95)  # of the coverage at that level, on average and at each step
NETWORKS = 5
LONG = {"train": 5_000, "validation": 164_000, "test": 164_000}
HALVES = (0.03, 0.485, 0.485)  # of a file's samples; calibration takes half of validation


@dataclass(frozen=True)
class Row:
    """A data set with its task."""

    data: Mapping[str, Any]  # of [data]; a path is that of a file which `write_files` writes
    horizon: int = 40
    starts: int = 2000  # wanted on test


ROWS = {
    "sine, noise 0.2": Row({"source": "sine", "options": {"noise": 0.2}}),
    "duffing, noise 0.05": Row({"source": "duffing", "options": {"noise": 0.05}}),
    "lorenz": Row({"source": "lorenz", "options": LONG, "calibration": 0.5}),
    "lorenz, noise 1": Row({"source": "lorenz", "options": {**LONG, "noise": 1.0}, "calibration": 0.5}),
    "mackey_glass, noise 0.05": Row(
        {"source": "mackey_glass", "options": {**LONG, "noise": 0.05}, "calibration": 0.5}
    ),
    "ar2": Row({"path": "ar2.csv", "split": HALVES, "calibration": 0.5}, 25),
    "seasonal": Row({"path": "seasonal.csv", "scaling": "series", "split": HALVES, "calibration": 0.5}, 25),
    "elecdemand": Row(
        {
            "path": "elecdemand.csv",
            "target": ("Demand",),
            "known": ("WorkDay", "Temperature"),
            "calendar": ("time_of_day",),
            "split": (0.3, 0.4, 0.3),
            "calibration": 0.6,
        },
        24,
        219,
    ),
}


def ar2(rows: int = 220_000) -> Array:
    """Return a noisy oscillation of 12 steps, (time, 1): x_t = 1.6 x_{t-1} - 0.86 x_{t-2} + noise."""
    noise = np.random.default_rng(0).normal(size=rows)
    values = np.zeros(rows)
    for step in range(2, rows):
        values[step] = 1.6 * values[step - 1] - 0.86 * values[step - 2] + noise[step]
    return values


def seasonal(rows: int = 22_000, count: int = 10) -> Array:
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


def trained(row: Row, folder: Path) -> Source:
    """Return five small networks of one configuration."""
    settings = dict(row.data)
    if "path" in settings:
        settings["path"] = str(folder / settings["path"])
    model = ModelConfig(cell="gru", hidden=16, layers=1)
    training = TrainingConfig(
        window=80,
        budget=100_000,
        evaluations=3,
        batch_size=16,
        optimizer=Component.model_validate({"name": "adam", "lr": 0.01}),
        scheduler=Component(name="cosine"),
    )
    trainings = []
    for seed in range(1, NETWORKS + 1):
        config = TrialConfig(
            data=DataConfig(**settings),
            score=ScoreConfig(warmup=40, horizon=row.horizon, starts=16),
            model=model,
            training=training,
            seed=seed,
            engine=engine_name("auto", best_kernel(), "cpu", model, training),
        )
        checkpoint = None
        for point in range(len(config.points)):
            checkpoint = run_segment(config, checkpoint, point).checkpoint
        assert checkpoint is not None
        run = Run(config)
        run.restore(read_checkpoint(checkpoint))
        if run.best_weights is not None:
            run.trainer.flat.restore(run.best_weights)
        trainings.append((config, weights_bytes(config, run.network)))
    return Source(0, "selected", tuple(trainings))


def measured(row: Row, folder: Path) -> dict[str, Any]:
    """Return the coverage of sweep's intervals, with that of two other kinds."""
    began = time.perf_counter()
    source = trained(row, folder)
    config = source.trainings[0][0]
    data = load(config.data, config.score.model_copy(update={"starts": row.starts}), calibrated=True)
    ensemble = ensemble_of(source, data)
    predict = predict_of(ensemble)
    assert data.calibration is not None
    errors, spreads = [], []
    for starts in (data.calibration, data.test):
        made = ensemble.forecasts(starts.past, starts.known, starts.series)
        unit = starts.std[:, None]
        errors.append(((starts.truth - combined(made)) / unit)[..., list(data.targets)])
        spreads.append((made.std(axis=0) / unit)[..., list(data.targets)])
    return {
        "rmse": float(np.sqrt((errors[1] ** 2).mean())),
        "calibration": len(errors[0]),
        "test": data.test.n_eff,
        "coverage": coverage_on_test(calibrated(predict, data), predict, data)["levels"],
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


def chance(calibration: int, test: int, steps: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the 95 % ranges of the coverage of exact intervals at one step of one channel.

    The first is binomial, by the test starts alone: of one given step, if the true coverage is the level. The second is
    beta-binomial, by both kinds of starts: the lowest and the highest of all steps lie in it (Bonferroni).

    Source: Vovk (2012), "Conditional validity of inductive conformal predictors", for the beta distribution.

    Args:
        calibration: starts.
        test: starts that do not overlap.
        steps: how many of them are compared.
    """
    rank = rank_of(calibration, LEVEL)
    by_test = binom.ppf((0.025, 0.975), test, LEVEL / 100)
    by_both = betabinom.ppf((0.025 / steps, 1 - 0.025 / steps), test, rank, calibration + 1 - rank)
    return (by_test[0] / test, by_test[1] / test), (by_both[0] / test, by_both[1] / test)


HEAD = (
    "data (calibration, test)", "rmse", "90 %: mean [95 %]", "by step", "chance: one step; all steps",
    "signed: coverage, score", "spread: coverage, score", "widest third: absolute, spread",
)  # fmt: skip


def line(name: str, result: Mapping[str, Any]) -> str:
    """Return the results of a data set as a line of the table."""
    plain, signed, spread = (result["kinds"][kind] for kind in ("absolute", "signed", "spread"))
    own = result["coverage"][str(LEVEL)]
    steps = own["by_step"]["value"]
    one, every = chance(result["calibration"], result["test"], len(steps))
    mark = "" if GOAL[0] <= min(steps) and max(steps) <= GOAL[1] else " (missed)"
    cells = (
        f"{name} ({result['calibration']}, {result['test']})",
        f"{result['rmse']:.2g}",
        f"{own['value']:.3f} [{own['low']:.3f}, {own['high']:.3f}]",
        f"{min(steps):.3f} to {max(steps):.3f}{mark}",
        f"{one[0]:.3f} to {one[1]:.3f}; {every[0]:.3f} to {every[1]:.3f}",
        f"{signed['coverage']:.3f}, {signed['score'] / plain['score'] - 1:+.1%}",
        f"{spread['coverage']:.3f}, {spread['score'] / plain['score'] - 1:+.1%}",
        f"{plain['third']:.3f}, {spread['third']:.3f}",
    )
    return f"| {' | '.join(cells)} |"


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
    if not given.json:
        print(f"{machine()}\n\n| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}", flush=True)
    with tempfile.TemporaryDirectory() as place:
        write_files(Path(place), given.data)
        for name in names:
            results[name] = measured(ROWS[name], Path(place))
            if not given.json:
                print(line(name, results[name]), flush=True)
    if given.json:
        print(json.dumps({"machine": machine(), "results": results}, indent=1))


if __name__ == "__main__":
    main()
