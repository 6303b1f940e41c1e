"""Baselines made of known inputs: systems that each recovers exactly, and what none of them sees."""

import json
from dataclasses import replace

import numpy as np
import pytest

from sweep.score.baselines import arx as arx_module
from sweep.score.baselines import echo_state, random_readout
from sweep.score.baselines import narx_polynomial as narx_module
from sweep.score.baselines.arx import arx, choose_arx
from sweep.score.baselines.driven import Lags, training_rows
from sweep.score.baselines.fir import choose_fir, fir
from sweep.score.baselines.narx_polynomial import (
    choose_narx,
    narx_polynomial,
    selected,
    selection_of,
    terms_of,
)
from sweep.score.baselines.simple import CannotServe
from sweep.score.baselines.table import BASELINES, score_baselines, score_baselines_on_test
from sweep.score.comparisons import SIGHTED
from sweep.score.metrics import block_length, rollout_error
from tests.support.made_data import Affine, Log, data_of, sine_data

DRIVEN = [name for name in BASELINES if BASELINES[name].needs_inputs]
WARMUP, HORIZON = 20, 60


def linear(y, u, t):
    return 0.3 + 1.2 * y[t - 1] - 0.5 * y[t - 2] + u[t] + 0.4 * u[t - 1]


def bilinear(y, u, t):
    return 0.5 * y[t - 1] + 0.3 * u[t] + 0.2 * y[t - 1] * u[t]


def response(y, u, t):
    return 1.0 + 0.8 * u[t] - 0.5 * u[t - 1] + 0.25 * u[t - 3]


def recorded(system, length, seed, noise=0.0):
    """Return (time, 1) of a system, and its input; the steps from rest that its equation does not give are left out."""
    rng = np.random.default_rng(seed)
    u = rng.uniform(-1, 1, length + 3)
    y = np.zeros(length + 3)
    for t in range(3, length + 3):
        y[t] = system(y, u, t)
    y += noise * rng.normal(size=length + 3)
    return y[3:, None], u[3:, None]


def driven_data(system, noise=0.0, warmup=WARMUP, horizon=HORIZON, codec=None):
    train = [recorded(system, length, seed, noise) for seed, length in ((0, 200), (1, 150))]
    tasks = [recorded(system, 30 + warmup + horizon, seed, noise) for seed in range(2, 8)]
    values = np.stack([y[30:] for y, _ in tasks])
    known = np.stack([u[30:] for _, u in tasks])
    if codec is not None:
        train = [(np.exp(y), u) for y, u in train]
        values = np.exp(values)
    data = data_of([y for y, _ in train], values[:3], values[3:], warmup, codec=codec)
    return replace(
        data,
        train_known=tuple(u for _, u in train),
        validation=replace(data.validation, known=known[:3]),
        test=replace(data.test, known=known[3:]),
        known=("u",),
    )


def error_of(name, data, settings=None):
    settings = BASELINES[name].choose(data) if settings is None else settings
    starts = data.test
    forecast = BASELINES[name].fit(data, settings)(starts, starts.truth.shape[1])
    return rollout_error(forecast, starts.truth, starts.scale, block_length(None, starts.truth.shape[1]))


# --- rows


def test_a_row_holds_what_the_forecast_may_see():
    values, known = np.arange(6.0)[:, None], 10 + np.arange(12.0).reshape(6, 2)
    data = replace(driven_data(linear), train=(values,), train_known=(known,))
    rows, goals = training_rows(data, Lags(2, 1))
    assert rows[0].tolist() == [0, 1, 14, 15] and goals[0].tolist() == [2]
    assert rows[-1].tolist() == [3, 4, 20, 21] and goals[-1].tolist() == [5] and len(rows) == 4
    rows, goals = training_rows(data, Lags(1, 3))
    assert rows[0].tolist() == [1, 10, 11, 12, 13, 14, 15] and goals[0].tolist() == [2]
    rows, goals = training_rows(data, Lags(0, 2))
    assert rows[0].tolist() == [10, 11, 12, 13] and goals.ravel().tolist() == [1, 2, 3, 4, 5]
    with pytest.raises(CannotServe, match="no training series is longer than 6 steps"):
        training_rows(data, Lags(6, 1))


