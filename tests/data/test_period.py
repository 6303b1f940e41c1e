import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import lfilter

from sweep.config.sections import DataConfig, ScoreConfig
from sweep.data import load
from sweep.data.period import dominant_period
from sweep.data.trend import trend_shares, trend_warnings

RNG = np.random.default_rng(0)


def wave(period, length, phase=0.0):
    return np.sin(2 * np.pi * np.arange(length) / period + phase)[:, None]


def test_the_sine_source():
    data = load(DataConfig(source="sine"), ScoreConfig(warmup=10, horizon=20, starts=2))
    assert data.period == pytest.approx(2 * np.pi * 20, rel=0.002)


def test_lorenz_has_none_and_mackey_glass_its_loop():
    score = ScoreConfig(warmup=10, horizon=20, starts=2)
    assert load(DataConfig(source="lorenz"), score).period is None
    # z alone turns once in about 0.75 time units
    assert load(DataConfig(source="lorenz", target=("z",)), score).period == pytest.approx(37.5, rel=0.05)
    assert load(DataConfig(source="mackey_glass"), score).period == pytest.approx(50, rel=0.02)


@given(st.floats(3, 150), st.floats(0, 6.28), st.floats(-5, 5), st.floats(-1, 1))
def test_any_period_with_trend_and_level(period, phase, level, slope):
    values = wave(period, 1000, phase) + level + slope * np.arange(1000)[:, None] / 100
    assert dominant_period([values]) == pytest.approx(period, rel=0.01)


def test_several_series_of_different_length_and_size():
    series = [100 * wave(12, 240), wave(12, 150, 2.0), np.zeros((60, 1))]
    assert dominant_period(series) == pytest.approx(12, rel=0.005)


def test_a_wave_in_noise_and_noise_alone():
    noise = RNG.normal(size=(1000, 1))
    assert dominant_period([wave(50, 1000) + 0.5 * noise]) == pytest.approx(50, rel=0.02)
    assert dominant_period([noise]) is None


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: rng.normal(size=200),
        lambda rng: np.cumsum(rng.normal(size=200)),
        lambda rng: lfilter([1], [1, -0.9], rng.normal(size=400))[200:],
    ],
    ids=["white", "random walk", "AR(1)"],
)
def test_noise_rarely_has_a_period(draw):
    rng = np.random.default_rng(1)
    assert np.mean([dominant_period([draw(rng)[:, None]]) is not None for _ in range(200)]) <= 0.05


@pytest.mark.parametrize("values", [np.arange(300.0)[:, None], wave(200, 500), wave(5, 11)])
def test_lines_and_fewer_than_three_cycles_have_none(values):
    assert dominant_period([values]) is None


def test_trend_share_by_hand():
    # 0, 2, 1, 3: slope 0.8, explained 0.64 * 5 of 5
    assert trend_shares([np.array([[0.0], [2.0], [1.0], [3.0]])]) == pytest.approx([0.64])
    assert trend_shares([np.zeros((4, 1))]) == 0
    opposite = [np.arange(9.0)[:, None], -np.arange(9.0)[:, None]]
    assert trend_shares(opposite) == pytest.approx([1.0])


def test_trend_warns_without_a_difference_only():
    rising = [np.column_stack([np.arange(100.0) + 9 * RNG.normal(size=100), RNG.normal(size=100)])]
    (text,) = trend_warnings(rising, ["a", "b"], ["log"])
    assert text.startswith("channel 'a' has a strong trend: a straight line explains 9")
    assert trend_warnings(rising, ["a", "b"], ["log", "difference"]) == ()
    assert trend_warnings(rising, ["a", "b"], ["seasonal_difference"]) == ()
