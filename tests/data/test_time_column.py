"""Time columns: every way to write times is read to the same times, or refused; never to others."""

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.config.errors import DataError
from sweep.data.readers.table import Table
from sweep.data.readers.times.time_column import looks_like_times, read_time_column


def table(cells, **settings):
    return Table("my.csv", pd.DataFrame({"t": pd.Series(cells)}), np.arange(2, len(cells) + 2), **settings)


def read(cells, time_format="", time_zone="", **settings):
    return read_time_column(table(cells, **settings), "t", time_format, time_zone)


def key_of(column):
    """The format that the fact names, as the user would paste it."""
    (fact,) = column.facts
    return fact.key.removeprefix('time_format = "').removesuffix('"')


def dates(*texts):
    return np.array(texts, dtype="datetime64[ns]")


DAYS = [
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y%m%d",
]
DAYS += [
    "%d/%m/%y",
    "%m/%d/%y",
    "%d.%m.%y",
    "%y-%m-%d",
    "%d-%b-%Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d%b%Y",
]
DAYS += ["%d-%b-%y", "%d. %B %Y", "%a, %d %b %Y", "%A %d.%m.%Y", "%Y-%j", "%G-W%V-%u", "%Y %m %d", "%b %d %Y"]
MONTHS = ["%Y-%m", "%Y/%m", "%b-%y", "%b %Y", "%B %Y", "%m.%Y", "%m/%Y", "%m-%Y", "%YM%m", "%Y%m", "%Y-%b"]
CLOCKS = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y%m%dT%H%M%S", "%Y%m%d%H%M%S", "%d.%m.%Y %H:%M:%S"]
CLOCKS += [
    "%d/%m/%Y %I:%M:%S %p",
    "%m/%d/%Y %H:%M:%S.%f",
    "%d%b%Y:%H:%M:%S",
    "%d-%m-%y %H:%M:%S",
    "%b %d, %Y %I:%M:%S%p",
]
ZONED = ["%Y-%m-%d %H:%M:%S%z", "%Y-%m-%dT%H:%M:%S%z", "%d/%m/%Y %H:%M %z"]
LIKE_NUMBERS = ("%Y%m", "%m.%Y")  # a few months may be plain numbers


@pytest.mark.parametrize(
    ("format_", "step", "zone"),
    [
        *((one, "D", None) for one in DAYS),
        *((one, "MS", None) for one in MONTHS),
        *((one, "11h", None) for one in CLOCKS),
        *((one, "h", "Europe/Berlin") for one in ZONED),
    ],
)
def test_each_format(format_, step, zone):
    times = pd.date_range("2023-03-24", periods=60, freq=step, tz=zone)
    column = read(times.strftime(format_))
    assert column.kind == "dates"
    utc, local = (times.tz_convert("UTC").tz_localize(None) if zone else times), times.tz_localize(None)
    np.testing.assert_array_equal(column.values, utc.to_numpy().astype("datetime64[ns]"))
    np.testing.assert_array_equal(column.local, local.to_numpy().astype("datetime64[ns]"))
    assert column.values.dtype == column.local.dtype == "datetime64[ns]"
    assert column.utc == (zone is not None)
    assert looks_like_times(table(times.strftime(format_)), "t")
    again = read(times.strftime(format_), key_of(column))  # the named format settles it
    np.testing.assert_array_equal(again.values, column.values)
    np.testing.assert_array_equal(again.local, column.local)


@pytest.mark.parametrize(
    ("cells", "first", "second"),
    [
        (["2020Q1", "2020Q2"], "2020-01-01", "2020-04-01"),
        (["2021Q2", "2021Q3"], "2021-04-01", "2021-07-01"),  # not the 1 before the Q
        (["2020-Q3", "2020-Q4"], "2020-07-01", "2020-10-01"),
        (["Q4 2020", "Q1 2021"], "2020-10-01", "2021-01-01"),
        (["4Q2020", "1Q2021"], "2020-10-01", "2021-01-01"),
        (["2020-W05", "2020-W06"], "2020-01-27", "2020-02-03"),
        (["2020 W05", "2020 W06"], "2020-01-27", "2020-02-03"),  # as R writes it
        (["2020W05", "2020W06"], "2020-01-27", "2020-02-03"),
        (["2020-01-27/2020-02-02", "2020-02-03/2020-02-09"], "2020-01-27", "2020-02-03"),
        (["5 January 2020 1:30 pm", "6 January 2020 12:00 am"], "2020-01-05T13:30", "2020-01-06"),
        (
            ["2020-01-01 00:00:00", "2020-01-01 00:00:00.000000001"],
            "2020-01-01",
            "2020-01-01T00:00:00.000000001",
        ),
        (["2020-01-01", "2020-01-01 01:00"], "2020-01-01", "2020-01-01T01:00"),  # as R writes midnight
        (["31.01.2020", "31.01.2020 13:00"], "2020-01-31", "2020-01-31T13:00"),
        (["2020-01-01T24:00", "2020-01-02T01:00"], "2020-01-02", "2020-01-02T01:00"),
        (["2020013123", "2020020100"], "2020-01-31T23:00", "2020-02-01"),
        (["1/2/2020", "13/2/2020"], "2020-02-01", "2020-02-13"),
        (["1/2/2020", "2/13/2020"], "2020-01-02", "2020-02-13"),
    ],
)
def test_other_forms(cells, first, second):
    column = read(cells)
    np.testing.assert_array_equal(column.values, dates(first, second))
    if column.facts[0].key:
        np.testing.assert_array_equal(read(cells, key_of(column)).values, column.values)


