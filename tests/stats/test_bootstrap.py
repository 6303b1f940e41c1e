import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from sweep.stats.bootstrap import block_bootstrap, iqm, spearman, start_groups


def rng(seed=0):
    return np.random.default_rng(seed)


# --- groups of starts


def groups(position, series, horizon):
    return sorted(
        sorted(group.tolist()) for group in start_groups(np.array(position), np.array(series), horizon)
    )


def test_starts_that_overlap_the_first_of_a_group_share_it():
    assert groups([0, 4, 9, 10, 25], [0] * 5, 10) == [[0, 1, 2], [3], [4]]
    assert groups([25, 9, 0, 10, 4], [0] * 5, 10) == [[0], [1, 2, 4], [3]]


def test_starts_of_different_series_never_overlap():
    assert groups([0, 1, 2], [0, 1, 1], 10) == [[0], [1, 2]]


def test_starts_of_unseen_series_are_told_apart_by_their_order():
    assert groups([1000] * 4, [-1] * 4, 500) == [[0], [1], [2], [3]]
    # two starts in each of two unseen series, beside a known one
    assert groups([0, 5, 0, 5, 3], [-1, -1, -1, -1, 0], 10) == [[0, 1], [2, 3], [4]]


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 2)), min_size=1, max_size=20, unique=True),
    st.integers(1, 30),
)
def test_there_are_as_many_groups_as_starts_that_do_not_overlap(starts, horizon):
    position, series = (np.array(side) for side in zip(*starts, strict=True))
    found = start_groups(position, series, horizon)
    assert sorted(np.concatenate(found)) == list(range(len(starts)))
    count = 0
    for one in set(series):
        free = -math.inf
        for begin in sorted(position[series == one]):
            if begin >= free:
                count, free = count + 1, begin + horizon
    assert len(found) == count
    for group in found:
        assert len(set(series[group])) == 1 and np.ptp(position[group]) < horizon


@pytest.mark.parametrize(
    ("position", "series", "horizon"), [([0, 1], [0], 5), ([], [], 5), ([0, 1], [0, 0], 0)]
)
def test_groups_refuse_nonsense(position, series, horizon):
    with pytest.raises(ValueError, match="positive horizon"):
        start_groups(np.array(position), np.array(series), horizon)


# --- block bootstrap


def test_too_few_independent_starts_give_no_interval():
    values, apart = np.arange(32.0), np.arange(32) * 100
    assert block_bootstrap(values, apart, np.zeros(32, int), 100, np.mean, rng()) is not None
    assert block_bootstrap(values[:7], apart[:7], np.zeros(7, int), 100, np.mean, rng()) is None
    assert block_bootstrap(values[:8], apart[:8], np.zeros(8, int), 100, np.mean, rng()) is not None
    assert block_bootstrap(values, np.arange(32), np.zeros(32, int), 100, np.mean, rng()) is None


def test_the_interval_of_a_mean_is_that_of_the_normal_theory():
    values = rng(1).normal(size=200)
    low, high = block_bootstrap(values, np.zeros(200, int), np.arange(200), 10, np.mean, rng(), reps=4000)
    half = 1.96 * values.std() / math.sqrt(200)
    assert low == pytest.approx(values.mean() - half, abs=0.15 * half)
    assert high == pytest.approx(values.mean() + half, abs=0.15 * half)


def test_overlapping_starts_make_the_interval_as_wide_as_their_groups():
    levels = rng(2).normal(size=20)
    values, position = np.repeat(levels, 4), (np.arange(20)[:, None] * 100 + np.arange(4)).ravel()
    grouped = block_bootstrap(values, position, np.zeros(80, int), 100, np.mean, rng(), reps=4000)
    alone = block_bootstrap(levels, np.arange(20) * 100, np.zeros(20, int), 100, np.mean, rng(), reps=4000)
    ignored = block_bootstrap(values, np.zeros(80, int), np.arange(80), 100, np.mean, rng(), reps=4000)
    assert np.ptp(grouped) == pytest.approx(np.ptp(alone), rel=0.1)
    # control: taken as independent, four copies of each make it half as wide
    assert np.ptp(ignored) == pytest.approx(np.ptp(alone) / 2, rel=0.15)


def coverage(take):
    hits = 0
    for seed in range(300):
        levels = rng(seed).normal(size=24)
        values, position = np.repeat(levels, 3), (np.arange(24)[:, None] * 50 + np.arange(3)).ravel()
        low, high = take(values, position, rng(seed + 1000))
        hits += low <= 0 <= high
    return hits / 300


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    def by_groups(values, position, draw):
        return block_bootstrap(values, position, np.zeros(72, int), 50, np.mean, draw, reps=300)

    assert 0.88 < coverage(by_groups) < 0.98


def test_that_coverage_can_fail():
    def one_by_one(values, position, draw):
        return block_bootstrap(values, np.zeros(72, int), np.arange(72), 50, np.mean, draw, reps=300)

    assert coverage(one_by_one) < 0.8


def test_the_interval_is_reproducible_and_free_of_nan():
    values = np.where(np.arange(30) < 10, np.inf, 0.1)
    case = values, np.arange(30) * 10, np.zeros(30, int), 10
    first, again = (block_bootstrap(*case, np.median, rng(7)) for _ in range(2))
    assert first == again
    assert first[0] == 0.1 and not math.isnan(first[1])
    with pytest.raises(ValueError, match="not NaN"):
        block_bootstrap(np.full(30, np.nan), *case[1:], np.mean, rng())
    with pytest.raises(ValueError, match="statistic gave NaN"):
        block_bootstrap(*case, lambda drawn: math.nan, rng())


# --- rank correlation


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(-1, 1)), min_size=8, max_size=30))
def test_spearman_agrees_with_scipy(pairs):
    x, y = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    found = spearman(x, y, rng(), reps=20)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert found is None
    else:
        assert found.rho == pytest.approx(scipy.stats.spearmanr(x, y).statistic, abs=1e-12)
        assert -1 <= found.low <= found.high <= 1
        assert found.pairs == len(pairs)


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
