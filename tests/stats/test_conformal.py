"""Ranks of conformal intervals, by hand."""

import pytest

from sweep.stats.conformal import rank_of, starts_for


@pytest.mark.parametrize(
    ("n", "level", "rank"),
    [(9, 90, 9), (8, 90, 9), (10, 90, 10), (19, 90, 18), (20, 90, 19), (1, 50, 1), (3, 50, 2), (99, 99, 99)],
)
def test_ranks_by_hand(n: int, level: int, rank: int):
    assert rank_of(n, level) == rank


@pytest.mark.parametrize(("level", "starts"), [(50, 1), (80, 4), (90, 9), (95, 19), (99, 99)])
def test_the_fewest_starts_of_a_level(level: int, starts: int):
    assert starts_for(level) == starts


@pytest.mark.parametrize("level", [0, 100, 0.9])
def test_a_level_is_a_whole_percent(level):
    with pytest.raises(ValueError, match="whole percents from 1 to 99"):
        rank_of(9, level)