def test_a_long_regression_uses_evenly_spaced_rows(monkeypatch):
    monkeypatch.setattr("sweep.score.baselines.driven.CELLS_MOST", 300)
    data = driven_data(linear)
    assert len(training_rows(data, Lags(2, 2))[0]) < 70
    assert error_of("arx", data, {"order": 2, "input_order": 2}) < 1e-9


# --- systems by hand


def test_arx_recovers_a_linear_system():
    data = driven_data(linear)
    assert choose_arx(data) == {"order": 2, "input_order": 2}
    assert error_of("arx", data) < 1e-9
    # controls: one order less, or no feedback
    assert error_of("arx", data, {"order": 1, "input_order": 2}) > 0.05
    assert error_of("arx", data, {"order": 2, "input_order": 1}) > 0.05
    assert error_of("fir", data) > 1e-5


def test_the_polynomial_recovers_a_bilinear_system_and_arx_does_not(monkeypatch):
    monkeypatch.setattr(narx_module, "INPUT_ORDERS", (1, 2))
    data = driven_data(bilinear)
    settings = choose_narx(data)
    assert settings == {"order": 1, "input_order": 1, "degree": 2, "terms": 3, "refined": False}
    assert error_of("narx_polynomial", data, settings) < 1e-9
    assert error_of("arx", data) > 0.05
    selection = selection_of(data, Lags(1, 1), 2)
    chosen = {tuple(selection.products[place]) for place in selection.order[0]}
    assert chosen == {(0, 1), (0, 2), (1, 2)}  # y, u and y u; 0 is the constant


def test_fir_recovers_a_finite_response():
    data = driven_data(response)
    assert choose_fir(data)["length"] == 4
    assert error_of("fir", data) < 1e-6
    assert error_of("fir", data, {"length": 2, "ridge": 1e-12}) > 0.1


def test_a_ridge_helps_where_noise_leaves_little_data():
    data = driven_data(response, noise=2.0)
    few = replace(data, train=data.train[1:], train_known=data.train_known[1:])
    ridged, plain = (error_of("fir", few, {"length": 21, "ridge": ridge}) for ridge in (0.1, 1e-12))
    assert ridged < 0.99 * plain


def test_two_channels_have_terms_of_their_own():
    train, tasks = driven_data(linear), driven_data(bilinear)
    both = [np.concatenate(pair, axis=1) for pair in zip(train.train_raw, tasks.train_raw, strict=True)]
    starts = [
        np.concatenate(
            [
                np.concatenate([getattr(one, part).past, getattr(one, part).truth], axis=1)
                for one in (train, tasks)
            ],
            axis=2,
        )
        for part in ("validation", "test")
    ]
    data = data_of(both, *starts, WARMUP)
    data = replace(
        data,
        train_known=train.train_known,
        validation=replace(data.validation, known=train.validation.known),
        test=replace(data.test, known=train.test.known),
    )
    settings = {"order": 2, "input_order": 2, "degree": 2, "terms": 6, "refined": False}
    assert error_of("narx_polynomial", data, settings) < 1e-9
    assert error_of("arx", data, {"order": 2, "input_order": 2}) > 0.01  # the second channel is not linear
    order = selection_of(data, Lags(2, 2), 2).order
    assert set(order[0][:6]) != set(order[1][:6])


def test_model_units_are_those_of_the_codec():
    data = driven_data(linear, codec=Log())
    assert error_of("arx", data, {"order": 2, "input_order": 2}) < 1e-9


# --- the selection of terms


def test_terms_by_hand():
    rows = np.array([[2.0, 3.0]])
    products = np.array([[0, 0], [0, 1], [1, 1], [1, 2]])
    assert terms_of(rows, products).tolist() == [[1, 2, 4, 6]]


def twin_selected(candidates, goal, most):
    """The same selection by one least-squares fit for every possible next term."""
    places = []
    while len(places) < most:
        left = []
        for place in range(candidates.shape[1]):
            columns = candidates[:, [*places, place]]
            fit = columns @ np.linalg.lstsq(columns, goal, rcond=None)[0]
            left.append(np.inf if place in places else np.sum((goal - fit) ** 2))
        places.append(int(np.argmin(left)))
    return tuple(places)


