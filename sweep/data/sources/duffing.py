"""A mass on a spring that hardens, driven by a random force: the oscillator of Duffing."""

import math

import numpy as np

from sweep.data.recording import Need, Recording, Series
from sweep.data.sources.source import Options, SourceSpec, observed, require_not_negative, require_positive
from sweep.data.types import Array

TRAINING, VALIDATION, TEST = 0, 1, 2  # streams of random numbers
SAMPLE = 0.25  # time units between samples, 25 in a period of small oscillations at the default options
STEPS = 5  # Runge-Kutta steps of a sample; our choice: the error of a sample is then below 1e-6
MEMORY = 0.8  # correlation of the force between samples; our choice, most of its power is below the resonance
TRANSIENT = 400  # samples that are discarded: the beginning at rest would tell the state


def motion(
    force: Array, mass: float, damping: float, stiffness: float, cubic: float, sample: float = SAMPLE
) -> Array:
    """Return the position at the time of each sample of the force, from rest, (time,).

    mass x'' + damping x' + stiffness x + cubic x^3 = u, by classical Runge-Kutta steps; the force of a sample is held
    until the next one.

    Args:
        force: (time,), the force u.
        mass: above 0.
        damping: 0 or more.
        stiffness: of the linear spring.
        cubic: of the hardening spring.
        sample: time units between samples.
    """
    h = sample / STEPS
    position = np.empty(len(force))
    x = v = 0.0

    def acceleration(x: float, v: float, u: float) -> float:
        return (u - damping * v - stiffness * x - cubic * x * x * x) / mass

    for number, u in enumerate(force.tolist()):
        position[number] = x
        for _ in range(STEPS):
            v1, a1 = v, acceleration(x, v, u)
            v2, a2 = v + h / 2 * a1, acceleration(x + h / 2 * v1, v + h / 2 * a1, u)
            v3, a3 = v + h / 2 * a2, acceleration(x + h / 2 * v2, v + h / 2 * a2, u)
            v4, a4 = v + h * a3, acceleration(x + h * v3, v + h * a3, u)
            x += h / 6 * (v1 + 2 * v2 + 2 * v3 + v4)
            v += h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
    return position


def random_force(size: float, length: int, stream: list[int]) -> Array:
    """Return Gaussian noise, (length,): each sample is correlated by MEMORY with the one before."""
    first, *draws = np.random.default_rng(stream).standard_normal(length).tolist()
    force = [first]
    for draw in draws:
        force.append(MEMORY * force[-1] + math.sqrt(1 - MEMORY**2) * draw)
    return size * np.array(force)


def _generate(options: Options, need: Need) -> Recording:
    seed, length = options["seed"], options["length"]
    parts = (
        ("train", TRAINING, 1, length, (length, length)),
        ("validation", VALIDATION, need.starts, need.length, (0, need.length)),
        ("test", TEST, need.starts, need.length, (0, 0)),
    )
    spring = {name: options[name] for name in ("mass", "damping", "stiffness", "cubic")}
    series = []
    for word, stream, count, steps, ends in parts:
        for number in range(count):
            force = random_force(options["force"], TRANSIENT + steps, [seed, stream, number])
            values = motion(force, **spring)[TRANSIENT:]
            values = observed(values, options["noise"], [seed, stream, number, 1])
            label = f"source 'duffing', {word} series {number}"
            series.append(Series(label, values[:, None], ends, known=force[TRANSIENT:, None]))
    return Recording("duffing", ("y",), tuple(series), known=("u",))


def _check(options: Options) -> None:
    require_positive(options, "mass", "stiffness", "force")
    require_not_negative(options, "damping", "cubic", "noise", "seed")
    if options["length"] < 2:
        raise ValueError(f"length must be at least 2, got {options['length']}")


DUFFING = SourceSpec(
    name="duffing",
    defaults={
        "mass": 1.0,
        "damping": 0.1,
        "stiffness": 1.0,
        "cubic": 1.0,
        "force": 1.0,
        "length": 5000,
        "noise": 0.0,
        "seed": 0,
    },
    generate=_generate,
    check=_check,
    source="Duffing (1918), Erzwungene Schwingungen bei veraenderlicher Eigenfrequenz; the random force is our choice",
)
