"""The best trivial forecast of some starts, and the skill of an evaluation against it."""

from dataclasses import replace

import numpy as np
import pytest

from sweep.score.evaluation import scores
from sweep.score.metrics import rollout_error, valid_steps
from sweep.score.trivial import best_trivial
from tests.support.made_data import starts_of


def walks(count=8, steps=60, seed=0):
    walk = np.cumsum(np.random.default_rng(seed).normal(size=(count, 40 + steps)), axis=1)[..., None]
    return starts_of(walk, 40, np.zeros(1))


def test_by_hand():
    # from two starts the last value errs by 1, 1 and 3, 3: scale of one series sqrt(5), of each start 1 and 3
    starts = starts_of(np.array([[9.0, 10, 10], [9, 12, 12]])[..., None], 1, np.zeros(1))
    assert starts.scale[:, 0].tolist() == [1, 3]
    whole = replace(starts, scale=np.full((2, 1), 5.0))
    trivial = best_trivial(whole, (0,), None, rollout_error)
    # errors .2 and .6 of the last value, min(1, 2) and min(1, 2.4) of the mean
    assert (trivial.name, trivial.exact) == ("persistence", False)
    assert trivial.rollout_error == pytest.approx(0.4)
    assert trivial.noise == pytest.approx(0.2 / np.sqrt(2))
    assert trivial.valid_steps.tolist() == [2, 0]
    assert trivial.skill_of(0.1) == pytest.approx(0.75)
    assert trivial.skill_of(0.6) == pytest.approx(-0.5)


def test_every_evaluation_has_its_skill():
    starts = walks()
    truth, best = starts.truth, best_trivial(starts, (0,), None, rollout_error)
    held = np.repeat(starts.past[:, -1:], 60, axis=1)
    assert (
        best.name == "persistence" and 0.3 < best.rollout_error < 0.9
    )  # below 1, as errors grow with the step
    assert np.array_equal(best.valid_steps, valid_steps(held, truth, starts.scale, 3))
    assert scores(held, held, starts, (0,), None).trivial_skill == pytest.approx(0)
    assert scores(truth, held, starts, (0,), None).trivial_skill == 1
    half = scores((held + truth) / 2, held, starts, (0,), None)
    assert half.trivial_skill == pytest.approx(1 - half.rollout_error / best.rollout_error)
    lost = scores(np.full_like(truth, np.nan), held, starts, (0,), None)
    assert lost.trivial_skill == pytest.approx(1 - 1 / best.rollout_error) and lost.trivial_skill < 0


def test_only_the_targets_count():
    starts = walks()
    line = np.arange(100.0)[None, :, None] + np.zeros((8, 1, 1))
    whole = np.concatenate([np.concatenate([starts.past, starts.truth], axis=1), line], axis=2)
    both = starts_of(whole, 40, np.zeros(2))
    assert best_trivial(both, (1,), None, rollout_error).exact
    assert best_trivial(both, (0,), None, rollout_error).rollout_error == pytest.approx(
        best_trivial(starts, (0,), None, rollout_error).rollout_error
    )


def test_against_an_exact_forecast_there_is_no_skill():
    line = np.arange(100.0)[None, :, None] / 7 + np.zeros((4, 1, 1))
    starts = starts_of(line, 40, np.zeros(1))
    assert best_trivial(starts, (0,), None, rollout_error).name == "drift"
    assert scores(starts.truth + 1, starts.truth, starts, (0,), None).trivial_skill is None


def test_it_is_computed_once_for_the_same_starts():
    starts, calls = walks(), []

    def counted(*arguments):
        calls.append(1)
        return rollout_error(*arguments)

    first = best_trivial(starts, (0,), None, counted)
    asked = len(calls)
    assert best_trivial(starts, (0,), None, counted) is first and len(calls) == asked
    assert best_trivial(walks(seed=1), (0,), None, counted) is not first