def test_the_selection_agrees_with_its_slow_twin():
    rng = np.random.default_rng(4)
    candidates = rng.normal(size=(60, 9)) @ rng.normal(size=(9, 9))  # correlated
    goal = candidates[:, 3] - 2 * candidates[:, 7] + rng.normal(size=60)
    assert selected(candidates, goal, 6) == twin_selected(candidates, goal, 6)
    # a triangular factor stands for its rows
    triangle = np.linalg.qr(np.concatenate([candidates, goal[:, None]], axis=1), mode="r")
    assert selected(triangle[:, :9], triangle[:, 9], 6) == selected(candidates, goal, 6)


def test_copies_are_not_selected_and_an_exact_fit_ends_the_selection():
    rng = np.random.default_rng(5)
    one, other = rng.normal(size=(2, 40))
    candidates = np.stack([one, one, 2 * one, other], axis=1)
    assert len(selected(candidates, one + other, 4)) == 2
    assert set(selected(candidates, rng.normal(size=40), 4)) in ({0, 3}, {1, 3}, {2, 3})


def test_a_polynomial_cannot_diverge():
    # y^2 feeds on itself above 1: without bounds, the forecast is infinite after some steps
    data = driven_data(lambda y, u, t: 0.9 * y[t - 1] ** 2 + 0.2 * u[t])
    settings = {"order": 1, "input_order": 1, "degree": 2, "terms": 3, "refined": False}
    far = replace(data.test, past=np.full_like(data.test.past, 5.0))
    forecast = narx_polynomial(data, settings)(far, HORIZON)
    whole = np.concatenate(data.train)
    assert forecast.max() == pytest.approx(2 * whole.max() - whole.min())


def test_an_unstable_autoregression_counts_as_one():
    data = driven_data(lambda y, u, t: 1.2 * y[t - 1] + u[t], horizon=60)
    long = replace(
        data.test,
        truth=np.zeros((3, 9000, 1)),
        known=np.zeros((3, WARMUP + 9000, 1)),
    )
    forecast = arx(data, {"order": 1, "input_order": 1})(long, 9000)
    assert not np.isfinite(forecast[:, -1]).any()
    assert rollout_error(forecast, long.truth, long.scale, 450) == 1.0


# --- what none of them sees


@pytest.fixture
def small_search(monkeypatch):
    monkeypatch.setattr(arx_module, "ORDERS", (1, 2))
    monkeypatch.setattr(arx_module, "INPUT_ORDERS", (1, 3))
    monkeypatch.setattr(narx_module, "ORDERS", (1, 2))
    monkeypatch.setattr(narx_module, "INPUT_ORDERS", (1, 2))
    monkeypatch.setattr(narx_module, "REFINED", 1)
    monkeypatch.setattr(random_readout, "NETWORKS", (("gru", 0),))
    monkeypatch.setattr(random_readout, "HIDDEN", 16)
    monkeypatch.setattr(echo_state, "RESERVOIRS", 2)
    monkeypatch.setattr(echo_state, "UNITS", 20)


@pytest.mark.parametrize("name", [*DRIVEN, "random_readout", "echo_state_network"])
def test_a_forecast_sees_the_input_of_its_step_and_none_beyond(name, small_search):
    data = driven_data(bilinear, noise=0.05)
    forecast = BASELINES[name].fit(data, BASELINES[name].choose(data))
    starts = data.validation
    first = forecast(starts, HORIZON)
    for step in (0, 17):
        later = starts.known.copy()
        later[:, WARMUP + step + 1 :] += 1.0
        again = forecast(replace(starts, known=later), HORIZON)
        np.testing.assert_array_equal(again[:, : step + 1], first[:, : step + 1])
        assert np.abs(again[:, step + 1] - first[:, step + 1]).min() > 1e-3
        later[:, WARMUP + step] += 1.0  # control: the input of the step itself is seen
        again = forecast(replace(starts, known=later), HORIZON)
        assert np.abs(again[:, step] - first[:, step]).min() > 1e-3


@pytest.mark.parametrize("name", BASELINES)
def test_the_sighted_baselines_are_those_that_see_inputs(name, small_search):
    data = driven_data(bilinear, noise=0.05)
    flags = tuple((known > 0).astype(float) for known in data.train_known)
    starts = replace(data.validation, known=(data.validation.known > 0).astype(float))
    data = replace(data, train_known=flags, validation=starts, period=8.0)
    settings = {"lag": 8, "flags": [0]} if name == "seasonal_naive_calendar" else BASELINES[name].choose(data)
    forecast = BASELINES[name].fit(data, settings)
    known = starts.known.copy()
    known[:, WARMUP:] = 1.0 - known[:, WARMUP:]
    other = replace(starts, known=known)
    assert np.array_equal(forecast(starts, HORIZON), forecast(other, HORIZON)) == (name not in SIGHTED)


