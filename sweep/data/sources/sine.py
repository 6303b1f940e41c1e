"""Sines of one frequency with different phases: the data of PyTorch's `time_sequence_prediction` example."""

import numpy as np

from sweep.data.recording import Need, Recording, Series
from sweep.data.sources.source import Options, SourceSpec, observed, require_not_negative, require_positive
from sweep.data.types import Array

HELD_OUT = 3  # rows that are not used: the example tests on them, and most of them duplicate training rows
TRAINING_NOISE, VALIDATION, TEST = 0, 1, 2  # streams of random numbers


def training_rows(period: int, length: int, series: int, seed: int) -> Array:
    """Return the training rows of the example, bit for bit: (series - 3, length).

    sin(x / T), where x is 0 .. length - 1 plus one random integer in [-4 T, 4 T) for each row, so the true period is
    2 pi T steps. Rows 0 to 2, the example's test rows, are left out.

    Source: pytorch/examples, time_sequence_prediction/generate_sine_wave.py, numpy seed 2.
    """
    offsets = np.random.RandomState(seed).randint(-4 * period, 4 * period, series)
    return np.sin((np.arange(length) + offsets[:, None]) / 1.0 / period)[HELD_OUT:]


def fresh_offsets(period: int, count: int, seed: int, stream: int) -> Array:
    """Return real-valued offsets in steps, uniform over one period 2 pi T: (count,).

    A larger count begins with the same offsets.
    """
    return np.random.default_rng([seed, stream]).uniform(0.0, 2 * np.pi * period, count)


def _generate(options: Options, need: Need) -> Recording:
    period, noise, seed = options["T"], options["noise"], options["seed"]
    train = training_rows(period, options["length"], options["series"], seed)
    parts = [("train", train, (train.shape[1], train.shape[1]))]
    for word, stream, ends in (("validation", VALIDATION, (0, need.length)), ("test", TEST, (0, 0))):
        offsets = fresh_offsets(period, need.starts, seed, stream)
        parts.append((word, np.sin((np.arange(need.length) + offsets[:, None]) / period), ends))
    series = []
    for stream, (word, rows, ends) in enumerate(parts):
        for number, row in enumerate(rows):
            values = observed(row, noise, [seed, stream, number])
            series.append(Series(f"source 'sine', {word} series {number}", values[:, None], ends))
    return Recording("sine", ("y",), tuple(series))


def _check(options: Options) -> None:
    require_positive(options, "T")
    require_not_negative(options, "noise", "seed")
    if options["series"] <= HELD_OUT:
        raise ValueError(
            f"series must be above {HELD_OUT} (the first {HELD_OUT} are not used), got {options['series']}"
        )
    if options["length"] < 2:
        raise ValueError(f"length must be at least 2, got {options['length']}")


SINE = SourceSpec(
    name="sine",
    defaults={"T": 20, "length": 1000, "series": 100, "seed": 2, "noise": 0.0},
    generate=_generate,
    check=_check,
    source="pytorch/examples, time_sequence_prediction/generate_sine_wave.py; other phases to score on",
)
