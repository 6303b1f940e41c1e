"""The history of a proposal: what it holds, how it grows, and how it is shortened for TPE."""

import random

import pytest
from pydantic import ValidationError

from sweep.config.records import TrialRecord
from sweep.config.sections import SearchConfig
from sweep.config.study import differences, with_recorded_history
from sweep.search.history import BEST, Histories, History
from sweep.search.proposals import SampledTrials, histories_of, proposal
from sweep.search.samplers import SAMPLERS
from tests.support.attack import small_study


def record(number, params, score):
    return TrialRecord(
        number, "complete" if score is not None else "failed", params, {}, "sampled", rollout_error=score
    )


def records_of(count, choices=("a", "b")):
    chance = random.Random(7)
    return {
        k: record(
            k, {"kind": choices[k % len(choices)], "sizes": [k, 1]}, None if k % 7 == 3 else chance.random()
        )
        for k in range(count)
    }


def some_params(study, number):
    return SAMPLERS["random"].propose(study.space, History((), ()), 0, number)


class CountingRecords(dict):
    """Records that count how often they are looked up."""

    reads = 0

    def __getitem__(self, number):
        self.reads += 1
        return super().__getitem__(number)


@pytest.mark.parametrize("turn", ["", "kind"])
def test_a_history_that_grows_is_the_one_that_is_made_anew(turn):
    records = records_of(60)
    grown = Histories(8, turn)
    for number in (1, 5, 20, 21, 22, 40, 12, 60):  # 12: a trial whose record was damaged
        value = "ab"[number % 2] if turn else None
        assert grown.of(records, number, value) == Histories(8, turn).of(records, number, value)
    last = grown.of(records, 60, "a" if turn else None)
    numbers = [k for k in range(53) if k % 7 != 3 and not (turn and k % 2)]
    assert [params["sizes"][0] for params, _ in last.settled] == numbers
    assert last.settled[0][0]["sizes"] == (0, 1)
    assert len(last.running) == (3 if turn else 7)


def test_a_proposal_reads_no_more_records_the_longer_a_study_is():
    study = small_study("search.sampler=random")
    records = CountingRecords({k: record(k, some_params(study, k % 9), 0.5) for k in range(400)})
    propose = SampledTrials(study)
    reads = []
    for number in range(10, 400):
        before = records.reads
        propose(records, number)
        reads.append(records.reads - before)
    assert max(reads[1:]) <= study.search.width + 1
    assert sum(reads) <= 390 * study.search.width + 400


def test_a_short_history_holds_the_best_and_the_latest():
    chance = random.Random(1)
    scores = [chance.randint(0, 40) / 40 for _ in range(300)]  # with ties
    history = History(tuple(({"k": k}, score) for k, score in enumerate(scores)), ({"k": 300},))
    short = history.shortened(100)
    numbers = [params["k"] for params, _ in short.settled]
    best = sorted(range(300), key=lambda k: (scores[k], k))[:BEST]
    latest = [k for k in range(300) if k not in best][-(100 - BEST) :]
    assert numbers == sorted([*best, *latest])
    assert all(score == scores[params["k"]] for params, score in short.settled)
    assert short.running == history.running
    assert history.shortened(300) is history
    assert history.shortened(0) is history


def test_tpe_takes_the_same_trials_for_good_in_a_short_history():
    from optuna.samplers._tpe.sampler import default_gamma

    assert max(map(default_gamma, range(10_000))) == BEST
    assert default_gamma(250) == BEST


def test_a_shortened_history_changes_proposals_beyond_its_length_alone():
    whole, short = small_study("search.history=0"), small_study("search.history=100")
    chance = random.Random(3)
    records = {k: record(k, some_params(whole, chance.randint(0, 8)), chance.random()) for k in range(180)}
    width = whole.search.width
    for number in (50, 99 + width, 100 + width, 150, 180):
        same = proposal(whole, records, number) == proposal(short, records, number)
        assert same == (number - width < 100), number


def test_the_history_of_proposals_may_be_kept():
    study = small_study("search.in_turn=cell")
    records = {}
    histories = histories_of(study)
    for number in range(40):
        params, _ = proposal(study, records, number, histories)
        assert proposal(study, records, number)[0] == params
        records[number] = record(number, params, 0.1 + number % 5 / 10)


def test_a_history_is_long_enough_or_whole():
    with pytest.raises(ValidationError, match="must be 0, for all trials, or at least 100"):
        SearchConfig(history=99)


def test_a_stored_study_keeps_the_history_that_it_began_with():
    new, named = SearchConfig(), SearchConfig(history=700)
    assert with_recorded_history(new, {"width": 16}).history == 0  # of a version without the setting
    assert with_recorded_history(new, {"history": 300}).history == 300
    assert with_recorded_history(named, {"history": 300}).history == 700
    assert differences({"search": {"width": 9}}, {"search": {"width": 9, "history": 0}}) == []
    assert differences({"search": {"width": 9}}, {"search": {"width": 9, "history": 700}}) == [
        "search.history: 0 in the results, 700 now"
    ]
