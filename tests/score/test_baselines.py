import json
import math
from dataclasses import replace

import numpy as np
import pytest

from sweep.config.errors import UnknownName
from sweep.config.records import PREFIXES
from sweep.score.baselines import analogues, random_readout
from sweep.score.baselines import echo_state as esn
from sweep.score.baselines.autoregression import (
    autoregression,
    choose_order,
    closed_loop,
    fitted,
    lagged,
)
from sweep.score.baselines.simple import CannotServe, best_lag
from sweep.score.baselines.table import BASELINES, score_baselines, score_baselines_on_test
from sweep.score.evaluation import scores
from sweep.score.metrics import block_length, nrmse, rollout_error, valid_steps
from tests.support.made_data import Affine, Centred, Log, data_of, sine_data, tiny

SIMPLE = ("mean", "persistence", "drift", "seasonal_naive", "seasonal_naive_drift", "ar")
UNDRIVEN = [
    name for name in BASELINES if not (BASELINES[name].needs_inputs or BASELINES[name].needs_season)
]  # the others: test_driven_baselines.py


def error_of(name, data):
    values = BASELINES[name].forecast(data, data.validation, data.validation.truth.shape[1])
    return rollout_error(
        values, data.validation.truth, data.validation.scale, block_length(data.period, values.shape[1])
    )


# --- values by hand


@pytest.mark.parametrize(
    ("name", "past", "wanted"),
    [
        ("mean", [1, 2, 9], [3.5, 3.5, 3.5]),  # of the training series 0..7
        ("persistence", [1, 2, 9], [9, 9, 9]),
        ("drift", [1, 2, 9], [13, 17, 21]),  # (9 - 1) / 2 per step
    ],
)
def test_simple_forecasts_by_hand(name, past, wanted):
    data = tiny(past)
    assert BASELINES[name].forecast(data, data.validation, 3).ravel().tolist() == wanted


def test_seasonal_forecasts_by_hand():
    data = tiny([1, 5, 3, 7, 4, 9], horizon=5)
    naive = BASELINES["seasonal_naive"].fit(data, {"lag": 2})(data.validation, 5)
    assert naive.ravel().tolist() == [4, 9, 4, 9, 4]
    # changes over one lag: 3-1, 7-5, 4-3, 9-7 -> mean 1.75
    raised = BASELINES["seasonal_naive_drift"].fit(data, {"lag": 2})(data.validation, 5)
    assert raised.ravel().tolist() == [5.75, 10.75, 7.5, 12.5, 9.25]


def test_seasonal_naive_with_drift_follows_a_trend_that_the_plain_one_misses():
    time = np.arange(400)
    values = (np.sin(2 * np.pi * time / 20) + 0.01 * time)[:, None]
    data = data_of([values[:200]], values[None, 200:], values[None, 200:], 100, period=20.0)
    truth, scale = data.validation.truth, data.validation.scale
    made = {name: BASELINES[name].forecast(data, data.validation, 100) for name in SIMPLE}
    assert nrmse(made["seasonal_naive_drift"], truth, scale) < 1e-9
    assert nrmse(made["seasonal_naive"], truth, scale) > 0.1


# --- the lag


def test_the_lag_of_the_sine_is_three_periods():
    data = sine_data()
    assert best_lag(data, 1000) == 377  # 3 * 125.66 = 376.99
    assert best_lag(data, 376) == 251  # 2 * 125.66 = 251.33
    assert best_lag(data, 200) == 126
    # control: one period repeated is far worse
    one = BASELINES["seasonal_naive"].fit(data, {"lag": 126})(data.validation, 1000)
    assert rollout_error(one, data.validation.truth, data.validation.scale, 126) > 50 * error_of(
        "seasonal_naive", data
    )
    assert error_of("seasonal_naive", data) == pytest.approx(0.0008, abs=0.0001)


def test_the_seasonal_drift_needs_two_lags_of_past():
    data = sine_data(warmup=700)
    assert BASELINES["seasonal_naive"].choose(data) == {"lag": 377}
    assert BASELINES["seasonal_naive_drift"].choose(data) == {"lag": 251}


def test_the_lag_is_found_although_the_period_is_an_estimate():
    data = sine_data()
    for wrong in (0.992, 1.008):
        assert best_lag(replace(data, period=wrong * data.period), 1000) == 377


def test_the_lag_looks_at_training_data_only():
    data = sine_data()
    noise = np.random.default_rng(1).normal(size=data.validation.truth.shape)
    other = replace(
        data, validation=replace(data.validation, truth=noise), test=replace(data.test, truth=noise)
    )
    assert best_lag(other, 1000) == best_lag(data, 1000)


