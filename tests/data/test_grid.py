"""Grids of series: even times in every unit, gaps, changes of clocks, order of rows, and what is refused."""

import re
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.config.errors import DataError
from sweep.data.readers.table import Table
from sweep.data.readers.times.grid import grid_of
from sweep.data.readers.times.resample import resampled
from sweep.data.readers.times.steps import Step, parse_step, resample_text, whole_steps
from sweep.data.readers.times.time_column import read_time_column


def grid(cells, time_zone="", rows=None):
    table = Table("my.csv", pd.DataFrame({"t": pd.Series(cells)}), np.arange(2, len(cells) + 2))
    times = read_time_column(table, "t", "", time_zone)
    rows = np.arange(len(cells)) if rows is None else np.asarray(rows)
    return grid_of("my.csv", times, rows, table.place, time_zone)


def is_even(one, rows):
    """Whether the grid has all rows in this order, one step apart."""
    return one.position.tolist() == list(range(len(rows))) and one.order.tolist() == list(rows)


STEPS = [
    ("33ms", "0.033 seconds"),
    ("7s", "7 seconds"),
    ("15min", "15 minutes"),
    ("90min", "90 minutes"),
    ("6h", "6 hours"),
    ("D", "1 day"),
    ("W", "7 days"),
    ("B", "1 weekday"),
    ("MS", "1 month"),
    ("ME", "1 month"),
    ("BME", "1 month"),
    ("BMS", "1 month"),
    ("2MS", "2 months"),
    ("QS", "1 quarter"),
    ("QE", "1 quarter"),
    ("YS", "1 year"),
    ("YE", "1 year"),
]


@pytest.mark.parametrize(("frequency", "text"), STEPS)
def test_even_dates(frequency, text):
    times = pd.date_range("2000-01-31", periods=40, freq=frequency)
    one = grid(times)
    assert is_even(one, range(40)) and one.step.text == text
    assert [fact.name for fact in one.facts] == (["weekdays"] if frequency == "B" else [])
    assert (one.first, one.last) == (str(times[0]), str(times[-1]))
    np.testing.assert_array_equal(one.stamps, times.to_numpy().astype("datetime64[ns]"))
    # gaps of one and two
    holes = grid(times.delete([7, 20, 21]))
    assert holes.step.text == text
    assert holes.position.tolist() == [n for n in range(40) if n not in (7, 20, 21)]
    # newest first
    turned = grid(times[::-1])
    assert is_even(turned, range(39, -1, -1)) and turned.facts[0].text == "newest first: sorted"
    # out of order
    order = np.random.default_rng(0).permutation(40)
    mixed = grid(times[order])
    assert is_even(mixed, np.argsort(order)) and mixed.facts[0].text == "out of order: sorted by time"


@settings(derandomize=True, max_examples=80)
@given(
    st.sampled_from([frequency for frequency, _ in STEPS]),
    st.datetimes(pd.Timestamp("1970-01-02"), pd.Timestamp("2020-01-01")),
    st.integers(1, 30),
    st.integers(0, 99),
)
def test_even_dates_from_anywhere(frequency, start, length, seed):
    times = pd.date_range(pd.Timestamp(start).floor("s"), periods=length, freq=frequency)
    order = np.random.default_rng(seed).permutation(length)
    one = grid(times[order].strftime("%Y-%m-%d %H:%M:%S.%f"))
    assert is_even(one, np.argsort(order))
    np.testing.assert_array_equal(one.stamps, times.to_numpy().astype("datetime64[ns]"))


def test_the_same_day_of_each_month():
    assert grid(["2021-12-15", "2022-01-15", "2022-02-15"]).step.text == "1 month"
    assert grid(["2021-12-30", "2022-01-30", "2022-02-28", "2022-03-30"]).step.text == "1 month"
    with pytest.raises(DataError, match="irregular"):
        grid(["2021-12-15", "2022-01-16", "2022-02-13", "2022-03-20"])


