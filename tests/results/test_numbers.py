import math

import pytest

from sweep.config.text import duration_text, plural
from sweep.results.wording.numbers import (
    config_words,
    count_text,
    momentum_text,
    number_text,
    steps_text,
    value_text,
)


def test_a_configuration_reads_as_a_person_would_say_it():
    config = {
        "model": {"cell": "gru"},
        "training": {
            "optimizer": {"name": "sgd", "lr": 0.03, "momentum": 0.9},
            "scheduler": {"name": "cosine"},
            "batch_size": 16,
        },
    }
    params = {"optimizer": "sgd", "sgd.lr": 0.03, "sgd.momentum": 0.9, "batch_size": 16, "head": [36, 24]}
    assert config_words(config, params) == [
        "gru",
        "sgd lr 0.03 momentum 0.9",
        "cosine",
        "batch 16",
        "head 36-24",
    ]


def test_sampled_values_stand_before_fixed_ones_and_no_config_is_no_error():
    config = {"model": {"cell": "lstm"}, "training": {"optimizer": {"name": "adam", "lr": 1.0}}}
    assert config_words(config, {"cell": "gru", "adam.lr": 0.5}) == ["gru", "adam lr 0.5"]
    assert config_words({}, {}) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
        (0.0123456, "0.0123"),
        (16, "16"),
        (16.0, "16"),
        (2_500_000, "2.5e+06"),
        (True, "True"),
        ("gru", "gru"),
    ],
)
def test_numbers_are_short_and_nothing_is_nan(value, text):
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.9, "0.9"), (0.9987, "0.9987"), (0.99987, "0.99987"), (0.5, "0.5"), ("x", "x")]
)
def test_momentum_keeps_its_distance_from_one(value, text):
    assert momentum_text(value) == text


def test_values_steps_durations_and_counts():
    assert value_text([36, 24, 1]) == "36-24-1"
    assert value_text(()) == "none"
    assert [value_text(value) for value in (6_000_000, 6e6, True, 0.123456)] == [
        "6000000",
        "6000000",
        "true",
        "0.123",
    ]
    assert [plural(count, "trial") for count in (0, 1, 2)] == ["0 trials", "1 trial", "2 trials"]
    assert steps_text(312.4, 1000) == "312 of 1000"
    assert steps_text(None, 1000) == "– of 1000"
    assert steps_text(math.nan, None) == "– of –"
    assert [duration_text(s) for s in (0, 4.2, 59, 200, 3599.9, 7500)] == [
        "0 s",
        "4.2 s",
        "59 s",
        "3 min 20 s",
        "1 h 0 min",
        "2 h 5 min",
    ]
    assert [count_text(n) for n in (640, 12_000, 3_500_000, 2e9)] == ["640", "12 k", "3.5 M", "2 G"]
