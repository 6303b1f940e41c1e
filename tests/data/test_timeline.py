"""Times that continue: every kind of step, ends of months, changes of clocks, numbers."""

import numpy as np
import pandas as pd
import pytest

from sweep.config.errors import DataError
from sweep.data.readers.table import Table
from sweep.data.readers.times.grid import grid_of
from sweep.data.readers.times.time_column import read_time_column
from sweep.data.readers.times.timeline import GridTimeline

STEPS = (
    "33ms",
    "7s",
    "15min",
    "90min",
    "6h",
    "D",
    "W",
    "B",
    "MS",
    "ME",
    "BME",
    "BMS",
    "2MS",
    "QS",
    "QE",
    "YS",
    "YE",
)
BERLIN = "Europe/Berlin"


def timeline(cells, time_zone: str = "") -> GridTimeline:
    table = Table("my.csv", pd.DataFrame({"t": pd.Series(cells)}), np.arange(2, len(cells) + 2))
    times = read_time_column(table, "t", "", time_zone)
    return GridTimeline(grid_of("my.csv", times, np.arange(len(cells)), table.place, time_zone))


@pytest.mark.parametrize("frequency", STEPS)
def test_every_step_continues_as_pandas_continues_it(frequency):
    whole = pd.date_range("2000-01-31", periods=90, freq=frequency)
    times = timeline(whole[:40]).at(39, np.arange(-39, 51))
    assert len(times.shown) == 90 and (times.shown == whole).all()
    np.testing.assert_array_equal(times.local, whole.to_numpy().astype("datetime64[ns]"))
    np.testing.assert_array_equal(times.keys, times.local)


def test_the_30th_stays_the_30th_after_february():
    days = ["2023-10-30", "2023-11-30", "2023-12-30", "2024-01-30", "2024-02-29"]
    shown = timeline(days).at(4, np.arange(1, 3)).shown
    assert [str(day)[:10] for day in shown] == ["2024-03-30", "2024-04-30"]


@pytest.mark.parametrize("start", ["2024-03-20", "2024-10-20"])
@pytest.mark.parametrize("frequency", ["h", "15min", "D"])
def test_clocks_change_in_a_zone(start, frequency):
    whole = pd.date_range(start, periods=1200, freq=frequency, tz=BERLIN)
    seen = 150 if frequency != "D" else 5
    times = timeline(whole[:seen].strftime("%Y-%m-%d %H:%M"), BERLIN).at(seen - 1, np.arange(1, 1201 - seen))
    assert str(times.shown.tz) == BERLIN and (times.shown == whole[seen:]).all()
    np.testing.assert_array_equal(
        times.local, whole[seen:].tz_localize(None).to_numpy().astype("datetime64[ns]")
    )
    assert frequency == "D" or (np.diff(times.keys) == np.diff(times.keys)[0]).all()  # even in UTC


def test_a_zone_that_was_guessed_continues():
    whole = pd.date_range(
        "2024-10-01", periods=5000, freq="h", tz=BERLIN
    )  # the guess needs a change in the data
    one = timeline(whole[:900].strftime("%Y-%m-%d %H:%M"))
    assert one.grid.zone == BERLIN
    assert (one.at(899, np.arange(1, 4101)).shown == whole[900:]).all()  # across the change in March


def test_without_a_zone_the_clock_runs_on():
    whole = pd.date_range("2024-03-30", periods=60, freq="h")
    assert (timeline(whole[:20]).at(19, np.arange(1, 41)).shown == whole[20:]).all()


def test_the_distance_from_utc_stays_that_of_the_last_row():
    cells = [f"2024-03-30T{hour:02d}:00+01:00" for hour in range(20)]
    times = timeline(cells).at(19, np.arange(1, 7))
    assert str(times.local[-1])[:16] == "2024-03-31T01:00" and str(times.keys[-1])[:16] == "2024-03-31T00:00"


def test_a_day_whose_time_the_clock_skips_is_an_hour_later():
    times = timeline([f"2024-03-{day} 02:30" for day in (27, 28, 29, 30)], BERLIN).at(3, np.arange(1, 3))
    assert [str(time) for time in times.shown] == ["2024-03-31 03:00:00+02:00", "2024-04-01 02:30:00+02:00"]


@pytest.mark.parametrize(
    ("cells", "after"),
    [
        ([0, 5, 10, 20], [25, 30]),
        ([0.0, 0.1, 0.2, 0.3], [0.4, 0.5]),
        ([2020, 2021, 2022, 2023], [2024, 2025]),
    ],
)
def test_numbers_continue(cells, after):
    assert timeline(cells).at(3, np.arange(1, 3)).shown.tolist() == pytest.approx(after)


def test_rounded_times_continue_at_their_mean_step():
    third = [round(n * 1000 / 3) for n in range(31)]  # 0, 333, 667, 1000, ...
    assert timeline(third).at(30, np.array([30])).shown[0] == pytest.approx(20_000)


def test_a_single_row_takes_the_step_of_another_timeline():
    one, many = timeline(["2024-01-05"]), timeline(pd.bdate_range("2024-01-01", periods=9))
    with pytest.raises(DataError, match="a single row, whose step is unknown"):
        one.at(0, np.arange(1, 2))
    assert str(one.in_steps_of(many).at(0, np.array([1])).shown[0])[:10] == "2024-01-08"  # a Monday


def test_days_of_one_week_are_weekdays_where_the_others_are():
    week, many = (
        timeline(pd.bdate_range("2024-01-01", periods=5)),
        timeline(pd.bdate_range("2024-01-01", periods=9)),
    )
    assert str(week.at(4, np.array([1])).shown[0])[:10] == "2024-01-06"
    assert str(week.in_steps_of(many).at(4, np.array([1])).shown[0])[:10] == "2024-01-08"
    assert timeline(pd.date_range("2024-01-01", periods=9)).in_steps_of(many) is None