def test_numbers():
    assert grid([5, 6, 8]).position.tolist() == [0, 1, 3]
    assert grid(["0.333", "0.667", "1.000", "1.333"]).step.text == "0.333"
    thirds = grid([f"{n / 3:.3f}" for n in (*range(30), *range(1000, 1030))])  # the rounding does not add up
    assert thirds.position[30] == 1000
    exact = grid(1577836800000000000 + 10_000 * np.array([0, 1, 2, 5]))
    assert exact.position.tolist() == [0, 1, 2, 5] and exact.step.text == "10000" and exact.stamps is None
    single = grid([7])
    assert single.step.text == "unknown" and single.position.tolist() == [0]
    assert grid([3_000_000, 4_500_000]).step.text == "1500000"


def test_nanoseconds_are_not_rounded():
    """In float64 these times would be 256 apart, or equal."""
    one = grid(1577836800000000000 + 100 * np.arange(40))
    assert is_even(one, range(40)) and one.step.number == 100
    with pytest.raises(DataError, match="irregular"):
        grid(1577836800000000000 + np.array([0, 100, 210, 300, 430, 500]))


def test_weekdays_with_holidays():
    days = pd.bdate_range("2020-01-01", "2021-12-31")
    closed = days.isin(pd.to_datetime(["2020-04-10", "2020-04-13", "2020-12-25", "2021-01-01"]))
    one = grid(days[~closed].strftime("%Y-%m-%d"))
    assert one.step == Step(1, "weekday") and one.facts[0].name == "weekdays"
    assert one.position.tolist() == np.flatnonzero(~closed).tolist()


def test_every_other_weekday_is_irregular():
    days = pd.bdate_range("2020-01-01", periods=60)
    with pytest.raises(DataError, match="irregular"):
        grid(days[days.day_of_week.isin([0, 2, 4])])


def test_one_saturday_makes_plain_days():
    days = pd.bdate_range("2020-01-01", periods=30).append(pd.DatetimeIndex(["2020-01-18"])).sort_values()
    one = grid(days)
    assert one.step.text == "1 day" and one.position.tolist() == (days - days[0]).days.tolist()


def test_a_week_of_days_may_be_weekdays():
    week, weekdays = (
        grid(pd.bdate_range("2020-01-06", periods=4)),
        grid(pd.bdate_range("2020-01-06", periods=9)),
    )
    days = grid(pd.date_range("2020-01-06", periods=9))
    zoned = grid(pd.date_range("2020-01-06", periods=4, tz="Europe/Berlin"))  # from Sunday in UTC
    assert not zoned.step.differs(weekdays.step)
    assert not week.step.differs(weekdays.step) and not weekdays.step.differs(week.step)
    assert not week.step.differs(days.step)
    assert days.step.differs(weekdays.step) and weekdays.step.differs(days.step)


def test_steps_that_differ():
    assert Step(10, "second").differs(Step(11, "second")) and Step(1, "month").differs(Step(1, "second"))
    assert not Step(1000, "").differs(Step(1005, "")) and not Step(None, "").differs(Step(7, ""))


ZONES = ["Europe/Berlin", "America/New_York", "Europe/London", "Australia/Sydney"]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("frequency", ["30min", "h", "3h", "6h"])
def test_a_year_of_clocks(zone, frequency):
    times = pd.date_range("2023-01-01", "2023-12-31", freq=frequency, tz=zone)
    local = times.tz_localize(None)
    rows = range(len(times))
    guessed = grid(local)
    (fact,) = guessed.facts
    assert is_even(guessed, rows) and fact.guessed and fact.key.startswith('time_zone = "')
    named = grid(local, fact.key.split('"')[1])
    assert is_even(named, rows) and named.facts == ()
    right = grid(local, zone)
    assert is_even(right, rows) and right.facts == () and right.step == guessed.step
    np.testing.assert_array_equal(right.stamps, local.to_numpy().astype("datetime64[ns]"))
    offsets = grid(times.strftime("%Y-%m-%dT%H:%M%z"))
    assert is_even(offsets, rows) and offsets.facts == ()
    np.testing.assert_array_equal(offsets.stamps, right.stamps)
    turned = grid(local[::-1])
    assert is_even(turned, rows[::-1]) and [one.name for one in turned.facts] == [
        "order of rows",
        "time zone",
    ]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_days_and_months_of_a_zone_follow_its_clock(zone):
    for frequency, text in (("D", "1 day"), ("MS", "1 month"), ("B", "1 weekday")):
        times = pd.date_range("2023-01-01", periods=400, freq=frequency, tz=zone)
        one = grid(times.strftime("%Y-%m-%dT%H:%M%z"))
        assert is_even(one, range(400)) and one.step.text == text