def test_without_a_season_there_is_a_reason():
    data = sine_data()
    with pytest.raises(CannotServe, match="no dominant period"):
        best_lag(replace(data, period=None), 1000)
    with pytest.raises(CannotServe, match="longer than the 50"):
        best_lag(data, 50)


# --- autoregression


def test_lagged_rows_hold_the_oldest_step_first():
    values = np.arange(10.0).reshape(1, 5, 2)
    assert lagged(values, 2)[0].tolist() == [[0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 7], [6, 7, 8, 9]]
    assert lagged(values, 2, 1, 2)[0].tolist() == [[2, 3, 4, 5], [6, 7, 8, 9]]


def test_a_known_autoregression_is_recovered_with_its_intercept():
    # y[t] = 1 + 0.5 y[t-1] - 0.3 y[t-2], from several starts, without noise
    series = []
    for first in ((3.0, -1.0), (0.0, 5.0), (-2.0, 2.0)):
        values = list(first)
        for _ in range(20):
            values.append(1 + 0.5 * values[-1] - 0.3 * values[-2])
        series.append(np.array(values)[:, None])
    weights = fitted(series, 2)
    assert weights.ravel() == pytest.approx([1, -0.3, 0.5])
    made = closed_loop(weights, np.array([[[2.0], [4.0]]]), 3)
    # 1 + 2 - .6 = 2.4; 1 + 1.2 - 1.2 = 1; 1 + .5 - .72 = .78
    assert made.ravel() == pytest.approx([2.4, 1.0, 0.78])


def test_the_sine_has_the_published_coefficient():
    weights = fitted(sine_data().train_raw, 2)
    assert weights.ravel() == pytest.approx([0, -1, 2 * math.cos(0.05)], abs=1e-9)
    assert 2 * math.cos(0.05) == pytest.approx(1.99750052)


def twin_closed_loop(weights, past, horizon):
    starts, order, channels = past.shape
    rows = []
    for s in range(starts):
        history = [past[s, t].tolist() for t in range(order)]
        for _ in range(horizon):
            step = []
            for c in range(channels):
                total = weights[0, c]
                for lag in range(order):
                    for k in range(channels):
                        total += weights[1 + lag * channels + k, c] * history[-order + lag][k]
                step.append(total)
            history.append(step)
        rows.append(history[order:])
    return np.array(rows)


def test_the_closed_loop_agrees_with_plain_loops():
    rng = np.random.default_rng(3)
    weights, past = 0.3 * rng.normal(size=(1 + 3 * 2, 2)), rng.normal(size=(4, 3, 2))
    assert closed_loop(weights, past, 6) == pytest.approx(twin_closed_loop(weights, past, 6))


def test_autoregression_is_exact_on_the_sine_and_names_the_shortest_order():
    data = sine_data(warmup=200, series=4, count=4)
    assert choose_order(data) == {"order": 2, "units": "data"}
    assert error_of("ar", data) < 1e-9
    # control: one lag is no oscillator
    one = autoregression(data, {"order": 1, "units": "data"})(data.validation, 1000)
    assert rollout_error(one, data.validation.truth, data.validation.scale, 126) > 0.5


def test_autoregression_couples_the_channels():
    # a rotation: each channel needs the other, and one lag is enough
    time = np.arange(300)
    values = np.stack([np.sin(0.3 * time), np.cos(0.3 * time)], axis=1)
    data = data_of([values[:200]], values[None, 100:], values[None, 100:], 100, period=2 * np.pi / 0.3)
    assert choose_order(data)["order"] == 1
    assert error_of("ar", data) < 1e-9


def test_the_order_looks_at_validation_never_at_test():
    data = sine_data(warmup=200, horizon=200, series=4, count=2)
    spoilt = replace(data, test=replace(data.test, truth=np.full_like(data.test.truth, np.pi)))
    assert choose_order(spoilt) == choose_order(data)


def test_model_units_are_tried_where_transforms_make_them_another_model():
    # y = exp(a sine): three steps of past are enough only after the logarithm
    time = np.arange(400)
    values = np.exp(2 * np.sin(0.1 * time))[:, None]
    tasks = values[None, 300:]
    data = data_of([values[:300]], tasks, tasks, 3, period=2 * np.pi / 0.1, codec=Log())
    assert choose_order(data) == {"order": 2, "units": "model"}
    raw = autoregression(data, {"order": 3, "units": "data"})(data.validation, 97)
    assert rollout_error(raw, data.validation.truth, data.validation.scale, 20) > 0.1


