"""Samplers as pure functions of a history: contracts over the whole table, and what each one promises."""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest, qmc

from sweep.config.errors import SweepError
from sweep.config.ranges import IntUniform, LogUniform, OneMinusLog, Uniform, contains
from sweep.config.records import TrialRecord
from sweep.config.space import Axis, Space
from sweep.search import SAMPLERS, History, check_sampler
from sweep.search.proposals import proposal
from tests.support.attack import SPACE, chance, small_study

CONDITIONAL = small_study().space
NUMBERS = Space(
    tuple(
        Axis(name, ("training", name), span)
        for name, span in {
            "rate": LogUniform(1e-4, 1e-1),
            "share": Uniform(-1.0, 2.0),
            "momentum": OneMinusLog(0.0, 0.99),
            "size": IntUniform(3, 9),
        }.items()
    )
)


def spaces_of(name):
    return [space for space in (CONDITIONAL, NUMBERS) if SAMPLERS[name].refuses(space) is None]


def history_of(space, settled, running=3):
    """A history of random points, scored by chance, some of them as bad as can be."""
    draws = [SAMPLERS["random"].propose(space, History((), ()), 99, k) for k in range(settled + running)]
    scores = [1.0 if chance(k, "bad") < 0.2 else chance(k) for k in range(settled)]
    return History(tuple(zip(draws[:settled], scores, strict=True)), tuple(draws[settled:]))


CASES = [(name, k) for name in SAMPLERS for k in range(len(spaces_of(name)))]


def test_there_are_cases_and_every_sampler_has_one():
    assert {name for name, _ in CASES} == set(SAMPLERS) == {"tpe", "random", "qmc", "gp", "cmaes"}


@pytest.mark.parametrize(("name", "k"), CASES)
def test_the_same_history_gives_the_same_proposal(name, k):
    space = spaces_of(name)[k]
    propose = SAMPLERS[name].propose
    history = history_of(space, 14)
    wanted = [17, 3, 25]
    before = [propose(space, history, 7, number) for number in wanted]
    np.random.seed(1)
    torch.manual_seed(1)
    backwards = {number: propose(space, copy.deepcopy(history), 7, number) for number in reversed(wanted)}
    assert before == [backwards[number] for number in wanted]


@pytest.mark.parametrize(("name", "k"), CASES)
def test_number_and_seed_matter(name, k):
    space = spaces_of(name)[k]
    history = history_of(space, 14)
    drawn = [SAMPLERS[name].propose(space, history, seed, number) for seed in (0, 1) for number in (17, 18)]
    assert len({str(params) for params in drawn}) == 4


@pytest.mark.parametrize(("name", "k"), CASES)
def test_proposals_lie_in_the_space(name, k):
    space = spaces_of(name)[k]
    for number in range(12):
        params = SAMPLERS[name].propose(space, history_of(space, number, 2), 3, number)
        expected = {axis.name for axis in space.axes if axis.exists(params)}
        assert set(params) == expected
        assert all(contains(axis.span, params[axis.name]) for axis in space.axes if axis.name in params)


@pytest.mark.parametrize(("name", "k"), CASES)
def test_the_number_of_threads_changes_nothing(name, k):
    space = spaces_of(name)[k]
    history, proposals, before = history_of(space, 40), [], torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            proposals.append(SAMPLERS[name].propose(space, history, 5, 43))
    finally:
        torch.set_num_threads(before)
    assert proposals[0] == proposals[1]


@pytest.mark.parametrize("name", ["tpe", "gp"])
def test_it_learns(name):
    # points near a good one are proposed more often than by chance; random search is the control
    def distance(sampler, number):
        params = SAMPLERS[sampler].propose(NUMBERS, history, 0, number)
        return abs(math.log10(params["rate"]) + 3.0)

    draws = [SAMPLERS["random"].propose(NUMBERS, History((), ()), 99, k) for k in range(40)]
    scored = tuple((p, min(1.0, abs(math.log10(p["rate"]) + 3.0) / 3)) for p in draws)
    history = History(scored, ())
    numbers = range(40, 52 if name == "tpe" else 44)
    assert np.mean([distance(name, k) for k in numbers]) < 0.5
    assert np.mean([distance("random", k) for k in numbers]) > 0.5


@pytest.mark.parametrize("name", ["gp", "cmaes"])
def test_samplers_that_cannot_sample_a_space_give_the_reason(name):
    reason = {
        "gp": "exists only for some values of optimizer",
        "cmaes": "is a choice, and the sampler needs numbers",
    }[name]
    with pytest.raises(SweepError, match=f'{name}.*{reason}.*Use "tpe", "random" or "qmc"'):
        check_sampler(name, CONDITIONAL)
    check_sampler(name, NUMBERS)


def test_cmaes_needs_two_numbers():
    with pytest.raises(SweepError, match="at least two hyperparameters"):
        check_sampler("cmaes", Space(NUMBERS.axes[:1]))


def test_an_unknown_sampler_is_refused_with_the_nearest_name():
    with pytest.raises(SweepError, match="Did you mean 'tpe'"):
        small_study("search.sampler=tpee")


