"""The baseline `analogues`: the local map by hand, a slow twin, and data that it must and must not forecast."""

import math
from dataclasses import replace

import numpy as np
import pytest

from sweep.score.baselines import analogues as module
from sweep.score.baselines.analogues import analogues, choose_analogues, library_of
from sweep.score.baselines.autoregression import autoregression, choose_order
from sweep.score.baselines.simple import CannotServe
from sweep.score.metrics import block_length, rollout_error
from tests.support.made_data import Affine, Log, data_of, sine_data, tiny


@pytest.fixture
def small_search(monkeypatch):
    monkeypatch.setattr(module, "DIMENSIONS", (1, 2, 4))
    monkeypatch.setattr(module, "LAGS", (1, 4))
    monkeypatch.setattr(module, "NEIGHBOURS", (8, 32))


def error_of(data, settings):
    truth = data.validation.truth
    values = analogues(data, settings)(data.validation, truth.shape[1])
    return rollout_error(values, truth, data.validation.scale, block_length(data.period, truth.shape[1]))


def logistic(count, first, rate=3.9):
    values = [first]
    for _ in range(count - 1):
        values.append(rate * values[-1] * (1 - values[-1]))
    return np.array(values)[:, None]


def logistic_data(noise=0.0, horizon=10):
    """The logistic map, chaotic: a state of one value is enough, and no linear forecast is any good."""
    rng = np.random.default_rng(1)
    tasks = np.stack([logistic(20 + horizon, first) for first in rng.uniform(0.2, 0.8, 12)])
    train = logistic(3000, 0.3)
    return data_of([train + noise * rng.normal(size=train.shape)], tasks, tasks, 20)


# --- values by hand


def test_states_and_changes_by_hand():
    # two channels, a dimension of 2 and a lag of 2: the state at t holds x[t - 2] and x[t], oldest first
    values = np.arange(10.0).reshape(5, 2) ** 2
    library = library_of([values], 2, 2)
    assert library.back.tolist() == [2, 0]
    assert library.states.tolist() == [[0, 1, 16, 25], [4, 9, 36, 49]]
    assert library.changes.tolist() == [[20, 24], [28, 32]]
    assert library.low.tolist() == [-64, -79] and library.high.tolist() == [128, 161]


def test_no_state_crosses_from_one_series_into_the_next():
    library = library_of(
        [np.array([[1.0], [2.0], [4.0]]), np.array([[8.0]]), np.array([[10.0], [7.0]])], 1, 1
    )
    assert library.states.ravel().tolist() == [1, 2, 10]
    assert library.changes.ravel().tolist() == [1, 2, -3]


def test_a_large_ridge_gives_the_weighted_mean_of_the_changes():
    # distances 1 and 2 from the state 0: weights 1/e and 1/e^2; changes 10 and 20
    library = library_of([np.array([[1.0], [11.0]]), np.array([[-2.0], [18.0]])], 1, 1)
    wanted = (10 / math.e + 20 / math.e**2) / (1 / math.e + 1 / math.e**2)
    assert library.change(np.zeros((1, 1)), 2, 1e12)[0, 0] == pytest.approx(wanted)
    # and without a ridge the line through both: from 1 -> 10 and -2 -> 20
    assert library.change(np.zeros((1, 1)), 2, 1e-12)[0, 0] == pytest.approx(10 + 10 / 3)


def test_a_state_that_is_not_finite_has_no_change():
    library = library_of([logistic(200, 0.3)], 1, 1)
    states = np.array([[0.1], [np.nan], [np.inf], [0.2]])
    changes = library.change(states, 8, 1e-3)
    assert np.isnan(changes[1:3]).all()
    assert np.array_equal(changes[[0, 3]], library.change(states[[0, 3]], 8, 1e-3))
    assert np.isfinite(changes[[0, 3]]).all()


