"""The level of noise: that of known signals, of any size and at any offset."""

import numpy as np
import pytest

from sweep.config.data_section import DataConfig
from sweep.config.sections import ScoreConfig
from sweep.data import load
from sweep.data.noise import noise_shares

RNG = np.random.default_rng(0)
TIME = np.arange(4000)


def share_of(values: np.ndarray) -> float:
    return float(noise_shares([values.reshape(len(values), -1)])[0])


@pytest.mark.parametrize("sigma", [0.02, 0.1, 0.3])
@pytest.mark.parametrize(("size", "offset"), [(1.0, 0.0), (1e-6, 5.0), (1e6, -1e9)])
def test_a_sine_with_noise(sigma: float, size: float, offset: float):
    noisy = np.sin(TIME / 20) + sigma * RNG.standard_normal(4000)
    true = sigma / np.sqrt(0.5 + sigma**2)
    assert share_of(offset + size * noisy) == pytest.approx(true, rel=0.06)


def test_smooth_signals_have_none():
    lorenz = load(DataConfig(source="lorenz"), ScoreConfig(warmup=10, horizon=10, starts=1))
    assert noise_shares(lorenz.train_raw).max() < 1e-3
    assert share_of(np.sin(TIME / 20)) < 1e-6


def test_white_noise_is_all_noise_and_a_random_walk_is_not():
    white = RNG.standard_normal(4000)
    assert share_of(white) == pytest.approx(1, abs=0.03)
    assert share_of(white.cumsum()) < 0.1


def test_a_short_oscillation_is_not_told_from_noise():
    """The limit that the docstring states: an upper bound."""
    assert share_of(np.sin(np.pi * TIME / 1.5 + 0.1)) > 0.8


def test_series_are_weighted_by_their_samples():
    """By hand: one noisy series of 4000 and a quiet one of as many, with the same standard deviation."""
    noisy, quiet = RNG.standard_normal((4000, 1)), np.sqrt(2) * np.sin(TIME / 20)[:, None]
    assert float(noise_shares([noisy, quiet])[0]) == pytest.approx(np.sqrt(0.5), abs=0.03)
    assert float(noise_shares([noisy, quiet[:2]])[0]) == pytest.approx(1, abs=0.03)


def test_channels_are_apart_and_a_constant_has_none():
    values = np.stack([RNG.standard_normal(500), np.full(500, 3.0)], axis=1)
    assert noise_shares([values]) == pytest.approx([1, 0], abs=0.1)
