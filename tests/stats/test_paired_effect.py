"""What a change does, seed by seed: numbers by hand, and how often chance alone makes a claim."""

import math

import numpy as np
import pytest

from sweep.stats.paired_effect import LEAST_TO_CLAIM, decades_worse, effect, sign_p
from sweep.stats.ranking import LEVEL


def of(errors, reference):
    return effect(np.array(errors), np.array(reference), np.random.default_rng(0))


def test_decades_by_hand_and_the_floor():
    decades = decades_worse(np.array([0.05, 0.5, 1e-10, 0.0, 1.0]), np.array([0.5, 0.05, 1e-11, 1.0, 0.0]))
    assert decades == pytest.approx([-1, 1, 0, -9, 9])  # below 1e-9 all are alike, and 0 has a logarithm


def test_an_effect_by_hand():
    effect = of([0.1, 0.02, 0.3, 5e-10], [0.2, 0.2, 0.3, 0.1])
    gaps = [math.log10(0.1 / 0.2), math.log10(0.02 / 0.2), 0.0, math.log10(1e-9 / 0.1)]
    assert effect.decades == pytest.approx(
        sum(gaps) / 4
    )  # the mean of logarithms, not the logarithm of means
    assert (effect.better, effect.worse, effect.equal) == (3, 0, 1)
    assert min(gaps) <= effect.low < effect.decades < effect.high <= max(gaps)


def test_seeds_are_paired():
    # each seed is a tenth better, while seeds differ by a factor of 100: unpaired, the interval would hold 0
    reference = np.array([0.9, 0.009, 0.3, 0.03, 0.1])
    effect = of(0.9 * reference, reference)
    assert effect.low == pytest.approx(math.log10(0.9)) == effect.high
    assert effect.verdict == "helps"


def test_turned_round_everything_changes_its_sign():
    one, other = [0.1, 0.5, 0.02, 0.8, 0.3, 0.2], [0.4, 0.3, 0.2, 0.7, 0.9, 0.2]
    there, back = of(one, other), of(other, one)
    assert there.decades == pytest.approx(-back.decades)
    assert (there.better, there.worse, there.equal) == (back.worse, back.better, back.equal) == (3, 2, 1)
    assert there.low == pytest.approx(-back.high, abs=0.05)


@pytest.mark.parametrize(
    ("errors", "verdict"),
    [
        ([0.1, 0.2, 0.1, 0.2, 0.1], "helps"),
        ([0.9, 0.8, 0.9, 0.8, 0.9], "harms"),
        ([0.1, 0.2, 0.1, 0.2, 0.51], "no difference shown"),  # one of five the other way: 6/32
        ([0.1, 0.2, 0.1, 0.2, 0.5], "no difference shown"),  # four and one equal: 1/16
        ([0.5] * 5, "no difference shown"),
        ([0.1, 0.2, 0.1, 0.2], "no claim"),
        ([0.001], "no claim"),
        ([0.1] * 7 + [0.51], "helps"),  # 9/256
        ([0.49] * 7 + [1.0], "no difference shown"),  # the signs are the same, the size is not
    ],
)
def test_a_claim_needs_signs_and_an_interval(errors, verdict):
    assert of(errors, [0.5] * len(errors)).verdict == verdict


def test_the_sign_test_by_hand():
    assert sign_p(5, 0) == 1 / 32
    assert sign_p(4, 1) == 6 / 32
    assert sign_p(7, 1) == 9 / 256
    assert sign_p(0, 5) == sign_p(0, 0) == 1
    assert sign_p(LEAST_TO_CLAIM, 0) <= LEVEL < sign_p(LEAST_TO_CLAIM - 1, 0)


def false_claims(seeds, claims):
    """Share of pairs of equal arms, with heavy tails, of which something is claimed to help."""
    rng = np.random.default_rng(1)
    pairs = np.clip(10 ** -np.abs(rng.standard_t(2, size=(2, 300, seeds))), 0, 1)
    return np.mean([claims(effect(a, b, np.random.default_rng(0))) for a, b in zip(*pairs, strict=True)])


@pytest.mark.parametrize("seeds", [5, 8])
def test_chance_alone_helps_in_at_most_one_of_twenty(seeds):
    assert false_claims(seeds, lambda helps: helps.verdict == "helps") < 0.05 + 2 * math.sqrt(0.05 / 300)


def test_that_test_can_fail():
    # control: the interval alone, which from five seeds is too narrow
    assert false_claims(5, lambda helps: helps.high < 0) > 0.075


@pytest.mark.parametrize(("errors", "reference"), [([0.1], [0.1, 0.2]), ([], []), ([1.1], [0.1])])
def test_what_is_no_pair_is_refused(errors, reference):
    with pytest.raises(ValueError, match="two \\(seed,\\) arrays of errors in \\[0, 1\\]"):
        of(errors, reference)