def test_a_state_that_is_in_the_library_has_its_change():
    library = library_of([np.array([[1.0], [11.0], [3.0], [8.0], [2.0]])], 1, 1)
    assert library.change(np.array([[3.0]]), 3, 1e-6)[0, 0] == 5


def twin_change(library, state, neighbours, ridge):
    """The same local map for one state, in plain loops and by an explicit minimum."""
    distances = [math.dist(state, other) for other in library.states]
    nearest = sorted(range(len(distances)), key=distances.__getitem__)[:neighbours]
    weights = [math.exp(-distances[i] / distances[nearest[0]]) for i in nearest]
    weights = [w / sum(weights) for w in weights]
    centre = sum(w * library.states[i] for w, i in zip(weights, nearest, strict=True))
    mean = sum(w * library.changes[i] for w, i in zip(weights, nearest, strict=True))
    variance = sum(
        w * np.sum((library.states[i] - centre) ** 2) for w, i in zip(weights, nearest, strict=True)
    )
    penalty = math.sqrt(ridge * variance / len(state)) * np.eye(len(state))
    rows = [math.sqrt(w) * (library.states[i] - centre) for w, i in zip(weights, nearest, strict=True)]
    goals = [math.sqrt(w) * (library.changes[i] - mean) for w, i in zip(weights, nearest, strict=True)]
    left = np.concatenate([rows, penalty])
    right = np.concatenate([goals, np.zeros((len(state), len(mean)))])
    return mean + (state - centre) @ np.linalg.lstsq(left, right, rcond=None)[0]


@pytest.mark.parametrize("ridge", [1e-6, 0.1, 1e6])
def test_the_local_map_agrees_with_its_slow_twin(ridge):
    rng = np.random.default_rng(2)
    library = library_of([rng.normal(size=(200, 2)), rng.normal(size=(50, 2))], 3, 2)
    states = rng.normal(size=(5, 6))
    wanted = [twin_change(library, state, 16, ridge) for state in states]
    assert library.change(states, 16, ridge) == pytest.approx(np.array(wanted), rel=1e-7)


def test_a_forecast_is_fed_back(small_search):
    data = logistic_data()
    settings = {"dimension": 1, "lag": 1, "neighbours": 8, "ridge": 1e-6}
    library = library_of(data.train, 1, 1)
    values = data.validation.past[:, -1]
    for step in range(3):
        values = values + library.change(values, 8, 1e-6)
        assert analogues(data, settings)(data.validation, 5)[:, step] == pytest.approx(values)


def test_a_long_library_is_a_fixed_random_choice(monkeypatch):
    monkeypatch.setattr(module, "STATES_MOST", 100)
    # a season of 12 and 1200 states: every twelfth would be always the same month
    train = [np.sin(np.arange(1201) * 2 * np.pi / 12)[:, None]]
    first, again = (library_of(train, 1, 1) for _ in range(2))
    assert len(first.states) == 100 and np.array_equal(first.states, again.states)
    assert len(np.unique(first.states.round(6))) == 7


# --- what it can forecast


def test_chaos_of_one_dimension_is_forecast(small_search):
    data = logistic_data()
    settings = choose_analogues(data)
    assert settings["dimension"] <= 2
    assert error_of(data, settings) < 0.05
    # control: one linear map for all states is useless
    linear = autoregression(data, choose_order(data))(data.validation, 10)
    assert rollout_error(linear, data.validation.truth, data.validation.scale, 1) > 0.5


def test_a_sine_needs_a_second_value(small_search):
    data = sine_data(warmup=100, horizon=150, series=4, count=2)
    assert choose_analogues(data)["dimension"] > 1
    assert error_of(data, choose_analogues(data)) < 1e-3
    assert error_of(data, {"dimension": 1, "lag": 1, "neighbours": 32, "ridge": 1e6}) > 0.5


def test_noise_chooses_more_neighbours(small_search):
    clean, noisy = (choose_analogues(logistic_data(noise, horizon=10)) for noise in (0.0, 0.1))
    assert clean["neighbours"] < noisy["neighbours"]