def test_every_name_of_a_sighted_baseline_exists():
    assert set(BASELINES) >= SIGHTED


@pytest.mark.parametrize("name", DRIVEN)
def test_every_driven_baseline_keeps_the_contract(name, small_search):
    data = driven_data(bilinear, noise=0.05)
    settings = BASELINES[name].choose(data)
    assert json.loads(json.dumps(settings)) == settings
    forecast = BASELINES[name].fit(data, settings)
    first = forecast(data.validation, HORIZON)
    assert first.shape == (3, HORIZON, 1)
    assert np.array_equal(BASELINES[name].forecast(data, data.validation, HORIZON), first)
    assert forecast(data.validation, 20) == pytest.approx(first[:, :20])
    blind = replace(data.validation, truth=np.full_like(data.validation.truth, np.nan))
    assert np.array_equal(forecast(blind, HORIZON), first)


@pytest.mark.parametrize("name", DRIVEN)
def test_the_choice_looks_at_validation_never_at_test(name, small_search):
    data = driven_data(bilinear, noise=0.05)
    spoilt = replace(data, test=replace(data.test, truth=np.full_like(data.test.truth, np.pi)))
    assert BASELINES[name].choose(spoilt) == BASELINES[name].choose(data)


# --- where they do not apply


def test_data_without_inputs_do_not_list_them(small_search, monkeypatch):
    cheap = ("persistence", *DRIVEN)
    monkeypatch.setattr(BASELINES, "_entries", {name: BASELINES[name] for name in cheap})
    plain = score_baselines(sine_data(warmup=50, horizon=50, series=2, count=2))
    assert list(plain) == ["persistence"]
    data = driven_data(bilinear, noise=0.05)
    scored = score_baselines(data)
    assert list(scored) == list(cheap)
    assert all(scored[name]["rollout_error"] < scored["persistence"]["rollout_error"] for name in DRIVEN)
    on_test = score_baselines_on_test(data, json.loads(json.dumps(scored)))
    assert all(on_test[name]["settings"] == scored[name]["settings"] for name in DRIVEN)


@pytest.mark.parametrize("name", DRIVEN)
def test_without_inputs_there_is_a_reason(name):
    with pytest.raises(CannotServe, match="the data have no known inputs"):
        BASELINES[name].choose(sine_data(warmup=50, horizon=50, series=2, count=2))


@pytest.mark.parametrize("name", DRIVEN)
def test_too_little_training_data(name):
    data = driven_data(linear)
    short = replace(
        data,
        train=tuple(values[:1] for values in data.train),
        train_known=tuple(known[:1] for known in data.train_known),
    )
    with pytest.raises(CannotServe, match="the warm-up or the training series are too short for"):
        BASELINES[name].choose(short)


def test_lags_that_the_past_does_not_cover_are_not_tried():
    data = driven_data(linear, warmup=3)
    chosen = choose_arx(data)
    assert chosen["order"] <= 3 and chosen["input_order"] <= 4
    assert choose_fir(data)["length"] <= 4
    # the input of the forecast's own step needs no past
    assert fir(data, {"length": 4, "ridge": 1e-6})(data.validation, 5).shape == (3, 5, 1)


def test_series_of_other_sizes_share_one_model():
    data = driven_data(linear)
    sizes = (1.0, 1000.0)
    scaled = data_of(
        [size * values for size, values in zip(sizes, data.train_raw, strict=True)],
        1000 * np.concatenate([data.validation.past, data.validation.truth], axis=1),
        1000 * np.concatenate([data.test.past, data.test.truth], axis=1),
        WARMUP,
        codec=Affine(sizes),
    )
    scaled = replace(
        scaled,
        train_known=data.train_known,
        test=replace(scaled.test, known=data.test.known, series=np.ones(3, dtype=int)),
    )
    assert error_of("arx", scaled, {"order": 2, "input_order": 2}) < 1e-9
