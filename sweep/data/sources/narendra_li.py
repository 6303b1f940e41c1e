"""The system of Narendra and Li: two states, one input, and an output that is measured with noise."""

import math

import numpy as np

from sweep.data.recording import Need, Recording, Series
from sweep.data.sources.source import Options, SourceSpec, observed, require_not_negative
from sweep.data.types import Array

TRAINING, VALIDATION = 0, 1  # streams of random numbers
WIDEST = 2.5  # bound of the random input
TEST = 200  # steps of the published test


def response(force: Array) -> Array:
    """Return the output at each time of the input, from states of zero, (time,).

    With the input u, x1' = (x1 / (1 + x1^2) + 1) sin x2, x2' = x2 cos x2 + x1 exp(-(x1^2 + x2^2) / 8)
    + u^3 / (1 + u^2 + 0.5 cos(x1 + x2)), and y = x1 / (1 + 0.5 sin x2) + x2 / (1 + 0.5 sin x1): an input changes the
    output of the next step on.

    Args:
        force: (time,), the input.
    """
    output = np.empty(len(force))
    first = second = 0.0
    for step, u in enumerate(force.tolist()):
        output[step] = first / (1 + 0.5 * math.sin(second)) + second / (1 + 0.5 * math.sin(first))
        first, second = (
            (first / (1 + first**2) + 1) * math.sin(second),
            second * math.cos(second)
            + first * math.exp(-(first**2 + second**2) / 8)
            + u**3 / (1 + u**2 + 0.5 * math.cos(first + second)),
        )
    return output


def published_input(length: int) -> Array:
    """Return sin(2 pi k / 10) + sin(2 pi k / 25) for k = 1, 2, ..., (length,)."""
    k = np.arange(1, length + 1)
    return np.asarray(np.sin(2 * np.pi * k / 10) + np.sin(2 * np.pi * k / 25))


def _generate(options: Options, need: Need) -> Recording:
    seed, length = options["seed"], options["length"]
    parts = (
        ("train", TRAINING, 1, length, (length, length)),
        ("validation", VALIDATION, need.starts, need.length, (0, need.length)),
    )
    series = []
    for word, stream, count, steps, ends in parts:
        for number in range(count):
            force = np.random.default_rng([seed, stream, number]).uniform(-WIDEST, WIDEST, steps)
            values = observed(response(force), options["noise"], [seed, stream, number, 1])
            label = f"source 'narendra_li', {word} series {number}"
            series.append(Series(label, values[:, None], ends, known=force[:, None]))
    # longer only where the wanted starts do not fit
    published = published_input(max(TEST, need.length + need.starts - 1))
    label = "source 'narendra_li', test series"
    series.append(Series(label, response(published)[:, None], (0, 0), known=published[:, None]))
    return Recording("narendra_li", ("y",), tuple(series), known=("u",))


def _check(options: Options) -> None:
    require_not_negative(options, "noise", "seed")
    if options["length"] < 2:
        raise ValueError(f"length must be at least 2, got {options['length']}")


NARENDRA_LI = SourceSpec(
    name="narendra_li",
    defaults={"length": 10_000, "noise": math.sqrt(0.1), "seed": 0},
    generate=_generate,
    check=_check,
    source="Narendra and Li (1996), in Mathematical Perspectives on Neural Networks, chapter 11",
)
