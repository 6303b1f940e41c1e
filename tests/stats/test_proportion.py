"""The interval of a share, against a published example."""

import pytest

from sweep.stats.proportion import more_often_p, wilson_interval


def test_wilson_interval_of_a_published_example():
    # Newcombe (1998), table I: 81 of 263 gives 0.2553 to 0.3662
    assert wilson_interval(81 / 263, 263) == pytest.approx((0.3080, 0.2553, 0.3662), abs=1e-4)


def test_the_ends_stay_within_0_and_1():
    assert wilson_interval(0.0, 10) == pytest.approx((0, 0, 0.2775), abs=1e-4)
    assert wilson_interval(1.0, 10) == pytest.approx((1, 0.7225, 1), abs=1e-4)


def test_a_larger_share_has_the_p_of_fishers_exact_test():
    from scipy.stats import fisher_exact

    assert more_often_p((0, 5), (5, 5)) == pytest.approx(1 / 252)
    for hits, sizes in (((1, 5), (5, 5)), ((2, 3), (4, 7)), ((3, 0), (5, 5)), ((1, 2), (1, 3))):
        table = [[hits[1], sizes[1] - hits[1]], [hits[0], sizes[0] - hits[0]]]
        assert more_often_p(hits, sizes) == pytest.approx(fisher_exact(table, "greater")[1])
