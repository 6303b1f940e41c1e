import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from sweep.stats.bootstrap import iqm, spearman


def rng(seed=0):
    return np.random.default_rng(seed)


# --- rank correlation


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(-1, 1)), min_size=8, max_size=30))
def test_spearman_agrees_with_scipy(pairs):
    x, y = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    correlation = spearman(x, y, rng(), reps=20)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert correlation is None
    else:
        assert correlation.rho == pytest.approx(scipy.stats.spearmanr(x, y).statistic, abs=1e-12)
        assert -1 <= correlation.low <= correlation.high <= 1
        assert correlation.pairs == len(pairs)


def test_what_is_not_finite_ranks_last_and_ties():
    x = np.arange(10.0)
    y = np.array([0, 1, 2, 3, 4, 5, 6, np.nan, np.inf, -np.inf])
    same = np.array([0, 1, 2, 3, 4, 5, 6, 99, 99, 99.0])
    assert spearman(x, y, rng()) == spearman(x, same, rng())
    assert spearman(x, y, rng()).rho > 0.95
    # control: dropped or taken as smallest, it would be another number
    assert scipy.stats.spearmanr(x, np.where(np.isfinite(y), y, -1)).statistic < 0.5


def test_a_monotone_relation_is_one_and_its_reverse_minus_one():
    x = rng(3).normal(size=40)
    up, down = spearman(x, np.exp(x), rng()), spearman(x, -(x**3), rng())
    assert (up.rho, up.low, up.high) == pytest.approx((1, 1, 1))
    assert (down.rho, down.low, down.high) == pytest.approx((-1, -1, -1))


def test_the_interval_of_unrelated_values_holds_zero_and_of_related_ones_does_not():
    x, noise = rng(4).normal(size=(2, 100))
    unrelated, related = spearman(x, noise, rng()), spearman(x, x + noise, rng())
    assert unrelated.low < 0 < unrelated.high
    assert 0 < related.low < related.rho < related.high
    # the standard error at rho = 0 is 1 / sqrt(n - 1)
    assert unrelated.high - unrelated.low == pytest.approx(2 * 1.96 / math.sqrt(99), rel=0.25)


def test_spearman_says_nothing_from_too_little():
    x = np.arange(10.0)
    assert spearman(x[:7], x[:7], rng()) is None
    assert spearman(x, np.ones(10), rng()) is None
    assert spearman(x, np.full(10, np.nan), rng()) is None
    with pytest.raises(ValueError, match="two"):
        spearman(x, x[:5], rng())


# --- interquartile mean


def test_iqm_by_hand():
    # 8 values: two off either end; mean 5.5, median 4.5 and the middle mean 4.75 differ
    values = np.array([5.0, 1.0, 4.0, 2.0, 6.0, 3.0, 10.0, 13.0])
    assert iqm(values) == (3 + 4 + 5 + 6) / 4
    assert (np.mean(values), np.median(values)) == (5.5, 4.5)
    # of 3 values the outer ones count with a quarter: neither the mean, 4, nor the median, 2
    assert iqm(np.array([1.0, 2.0, 9.0])) == pytest.approx((0.25 * 1 + 2 + 0.25 * 9) / 1.5)


@given(st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=40))
def test_iqm_agrees_with_scipy_where_whole_values_are_cut(values):
    values = values[: len(values) // 4 * 4]
    assert iqm(np.array(values)) == pytest.approx(scipy.stats.trim_mean(values, 0.25), rel=1e-9, abs=1e-9)


def test_iqm_bears_a_quarter_of_failures():
    assert iqm(np.array([np.nan, 1.0, 2.0, 3.0])) == 2.5
    assert iqm(np.array([np.nan, -np.inf, 2.0, 3.0])) == math.inf
    with pytest.raises(ValueError, match="at least one value"):
        iqm(np.array([]))
