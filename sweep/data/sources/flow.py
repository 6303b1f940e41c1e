"""Flows of three coordinates: the integrator that they share, and the source of data that a flow becomes."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from sweep.data.recording import Need, Recording, Series
from sweep.data.sources.source import Options, SourceSpec, observed, require_not_negative, require_positive
from sweep.data.types import Array

COARSEST = 0.25  # of a turn: largest step between samples; our choice

Point = tuple[float, float, float]
Velocity = Callable[[float, float, float], Point]


@dataclass(frozen=True)
class Flow:
    """A chaotic system x' = f(x) of three coordinates. Times are in its own units."""

    name: str
    published: Mapping[str, float]  # parameters, all above 0, for which the exponent is published
    velocity: Callable[..., Velocity]  # of the parameters by name
    near: Point  # trajectories start at this point plus standard normal numbers
    dt: float  # default time between samples
    largest_step: float  # of the integrator
    transient: float  # time that is discarded
    exponent: float  # largest Lyapunov exponent per time unit, base e, at the published parameters
    turn: float  # mean time of a turn around the attractor, about
    source: str

    def trajectory(self, start: Point, samples: int, dt: float, **parameters: float) -> Array:
        """Return the states at times 0, dt, 2 dt, ...: (samples, 3); parameters that are not named are as published."""
        velocity = self.velocity(**{**self.published, **parameters})
        return trajectory(velocity, start, samples, dt, self.largest_step)


def trajectory(velocity: Velocity, start: Point, samples: int, dt: float, largest_step: float) -> Array:
    """Return the states at times 0, dt, 2 dt, ...: (samples, 3); not finite from a blow-up on.

    Each sample takes the smallest number of classical Runge-Kutta steps of fourth order, all of one size, that keeps a
    step at or below `largest_step`.
    """
    steps = max(1, math.ceil(dt / largest_step - 1e-9))
    h = dt / steps
    out = np.empty((samples, 3))
    x, y, z = start
    for sample in range(samples):
        out[sample] = x, y, z
        for _ in range(steps):
            a1, b1, c1 = velocity(x, y, z)
            a2, b2, c2 = velocity(x + h / 2 * a1, y + h / 2 * b1, z + h / 2 * c1)
            a3, b3, c3 = velocity(x + h / 2 * a2, y + h / 2 * b2, z + h / 2 * c2)
            a4, b4, c4 = velocity(x + h * a3, y + h * b3, z + h * c3)
            x += h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
            y += h / 6 * (b1 + 2 * b2 + 2 * b3 + b4)
            z += h / 6 * (c1 + 2 * c2 + 2 * c3 + c4)
    return out


def flow_source(flow: Flow) -> SourceSpec:
    """Return the source of one long trajectory of a flow: training, validation and test samples in this order."""

    def generate(options: Options, need: Need) -> Recording:
        noise = np.random.default_rng([options["seed"], 0]).normal(size=3)
        x, y, z = (noise + np.array(flow.near)).tolist()
        dt = options["dt"]
        discarded = math.ceil(flow.transient / dt)
        samples = options["train"] + options["validation"] + options["test"]
        parameters = {name: options[name] for name in flow.published}
        values = flow.trajectory((x, y, z), discarded + samples, dt, **parameters)[discarded:]
        values = observed(values, options["noise"], [options["seed"], 1])
        ends = (options["train"], options["train"] + options["validation"])
        return Recording(flow.name, ("x", "y", "z"), (Series(f"source {flow.name!r}", values, ends),))

    def check(options: Options) -> None:
        require_positive(options, *flow.published, "dt", "train", "validation", "test")
        require_not_negative(options, "noise", "seed")
        if options["dt"] > COARSEST * flow.turn:
            raise ValueError(
                f"dt must be {COARSEST * flow.turn:.2g} or less (a turn takes about {flow.turn:.2g} time units), "
                f"got {options['dt']}"
            )

    def lyapunov_time(options: Options) -> float | None:
        known = all(
            math.isclose(options[name], value, rel_tol=1e-3) for name, value in flow.published.items()
        )
        return 1.0 / (flow.exponent * options["dt"]) if known else None

    return SourceSpec(
        name=flow.name,
        defaults={
            **flow.published,
            "dt": flow.dt,
            "train": 10_000,
            "validation": 20_000,
            "test": 20_000,
            "noise": 0.0,
            "seed": 0,
        },
        generate=generate,
        check=check,
        source=flow.source,
        lyapunov_time=lyapunov_time,
    )