@pytest.mark.parametrize("start", ["2024-03-20 02:00", "2024-10-20 02:00"])
def test_one_change_of_clocks(start):
    local = pd.date_range(start, periods=400, freq="h", tz="Europe/Berlin").tz_localize(None)
    one = grid(local)
    assert (
        is_even(one, range(400))
        and one.facts[0].key == 'time_zone = "Europe/Berlin"'
        and one.facts[0].guessed
    )
    # a gap elsewhere remains one
    holes = grid(local.delete([20, 21]))
    assert holes.position[20] == 22 and holes.facts[0].name == "time zone" and holes.position[-1] == 399


def test_an_hour_missing_elsewhere_is_a_gap():
    times = pd.date_range("2024-03-20 02:00", periods=400, freq="h")
    for day in ("2024-03-31 05:00", "2024-03-30 02:00", "2024-03-24 02:00", "2024-03-29 14:00"):
        one = grid(times.drop(day))
        assert one.facts == () and np.diff(one.position).max() == 2


def test_summer_time_without_the_repeated_hour_has_a_gap():
    local = pd.date_range("2023-10-01", periods=1000, freq="h", tz="Europe/Berlin").tz_localize(None)
    once = local[~local.duplicated()]
    assert is_even(grid(once), range(999))  # nothing says that a zone is meant
    assert np.diff(grid(once, "Europe/Berlin").position).max() == 2
    year = pd.date_range("2023-01-01", periods=8000, freq="h", tz="Europe/Berlin").tz_localize(None)
    one = grid(year[~year.duplicated()])
    assert one.facts == () and np.diff(one.position).max() == 2  # in March


def test_a_series_that_begins_or_ends_in_the_repeated_hour():
    times = pd.date_range("2024-10-27 00:00", periods=30, freq="30min", tz="UTC")
    local = times.tz_convert("Europe/Berlin").tz_localize(None)
    assert is_even(grid(local, "Europe/Berlin"), range(30))
    assert is_even(grid(local[2:], "Europe/Berlin"), range(28))  # the second 2:00
    assert is_even(grid(local[:3], "Europe/Berlin"), range(3))


def test_rows_out_of_order_in_a_zone():
    local = pd.date_range("2024-10-20", periods=400, freq="h", tz="Europe/Berlin").tz_localize(None)
    order = np.argsort(np.arange(400) % 7, kind="stable")
    assert grid(local[order], "Europe/Berlin").position.tolist() == list(range(400))


def test_a_time_that_the_clock_skips():
    with pytest.raises(
        DataError, match=r"line 4: 2024-03-31 02:00.* does not exist in Europe/Berlin.*data.time_zone"
    ):
        grid(
            ["2024-03-31 00:00", "2024-03-31 01:00", "2024-03-31 02:00", "2024-03-31 03:00"], "Europe/Berlin"
        )


