"""The data of `outcome.py`: what is forecast, how it is scored, and the configuration of our networks for it."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from dysts_systems import SYSTEMS, constants, sampled

SOLVED: Mapping[
    str, Any
] = {  # variable projection: L-BFGS moves the recurrent weights, the readout is solved
    "optimizer": {"name": "lbfgs", "history": 30},
    "readout_refit": "always",
    "precision": "float64",
    "window": 500,
    "burn_in": 100,
    "budget": 1_700_000,
    "evaluations": 12,
}


# where the noise decides: a ridge and input noise of its size, chosen on validation
NOISY = tuple(
    {"ridge": ridge, "input_noise": noise} for ridge in (1e-14, 1e-9, 1e-6, 1e-4) for noise in (0.0, 0.1)
)
NOT_WORSE = "not worse than the best baseline"

# (file to write, folder of the user's recordings) -> the Lyapunov time in steps, None if unknown
Make = Callable[[Path, Path], float | None]


@dataclass(frozen=True)
class Entry:
    """Data, scoring, and the sections `model` and `training` of the configuration that is trained."""

    name: str
    data: Mapping[str, Any]  # the section [data]; "path" is a file name, which `make` writes
    score: Mapping[str, Any]  # the section [score]
    model: Mapping[str, Any] = field(default_factory=lambda: {"cell": "lstm", "hidden": 64, "layers": 1})
    training: Mapping[str, Any] = field(default_factory=lambda: SOLVED)
    # changes of `training` to choose from: each is trained on one seed, and the best on validation is the configuration
    choices: tuple[Mapping[str, Any], ...] = ({},)
    goal: str = NOT_WORSE
    make: Make | None = None
    recorded: bool = False  # `make` needs a file of the user's folder
    group: str = "clean"


def _ar2(path: Path, recordings: Path) -> None:
    """Write a noisy cycle of 20 steps: y[t] = 1.87 y[t-1] - 0.966 y[t-2] + noise, all of it noise-driven."""
    rng = np.random.default_rng(0)
    drive = rng.standard_normal(21_000)
    values = np.zeros(21_000)
    for t in range(2, len(values)):
        values[t] = 2 * 0.983 * np.cos(2 * np.pi / 20) * values[t - 1] - 0.983**2 * values[t - 2] + drive[t]
    np.save(path, values[1000:])


def _laser(path: Path, recordings: Path) -> None:
    """Copy the Santa Fe laser, set A."""
    shutil.copy(recordings / "laser.csv", path)


def _demand(path: Path, recordings: Path) -> None:
    """Write the half-hourly electricity demand of Victoria in 2014, without its other columns."""
    pd.read_csv(recordings / "elecdemand.csv", usecols=["ds", "Demand"]).to_csv(path, index=False)


def _dysts(name: str) -> Make:
    def make(path: Path, recordings: Path) -> float:
        folder = path.parent / "wheel"
        folder.mkdir(exist_ok=True)
        values, time = sampled(name, constants(folder)[name])
        np.save(path, values)
        return time

    return make


HALVES = [0.5, 0.25, 0.25]
LORENZ = {"source": "lorenz"}
GLASS = {"source": "mackey_glass"}
GLASS_MODEL = {"cell": "gru", "hidden": 96, "layers": 1}
GLASS_TRAINING = {**SOLVED, "budget": 2_500_000}
SINE = {"warmup": 1000, "horizon": 1000, "starts": 16}
SINE_MODEL = {"cell": "gru", "hidden": 51, "layers": 2}

ENTRIES: dict[str, Entry] = {
    entry.name: entry
    for entry in (
        Entry(
            "sine",
            {"source": "sine"},
            SINE,
            SINE_MODEL,
            {**SOLVED, "window_stride": 4, "budget": 3_200_000},
            goal="<= 1e-7",
        ),
        Entry(
            "two_tones",
            {"source": "two_tones"},
            {"warmup": 500, "horizon": 500, "starts": 32},
            {"cell": "gru", "hidden": 51, "layers": 1},
            {**SOLVED, "budget": 9_000_000},
            goal="<= 5e-5",
        ),
        Entry("lorenz", LORENZ, {"warmup": 200, "horizon": 500, "starts": 32}, goal="<= 0.02, 8.9 LT"),
        Entry("lorenz_1500", LORENZ, {"warmup": 200, "horizon": 1500, "starts": 32}, goal="11.5 LT"),
        Entry(
            "mackey_glass",
            GLASS,
            {"warmup": 300, "horizon": 500, "starts": 32},
            GLASS_MODEL,
            GLASS_TRAINING,
            goal="<= 0.015",
        ),
        Entry(
            "mackey_glass_1000",
            GLASS,
            {"warmup": 300, "horizon": 1000, "starts": 32},
            GLASS_MODEL,
            GLASS_TRAINING,
            goal="<= 0.15",
        ),
        Entry(
            "rossler",
            {"source": "rossler"},
            {"warmup": 200, "horizon": 500, "starts": 32},
            goal="<= 0.002",
        ),
        *(
            Entry(
                f"sine_noise_{noise}",
                {"source": "sine", "options": {"noise": noise}},
                {"warmup": 500, "horizon": 500, "starts": 32},
                {"cell": "gru", "hidden": 51, "layers": 1},
                {**SOLVED, "window_stride": 4},
                choices=NOISY,
                group="noisy",
            )
            for noise in (0.02, 0.1, 0.3)
        ),
        Entry(
            "lorenz_noise_0.05",
            {"source": "lorenz", "options": {"noise": 0.05}},
            {"warmup": 200, "horizon": 500, "starts": 32},
            choices=NOISY,
            group="noisy",
        ),
        Entry(
            "ar2",
            {"path": "ar2.npy", "split": HALVES},
            {"warmup": 100, "horizon": 100, "starts": 32},
            {"cell": "gru", "hidden": 16, "layers": 1},
            {**SOLVED, "window": 250, "burn_in": 50, "budget": 800_000},
            make=_ar2,
            choices=NOISY,
            group="noisy",
        ),
        Entry(
            "sunspots",
            {"source": "sunspots", "transforms": ["sqrt"]},
            {"warmup": 264, "horizon": 132, "starts": 32},
            {"cell": "gru", "hidden": 32, "layers": 1},
            {**SOLVED, "window": 120, "burn_in": 40, "budget": 600_000},
            choices=NOISY,
            group="noisy",
        ),
        Entry(
            "laser",
            {"path": "laser.csv", "time_column": "t"},
            {"warmup": 200, "horizon": 100, "starts": 32},
            training={**SOLVED, "window": 300, "burn_in": 60, "budget": 900_000},
            make=_laser,
            recorded=True,
            choices=NOISY,
            group="noisy",
        ),
        Entry(
            "elecdemand",
            {"path": "elecdemand.csv"},
            {"warmup": 672, "horizon": 336, "starts": 32},
            make=_demand,
            recorded=True,
            choices=NOISY,
            group="noisy",
        ),
        *(
            Entry(
                f"dysts_{name}",
                {"path": f"{name}.npy", "split": HALVES},
                {"warmup": 200, "horizon": 500, "starts": 32},
                goal="better than the echo state network",
                make=_dysts(name),
                group="dysts",
            )
            for name in SYSTEMS
        ),
    )
}
