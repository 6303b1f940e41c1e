"""Weights that are fitted to a simulation: derivatives by differences, and better simulations of noisy data."""

from dataclasses import replace

import numpy as np
import pytest

from sweep.score.baselines import output_error
from sweep.score.baselines.driven import Lags
from sweep.score.baselines.narx_polynomial import choose_narx, narx_polynomial
from sweep.score.baselines.output_error import Model, refined, simulation, stretches
from tests.score.test_driven_baselines import bilinear, driven_data, error_of, linear

# rows of (1, a[t-2], b[t-2], a[t-1], b[t-1], u[t]): 1, a[t-2], a[t-1]^2, a[t-1] b[t-1], a[t-1]^2 u, b[t-2] u^2, u
PRODUCTS = np.array([[0, 0, 0], [0, 0, 1], [0, 3, 3], [0, 3, 4], [3, 3, 5], [2, 5, 5], [0, 0, 5]])


def model(low=-1e9, high=1e9):
    return Model(Lags(2, 1), PRODUCTS, np.full(2, low), np.full(2, high))


def weights_and_data():
    rng = np.random.default_rng(0)
    weights = 0.4 * rng.normal(size=(7, 2))
    weights[[1, 4], [1, 0]] = 0.0  # terms that one of the channels does not use
    return weights, rng.normal(size=(3, 12, 2)), rng.normal(size=(3, 12, 1))


def residuals(model, weights, truth, known):
    """The same simulation in plain loops: (stretch, step, channel), truth minus simulated."""
    left = np.zeros((len(truth), truth.shape[1] - 2, 2))
    for number in range(len(truth)):
        values = truth[number].copy()
        for now in range(2, truth.shape[1]):
            row = [1.0, *values[now - 2], *values[now - 1], known[number, now, 0]]
            terms = [row[a] * row[b] * row[c] for a, b, c in model.products]
            values[now] = np.clip(np.array(terms) @ weights, model.low, model.high)
        left[number] = truth[number, 2:] - values[2:]
    return left


@pytest.mark.parametrize("bound", [1e9, 0.5])
def test_derivatives_agree_with_differences_of_plain_loops(bound):
    weights, truth, known = weights_and_data()
    used, tested = np.argwhere(weights != 0), model(-bound, bound)
    fit = simulation(tested, weights, used, truth, known)
    left = residuals(tested, weights, truth, known)
    assert len(used) == 12 and fit.error == pytest.approx((left**2).sum())
    slopes = []
    for place in used:
        moved = [weights.copy(), weights.copy()]
        moved[0][tuple(place)] += 1e-6
        moved[1][tuple(place)] -= 1e-6
        ends = [residuals(tested, other, truth, known) for other in moved]
        slopes.append((ends[1] - ends[0]).ravel() / 2e-6)
    slopes = np.array(slopes)
    assert fit.normal == pytest.approx(slopes @ slopes.T, rel=1e-4, abs=1e-6)
    assert fit.gradient == pytest.approx(slopes @ left.ravel(), rel=1e-4, abs=1e-6)


def noisy_model():
    data = driven_data(linear, noise=0.4)
    bounds = np.full(1, 100.0)
    products = np.array([[0], [1], [2], [3], [4]])  # (1, y[t-2], y[t-1], u[t-1], u[t])
    return data, Model(Lags(2, 2), products, -bounds, bounds)


def test_noise_on_the_output_no_longer_pulls_the_weights():
    true = np.array([0.3, -0.5, 1.2, 0.4, 1.0])
    data, tested = noisy_model()
    pulled = 0.7 * true[:, None]
    found = refined(data, tested, pulled)
    assert found.ravel() == pytest.approx(true, abs=0.1)
    assert np.abs(pulled.ravel() - true).max() > 0.3


def test_refined_weights_never_simulate_worse():
    data, tested = noisy_model()
    values, known = stretches(data, tested.lags)
    for seed in range(5):
        weights = np.random.default_rng(seed).normal(size=(5, 1))
        used = np.argwhere(weights != 0)
        with np.errstate(all="ignore"):
            before = simulation(tested, weights, used, values, known).error
            after = simulation(tested, refined(data, tested, weights), used, values, known).error
        assert after <= before


def test_a_large_model_and_one_without_weights_stay(monkeypatch):
    data, tested = noisy_model()
    zero, weights = np.zeros((5, 1)), np.ones((5, 1))
    assert refined(data, tested, zero) is zero
    monkeypatch.setattr(output_error, "WEIGHTS_MOST", 4)
    assert refined(data, tested, weights) is weights


def test_stretches_are_equally_long_and_overlap_by_their_beginning(monkeypatch):
    monkeypatch.setattr(output_error, "STEPS", 48)
    data = driven_data(linear)  # pieces of 200 and 150 steps
    values, known = stretches(data, Lags(2, 1))
    assert values.shape == (7, 50, 1) and known.shape == (7, 50, 1)
    np.testing.assert_array_equal(values[1], data.train[0][48:98])
    np.testing.assert_array_equal(known[4], data.train_known[1][:50])
    monkeypatch.setattr(output_error, "STRETCHES_MOST", 3)
    assert len(stretches(data, Lags(2, 1))[0]) == 3


def test_a_polynomial_of_noisy_data_is_refined_and_simulates_better():
    data = driven_data(bilinear, noise=0.2)
    settings = {"order": 1, "input_order": 1, "degree": 2, "terms": 3, "refined": True}
    clean = driven_data(bilinear)
    clean = replace(data, test=replace(clean.test, past=data.test.past))  # the truth without noise
    better, plain = (
        error_of("narx_polynomial", clean, {**settings, "refined": flag}) for flag in (True, False)
    )
    assert better < 0.5 * plain


def test_refined_settings_are_chosen_where_they_are_better(monkeypatch):
    monkeypatch.setattr("sweep.score.baselines.narx_polynomial.ORDERS", (1,))
    monkeypatch.setattr("sweep.score.baselines.narx_polynomial.INPUT_ORDERS", (1,))
    monkeypatch.setattr("sweep.score.baselines.narx_polynomial.REFINED_TERMS", (3,))
    data = driven_data(bilinear, noise=0.2)
    assert choose_narx(data)["refined"]
    first, again = (narx_polynomial(data, choose_narx(data))(data.test, 60) for _ in range(2))
    np.testing.assert_array_equal(first, again)