def test_momentum_is_log_uniform_in_its_distance_to_one():
    drawn = [SAMPLERS["tpe"].propose(NUMBERS, History((), ()), 0, k)["momentum"] for k in range(300)]
    assert all(0.0 <= m <= 0.99 for m in drawn)
    u = [math.log(1 - m) / math.log(0.01) for m in drawn]
    assert kstest(u, "uniform").pvalue > 0.01
    # control: momentum that is itself uniform fails the test
    assert (
        kstest([math.log(1 - 0.99 * k / 300) / math.log(0.01) for k in range(300)], "uniform").pvalue < 1e-6
    )


@given(st.floats(0, 0.98), st.floats(1e-3, 0.5), st.floats(0, 1))
@settings(max_examples=300)
def test_log1m_stays_inside_its_bounds_on_the_way_there_and_back(low, width, u):
    span = OneMinusLog(low, min(0.999, low + width))
    value = span.from_unit(u)
    distribution = span.distribution()
    assert distribution.low <= span.sampled(value) <= distribution.high
    back = span.value(span.sampled(value))
    assert span.low - 1e-12 <= back <= span.high + 1e-12


def qmc_points(number):
    space = Space(NUMBERS.axes[:2])
    drawn = [SAMPLERS["qmc"].propose(space, History((), ()), 0, k) for k in range(number)]
    return np.array([[axis.span.to_unit(params[axis.name]) for axis in space.axes] for params in drawn])


def test_qmc_fills_the_space_more_evenly_than_chance():
    points = qmc_points(64)
    by_chance = [qmc.discrepancy(np.random.default_rng(k).random((64, 2))) for k in range(20)]
    assert qmc.discrepancy(points) < 0.5 * min(by_chance)
    # control: chance does not pass for it
    assert qmc.discrepancy(np.random.default_rng(99).random((64, 2))) > 0.5 * min(by_chance)


def test_qmc_points_are_those_of_one_scrambled_sequence():
    points = qmc_points(16)
    assert len(np.unique((points * 16).astype(int)[:, 0])) == 16  # one in each of 16 slices: a net
    assert not np.allclose(points[0], 0.5)


# --- what a proposal may depend on --------------------------------------------------------------------


def record(number, score, params, state="complete"):
    return TrialRecord(number, state, params, {}, "sampled", rollout_error=score)


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc"])
def test_scores_within_the_width_do_not_matter(sampler):
    study = small_study(f"search.sampler={sampler}", "search.width=4")
    history = history_of(study.space, 20, 0)
    records = {k: record(k, score, params) for k, (params, score) in enumerate(history.settled)}
    number = 18
    proposed, origin = proposal(study, records, number)
    assert origin == "sampled"
    # trials 15, 16 and 17 count as running whatever became of them; 18 and 19 do not exist yet
    for k in (15, 16, 17):
        records[k] = record(k, None, records[k].params, "running")
    del records[18], records[19]
    assert proposal(study, records, number)[0] == proposed
    records[15] = record(15, None, records[15].params, "failed")
    assert proposal(study, records, number)[0] == proposed
    # control: the scores before those do matter, at least to the sampler that learns
    for k in range(15):
        records[k] = record(k, 1 - records[k].rollout_error, records[k].params)
    changed = proposal(study, records, number)[0] != proposed
    assert changed == (sampler == "tpe")


def test_parameters_read_from_json_are_the_same_history():
    study = small_study("search.width=4", "space.head=[[], [4], [8, 4]]")
    history = history_of(study.space, 20, 0)
    records = {k: record(k, score, params) for k, (params, score) in enumerate(history.settled)}
    proposed = proposal(study, records, 18)
    assert any(isinstance(value, tuple) for value in records[3].params.values())
    as_json = {
        k: record(
            k, r.rollout_error, {n: list(v) if isinstance(v, tuple) else v for n, v in r.params.items()}
        )
        for k, r in records.items()
    }
    assert proposal(study, as_json, 18) == proposed


def test_values_that_take_turns_have_searches_of_their_own():
    study = small_study("search.sampler=tpe", "search.width=2", "search.in_turn='cell'")
    cells = study.space.choice("cell").values
    records = {}
    for number in range(40):
        params, _ = proposal(study, records, number)
        assert params["cell"] == cells[number % len(cells)]
        assert all(contains(axis.span, params[axis.name]) for axis in study.space.axes if axis.exists(params))
        records[number] = record(number, (number * 7 % 40) / 40, params)
    number = 40
    proposed = proposal(study, records, number)[0]
    other = {k: r for k, r in records.items() if r.params["cell"] != proposed["cell"]}
    for k, r in other.items():  # what trials of the other values scored does not matter
        records[k] = record(k, 1 - r.rollout_error, r.params)
    assert proposal(study, records, number)[0] == proposed
    for k, r in records.items():  # control: what those of the same value scored does
        records[k] = record(k, 1 - r.rollout_error, r.params)
    assert proposal(study, records, number)[0] != proposed


def test_enqueued_trials_come_first_as_they_are():
    first = {"optimizer": "lbfgs", "lbfgs.lr": 0.5, "scheduler": "none", "cell": "gru"}
    study = small_study(document={**_small_document(), "enqueue": [first]})
    assert proposal(study, {}, 0) == (first, "enqueued")
    assert proposal(study, {0: record(0, 0.5, first)}, 1)[1] == "sampled"


def _small_document():
    from tests.support.attack import SMALL

    return {**SMALL, "space": SPACE}