def test_equal_times():
    with pytest.raises(
        DataError,
        match=r"my.csv, column 't', line 4: 2020-01-02 is also the time of line 3 \(2 such rows\): keep one row "
        "for each time; if the file contains several series, name the column of their ids in data.id_column",
    ):
        grid(["2020-01-01", "2020-01-02", "2020-01-02", "2020-01-03", "2020-01-03"])
    with pytest.raises(DataError, match=r"line 5: 2 is also the time of line 4: keep one row for each time$"):
        grid([1, 1, 2, 2], rows=[0, 2, 3])  # one of several series
    with pytest.raises(DataError, match="also the time of"):
        grid(
            ["2024-10-27 02:00", "2024-10-27 02:00", "2024-10-27 02:00", "2024-10-27 03:00"], "Europe/Berlin"
        )


def test_rows_of_one_of_several_series():
    one = grid([1, 10, 3, 20, 2, 30], rows=[1, 3, 5])
    assert one.order.tolist() == [1, 3, 5] and one.step.number == 10 and (one.first, one.last) == ("10", "30")


@pytest.mark.parametrize("dates", [True, False])
@pytest.mark.parametrize("spacing", [3e-5, 0.004, 0.7, 10.0, 333.0, 7_000.0, 90_000.0, 9e6])
def test_irregular_times_name_a_step_that_works(spacing, dates):
    seconds = np.cumsum(np.random.default_rng(0).exponential(spacing, 300))
    cells = pd.Timestamp("2020-01-01") + pd.to_timedelta(seconds, unit="s") if dates else seconds
    with pytest.raises(DataError, match=r'line 3: irregular times: .* set data.resample = "') as caught:
        grid(cells)
    step = re.search(r'data.resample = "(.*?)"', str(caught.value))[1]
    assert 0.4 < parse_step(step) / spacing < 2.5
    table = Table("my.csv", pd.DataFrame({"t": pd.Series(cells)}))
    times = read_time_column(table, "t")
    new, values = resampled("my.csv", times, np.arange(300), seconds[:, None], step)
    assert len(new.position) == len(values) > 100
    assert new.position[-1] * parse_step(step) == pytest.approx(seconds[-1] - seconds[0], rel=0.05)


def test_a_gap_between_steps_is_irregular():
    with pytest.raises(DataError, match=r"line 13: irregular times: 14.5 follows 10.0"):
        grid([float(n) for n in range(11)] + [14.5, 15.5])


def test_small_deviations_are_rounding():
    times = np.arange(50) * 10 + np.random.default_rng(0).uniform(-0.04, 0.04, 50)
    assert is_even(grid(times), range(50))
    with pytest.raises(DataError, match="irregular"):
        grid(np.arange(50) * 10 + np.random.default_rng(0).uniform(-0.4, 0.4, 50))


@pytest.mark.parametrize(
    ("text", "value"),
    [("10s", 10), ("15min", 900), ("0.5h", 1800), ("1D", 86400), ("5ms", 0.005), ("0.5", 0.5), ("h", 3600)],
)
def test_parse_step(text, value):
    assert parse_step(text) == value


@pytest.mark.parametrize("text", ["", "fast", "0s", "-5s", "10 parsecs", "1M", "nan", "1e999s"])
def test_parse_step_refuses(text):
    with pytest.raises(ValueError, match="wanted a step such as 10s"):
        parse_step(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(8, "10s"), (14, "15s"), (47, "1min"), (100, "2min"), (5000, "1h"), (70_000, "1D"), (0.3, "200ms")],
)
def test_usual_steps(seconds, text):
    times = (np.arange(20) * seconds * 1e9).astype(np.int64)
    assert resample_text(times, dates=True) == text
    times[10:] += 10**15  # a hole does not count
    assert resample_text(times, dates=True) == text


def test_whole_steps_against_plain_loops():
    rng = np.random.default_rng(0)
    for _ in range(200):
        position = np.cumsum(rng.choice([1, 1, 1, 1, 1, 1, 1, 2, 5], 40))
        times = 1000 + 7 * position
        even = whole_steps(times)
        expected, usual = [0], np.median(np.diff(times))
        for before, after in pairwise(times):
            expected.append(expected[-1] + round((after - before) / usual))
        assert even is not None and even[0].tolist() == expected and even[1] == 7