STEPS = {"day": ["D", "2D", "B", "7D", "W", "MS", "ME", "QE", "YE", "BME"], "month": ["MS", "QS", "YS"]}
STEPS["clock"] = ["s", "7s", "min", "15min", "h", "6h", *STEPS["day"]]
WRITTEN = [
    *((one, step) for one in DAYS for step in STEPS["day"]),
    *((one, step) for one in MONTHS for step in STEPS["month"]),
    *((one, step) for one in CLOCKS for step in STEPS["clock"]),
]


@settings(derandomize=True, max_examples=300)
@given(
    st.sampled_from(WRITTEN),
    st.datetimes(datetime.datetime(1970, 1, 2), datetime.datetime(2020, 1, 1)),
    st.data(),
)
def test_written_times_are_read_back_or_refused(written, start, data):
    format_, step = written
    longest = 40 if step in STEPS["clock"][:6] or step in ("D", "2D", "B", "7D", "W") else 12
    length = data.draw(st.integers(1, longest))
    begin = start.replace(microsecond=0)
    if format_ not in CLOCKS:
        begin = begin.replace(hour=0, minute=0, second=0)
    times = pd.date_range(begin, periods=length, freq=step)
    try:
        column = read(times.strftime(format_))
    except DataError as error:
        assert "can be read in several ways" in str(error)
        assert f'data.time_format = "{format_}"' in str(error)
        column = read(times.strftime(format_), format_)
    if column.kind == "numbers":
        assert format_ in LIKE_NUMBERS
    else:
        np.testing.assert_array_equal(column.values, times.to_numpy().astype("datetime64[ns]"))


def test_most_of_them_are_read():
    """The test above could pass by refusing: two months of days are refused in no format."""
    times = pd.date_range("2021-03-01", periods=61)
    assert len(DAYS) == 26
    for format_ in DAYS:
        np.testing.assert_array_equal(
            read(times.strftime(format_)).values, times.to_numpy().astype("datetime64[ns]")
        )


def test_a_cell_of_other_width():
    """It is not among the cells by which the places of date and time of day are found."""
    times = pd.date_range("2020-02-01", periods=1000, freq="h")
    cells = times.strftime("%d.%m.%Y %H:%M").tolist()
    cells[3] = "1.2.2020 3:00"
    np.testing.assert_array_equal(read(cells).values, times.to_numpy().astype("datetime64[ns]"))


def test_day_first_if_only_that_fits():
    column = read(["12/01/2020", "13/01/2020"])
    assert column.facts[0].key == 'time_format = "%d/%m/%Y"' and not column.facts[0].guessed


def test_day_first_if_only_that_is_even():
    column = read([f"01/{month:02d}/2020" for month in range(1, 13)] + ["01/01/2021"])
    np.testing.assert_array_equal(column.values[[1, -1]], dates("2020-02-01", "2021-01-01"))
    assert column.facts[0].key == 'time_format = "%d/%m/%Y"' and column.facts[0].guessed


def test_month_first_if_only_that_is_even():
    column = read([f"{month:02d}/01/2020" for month in range(1, 13)] + ["01/01/2021"])
    np.testing.assert_array_equal(column.values[[1, -1]], dates("2020-02-01", "2021-01-01"))
    assert column.facts[0].key == 'time_format = "%m/%d/%Y"' and column.facts[0].guessed


def test_both_orders_are_named():
    with pytest.raises(
        DataError,
        match=r"^my.csv, column 't', line 2: '01/02/2020' can be read in several ways \(2 in all\): set "
        r'data.time_format = "%d/%m/%Y" or data.time_format = "%m/%d/%Y"$',
    ):
        read(["01/02/2020", "02/02/2020"])