def test_series_of_different_size_get_their_own_units():
    train = [size * np.sin(0.1 * np.arange(200) + size)[:, None] for size in (1.0, 1000.0)]
    values = np.sin(0.1 * np.arange(200))[None, :, None]
    data = data_of(train, values, values, 100, codec=Affine((1.0, 1000.0)))
    made = autoregression(data, {"order": 2, "units": "model"})(data.validation, 100)
    assert made == pytest.approx(data.validation.truth, abs=1e-9)


def test_an_explosion_is_a_score_of_one_without_a_warning():
    growing = (1.5 ** np.arange(20))[:, None]
    values = np.concatenate([growing, np.zeros((5000, 1))])[None]
    data = data_of([growing], values, values, 20)
    made = autoregression(data, {"order": 1, "units": "data"})(data.validation, 5000)
    assert not np.isfinite(made[0, -1, 0])
    assert rollout_error(made, data.validation.truth, data.validation.scale, 250) == 1.0
    assert score_simple(data, "ar")["rollout_error"] == 1.0


def score_simple(data, name):
    return score_with(data, name, BASELINES[name].choose(data))


def score_with(data, name, settings):
    on_validation = replace(data, test=data.validation)
    return score_baselines_on_test(on_validation, {name: {"settings": settings}})[name]


def test_too_little_for_an_autoregression():
    with pytest.raises(CannotServe, match="too short"):
        choose_order(tiny([1, 2, 3], train=[1, 2, 3]))
    with pytest.raises(CannotServe, match="longer than 5"):
        fitted([np.zeros((5, 1))], 5)


def test_a_long_regression_uses_evenly_spaced_rows(monkeypatch):
    data = sine_data()
    monkeypatch.setattr("sweep.score.baselines.autoregression.CELLS_MOST", 300)
    assert fitted(data.train_raw, 2).ravel() == pytest.approx([0, -1, 2 * math.cos(0.05)], abs=1e-6)


# --- the table


@pytest.fixture
def small_search(monkeypatch):
    monkeypatch.setattr(esn, "RESERVOIRS", 2)
    monkeypatch.setattr(esn, "UNITS", 80)
    monkeypatch.setattr(random_readout, "NETWORKS", (("gru", 0),))
    monkeypatch.setattr(random_readout, "HIDDEN", 24)
    monkeypatch.setattr(analogues, "DIMENSIONS", (1, 2))
    monkeypatch.setattr(analogues, "LAGS", (1, 4))


@pytest.fixture(scope="module")
def two_channels():
    time = np.arange(1500)
    rng = np.random.default_rng(5)
    values = np.stack([np.sin(0.2 * time), 3 + np.cos(0.2 * time)], axis=1) + 0.01 * rng.normal(
        size=(1500, 2)
    )
    tasks = np.stack([values[first : first + 200] for first in (1000, 1100, 1200)])
    return data_of([values[:900]], tasks, tasks + 0.001, 120, period=2 * np.pi / 0.2, targets=(1,))


def test_the_table_holds_the_promised_baselines():
    driven = {"arx", "narx_polynomial", "fir"}
    assert set(UNDRIVEN) == {*SIMPLE, "analogues", "echo_state_network", "random_readout"}
    assert set(BASELINES) == {*UNDRIVEN, *driven, "seasonal_naive_calendar"}
    assert all(0 < len(entry.description) < 120 for entry in BASELINES.values())
    with pytest.raises(UnknownName, match="seasonal_naive"):
        BASELINES["seasonal_naiv"]


@pytest.mark.parametrize("name", UNDRIVEN)
def test_every_baseline_forecasts_the_asked_shape_and_repeats_itself(name, two_channels, small_search):
    before = two_channels.validation.past.copy()
    settings = BASELINES[name].choose(two_channels)
    first = BASELINES[name].fit(two_channels, settings)(two_channels.validation, 80)
    again = BASELINES[name].forecast(two_channels, two_channels.validation, 80)  # chosen again, too
    assert first.shape == (3, 80, 2)
    assert np.array_equal(first, again)
    assert np.isfinite(first).all()
    assert np.array_equal(two_channels.validation.past, before)
    # a shorter horizon is the beginning of a longer one
    short = BASELINES[name].fit(two_channels, settings)(two_channels.validation, 30)
    assert short == pytest.approx(first[:, :30])


@pytest.mark.parametrize("name", UNDRIVEN)
def test_no_forecast_looks_at_the_truth(name, two_channels, small_search):
    settings = BASELINES[name].choose(two_channels)
    forecast = BASELINES[name].fit(two_channels, settings)
    starts = two_channels.validation
    blind = replace(
        starts, truth=np.full_like(starts.truth, np.nan), scale=np.full_like(starts.scale, np.nan)
    )
    assert np.array_equal(forecast(blind, 80), forecast(starts, 80))


