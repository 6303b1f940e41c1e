"""Resampling: the mean of the line between samples over each cell, against formulas and a slow twin."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.config.errors import DataError
from sweep.data.readers.table import Table
from sweep.data.readers.times.resample import resampled
from sweep.data.readers.times.steps import HOLE
from sweep.data.readers.times.time_column import read_time_column


def resample(cells, values, step, time_zone="", time_format="", rows=None):
    times = read_time_column(
        Table("my.csv", pd.DataFrame({"t": pd.Series(cells)})), "t", time_format, time_zone
    )
    values = np.asarray(values, dtype=float)
    values = values[:, None] if values.ndim == 1 else values
    rows = np.arange(len(cells)) if rows is None else np.asarray(rows)
    return resampled("my.csv", times, rows, values[rows], step, time_zone)


def slow_mean(times, values, low, high):
    """The mean of the line through the samples from low to high, in plain loops; NaN if it touches a hole."""
    total = 0.0
    for a, b, first, second in zip(times[:-1], times[1:], values[:-1], values[1:], strict=True):
        left, right = max(a, low), min(b, high)
        if right <= left:
            continue
        if b - a > HOLE * (high - low) * (1 + 1e-9):
            return np.nan
        at_left = first + (second - first) * (left - a) / (b - a)
        at_right = first + (second - first) * (right - a) / (b - a)
        total += (right - left) * (at_left + at_right) / 2
    return total / (high - low)


def test_mean_of_a_sine():
    """A dense sine: its mean over a cell of width h is the sine times sin(wh/2) / (wh/2)."""
    times = np.sort(np.random.default_rng(0).uniform(0, 100, 200_000))
    w, h = 0.9, 2.0
    grid, values = resample(times, np.sin(w * times), "2")
    middle = times[0] + h * np.round((np.array([float(grid.first)]) - times[0]) / h) + h * grid.position
    np.testing.assert_allclose(values[:, 0], np.sin(w * middle) * np.sin(w * h / 2) / (w * h / 2), atol=1e-4)
    assert np.abs(values[:, 0] - np.sin(w * middle)).max() > 0.1  # samples at the middles would alias
    assert grid.step.text == "2" and grid.position.tolist() == list(range(len(values)))


@settings(derandomize=True, max_examples=60)
@given(st.integers(0, 10_000), st.integers(3, 60), st.sampled_from([0.05, 0.3, 1.0, 2.5]))
def test_against_plain_loops(seed, length, spacing):
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.exponential(spacing, length) * rng.choice([1, 1, 1, 20], length))
    times = np.concatenate([[0.0], times, times[-1] + 15 + np.arange(5)])  # so that there is a cell
    values = rng.standard_normal(len(times)) + 50
    grid, means = resample(times, values, "1")
    expected = [slow_mean(times, values, k - 0.5, k + 0.5) for k in range(1, int(times[-1] + 0.5))]
    kept = np.flatnonzero(~np.isnan(expected))
    assert grid.position.tolist() == (kept - kept[0]).tolist()
    np.testing.assert_allclose(means[:, 0], np.array(expected)[kept], rtol=1e-10)


def test_a_line_stays_a_line():
    times = np.sort(np.random.default_rng(1).uniform(0, 1000, 300))
    grid, values = resample(times, 3 * times + 1e9, "5")
    middle = times[0] + 5 * (1 + np.arange(len(values)))
    np.testing.assert_allclose(values[:, 0], 3 * middle + 1e9, rtol=1e-14)
    assert abs(times[grid.order] - middle).max() < 10  # the nearest rows


def test_sparse_samples_give_each_cell_a_value():
    grid, values = resample([0.0, 7.0, 10.0, 20.0], [0.0, 7.0, 10.0, 20.0], "1")
    np.testing.assert_allclose(values[:, 0], np.arange(1, 20))
    assert grid.order[[0, 5, 18]].tolist() == [0, 1, 3]


def test_holes_are_left_out():
    times = np.array([*range(10), *range(30, 40)], dtype=float)
    grid, values = resample(times, times, "1")
    # the cell around 9 reaches to 9.5, into the hole
    assert (grid.position + 1).tolist() == [*range(1, 9), *range(31, 39)]
    np.testing.assert_allclose(values[:, 0], grid.position + 1)
    assert "left out in holes" in grid.facts[0].text and 'resample = "1"' in grid.facts[0].key
    narrow, _ = resample([*range(10), 19, 20, 21], np.arange(13), "1")  # 10 steps are no hole
    assert narrow.position.tolist() == list(range(20))


def test_missing_samples_of_one_channel():
    times = np.arange(40.0)
    values = np.stack([times, 2 * times], axis=1)
    values[5, 0] = np.nan  # bridged
    values[10:30, 1] = np.nan  # a hole
    values[20, 0] = np.nan
    grid, means = resample(times, values, "1")
    assert grid.position.tolist() == list(range(38))
    np.testing.assert_allclose(means[:, 0], np.arange(1, 39))
    assert np.flatnonzero(np.isnan(means[:, 1])).tolist() == list(
        range(8, 30)
    )  # the first and the last cell touch it
    assert np.nanmax(np.abs(means[:, 1] - 2 * np.arange(1, 39))) < 1e-9


def test_a_channel_that_begins_later():
    values = np.stack([np.arange(20.0), np.arange(20.0)], axis=1)
    values[:5, 1] = np.nan
    values[18:, 1] = np.nan
    _, means = resample(np.arange(20.0), values, "1")
    assert np.flatnonzero(np.isnan(means[:, 1])).tolist() == [0, 1, 2, 3, 4, 16, 17]


def test_equal_times_are_averaged():
    _, values = resample([0, 1, 1, 2, 3], [5.0, 4.0, 6.0, 5.0, 5.0], "1")
    np.testing.assert_allclose(values[:, 0], [5, 5])


def test_rows_in_any_order():
    times = np.cumsum(np.random.default_rng(3).exponential(1, 100))
    one = resample(times, np.sin(times), "1")
    order = np.random.default_rng(4).permutation(100)
    other = resample(times[order], np.sin(times)[order], "1")
    np.testing.assert_array_equal(one[1], other[1])
    np.testing.assert_array_equal(one[0].order, order[other[0].order])


def test_rows_of_one_series():
    times = np.repeat(np.arange(20.0), 2)
    values = np.where(np.arange(40) % 2, 7.0, times)
    grid, means = resample(times, values, "2", rows=np.arange(0, 40, 2))
    np.testing.assert_allclose(means[:, 0], 2 * np.arange(1, 10))
    assert set(grid.order % 2) == {0}


def test_dates_are_aligned_to_whole_steps_since_midnight():
    times = pd.date_range("2020-01-01 10:07:03", periods=200, freq="7s")
    grid, values = resample(times, np.arange(200) * 7.0, "1min")
    assert grid.stamps[0] == np.datetime64("2020-01-01T10:08") and grid.first == "2020-01-01 10:08:00"
    assert values[0, 0] == pytest.approx(57) and grid.step.text == "1 minute"
    assert (np.diff(grid.stamps) == np.timedelta64(60, "s")).all() and grid.stamps.dtype == "datetime64[ns]"
    odd, _ = resample(times, np.arange(200), "7min")  # does not divide a day: from the first time
    assert odd.stamps[0] == np.datetime64("2020-01-01T10:14:03")
    days, _ = resample(pd.date_range("2020-01-01 05:00", periods=100, freq="h"), np.arange(100), "1D")
    assert days.stamps[0] == np.datetime64("2020-01-02")


def test_a_change_of_clocks():
    times = pd.date_range("2024-10-26 20:00", periods=60, freq="10min", tz="UTC").tz_convert("Europe/Berlin")
    local, values = times.tz_localize(None), np.arange(60.0)
    berlin, offsets = "Europe/Berlin", times.strftime("%Y-%m-%dT%H:%M%z")
    for cells, heights, zone in (
        (local, values, berlin),
        (local[::-1], values[::-1], berlin),
        (offsets, values, ""),
    ):
        grid, means = resample(cells, heights, "1h", zone)
        np.testing.assert_allclose(means[:, 0], 6 * np.arange(1, 10))
        hours = pd.DatetimeIndex(grid.stamps).hour.tolist()
        assert hours == [23, 0, 1, 2, 2, 3, 4, 5, 6]
    with pytest.raises(DataError, match="does not exist in Europe/Berlin"):
        resample(
            ["2024-03-31 01:00", "2024-03-31 02:30", "2024-03-31 03:00"], [1, 2, 3], "1h", "Europe/Berlin"
        )


def test_nanosecond_numbers():
    times = 1577836800000000000 + np.array([0, 90, 210, 300, 400])
    grid, values = resample(times, times - times[0], "100")
    np.testing.assert_allclose(values[:, 0], [100, 200, 300])
    assert grid.step.number == 100 and grid.stamps is None


def test_the_fact_counts_rows():
    grid, _ = resample(np.arange(101) / 10, np.arange(101), "1")
    assert grid.facts[0].text == "101 rows to 9 at a step of 1"


@pytest.mark.parametrize(
    ("cells", "step", "message"),
    [
        ([0.0, 1.0, 2.0], "1s", "data.resample: got '1s', but the times in column 't' are numbers"),
        (
            ["2020-01-01", "2020-01-02"],
            "10",
            "data.resample: got '10', but the times in column 't' are dates",
        ),
        ([0.0, 1.0, 2.0], "often", "data.resample: wanted a step such as 10s"),
        (
            [0.0, 1.0, 2.0],
            "5",
            'data.resample = "5" gives 0 values from 3 rows between 0.0 and 2.0: set another step',
        ),
        ([0.0, 1.0, 2.0], "1e-9", r"gives \d+ values"),
        ([0.0, 100.0, 200.0], "1", "every sample is more than 10 steps from the next"),
    ],
)
def test_mistakes(cells, step, message):
    with pytest.raises(DataError, match=message):
        resample(cells, np.arange(len(cells)), step)