def test_compact_dates_are_dates():
    times = pd.date_range("2020-01-01", periods=400)
    for cells in (times.strftime("%Y%m%d"), times.strftime("%Y%m%d").astype(int)):
        column = read(cells)
        np.testing.assert_array_equal(column.values, times.to_numpy().astype("datetime64[ns]"))
        assert not column.facts[0].guessed
    assert read(["20200101", "20200102", "20200103"]).facts[0].guessed


@pytest.mark.parametrize(
    "cells",
    [
        [20200101, 20200132, 20200163],  # not in the calendar
        [20200101, 20200201, 20200301, 20200402],  # neither even as dates
        [20210227, 20210228, 20210229],
        [17990101, 17990102, 17990103],  # too early
        [202001, 202002, 202003],  # a counter
        ["1.2020", "2.2020"],
        [44197, 44198],
        [1577836800, 1577836860],
    ],
)
def test_other_numbers_stay_numbers(cells):
    column = read(cells)
    assert column.kind == "numbers" and column.local is None
    np.testing.assert_array_equal(column.values, np.array([float(cell) for cell in cells]))
    assert not looks_like_times(table(cells), "t")


@pytest.mark.parametrize("text", [False, True])
def test_nanosecond_numbers_are_exact(text):
    numbers = 1577836800000000000 + 10_001 * np.arange(50)
    column = read([str(number) for number in numbers] if text else numbers)
    assert column.kind == "numbers" and column.values.dtype == np.int64
    assert column.values.tolist() == numbers.tolist()
    assert 'time_format = "ns"' in column.facts[0].text
    assert read(numbers, "ns").values.astype(np.int64).tolist() == numbers.tolist()


def test_whole_and_broken_numbers():
    assert read(["1.0", "2.0"]).values.dtype == np.int64
    assert read(["1.5", "2.0"]).values.tolist() == [1.5, 2.0]
    assert read(["1,5", "2,0"], decimal=",").values.tolist() == [1.5, 2.0]
    assert read(["1.000", "2.000,5"], decimal=",", thousands=".").values.tolist() == [1000.0, 2000.5]
    with pytest.raises(DataError, match="neither a number nor a date"):
        read(["1.5", "2.0"], decimal=",")
    assert read(["31.01.2020", "01.02.2020"], decimal=",", thousands=".").kind == "dates"


@pytest.mark.parametrize(
    ("unit", "number"), [("s", 1577836800), ("ms", 1577836800000), ("us", 1577836800 * 10**6)]
)
def test_numbers_since_1970(unit, number):
    column = read([number, number + 1], unit)
    assert column.kind == "dates" and column.utc
    step = np.timedelta64(1, unit)
    np.testing.assert_array_equal(column.values, dates("2020-01-01", np.datetime64("2020-01-01") + step))
    assert read(["1577836800.25"], "s").values == dates("2020-01-01T00:00:00.25")
    berlin = read([number], unit, "Europe/Berlin")
    assert berlin.local == dates("2020-01-01T01:00") and berlin.values == dates("2020-01-01")


@pytest.mark.parametrize(
    "cells",
    [
        pd.date_range("2020-01-31", periods=3),
        pd.date_range("2020-01-31", periods=3).as_unit("s"),
        [datetime.date(2020, 1, 31), datetime.date(2020, 2, 1), datetime.date(2020, 2, 2)],
        [datetime.datetime(2020, 1, 31), datetime.datetime(2020, 2, 1), datetime.datetime(2020, 2, 2)],
        pd.period_range("2020-01-31", periods=3),
        list(pd.period_range("2020-01-31", periods=3)),
        pd.Series(["2020-01-31", "2020-02-01", "2020-02-02"], dtype="category"),
        pd.Series(["2020-01-31", "2020-02-01", "2020-02-02"], dtype=object),
    ],
)
def test_typed_columns(cells):
    column = read(cells)
    np.testing.assert_array_equal(column.values, dates("2020-01-31", "2020-02-01", "2020-02-02"))
    assert not column.utc and looks_like_times(table(cells), "t")


@pytest.mark.parametrize("as_object", [False, True])
def test_typed_columns_with_a_zone(as_object):
    times = pd.Series(pd.date_range("2020-06-30 23:00", periods=2, freq="h", tz="Europe/Berlin"))
    column = read(list(times.dt.to_pydatetime()) if as_object else times)
    np.testing.assert_array_equal(column.values, dates("2020-06-30T21:00", "2020-06-30T22:00"))
    np.testing.assert_array_equal(column.local, dates("2020-06-30T23:00", "2020-07-01T00:00"))
    assert column.utc


