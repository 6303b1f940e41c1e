"""The Lorenz system of 1963, integrated with the classical Runge-Kutta method."""

import math

import numpy as np

from sweep.data.recording import Need, Recording, Series
from sweep.data.sources.source import Options, SourceSpec, observed, require_not_negative, require_positive
from sweep.data.types import Array

LARGEST_STEP = 0.005  # time units; our choice: the error of one step is then at most 2e-7 of the spread
TRANSIENT = 50.0  # time units that are discarded, about 45 Lyapunov times
EXPONENT = 0.9056  # per time unit at the parameters below; Sprott (2003), Chaos and Time-Series Analysis
PUBLISHED = {"sigma": 10.0, "rho": 28.0, "beta": 8.0 / 3.0}

Point = tuple[float, float, float]


def lorenz_trajectory(start: Point, samples: int, dt: float, sigma: float, rho: float, beta: float) -> Array:
    """Return the states at times 0, dt, 2 dt, ...: (samples, 3).

    x' = sigma (y - x), y' = x (rho - z) - y, z' = x y - beta z. Each sample takes the smallest number of Runge-Kutta
    steps of fourth order that keeps a step at or below LARGEST_STEP.

    Source: Lorenz (1963), Deterministic nonperiodic flow, equations 25 to 27.
    """
    steps = max(1, math.ceil(dt / LARGEST_STEP - 1e-9))
    h = dt / steps
    out = np.empty((samples, 3))
    x, y, z = start
    for sample in range(samples):
        out[sample] = x, y, z
        for _ in range(steps):
            a1, b1, c1 = sigma * (y - x), x * (rho - z) - y, x * y - beta * z
            u, v, w = x + h / 2 * a1, y + h / 2 * b1, z + h / 2 * c1
            a2, b2, c2 = sigma * (v - u), u * (rho - w) - v, u * v - beta * w
            u, v, w = x + h / 2 * a2, y + h / 2 * b2, z + h / 2 * c2
            a3, b3, c3 = sigma * (v - u), u * (rho - w) - v, u * v - beta * w
            u, v, w = x + h * a3, y + h * b3, z + h * c3
            a4, b4, c4 = sigma * (v - u), u * (rho - w) - v, u * v - beta * w
            x += h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
            y += h / 6 * (b1 + 2 * b2 + 2 * b3 + b4)
            z += h / 6 * (c1 + 2 * c2 + 2 * c3 + c4)
    return out


def _generate(options: Options, need: Need) -> Recording:
    rng = np.random.default_rng([options["seed"], 0])
    x, y, z = (rng.normal(size=3) + np.array([1.0, 1.0, 20.0])).tolist()
    dt = options["dt"]
    discarded = math.ceil(TRANSIENT / dt)
    samples = options["train"] + options["validation"] + options["test"]
    values = lorenz_trajectory(
        (x, y, z), discarded + samples, dt, options["sigma"], options["rho"], options["beta"]
    )[discarded:]
    values = observed(values, options["noise"], [options["seed"], 1])
    ends = (options["train"], options["train"] + options["validation"])
    return Recording("lorenz", ("x", "y", "z"), (Series("source 'lorenz'", values, ends),))


def _check(options: Options) -> None:
    require_positive(options, "sigma", "rho", "beta", "dt", "train", "validation", "test")
    require_not_negative(options, "noise", "seed")
    if options["dt"] > 0.2:
        raise ValueError(f"dt must be 0.2 or less (a turn takes about 0.75 time units), got {options['dt']}")


def _lyapunov_time(options: Options) -> float | None:
    known = all(math.isclose(options[name], value, rel_tol=1e-3) for name, value in PUBLISHED.items())
    return 1.0 / (EXPONENT * options["dt"]) if known else None


LORENZ = SourceSpec(
    name="lorenz",
    defaults={
        **PUBLISHED,
        "dt": 0.02,
        "train": 10_000,
        "validation": 20_000,
        "test": 20_000,
        "noise": 0.0,
        "seed": 0,
    },
    generate=_generate,
    check=_check,
    source="Lorenz (1963), J. Atmos. Sci. 20, 130; exponent 0.9056 per time unit: Sprott (2003)",
    lyapunov_time=_lyapunov_time,
)
