import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import lfilter

from sweep.config.data_section import DataConfig
from sweep.config.sections import ScoreConfig
from sweep.data import load
from sweep.data.period import dominant_period
from sweep.data.transforms import build_transforms
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


SHAPES = {
    "pulse": lambda angle: (angle < 0.1 * 2 * np.pi).astype(float),
    "square": lambda angle: (angle < np.pi).astype(float),
    "saw": lambda angle: angle,
    "spike": lambda angle: np.exp(-4 * angle),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("period", [10, 25, 4 * np.pi])
@pytest.mark.parametrize("sigma", [0.0, 0.3])
def test_a_period_need_not_be_a_sinusoid(shape, period, sigma):
    values = SHAPES[shape](2 * np.pi * (np.arange(1400) / period % 1))
    values = values / values.std() + sigma * np.random.default_rng(0).normal(size=1400)
    assert dominant_period([values[:, None]]) == pytest.approx(period, rel=1e-3)


@pytest.mark.parametrize("offset", [1e6, 1e9, 1e12, -3e7])
def test_an_offset_hides_no_period(offset):
    assert dominant_period([wave(40, 1400) + offset]) == pytest.approx(40, rel=0.002)
    pulses = SHAPES["pulse"](2 * np.pi * (np.arange(1400) / 10 % 1))[:, None]
    assert dominant_period([pulses + offset]) == pytest.approx(10, rel=1e-6)


@pytest.mark.parametrize("length", [200, 1000])
def test_pulses_at_random_times_rarely_have_one(length):
    rng = np.random.default_rng(2)
    periods = [dominant_period([(rng.random((length, 1)) < 0.1).astype(float)]) for _ in range(100)]
    assert np.mean([period is not None for period in periods]) <= 0.05


@pytest.mark.parametrize(
    "values", [np.arange(300.0)[:, None] / 3 + 1e9, np.arange(300.0)[:, None], wave(200, 500), wave(5, 11)]
)
def test_lines_and_fewer_than_three_cycles_have_none(values):
    assert dominant_period([values]) is None


def test_trend_share_by_hand():
    # 0, 2, 1, 3: slope 0.8, explained 0.64 * 5 of 5
    assert trend_shares([np.array([[0.0], [2.0], [1.0], [3.0]])]) == pytest.approx([0.64])
    assert trend_shares([np.zeros((4, 1))]) == 0
    opposite = [np.arange(9.0)[:, None], -np.arange(9.0)[:, None]]
    assert trend_shares(opposite) == pytest.approx([1.0])


def warned(train, *names):
    channels = ["a", "b"][: train.shape[1]]
    return trend_warnings(
        [train], channels, names, build_transforms(names, 7 if "seasonal" in str(names) else None)
    )


def test_trend_warns_without_a_difference_only():
    noise = np.random.default_rng(5).normal(size=(100, 2))
    rising = 40 + np.column_stack([np.arange(100.0) + 9 * noise[:, 0], noise[:, 1]])
    (text,) = warned(rising, "log")
    assert text.startswith("channel 'a' has a strong trend: a straight line explains ")
    assert text.endswith('consider data.transforms = ["log", "difference"]')
    assert warned(rising, "log", "difference") == ()
    assert warned(rising, "seasonal_difference") == ()


@pytest.mark.parametrize("slope", [0.0002, 1 / 3, 1e6])
def test_a_line_is_called_one_and_no_difference_is_advised(slope):
    # the differences of such a line are its slope and rounding, and a constant channel is refused
    line = 0.1 + slope * np.arange(2000.0)[:, None]
    (text,) = warned(line)
    assert text.startswith("channel 'a' is a straight line, to rounding") and "consider" not in text
    noisy = np.column_stack([line, line + slope * np.random.default_rng(0).normal(size=line.shape)])
    first, second = warned(noisy)
    assert (
        first == text and "strong trend" in second and "consider" not in second
    )  # it would flatten channel a


@pytest.mark.parametrize("points_most", [0, 1 << 26])
@pytest.mark.parametrize("period", [12, 31.4])
def test_one_spectrum_of_thousands_of_series_gives_their_period(monkeypatch, points_most, period):
    rng = np.random.default_rng(3)
    series = [
        wave(period, length, length) + 0.3 * rng.normal(size=(length, 1)) for length in (240, 150, 300, 90)
    ]
    series[1] = np.zeros((150, 1))
    exact = dominant_period(series)
    calls = []
    rfft = np.fft.rfft

    def counted(values, size=None, axis=-1):
        calls.append(size == 8 * 512)
        return rfft(values, size, axis=axis)

    monkeypatch.setattr(np.fft, "rfft", counted)
    monkeypatch.setattr("sweep.data.period.POINTS_MOST", points_most)
    assert dominant_period(series) == pytest.approx(exact, rel=1e-9)
    assert sum(calls) == (3 if points_most else 0)  # the one spectrum has its size already


def test_one_spectrum_of_all_series_finds_pulses_and_nothing_in_noise(monkeypatch):
    monkeypatch.setattr("sweep.data.period.POINTS_MOST", 0)
    pulses = (np.arange(2000) % 25 == 0).astype(float)[:, None]
    assert dominant_period([pulses, pulses[:700]]) == pytest.approx(25, rel=0.01)
    noise = np.random.default_rng(4).normal(size=(5, 400, 1))
    assert dominant_period(list(noise)) is None


def test_channels_one_by_one_have_the_same_spectrum(monkeypatch):
    series = [
        np.concatenate([wave(17, 600), wave(17, 600, 1.0), RNG.normal(size=(600, 1))], axis=1) for _ in "ab"
    ]
    exact = dominant_period(series)
    monkeypatch.setattr("sweep.data.period.AT_ONCE_MOST", 0)
    assert exact is not None and dominant_period(series) == pytest.approx(exact, rel=1e-12)
