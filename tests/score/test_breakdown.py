"""Scores by series and by channel: by hand, consistent with the pooled score, and only where there is something."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.config.breakdown import breakdown_from_json
from sweep.data.types import Starts
from sweep.score import breakdown as module
from sweep.score.baselines.table import _timed
from sweep.score.breakdown import breakdown, breakdown_of
from sweep.score.metrics import rollout_error, valid_steps
from tests.support.made_data import data_of, starts_of


def starts_for(owner, channels=1, horizon=12, seed=0) -> Starts:
    values = np.cumsum(np.random.default_rng(seed).normal(size=(len(owner), 6 + horizon, channels)), axis=1)
    made = starts_of(values, 6, np.zeros(channels))
    return replace(made, owner=np.asarray(owner))


def test_by_hand():
    # the last value errs by 1, 1 from the first start and by 2, 2 from the second; the mean 0 by more
    whole = np.array([[[9.0], [10], [11], [11]], [[9.0], [10], [12], [12]], [[9.0], [10], [14], [14]]])
    starts = replace(starts_of(whole, 2, np.zeros(1)), owner=np.array([2, 0, 2]), scale=np.full((3, 1), 5.0))
    forecast = starts.truth + np.array([1.0, 2, 3])[:, None, None]
    scored = breakdown(forecast, starts, (0,), 1, rollout_error, ("y",), ("a", "b", "c"))
    assert scored is not None
    first, second = scored.by_series  # in the order of the recorded series; "b" holds no start
    assert (first.series, first.channel, first.starts) == ("a", None, 1)
    assert first.rollout_error == pytest.approx(2 / 5)
    assert (second.series, second.starts) == ("c", 2)
    assert second.rollout_error == pytest.approx((1 + 3) / 2 / 5)
    # the line through 9, 10 errs by 1 - 1 = 0 and 11 - 12 = 1, then 3 and 2: it beats the last value (1, 1, 4, 4)
    assert second.trivial_error == pytest.approx((0 + 1 + 3 + 2) / 4 / 5)
    assert second.trivial_skill == pytest.approx(1 - (4 / 10) / (6 / 20))
    # 3/5 reaches one half at once, 1/5 never: the median of 0 and 2 steps
    assert (first.valid_steps, second.valid_steps) == (2, 1)
    assert scored.by_channel == () and scored.by_series_and_channel == ()


@settings(max_examples=60, deadline=None)
@given(
    owner=st.lists(st.integers(0, 4), min_size=1, max_size=9),
    channels=st.integers(1, 3),
    size=st.floats(0.01, 3.0),
    seed=st.integers(0, 1000),
)
def test_means_over_series_and_channels_are_the_pooled_error(owner, channels, size, seed):
    starts, targets = starts_for(owner, channels, seed=seed), tuple(range(channels))
    forecast = starts.truth + size * np.random.default_rng(seed + 1).normal(size=starts.truth.shape)
    pooled = rollout_error(forecast, starts.truth, starts.scale, 3)
    names = tuple("xyz"[:channels])
    scored = breakdown(forecast, starts, targets, 3, rollout_error, names, tuple("abcde"))
    several = len(set(owner)) > 1
    if not several and channels == 1:
        assert scored is None
        return
    assert scored is not None
    assert len(scored.by_series) == (len(set(owner)) if several else 0)
    assert len(scored.by_channel) == (channels if channels > 1 else 0)
    assert len(scored.by_series_and_channel) == len(scored.by_series) * len(scored.by_channel)
    for rows in (scored.by_series, scored.by_channel, scored.by_series_and_channel):
        if rows:
            weights = [row.starts for row in rows]
            mean = np.average([row.rollout_error for row in rows], weights=weights)
            assert mean == pytest.approx(pooled, rel=1e-12)


def test_each_row_is_the_score_of_its_starts_and_channels_alone():
    starts = starts_for([0, 1, 1, 2], channels=3)
    forecast = starts.truth + np.random.default_rng(5).normal(size=starts.truth.shape)
    scored = breakdown(forecast, starts, (2, 0), 3, rollout_error, ("z", "x"), ("a", "b", "c"))
    assert scored is not None
    assert [row.channel for row in scored.by_channel] == ["z", "x"]  # the second channel is not scored
    for row in scored.rows:
        rows = [0, 1, 2, 3] if row.series is None else {"a": [0], "b": [1, 2], "c": [3]}[row.series]
        columns = [2, 0] if row.channel is None else [{"z": 2, "x": 0}[row.channel]]
        alone = [values[rows][..., columns] for values in (forecast, starts.truth, starts.scale)]
        assert row.starts == len(rows)
        assert row.rollout_error == pytest.approx(rollout_error(*alone, 3))
        assert row.valid_steps == np.median(valid_steps(*alone, 3))


def test_series_without_names_do_not_count():
    starts = starts_for([0, 1, 2])
    assert breakdown(starts.truth, starts, (0,), 3, rollout_error, ("y",)) is None
    assert (
        breakdown(starts.truth, starts, (0,), 3, rollout_error, ("y",), ("a", "b", "c")) is not None
    )  # control


def test_one_series_that_holds_starts_is_not_several():
    starts = starts_for([1, 1, 1])
    assert breakdown(starts.truth, starts, (0,), 3, rollout_error, ("y",), ("a", "b")) is None


def test_the_series_is_the_recorded_one_also_without_a_training_part():
    starts = replace(starts_for([0, 1]), series=np.array([-1, -1]))
    scored = breakdown(starts.truth, starts, (0,), 3, rollout_error, ("y",), ("a", "b"))
    assert scored is not None and [row.series for row in scored.by_series] == ["a", "b"]


def test_a_forecast_that_is_no_number_counts_in_its_series_alone():
    starts = starts_for([0, 1])
    forecast = starts.truth.copy()
    forecast[1] = np.nan
    scored = breakdown(forecast, starts, (0,), 3, rollout_error, ("y",), ("a", "b"))
    assert scored is not None
    assert [row.rollout_error for row in scored.by_series] == [0, 1]
    assert [row.valid_steps for row in scored.by_series] == [12, 0]


def test_there_is_no_skill_against_an_exact_trivial_forecast():
    values = np.random.default_rng(0).normal(size=(2, 18, 1))
    values[0] = 3.0  # constant: the last value is exact
    starts = replace(starts_of(values, 6, np.zeros(1)), owner=np.array([0, 1]))
    scored = breakdown(starts.truth + 0.1, starts, (0,), 3, rollout_error, ("y",), ("a", "b"))
    assert scored is not None
    exact, other = scored.by_series
    assert exact.trivial_skill is None and other.trivial_skill is not None
    marked = replace(starts_for([0, 1]), exact=np.array([[False], [True]]))  # right to rounding, and not 0
    scored = breakdown(marked.truth + 0.1, marked, (0,), 3, rollout_error, ("y",), ("a", "b"))
    assert scored is not None and scored.by_series[1].trivial_error > 1e-3
    assert [row.trivial_skill is None for row in scored.by_series] == [False, True]


def test_the_objective_is_the_studys():
    starts = starts_for([0, 0, 1])

    def share(forecast, truth, scale, block):
        return 0.25 * len(forecast)

    scored = breakdown(starts.truth, starts, (0,), 3, share, ("y",), ("a", "b"))
    assert scored is not None
    assert [row.rollout_error for row in scored.by_series] == [0.5, 0.25]
    assert [row.trivial_error for row in scored.by_series] == [0.5, 0.25]


def test_very_many_series_and_channels_are_scored_apart_only(monkeypatch):
    starts = starts_for([0, 1, 2], channels=2)
    arguments = (starts.truth, starts, (0, 1), 3, rollout_error, ("x", "y"), ("a", "b", "c"))
    monkeypatch.setattr(module, "CELLS_MOST", 5)
    module._groups.cache_clear()
    scored = breakdown(*arguments)
    monkeypatch.setattr(module, "CELLS_MOST", 6)
    module._groups.cache_clear()
    whole = breakdown(*arguments)
    assert scored is not None and whole is not None
    assert (len(scored.by_series), len(scored.by_channel), len(scored.by_series_and_channel)) == (3, 2, 0)
    assert len(whole.by_series_and_channel) == 6


def test_it_reads_names_targets_and_block_from_the_data():
    values = np.random.default_rng(0).normal(size=(4, 30, 3))
    data = data_of([np.random.default_rng(1).normal(size=(60, 3))], values, values, 10, targets=(0, 2))
    scored = breakdown_of(data, data.validation, data.validation.truth + 0.5)
    assert scored is not None and [row.channel for row in scored.by_channel] == ["a", "c"]
    error = rollout_error(
        data.validation.truth[..., :1] + 0.5, data.validation.truth[..., :1], data.validation.scale[:, :1], 1
    )
    assert scored.by_channel[0].rollout_error == pytest.approx(error)
    named = replace(data, targets=(0,), series_names=("p", "q", "r", "s"))
    by_series = breakdown_of(named, named.validation, named.validation.truth)
    assert by_series is not None and [row.series for row in by_series.by_series] == ["p", "q", "r", "s"]


def test_baselines_are_scored_so_too_and_stay_json():
    values = np.random.default_rng(0).normal(size=(4, 30, 2))
    data = data_of([np.random.default_rng(1).normal(size=(60, 2))], values, values, 10)
    entry = json.loads(json.dumps(_timed("persistence", data, data.validation), allow_nan=False))
    rows = breakdown_from_json(entry["breakdown"]).by_channel
    assert [row.channel for row in rows] == ["a", "b"]
    assert np.mean([row.rollout_error for row in rows]) == pytest.approx(entry["rollout_error"])
    alone = _timed("persistence", replace(data, targets=(0,)), data.validation)
    assert "breakdown" not in alone
