"""The rule that decides which trials continue after a rung."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.config.data_section import DataConfig
from sweep.config.records import Evaluation, Scores, TrialRecord
from sweep.config.section import Component
from sweep.config.sections import ModelConfig, PruningConfig, Rung, ScoreConfig, TrainingConfig
from sweep.config.trial import TrialConfig
from sweep.search.pruning import is_kept, rung_result, rung_score
from sweep.search.rungs import RungDecisions
from sweep.search.running_trial import RunningTrial

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
        # tied trials continue: no score is lower
        (1.0, [1.0, 1.0, 1.0, 1.0], 1 / 4, True),
        # trials that never reached the rung do not count: one of two with it, not one of five
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
    assert is_kept(score, earlier, keep, startup=0) is expected


def test_it_waits_for_every_trial_that_may_still_reach_the_rung():
    assert is_kept(0.5, [0.1, "pending", 0.2], 0.5, startup=0) is None
    # even where the answer seems clear: the best of all would continue whatever the others score, but
    # a rule that decides early in some cases is harder to state, so it waits
    assert is_kept(0.0, ["pending"], 1.0, startup=0) is None


def test_the_first_trials_always_continue_without_waiting():
    assert is_kept(0.9, [0.1, "pending", 0.2], 0.1, startup=4) is True
    assert is_kept(0.9, [0.1, 0.1, 0.2, 0.1], 0.1, startup=4) is False  # the fifth is not among them


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
    assert is_kept(score, earlier, keep, startup) == naive(score, earlier, keep, startup)


@given(st.floats(0, 1), st.lists(st.floats(0, 1), max_size=12), st.randoms())
def test_the_order_of_the_others_does_not_matter(score, earlier, random):
    mixed = list(earlier)
    random.shuffle(mixed)
    assert is_kept(score, earlier, 0.5, 0) == is_kept(score, mixed, 0.5, 0)


def test_a_rung_judges_its_share_of_the_horizon():
    evaluations = [evaluation(2, 0.11, 0.22, 0.33, 0.44)]
    scores = [rung_score(evaluations, Rung(at=0.3, keep=0.5, horizon=h)) for h in (0.03, 0.1, 0.3, 1.0)]
    assert scores == [0.11, 0.22, 0.33, 0.44]


def test_a_rung_judges_the_lowest_error_up_to_it():
    evaluations = [evaluation(k, 0.9, tenth, 0.8, 0.7) for k, tenth in enumerate([0.6, 0.3, 0.5, 0.1])]
    assert [rung_result(evaluations, "running", point, RUNG) for point in range(4)] == [0.6, 0.3, 0.3, 0.1]


def test_the_result_of_a_trial_at_a_rung():
    evaluations = [evaluation(k, 0.9, 0.5 - k / 10, 0.8, 0.7) for k in range(3)]
    assert rung_result(evaluations, "running", 2, RUNG) == pytest.approx(0.3)
    assert rung_result(evaluations, "failed", 1, RUNG) == pytest.approx(0.4)  # it got there before it failed
    assert rung_result(evaluations, "running", 3, RUNG) == "pending"
    assert rung_result(evaluations, "pruned", 3, RUNG) == "missed"
    assert rung_result(evaluations, "failed", 3, RUNG) == "missed"
    assert rung_result(evaluations, "diverged", 3, RUNG) == 1.0


# --- decisions of a driver --------------------------------------------------------------------------


def running(number: int, score: float, refit: str) -> RunningTrial:
    """A trial at its rung."""
    optimizer = Component(name="lbfgs" if refit == "always" else "adam")
    training = TrainingConfig(budget=300, evaluations=3, readout_refit=refit, optimizer=optimizer)
    config = TrialConfig(
        data=DataConfig(source="sine"), score=ScoreConfig(), model=ModelConfig(), training=training,
        rungs=(1 / 3,), seed=number,
    )  # fmt: skip
    record = TrialRecord(number, "running", {}, config.model_dump(mode="json"), "sampled")
    return RunningTrial(record, config, [evaluation(0, score, score, score, score)])


def test_a_rung_compares_trials_of_the_same_readout_refit():
    # one in two continues: within the solved ones the worse is pruned, although it is ahead of all others
    scores = [
        (0.5, "never"),
        (0.1, "always"),
        (0.6, "never"),
        (0.2, "always"),
        (0.4, "never"),
        (0.3, "always"),
    ]
    trials = {number: running(number, *given) for number, given in enumerate(scores)}
    pruning = PruningConfig(startup=1, rungs=(Rung(at=1 / 3, keep=1 / 3, horizon=1.0),))
    RungDecisions(pruning, trials, {}).decide(settled_below=0)
    pruned = {number for number, trial in trials.items() if trial.pruned_at is not None}
    assert pruned == {2, 3, 5}
    passed = {number for number, trial in trials.items() if trial.passed}
    assert passed == {0, 1, 4}
