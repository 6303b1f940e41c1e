"""Conformal intervals: ranks by hand, coverage on simulated errors, invariances, documents."""

import json
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.forecast.intervals import (
    Intervals,
    coverage_of,
    intervals_from_document,
    intervals_of_errors,
)
from sweep.stats.conformal import rank_of

ONE = np.ones((2, 1))


def half_width(intervals: Intervals, level: int) -> float:
    """Return the half width at the first step, in standard deviations."""
    low, high = intervals.around(np.zeros((1, 1, 1)), [level])[level]
    return float(high[0, 0, 0] - low[0, 0, 0]) / 2


def test_the_half_width_is_the_order_statistic_of_absolute_errors():
    errors = np.array([0.5, -3.0, 1.0, 2.0, -0.1, 0.2, 0.3, -0.4, 4.0]).reshape(9, 1, 1)
    intervals = intervals_of_errors(errors, ONE)
    assert half_width(intervals, 90) == 4.0  # rank 9 of 9
    assert half_width(intervals, 50) == 0.5  # rank 5: 0.1 0.2 0.3 0.4 0.5
    assert half_width(intervals, 80) == 3.0  # rank 8


@given(st.integers(1, 130), st.integers(1, 99), st.integers(0, 1000))
def test_a_naive_twin_agrees(n: int, level: int, seed: int):
    errors = np.random.default_rng(seed).normal(size=(n, 1, 1))
    intervals = intervals_of_errors(errors, ONE)
    rank = ceil((n + 1) * level / 100 - 1e-9)
    assert intervals.gives(level) == (rank <= n)
    if rank <= n:
        assert half_width(intervals, level) == pytest.approx(sorted(abs(errors.ravel()))[rank - 1])
    else:
        assert intervals.around(np.zeros((1, 1, 1)), [level]) == {}


def coverage_of_rule(n: int, level: int, plain: bool, draws: int = 4000) -> float:
    """Return how often an interval of n calibration errors covers another one, of skewed exchangeable errors."""
    rng, hits = np.random.default_rng(n), 0
    errors = rng.gamma(0.7, size=(draws, n + 1)) - 0.3
    for row in errors:
        if plain:
            half = np.quantile(np.abs(row[:n]), level / 100)
        else:
            half = half_width(intervals_of_errors(row[:n, None, None], ONE), level)
        hits += abs(row[n]) <= half
    return hits / draws


@pytest.mark.parametrize(("n", "level"), [(9, 90), (12, 90), (4, 80), (3, 50)])
def test_coverage_of_exchangeable_errors(n: int, level: int):
    expected = rank_of(n, level) / (n + 1)  # exact for continuous errors
    assert expected >= level / 100
    assert coverage_of_rule(n, level, plain=False) == pytest.approx(expected, abs=0.02)


def test_that_test_can_fail():
    # control: the plain quantile of a few errors covers too little
    assert coverage_of_rule(9, 90, plain=True) < 0.86


def test_units_are_those_of_each_series():
    intervals = intervals_of_errors(np.full((9, 2, 2), 3.0), np.array([[1.0, 10.0], [2.0, 20.0], [5.0, 5.0]]))
    forecast = np.zeros((3, 2, 2))
    _, high = intervals.around(forecast, [90], np.array([1, 0, -1]))[90]
    np.testing.assert_allclose(high[:, 0], [[6, 60], [3, 30], [15, 15]])


@given(st.floats(0.01, 100), st.floats(-50, 50), st.permutations(range(12)))
def test_scale_shift_and_order_do_not_matter(scale: float, shift: float, order: list[int]):
    rng = np.random.default_rng(0)
    errors, forecast = rng.normal(size=(12, 3, 1)), rng.normal(size=(2, 3, 1))
    plain = intervals_of_errors(errors, ONE).around(forecast, [80])[80]
    moved = intervals_of_errors(-errors[order], ONE * scale).around(forecast * scale + shift, [80])[80]
    for one, other in zip(plain, moved, strict=True):
        np.testing.assert_allclose(one * scale + shift, other, rtol=1e-9, atol=1e-9)


def test_nothing_is_claimed_beyond_the_calibrated_horizon():
    intervals = intervals_of_errors(np.ones((9, 2, 1)), ONE)
    low, high = intervals.around(np.zeros((1, 4, 1)), [90])[90]
    np.testing.assert_array_equal(high[0, :, 0], [1, 1, np.nan, np.nan])
    np.testing.assert_array_equal(low[0, :, 0], [-1, -1, np.nan, np.nan])
    shorter = intervals.around(np.zeros((1, 1, 1)), [90])[90][0]
    assert shorter.shape == (1, 1, 1)


def test_forecasts_that_are_not_finite():
    errors = np.ones((9, 1, 1))
    errors[3] = np.nan
    intervals = intervals_of_errors(errors, ONE)
    low, high = intervals.around(np.zeros((1, 1, 1)), [80, 90])[90]
    assert (low[0, 0, 0], high[0, 0, 0]) == (-np.inf, np.inf)  # one of nine: no bound holds in 90 %
    assert half_width(intervals, 80) == 1.0
    low, high = intervals.around(np.full((1, 1, 1), np.inf), [80])[80]
    assert np.isnan(low).all() and np.isnan(high).all()


def test_the_document_keeps_the_intervals():
    errors = np.random.default_rng(1).normal(size=(150, 4, 2))
    errors[:3] = np.inf
    intervals = intervals_of_errors(errors, np.array([[1.0, 2.0], [3.0, 4.0]]))
    again = intervals_from_document(json.loads(json.dumps(intervals.document(), allow_nan=False)))
    assert (again.n, again.ranks, again.horizon) == (intervals.n, intervals.ranks, 4)
    np.testing.assert_allclose(again.errors, intervals.errors, rtol=1e-5)
    np.testing.assert_array_equal(again.std, intervals.std)
    assert np.isinf(again.errors).any()


def test_coverage_by_hand():
    truth = np.array([[[0.0], [2.0]], [[0.5], [0.0]], [[3.0], [0.0]], [[0.0], [9.0]]])
    coverage = coverage_of((np.full(truth.shape, -1.0), np.full(truth.shape, 1.0)), truth, 4)
    assert coverage.mean[0] == 5 / 8
    np.testing.assert_allclose(coverage.by_step[:, 0], [3 / 4, 1 / 2])
    missing = coverage_of((np.full(truth.shape, np.nan), np.full(truth.shape, np.nan)), truth, 4)
    assert missing.mean[0] == 0
