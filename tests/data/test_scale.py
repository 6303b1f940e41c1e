"""The scale of errors by hand for each of the three forecasts that may set it, and where the data are exact."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.data.scale import EXACT_SCALE, exact_warnings, scales_of
from sweep.data.trivial import TRIVIAL, trivial_forecasts
from sweep.score.baselines.table import BASELINES
from tests.support.made_data import data_of


def scales(past, truth, mean=0.0, std=1.0, owner=None):
    past, truth = (np.asarray(values, dtype=float)[..., None] for values in (past, truth))
    level = np.full((len(past), 1), 1.0)
    return scales_of(
        past, truth, mean * level, std * level, np.zeros(len(past), int) if owner is None else owner
    )


@pytest.mark.parametrize(
    ("past", "truth", "source", "scale"),
    [
        # mean 0 errs by 1, -1; the last value by 0, -2; the line with slope 1 by -1, -4
        ([0, 1], [1, -1], "mean", 1.0),
        # the last value errs by 1, -1; the mean by 11, 9; the line with slope 10 by -9, -21
        ([0, 10], [11, 9], "persistence", 1.0),
        # the line with slope 1 errs by 0, 1; the last value by 1, 3; the mean by 3, 5
        ([0, 1, 2], [3, 5], "drift", np.sqrt(0.5)),
    ],
)
def test_the_smallest_of_three_errors_sets_it(past, truth, source, scale):
    found = scales([past], [truth])
    assert found.source.tolist() == [[source]] and not found.exact.any()
    assert found.scale == pytest.approx(np.array([[scale]]))


def test_it_is_one_number_for_all_starts_of_a_series():
    # the last value errs by 1 and 3 from two starts of one series, by 2 from a start of another
    past, truth = [[9, 9], [9, 9], [9, 9]], [[10, 10], [12, 12], [11, 11]]
    found = scales(past, truth, owner=np.array([0, 0, 1]))
    assert found.scale[:, 0] == pytest.approx([np.sqrt(5), np.sqrt(5), 2])
    # by start, the smaller error would be 1 in the first
    assert scales(past[:1], truth[:1]).scale[0, 0] == pytest.approx(1)


def test_each_series_and_channel_has_its_own_forecast():
    past = np.array([[[0.0, 0.0], [1.0, 10.0]], [[0.0, 0.0], [10.0, 1.0]]])
    truth = np.array([[[1.0, 11.0], [-1.0, 9.0]], [[11.0, 1.0], [9.0, -1.0]]])
    found = scales_of(past, truth, np.zeros((2, 2)), np.ones((2, 2)), np.array([0, 1]))
    assert found.source.tolist() == [["mean", "persistence"], ["persistence", "mean"]]


def test_a_warmup_of_one_step_has_no_drift():
    assert set(trivial_forecasts(np.ones((1, 1, 1)), np.zeros((1, 1)), 3)) == {"mean", "persistence"}
    assert scales([[2]], [[3, 4]]).source.tolist() == [["persistence"]]


@pytest.mark.parametrize("name", TRIVIAL)
def test_the_baselines_are_these_forecasts(name):
    values = np.random.default_rng(0).normal(size=(3, 12, 1))
    data = data_of([values[0]], values, values, 5)
    starts = data.validation
    assert np.array_equal(
        BASELINES[name].forecast(data, starts, 7), trivial_forecasts(starts.past, starts.mean, 7)[name]
    )


LINES = {
    "ramp": 0.0002 * np.arange(300.0),
    "steep": 1e6 / 3 * np.arange(300.0) - 7,
    "at an offset": 1e9 + np.arange(300.0) / 7,
    "constant": np.full(300, 1 / 3),
}


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("warmup", [10, 200])
def test_lines_are_exact_and_their_scale_is_above_rounding(name, warmup):
    line, std = LINES[name], max(float(LINES[name].std()), 1.0)
    found = scales([line[:warmup]], [line[warmup:]], mean=float(line.mean()) + std, std=std)
    assert found.exact.all()
    assert found.scale[0, 0] >= EXACT_SCALE * std > 0
    forecast = trivial_forecasts(line[None, :warmup, None], np.zeros((1, 1)), 300 - warmup)
    error = np.abs(forecast[found.source[0, 0]][0, :, 0] - line[warmup:]).max()
    assert error <= found.scale[0, 0]


@pytest.mark.parametrize("offset", [0, 3e7, 1e9, 1e12])
def test_a_wave_is_not_exact_at_any_offset(offset):
    wave = np.sin(np.arange(300) * 2 * np.pi / 40)
    found = scales([offset + wave[:100]], [offset + wave[100:]], mean=offset, std=np.sqrt(0.5))
    assert not found.exact.any()
    assert found.scale[0, 0] == pytest.approx(np.sqrt(0.5), rel=1e-3)


@given(factor=st.floats(1e-9, 1e9), shift=st.floats(-1e3, 1e3), seed=st.integers(0, 99))
def test_it_follows_the_unit_and_ignores_the_origin(factor, shift, seed):
    walk = np.cumsum(np.random.default_rng(seed).normal(size=(2, 40)), axis=1)
    moved = factor * (walk + shift)
    one, other = (
        scales(walk[:, :20], walk[:, 20:]),
        scales(moved[:, :20], moved[:, 20:], factor * shift, factor),
    )
    assert other.scale == pytest.approx(factor * one.scale, rel=1e-6)
    assert np.array_equal(one.source, other.source)


def test_exact_channels_are_named_with_the_forecast_that_is_exact():
    rising = np.arange(30.0)[:, None]
    values = np.stack([rising, np.where(rising < 5, rising, 4.0)])
    values = np.concatenate([values, np.random.default_rng(0).normal(size=values.shape)], axis=2)
    starts = data_of([values[0]], values, values, 10).validation
    (text,) = exact_warnings("test", starts, ["a", "b"], (0, 1))
    assert text == (
        "test: channel 'a' is exact: the last value or the straight line through the past forecasts it to rounding, "
        "and nothing can beat that"
    )
    starts.exact[1, 0] = False
    (text,) = exact_warnings("test", starts, ["a", "b"], (0, 1))
    assert text.startswith(
        "test: channel 'a' is exact from 1 of 2 starts: the straight line through the past"
    )
    assert exact_warnings("test", starts, ["a", "b"], (1,)) == ()
