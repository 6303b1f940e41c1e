"""Whether trials differ by more than their seeds do, by hand."""

import math

import pytest

from sweep.config.records import TrialRecord
from sweep.results.checks.within_seed_noise import REACH, log_noise, within_seed_noise


def trials(*errors):
    return [TrialRecord(k, "complete", {}, {}, "sampled", rollout_error=e) for k, e in enumerate(errors)]


def confirmation(*arms, told_apart=()):
    """Trials 0, 1, ... confirmed in this order; the first leads, with the median of its errors."""
    entries = [
        {
            "number": k,
            "errors": list(errors),
            "iqm": {"value": sorted(errors)[len(errors) // 2]},
            "told_apart": None if k == 0 else k in told_apart,
        }
        for k, errors in enumerate(arms)
    ]
    return {"arms": entries, "seeds": len(arms[0]), "leader": 0}


def test_the_noise_is_pooled_over_arms_and_not_between_them():
    assert log_noise([[0.1, 0.01], [0.1, 0.1]]) == pytest.approx(math.sqrt((0.5 + 0) / 2))
    assert log_noise([[0.1, 0.1], [0.01, 0.01]]) == 0  # arms that differ are no noise
    assert log_noise([[1e-13, 1e-9], [1e-10, 1e-11]]) == 0  # below 1e-9 all are alike
    assert log_noise([[0.1], [0.2]]) is None


def test_trials_within_two_seeds_of_the_best_are_counted():
    noise = confirmation([0.01, 0.02, 0.04])  # standard deviation log10(2) = .301 decades
    reach = 10 ** (REACH * math.log10(2))
    assert reach == pytest.approx(6.83, abs=0.01)
    # the best has .02 on fresh seeds, whatever its selected score was
    finding = within_seed_noise(trials(0.001, 0.02 * reach * 0.999, 0.02 * reach * 1.001, 0.9), noise)
    assert finding.severity == "issue"
    assert finding.evidence["near_best"] == 1
    assert "by a factor of 2 " in finding.text and "1 of the 3 other trials" in finding.text


def test_clear_where_the_best_stands_alone():
    finding = within_seed_noise(trials(0.01, 0.5, 0.6), confirmation([0.01, 0.02, 0.04]))
    assert (
        finding.severity == "ok"
        and "No other trial has an error of at most 6.8 times that of trial 0" in finding.text
    )


def test_fresh_errors_of_the_confirmed_count_and_not_their_selected_ones():
    # trial 1 was selected with .011, and has .9 on fresh seeds
    arms = [[0.01, 0.02, 0.04], [0.8, 0.9, 0.95]]
    finding = within_seed_noise(trials(0.01, 0.011), confirmation(*arms, told_apart=[1]))
    assert (finding.severity, finding.evidence["near_best"]) == ("ok", 0)


def test_trials_that_the_confirmation_distinguishes_are_beyond_the_noise():
    arms = [[0.01, 0.02, 0.04], [0.05, 0.06, 0.07]]  # within a factor of 6.8 or so
    near = within_seed_noise(trials(0.01, 0.011), confirmation(*arms))
    assert (near.severity, near.evidence["near_best"]) == ("issue", 1)
    apart = within_seed_noise(trials(0.01, 0.011), confirmation(*arms, told_apart=[1]))
    assert apart.severity == "ok" and "unless the confirmation distinguishes it." in apart.text


def test_no_claim_beside_a_confirmation_that_does_not_distinguish():
    arms = [[0.01, 0.011, 0.012], [0.8, 0.81, 0.82]]
    finding = within_seed_noise(trials(0.01, 0.011), confirmation(*arms))
    assert finding.severity == "not applicable"
    assert "but the confirmation does not distinguish it from trial 1." in finding.text


def test_unknown_before_it_is_confirmed_on_two_seeds():
    assert within_seed_noise(trials(0.1, 0.2), None).severity == "not applicable"
    assert within_seed_noise(trials(0.1, 0.2), confirmation([0.1], [0.2])).severity == "not applicable"
