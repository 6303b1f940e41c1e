"""The luck of a search: the chance that the best trials of two searches all fall to one of them."""

import itertools

import numpy as np
import pytest

from sweep.stats.searches import LEVEL, chance_ahead, least_ahead, precedence


@pytest.mark.parametrize(("n", "m"), [(3, 3), (4, 2), (2, 5)])
def test_the_chance_is_the_share_of_all_ways_to_divide_the_trials(n, m):
    for ahead in range(n + 1):
        ways = [set(way) for way in itertools.combinations(range(n + m), n)]
        leading = [set(range(ahead)) <= way for way in ways]
        assert chance_ahead(ahead, n, m) == pytest.approx(np.mean(leading))


def test_the_fewest_leading_trials():
    # half per trial in the limit: 2^-8 is the first below 0.005
    assert [least_ahead(n, n) for n in (4, 5, 12, 24, 100_000)] == [None, 5, 7, 7, 8]
    assert least_ahead(200, 20) == 49  # ten times as many trials lead more often
    assert least_ahead(20, 200) == 3


def test_trials_that_lead_are_counted_and_ties_are_not():
    result = precedence(np.array([0.1, 0.2, 0.3, 0.5]), np.array([0.3, 0.9]))
    assert (result.ahead, result.p) == (2, pytest.approx(6 / 15))
    assert not result.beyond_chance
    assert precedence(np.array([0.3]), np.array([0.1, 0.2])).p == 1


def false_alarms(spread: float) -> float:
    """The share of 2000 pairs of random searches with an alarm; `spread` makes the searches differ in luck."""
    rng = np.random.default_rng(0)
    errors = rng.lognormal(size=(2000, 2, 24)) * np.exp(spread * rng.standard_normal((2000, 2, 1)))
    return float(np.mean([precedence(*pair).beyond_chance for pair in errors]))


def test_alarms_are_as_rare_as_their_level():
    assert 0.0005 < false_alarms(0.0) <= LEVEL + 0.003


def test_that_test_can_fail():
    assert false_alarms(1.0) > 0.05  # control: trials of a search that share its luck are not exchangeable


def test_searches_without_trials_are_refused():
    with pytest.raises(ValueError, match="needs trials of both searches, got 2 and 0"):
        precedence(np.array([0.1, 0.2]), np.array([]))
