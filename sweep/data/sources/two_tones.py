"""Sums of two sines with periods that no common multiple joins and random phases: never the same twice."""

import math

import numpy as np

from sweep.data.recording import Need, Recording, Series
from sweep.data.sources.source import Options, SourceSpec, observed, require_not_negative, require_positive
from sweep.data.types import Array

TRAINING, VALIDATION, TEST = 0, 1, 2  # streams of random numbers
GOLDEN = (1 + math.sqrt(5)) / 2  # the number that fractions approximate worst


def tones(options: Options, length: int, count: int, stream: int) -> Array:
    """Return sums of two sines, (count, length): amplitude_k sin(2 pi t / period_k + phase_k), k = 1 and 2.

    The phases are uniform over the circle, four numbers for the two tones of two series and so on: a larger count
    begins with the same series.
    """
    phases = np.random.default_rng([options["seed"], stream]).uniform(0, 2 * np.pi, (count, 2))
    time = np.arange(length)
    total = np.zeros((count, length))
    for tone, phase in zip(("1", "2"), phases.T, strict=True):
        angle = 2 * np.pi / options[f"period_{tone}"] * time + phase[:, None]
        total += options[f"amplitude_{tone}"] * np.sin(angle)
    return total


def _generate(options: Options, need: Need) -> Recording:
    parts = [
        ("train", TRAINING, options["series"], options["length"], (options["length"], options["length"])),
        ("validation", VALIDATION, need.starts, need.length, (0, need.length)),
        ("test", TEST, need.starts, need.length, (0, 0)),
    ]
    series = []
    for word, stream, count, length, ends in parts:
        for number, row in enumerate(tones(options, length, count, stream)):
            values = observed(row, options["noise"], [options["seed"], stream, number])
            series.append(Series(f"source 'two_tones', {word} series {number}", values[:, None], ends))
    return Recording("two_tones", ("y",), tuple(series))


def _check(options: Options) -> None:
    require_positive(options, "period_1", "period_2", "amplitude_1", "amplitude_2", "series")
    require_not_negative(options, "noise", "seed")
    for name in ("period_1", "period_2"):
        if options[name] <= 2:
            raise ValueError(f"{name} must be above 2 steps, got {options[name]}")
    if options["length"] < 2:
        raise ValueError(f"length must be at least 2, got {options['length']}")


TWO_TONES = SourceSpec(
    name="two_tones",
    defaults={
        "period_1": 50.0,
        "period_2": 50.0 / GOLDEN,
        "amplitude_1": 1.0,
        "amplitude_2": 0.6,
        "length": 1000,
        "series": 100,
        "seed": 0,
        "noise": 0.0,
    },
    generate=_generate,
    check=_check,
    source="our choice: two tones whose periods have the golden ratio",
)
