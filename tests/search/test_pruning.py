"""The rule that decides who goes on at a rung."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.config.records import Evaluation, Scores
from sweep.config.sections import Rung
from sweep.search.pruning import goes_on, rung_score
from sweep.search.running_trial import at_rung

RUNG = Rung(at=1 / 3, keep=1 / 2, horizon=0.1)


def evaluation(point: int, *prefixes: float) -> Evaluation:
    return Evaluation(point, 100, 10, Scores(prefixes[-1], prefixes, 1.0, 1, 1, 1, 0.0, 0.1, 0.1), 0.1, 0.1)


@pytest.mark.parametrize(
    ("score", "earlier", "keep", "expected"),
    [
        # six reached with it, two thirds are four: three better ones leave room, four do not
        (0.5, [0.1, 0.2, 0.3, 0.6, 0.7], 2 / 3, True),
        (0.65, [0.1, 0.2, 0.3, 0.6, 0.7], 2 / 3, False),
        # three with it, half of three is rounded up to two
        (0.5, [0.1, 0.9], 1 / 2, True),
        (0.5, [0.1, 0.2], 1 / 2, False),
        # ties go on: nobody is better
        (1.0, [1.0, 1.0, 1.0, 1.0], 1 / 4, True),
        # those that never got there count for nothing: one of two with it, not one of five
        (0.5, ["missed", 0.1, "missed", "missed"], 1 / 2, False),
        (0.5, ["missed", 0.9, "missed", "missed"], 1 / 2, True),
        # a trial that diverged before the rung counts with score 1
        (0.9, [1.0, 0.2, 0.3], 1 / 2, False),
        (0.9, [1.0, 1.0, 0.3], 1 / 2, True),
        # a share whose product is a whole number but for rounding: two thirds of three are two
        (0.5, [0.1, 0.2], 2 / 3, False),
        (0.5, [0.1, 0.9], 2 / 3, True),
        (0.5, [0.1] * 9, 1.0, True),
        (0.5, [], 0.01, True),
    ],
)
def test_worked_by_hand(score, earlier, keep, expected):
    assert goes_on(score, earlier, keep, startup=0) is expected


def test_it_waits_for_whoever_may_still_get_there():
    assert goes_on(0.5, [0.1, "pending", 0.2], 0.5, startup=0) is None
    # even where the answer seems clear: the best of all would go on whatever the others say, but a rule
    # that answers early in some cases is harder to state, so it waits
    assert goes_on(0.0, ["pending"], 1.0, startup=0) is None


def test_the_first_trials_always_go_on_and_wait_for_nobody():
    assert goes_on(0.9, [0.1, "pending", 0.2], 0.1, startup=4) is True
    assert goes_on(0.9, [0.1, 0.1, 0.2, 0.1], 0.1, startup=4) is False  # the fifth is not among them


def naive(score, earlier, keep, startup):
    """The rule word by word: rank it among those that reached the rung and see whether its rank is kept."""
    if len(earlier) < startup:
        return True
    reached = [score]
    for other in earlier:
        if other == "pending":
            return None
        if other != "missed":
            reached.append(other)
    kept = 0
    while kept < keep * len(reached) - 1e-9:
        kept += 1
    threshold = sorted(reached)[kept - 1]  # the worst score that is kept
    return score <= threshold


ENTRIES = st.one_of(st.floats(0, 1).map(lambda x: round(x, 1)), st.sampled_from(["missed", "pending"]))


@given(
    st.floats(0, 1).map(lambda x: round(x, 1)),
    st.lists(ENTRIES, max_size=12),
    st.sampled_from([1 / 4, 1 / 3, 1 / 2, 2 / 3, 1.0]),
    st.integers(0, 6),
)
def test_agrees_with_the_rule_word_by_word(score, earlier, keep, startup):
    assert goes_on(score, earlier, keep, startup) == naive(score, earlier, keep, startup)


@given(st.floats(0, 1), st.lists(st.floats(0, 1), max_size=12), st.randoms())
def test_the_order_of_the_others_does_not_matter(score, earlier, random):
    mixed = list(earlier)
    random.shuffle(mixed)
    assert goes_on(score, earlier, 0.5, 0) == goes_on(score, mixed, 0.5, 0)


def test_a_rung_judges_its_share_of_the_horizon():
    said = [evaluation(2, 0.11, 0.22, 0.33, 0.44)]
    scores = [rung_score(said, Rung(at=0.3, keep=0.5, horizon=h)) for h in (0.03, 0.1, 0.3, 1.0)]
    assert scores == [0.11, 0.22, 0.33, 0.44]


def test_a_rung_judges_the_lowest_error_up_to_it():
    said = [evaluation(k, 0.9, tenth, 0.8, 0.7) for k, tenth in enumerate([0.6, 0.3, 0.5, 0.1])]
    assert [at_rung(said, "running", point, RUNG) for point in range(4)] == [0.6, 0.3, 0.3, 0.1]


def test_what_a_trial_says_at_a_rung():
    said = [evaluation(k, 0.9, 0.5 - k / 10, 0.8, 0.7) for k in range(3)]
    assert at_rung(said, "running", 2, RUNG) == pytest.approx(0.3)
    assert at_rung(said, "failed", 1, RUNG) == pytest.approx(0.4)  # it got there before it failed
    assert at_rung(said, "running", 3, RUNG) == "pending"
    assert at_rung(said, "pruned", 3, RUNG) == "missed"
    assert at_rung(said, "failed", 3, RUNG) == "missed"
    assert at_rung(said, "diverged", 3, RUNG) == 1.0
