"""Chaotic systems with the constants of the package dysts, integrated here.

The constants (parameters, initial states, periods, largest exponents) are those of `chaotic_attractors.json` in the
wheel of dysts, which is downloaded into a temporary folder and not installed. The equations are written down here, and
the trajectories are ours: scipy's DOP853 with tolerances of 1e-11.

Source: Gilpin (2021), Chaos as an interpretable benchmark for forecasting and data-driven modelling, arXiv 2110.05266.
"""

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from math import sin
from pathlib import Path
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

VERSION = "0.96"
SAMPLES = 20_000
# Samples per period of dysts, which is about two turns of most systems, and five of Thomas': 20 to 60 per turn
PER_PERIOD, OTHERS = 60, {"Thomas": 150}
TRANSIENT = 50  # periods that are discarded
TOLERANCE = 1e-11

Velocity = Callable[..., tuple[float, float, float]]  # (x, y, z, parameters by name)


def _halvorsen(x: float, y: float, z: float, a: float, b: float) -> tuple[float, float, float]:
    return (-a * x - b * (y + z) - y * y, -a * y - b * (z + x) - z * z, -a * z - b * (x + y) - x * x)


def _dadras(
    x: float, y: float, z: float, p: float, o: float, r: float, c: float, e: float
) -> tuple[float, float, float]:
    return y - p * x + o * y * z, r * y - x * z + z, c * x * y - e * z


def _thomas(x: float, y: float, z: float, a: float, b: float) -> tuple[float, float, float]:
    return b * sin(y) - a * x, b * sin(z) - a * y, b * sin(x) - a * z


def _aizawa(
    x: float, y: float, z: float, a: float, b: float, c: float, d: float, e: float, f: float
) -> tuple[float, float, float]:
    square = x * x + y * y
    return (
        (z - b) * x - d * y,
        d * x + (z - b) * y,
        c + a * z - z**3 / 3 - square * (1 + e * z) + f * z * x**3,
    )


def _hadley(
    x: float, y: float, z: float, a: float, b: float, f: float, g: float
) -> tuple[float, float, float]:
    return -y * y - z * z - a * x + a * f, x * y - b * x * z - y + g, b * x * y + x * z - z


SYSTEMS: Mapping[str, Velocity] = {
    "Chen": lambda x, y, z, a, b, c: (a * (y - x), (c - a) * x - x * z + c * y, x * y - b * z),
    "Halvorsen": _halvorsen,
    "Dadras": _dadras,
    "SprottB": lambda x, y, z: (y * z, x - y, 1 - x * y),
    "RikitakeDynamo": lambda x, y, z, a, mu: (y * z - mu * x, (z - a) * x - mu * y, 1 - x * y),
    "Rucklidge": lambda x, y, z, a, b: (b * y - a * x - y * z, x, y * y - z),
    "Thomas": _thomas,
    "BurkeShaw": lambda x, y, z, e, n: (-n * (x + y), y - n * x * z, n * x * y + e),
    "ChenLee": lambda x, y, z, a, b, c: (a * x - y * z, b * y + x * z, c * z + x * y / 3),
    "Aizawa": _aizawa,
    "Hadley": _hadley,
    "GenesioTesi": lambda x, y, z, a, b, c: (y, z, x * x - c * x - b * y - a * z),
}


def constants(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the entries of `chaotic_attractors.json` by system, from the wheel in a folder, downloaded if missing."""
    pattern = f"dysts-{VERSION}-*.whl"
    if not any(folder.glob(pattern)):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
        subprocess.run([*command, f"dysts=={VERSION}"], check=True, stdout=sys.stderr)
    (wheel,) = folder.glob(pattern)
    with zipfile.ZipFile(wheel) as files:
        entries: dict[str, dict[str, Any]] = json.loads(files.read("dysts/data/chaotic_attractors.json"))
    return entries


def sampled(name: str, entry: Mapping[str, Any]) -> tuple[np.ndarray, float]:
    """Return a trajectory on the attractor, (SAMPLES, 3), and its Lyapunov time in samples."""
    velocity, parameters = SYSTEMS[name], entry["parameters"]
    per_period = OTHERS.get(name, PER_PERIOD)
    dt = entry["period"] / per_period
    times = (np.arange(SAMPLES) + TRANSIENT * per_period) * dt
    solved = solve_ivp(
        lambda _, state: velocity(*state, **parameters),
        (0.0, times[-1]),
        entry["initial_conditions"],
        "DOP853",
        times,
        rtol=TOLERANCE,
        atol=TOLERANCE,
    )
    values = solved.y.T
    assert values.shape == (SAMPLES, 3) and np.isfinite(values).all(), f"{name} leaves its attractor"
    return values, 1 / (entry["maximum_lyapunov_estimated"] * dt)
