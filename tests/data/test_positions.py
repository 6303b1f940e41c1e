import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.data.positions import jittered, n_apart, spread, spread_apart


@pytest.mark.parametrize(
    ("total", "capacities", "expected"),
    [
        (6, [9, 9, 9], [2, 2, 2]),
        (7, [9, 1, 9], [3, 1, 3]),
        (99, [2, 0, 3], [2, 0, 3]),
        (2, [5] * 8, [0, 0, 1, 0, 0, 0, 1, 0]),
        (1, [5] * 5, [0, 0, 1, 0, 0]),
        (0, [4], [0]),
    ],
)
def test_spread(total, capacities, expected):
    assert spread(total, capacities).tolist() == expected


@given(st.integers(0, 60), st.lists(st.integers(0, 20), min_size=1, max_size=12))
def test_spread_takes_all_that_fit_and_is_even(total, capacities):
    counts = spread(total, capacities)
    assert counts.sum() == min(total, sum(capacities))
    assert (counts <= capacities).all() and (counts >= 0).all()
    open_places = counts[counts < capacities]
    assert not len(open_places) or counts.max() - open_places.min() <= 1


def test_starts_go_first_where_they_do_not_overlap():
    # room for 10 horizons and for 1: an even spread of 8 would pile 4 onto the short series
    counts = spread_apart(8, [0, 0], [9 * 50, 20], horizon=50)
    assert counts.tolist() == [7, 1]
    assert spread_apart(5, [10, 0], [5, 3], horizon=50).tolist() == [0, 4]


@given(st.integers(0, 50), st.integers(1, 300), st.data())
def test_jittered_positions_are_different_and_inside(first, places, data):
    count = data.draw(st.integers(1, places))
    positions = jittered(first, first + places - 1, count, np.random.default_rng(0))
    assert len(set(positions.tolist())) == count
    assert (np.diff(positions) > 0).all()
    assert positions.min() >= first and positions.max() < first + places


def test_jitter_breaks_seasons():
    # 20 starts over 20 seasons of 24: even spacing would begin each at the same hour
    hours = jittered(0, 479, 20, np.random.default_rng(0)) % 24
    assert len(set(hours.tolist())) >= 6
    even = np.arange(20) * 24 % 24
    assert len(set(even.tolist())) == 1  # control


def test_too_many_positions():
    with pytest.raises(ValueError, match=r"4 different positions do not fit into \[5, 7\]"):
        jittered(5, 7, 4, np.random.default_rng(0))


def test_n_apart_by_hand():
    positions, series = np.array([0, 10, 19, 20, 39, 5, 100]), np.array([0, 0, 0, 0, 0, 1, 1])
    assert n_apart(positions, series, 20) == 2 + 2  # 0, 20 (39 overlaps 20); 5, 100
    assert n_apart(positions, series, 19) == 3 + 2  # 0, 19 or 20, 39


@given(st.lists(st.integers(0, 30), min_size=1, max_size=9, unique=True), st.integers(1, 12))
def test_n_apart_is_the_best_possible(positions, horizon):
    best = max(
        len(some)
        for size in range(1, len(positions) + 1)
        for some in itertools.combinations(sorted(positions), size)
        if all(b - a >= horizon for a, b in itertools.pairwise(some))
    )
    assert n_apart(np.array(positions), np.zeros(len(positions), int), horizon) == best