def test_offsets_that_change():
    column = read(["2024-10-27T02:30+02:00", "2024-10-27T02:30+01:00", "2024-10-27T01:45Z"])
    np.testing.assert_array_equal(
        column.values, dates("2024-10-27T00:30", "2024-10-27T01:30", "2024-10-27T01:45")
    )
    np.testing.assert_array_equal(
        column.local, dates("2024-10-27T02:30", "2024-10-27T02:30", "2024-10-27T01:45")
    )
    named = read(["2024-10-27T00:30Z", "2024-10-27T01:30Z"], time_zone="Europe/Berlin")
    np.testing.assert_array_equal(named.local, dates("2024-10-27T02:30", "2024-10-27T02:30"))


@pytest.mark.parametrize(
    ("cells", "settings", "message"),
    [
        (
            ["2020-01-01", "", "2020-01-03"],
            {},
            r"^my.csv, column 't', line 3: the time is missing: fill it in",
        ),
        (["2020-01-01", None, "NA"], {}, r"line 3: the time is missing \(2 in all\)"),
        (["", ""], {}, "no cell holds a time"),
        (
            ["2020-01-01", "2020-02-30"],
            {},
            r"line 3: '2020-02-30' is not a time like '2020-01-01': .*data.time_format",
        ),
        (["2020-01-01", "2020-01-02", "total"], {}, r"line 4: 'total' is not a time like"),
        (["2020-01-01", "2020-01-02", "2020-03"], {}, r"line 4: '2020-03' is not a time like"),
        (
            ["31.01.2020", "01.02.2020", "1.2.20 1"],
            {},
            r"line 4: '1.2.20 1' is not .*now understood as %d.%m.%Y",
        ),
        (["x", "y"], {}, r"line 2: 'x' is neither a number nor a date in a known form.*data.time_format"),
        (["1500-01-01"], {}, "from 1678 to 2262"),
        (["2020-01-01T10:61", "2020-01-01T10:00"], {}, "line 2: '2020-01-01T10:61' is not a time"),
        (
            ["2020-01-01T00:00Z", "2020-01-02T00:00Z", "2020-01-03T00:00"],
            {},
            "line 4: .*has no offset from UTC",
        ),
        (["20-Jan", "21-Jan"], {}, "neither a number nor a date"),  # a day without a year
        (
            [datetime.date(2020, 1, 1), "2020-01-02"],
            {},
            "line 3: '2020-01-02' is not a date, unlike other cells",
        ),
        (
            ["2020-01-01"],
            {"time_format": "%d.%m.%Y"},
            r"'2020-01-01' is not a time by data.time_format = \"%d.%m.%Y\"",
        ),
        (["2020-01-01"], {"time_format": "%Q"}, "data.time_format: '%Q' is not a format of strptime"),
        (
            ["2020-01-01"],
            {"time_format": "iso"},
            "data.time_format: wanted directives of strptime.*got 'iso'",
        ),
        (["2020-01-01"], {"time_format": "s"}, "'2020-01-01' is not a number"),
        ([1e18], {"time_format": "s"}, "is outside of the years 1678 to 2262"),
        (
            ["1"],
            {"time_zone": "Europe/Berln"},
            "data.time_zone: no zone named 'Europe/Berln'. .*'Europe/Berlin'",
        ),
        (["1"], {"time_zone": "berlin"}, "Did you mean 'Europe/Berlin'"),
        (["1"], {"time_zone": "../x"}, "no zone named"),
    ],
)
def test_mistakes(cells, settings, message):
    with pytest.raises(DataError, match=message):
        read(cells, **settings)


def test_all_kinds_of_problems_at_once():
    cells = ["2020-01-01 10:00Z", "", "2020-01-03 10:00Z", "never", "2020-01-05 10:00"]
    with pytest.raises(DataError, match="3 problems") as caught:
        read(cells)
    for text, line in (("missing", 3), ("'never' is not a time", 5), ("no offset", 6)):
        assert any(text in one and f"line {line}:" in one for one in caught.value.problems), caught.value


@pytest.mark.parametrize(
    "cells", [["a", "b"], [1.5, 2.5], ["1.5", "7"], [True, False], [], ["", ""], ["S1", "2020"]]
)
def test_other_columns_do_not_look_like_times(cells):
    assert not looks_like_times(table(cells), "t")


def test_a_stray_cell_does_not_hide_times():
    assert looks_like_times(
        table([*pd.date_range("2020-01-01", periods=50).strftime("%d.%m.%Y"), "total"]), "t"
    )