def test_scores_of_all_baselines_and_the_same_ones_on_test(two_channels, small_search):
    scored = score_baselines(two_channels)
    assert list(scored) == UNDRIVEN
    on_test = score_baselines_on_test(two_channels, json.loads(json.dumps(scored)))
    assert list(on_test) == UNDRIVEN
    for entries, starts in ((scored, two_channels.validation), (on_test, two_channels.test)):
        for name, entry in entries.items():
            assert set(entry) == {
                "rollout_error", "prefix_errors", "nrmse", "rmse", "valid_steps", "diverged_fraction", "settings",
                "seconds",
            }  # fmt: skip
            assert entry["settings"] == scored[name]["settings"]
            # of the second channel alone, the target; the block is 80 / 5, as the period of 31 steps is longer
            forecast = BASELINES[name].fit(two_channels, entry["settings"])(starts, 80)[..., 1:]
            truth, scale = starts.truth[..., 1:], starts.scale[:, 1:]
            assert entry["rollout_error"] == pytest.approx(rollout_error(forecast, truth, scale, 16))
            assert entry["nrmse"] == pytest.approx(nrmse(forecast, truth, scale))
            assert entry["rmse"] == pytest.approx([np.sqrt(np.square(forecast - truth).mean())])
            assert entry["valid_steps"] == np.median(valid_steps(forecast, truth, scale, 16))
            assert entry["diverged_fraction"] == 0
            assert len(entry["prefix_errors"]) == len(PREFIXES)
            assert entry["prefix_errors"][-1] == entry["rollout_error"]
    assert scored["mean"]["rollout_error"] == pytest.approx(1, abs=0.01)
    for name in ("ar", "analogues", "echo_state_network", "random_readout"):
        assert scored[name]["rollout_error"] < 0.1


def test_test_scores_are_made_on_the_test_starts():
    data = sine_data(count=4, warmup=400, horizon=200)
    scored = score_baselines_on_test(
        data, {"persistence": {"settings": {}}, "seasonal_naive": {"settings": {"lag": 126}}}
    )
    swapped = replace(data, validation=data.test)
    for name, entry in scored.items():
        starts = data.test
        made = BASELINES[name].fit(data, entry["settings"])(starts, 200)
        assert entry["nrmse"] == pytest.approx(nrmse(made, starts.truth, starts.scale))
        assert entry["nrmse"] == score_with(swapped, name, entry["settings"])["nrmse"]
        # control: the validation starts give another number
        assert entry["nrmse"] != pytest.approx(score_with(data, name, entry["settings"])["nrmse"], rel=1e-3)


def test_the_scores_are_those_of_the_targets(two_channels):
    entry = score_simple(two_channels, "persistence")
    starts = two_channels.validation
    only = starts.past[:, -1:, 1:].repeat(80, axis=1)
    assert entry["nrmse"] == pytest.approx(nrmse(only, starts.truth[..., 1:], starts.scale[:, 1:]))


def test_what_cannot_serve_gives_a_reason(monkeypatch):
    monkeypatch.setattr(esn.importlib.util, "find_spec", lambda name: None)
    scored = score_baselines(tiny([4.0]))
    reasons = {name: entry.get("reason") for name, entry in scored.items()}
    assert reasons["mean"] is reasons["persistence"] is None
    assert "two steps" in reasons["drift"]
    assert "no dominant period" in reasons["seasonal_naive"]
    assert "states in delay space" in reasons["analogues"]
    assert "sweep[baselines]" in reasons["echo_state_network"]
    assert score_baselines_on_test(tiny([4.0]), scored)["drift"]["reason"] == reasons["drift"]


def test_an_unknown_baseline_is_named():
    with pytest.raises(UnknownName, match="persistance"):
        score_baselines_on_test(tiny([4.0]), {"persistance": {"settings": {}}})


@pytest.mark.parametrize("offset", [3e7, 1e9])
@pytest.mark.parametrize("name", ["mean", "persistence", "drift", "seasonal_naive", "ar", "random_readout"])
def test_an_offset_changes_no_baseline(name, offset):
    rng = np.random.default_rng(0)
    waves = np.sin(np.arange(260) * 2 * np.pi / 40 + rng.uniform(0, 6, (9, 1)))[..., None]
    waves += 0.1 * rng.normal(size=waves.shape)
    errors = []
    for level in (0.0, offset):
        values = waves + level
        data = data_of(list(values[:5]), values[5:], values[5:], 120, period=40.0, codec=Centred(level))
        forecast = BASELINES[name].forecast(data, data.validation, 140)
        errors.append(scores(forecast, forecast, data.validation, data.targets, data.period).rollout_error)
    assert errors[1] == pytest.approx(errors[0], rel=1e-3)
