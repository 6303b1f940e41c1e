"""Whether trials differ by more than their seeds do, by hand."""

import math

import pytest

from sweep.config.records import TrialRecord
from sweep.results.checks.within_seed_noise import REACH, log_noise, within_seed_noise


def trials(*errors):
    return [TrialRecord(k, "complete", {}, {}, "sampled", rollout_error=e) for k, e in enumerate(errors)]


def confirmation(*arms):
    return {"arms": [{"errors": list(errors)} for errors in arms], "seeds": len(arms[0])}


def test_the_noise_is_pooled_over_arms_and_not_between_them():
    assert log_noise([[0.1, 0.01], [0.1, 0.1]]) == pytest.approx(math.sqrt((0.5 + 0) / 2))
    assert log_noise([[0.1, 0.1], [0.01, 0.01]]) == 0  # arms that differ are no noise
    assert log_noise([[1e-9, 1e-3], [1e-5, 1e-4]]) == 0  # below .001 all are alike
    assert log_noise([[0.1], [0.2]]) is None


def test_trials_within_two_seeds_of_the_best_are_counted():
    noise = confirmation([0.01, 0.02, 0.04])  # standard deviation log10(2) = .301 decades
    reach = 10 ** (REACH * math.log10(2))
    assert reach == pytest.approx(6.83, abs=0.01)
    found = within_seed_noise(trials(0.01, 0.01 * reach * 0.999, 0.01 * reach * 1.001, 0.9), noise)
    assert found.severity == "issue"
    assert found.evidence["near_best"] == 1
    assert "by a factor of 2 " in found.text and "1 of the 3 other trials" in found.text


def test_clear_where_the_best_stands_alone():
    found = within_seed_noise(trials(0.01, 0.5, 0.6), confirmation([0.01, 0.02, 0.04]))
    assert found.severity == "ok" and "No other trial is within a factor of 6.8" in found.text


def test_unknown_before_it_is_confirmed_on_two_seeds():
    assert within_seed_noise(trials(0.1, 0.2), None).severity == "not applicable"
    assert within_seed_noise(trials(0.1, 0.2), confirmation([0.1], [0.2])).severity == "not applicable"