def test_channels_are_a_state_together(small_search):
    # a rotation: one value of two channels is a whole state, one value of one channel is not
    time = np.arange(900)
    values = np.stack([np.sin(0.3 * time), np.cos(0.3 * time)], axis=1)
    tasks = np.stack([values[first : first + 100] for first in (600, 650, 700)])
    data = data_of([values[:500]], tasks, tasks, 20, period=2 * np.pi / 0.3)
    settings = {"dimension": 1, "lag": 1, "neighbours": 8, "ridge": 1e-6}
    assert error_of(data, settings) < 1e-3


def test_the_choice_looks_at_validation_never_at_test(small_search):
    data = logistic_data()
    spoilt = replace(data, test=replace(data.test, truth=np.full_like(data.test.truth, np.pi)))
    assert choose_analogues(spoilt) == choose_analogues(data)


def test_states_are_in_model_units():
    # y = exp(a rotation of the logistic map): in model units the library is the same as without the codec
    plain = logistic_data()
    coded = data_of(
        [np.exp(values) for values in plain.train_raw],
        np.exp(np.concatenate([plain.validation.past, plain.validation.truth], axis=1)),
        np.exp(np.concatenate([plain.test.past, plain.test.truth], axis=1)),
        20,
        codec=Log(),
    )
    settings = {"dimension": 2, "lag": 1, "neighbours": 8, "ridge": 1e-3}
    wanted = np.exp(analogues(plain, settings)(plain.validation, 4))
    assert analogues(coded, settings)(coded.validation, 4) == pytest.approx(wanted)


def test_series_of_other_sizes_share_one_library():
    train = [size * logistic(400, first) for size, first in ((1.0, 0.3), (1000.0, 0.4))]
    tasks = 1000.0 * np.stack([logistic(40, 0.35), logistic(40, 0.45)])
    data = data_of(train, tasks, tasks, 20, codec=Affine((1.0, 1000.0)))
    data = replace(data, validation=replace(data.validation, series=np.array([1, 1])))
    made = analogues(data, {"dimension": 1, "lag": 1, "neighbours": 8, "ridge": 1e-6})(data.validation, 2)
    assert made[:, 0] == pytest.approx(data.validation.truth[:, 0], rel=0.01)


def test_forecasts_stay_within_one_range_of_the_library():
    # one step up each time: extrapolated without end, a ramp would leave every bound
    train = np.arange(100.0)[:, None]
    tasks = (90 + np.arange(1000.0))[None, :, None]
    data = data_of([train], tasks, tasks, 10)
    made = analogues(data, {"dimension": 2, "lag": 1, "neighbours": 8, "ridge": 1e-3})(data.validation, 990)
    assert np.isfinite(made).all() and made.max() == 198


# --- what does not fit


def test_too_little_for_analogues():
    with pytest.raises(CannotServe, match="too short for states in delay space"):
        choose_analogues(tiny([4.0], train=range(100)))  # one channel and a past of one step: no delay
    with pytest.raises(CannotServe, match="too short for states in delay space"):
        choose_analogues(tiny([1, 2, 3, 4], train=[1, 2, 3, 4, 5]))
    with pytest.raises(CannotServe, match="longer than 5 steps"):
        library_of([np.zeros((5, 1))], 2, 4)


def test_delays_that_the_past_does_not_cover_are_not_tried(small_search):
    data = sine_data(warmup=4, horizon=50, series=4, count=2)
    chosen = choose_analogues(data)
    assert (chosen["dimension"] - 1) * chosen["lag"] < 4


def test_states_of_many_channels_stay_small(small_search, monkeypatch):
    monkeypatch.setattr(module, "NUMBERS_MOST", 3)
    rng = np.random.default_rng(0)
    values = rng.normal(size=(400, 2))
    tasks = np.stack([values[300:350], values[320:370]])
    assert choose_analogues(data_of([values[:300]], tasks, tasks, 20))["dimension"] == 1
