"""From the rows of a file to series: roles of columns, order, gaps; every mistake names file, column and line."""

import numpy as np
import pytest

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.config.sections import ScoreConfig
from sweep.data import load
from sweep.data.readers import READERS, read_file

GOOD = ["ds,y", "2024-01-01,1.5", "2024-01-02,2.5", "2024-01-03,4.0", "2024-01-04,3.0"]


@pytest.fixture
def read(tmp_path):
    def written(lines, name="my.csv", encoding="utf-8", **settings):
        text = lines if isinstance(lines, str) else "\n".join(lines) + "\n"
        (tmp_path / name).write_bytes(text.encode(encoding))
        return read_file(name, tmp_path, DataConfig(path=name, **settings))

    return written


def changed(line, text):
    """The good file with one line (counted from 1) replaced."""
    return [*GOOD[: line - 1], text, *GOOD[line:]]


def test_one_series_with_dates(read):
    recording = read(GOOD)
    assert recording.name == "my" and recording.channels == ("y",)
    (series,) = recording.series
    assert series.values[:, 0].tolist() == [1.5, 2.5, 4.0, 3.0]
    assert series.stamps.astype("datetime64[D]").astype(str).tolist() == [row[:10] for row in GOOD[1:]]
    assert series.place(2) == "line 4"


def test_wide_every_other_column_is_a_channel(read):
    recording = read(["b,ds,a", "1,5,-2", "2,6,-3", "5,7,-3e1"])
    assert recording.channels == ("b", "a")
    assert recording.series[0].values.tolist() == [[1, -2], [2, -3], [5, -30]]
    assert recording.series[0].stamps is None  # numbers count time, they are no dates


def test_wide_without_time(read):
    recording = read(["a,b", "1,7", "2,1", "9,3"])
    assert recording.channels == ("a", "b") and recording.series[0].stamps is None
    assert recording.span is None and recording.step == ""


def test_long_with_channels_in_the_order_of_the_file(read):
    recording = read(
        ["unique_id,ds,y,wind", "B,1,1,9", "B,2,2,8", "A,1,3,7", "A,2,4,6", "A,3,9,5"],
    )
    assert recording.channels == ("y", "wind")
    assert [one.label for one in recording.series] == ["my.csv, series 'B'", "my.csv, series 'A'"]
    assert recording.series[1].values.tolist() == [[3, 7], [4, 6], [9, 5]]
    assert recording.series[1].place(0) == "line 4"


def test_columns_by_other_names(read):
    recording = read(["station,when,t", "S,1,4", "S,2,6"], id_column="station", time_column="when")
    assert recording.channels == ("t",) and len(recording.series) == 1


def test_byte_order_mark_quotes_spaces_and_trailing_empty_lines(read):
    recording = read(["ds, y ", '"1"," 2.5 "', "2,3", "", ""], encoding="utf-8-sig")
    assert recording.channels == ("y",) and recording.series[0].values[:, 0].tolist() == [2.5, 3.0]


def test_quoted_line_breaks_do_not_shift_line_numbers(read):
    with pytest.raises(DataError, match=r"column 'y', line 4: wanted a number, got 'x'"):
        read('"ds\n",y\n1,2\n2,x\n')


@pytest.mark.parametrize(
    "stamps",
    [
        ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"],  # ends of months
        ["2023-12-15", "2024-01-15", "2024-02-15", "2024-03-15"],
        ["2023-01", "2023-02", "2023-03", "2023-04"],
        ["2020-01-01", "2021-01-01", "2022-01-01", "2023-01-01"],  # one of these years is longer
        ["2024-01-01T22:00", "2024-01-01T23:00", "2024-01-02", "2024-01-02T01:00"],
        [
            "2024-01-01T00:00+02:00",
            "2024-01-01T00:15+02:00",
            "2024-01-01T00:30+02:00",
            "2024-01-01T00:45+02:00",
        ],
        ["0.333", "0.667", "1.000", "1.333"],  # rounded numbers
        ["-3", "-2", "-1", "0"],
    ],
)
def test_even_steps(read, stamps):
    read(["ds,y", *(f"{stamp},{value}" for value, stamp in enumerate(stamps))])


MISTAKES = [
    ("", r"^my.csv: the file is empty"),
    (["ds,y"], r"^my.csv: no rows below the column names"),
    (["ds", "1", "2"], r"^my.csv: no column of numbers beside 'ds'"),
    (["ds,word", "1,a", "2,b"], r"^my.csv: no column of numbers beside 'ds'; text is in word"),
    (["ds,,y", "1,2,3", "2,7,3", "3,5,4"], r"^my.csv: a column without a name holds values"),
    (changed(4, "2024-01-03,high"), r"^my.csv, column 'y', line 4: wanted a number, got 'high'"),
    (changed(4, "2024-01-03,-inf"), r"^my.csv, column 'y', line 4: '-inf' is not a finite number"),
    (changed(4, ",4"), r"^my.csv, column 'ds', line 4: the time is missing"),
    (changed(4, "03/01/2024,4"), r"^my.csv, column 'ds', line 4: '03/01/2024' is not a time like"),
    (changed(4, "2024-01-02,4"), r"^my.csv, column 'ds', line 4: 2024-01-02 is also the time of line 3"),
    ([*GOOD, "2024-01-05T07:00,4"], r"^my.csv, column 'ds', line 6: irregular .*data.resample = \"1D\""),
    (
        ["ds,y", "1,1", "2,3", "3,2", "4.5,4"],
        r"^my.csv, column 'ds', line 5: irregular .*data.resample = \"1\"",
    ),
    (["unique_id,ds,y", "a,1,1", ",2,3"], r"^my.csv, column 'unique_id', line 3: the id is missing"),
    (
        ["unique_id,ds,y", "a,1,1", "a,2,3", "b,1,1", "b,1,3"],
        r"^my.csv, series 'b', column 'ds', line 5: 1 is also the time of line 4",
    ),
    (
        ["unique_id,ds,y", "a,1,1", "a,2,3", "b,1,1", "b,3,3"],
        r"^my.csv, series 'b': the step is 2, but that of my.csv, series 'a' is 1: set data.resample",
    ),
    (
        ["shop,place,ds,y", "s,p,1,1", "s,p,2,3", "t,q,1,1", "t,q,2,3"],
        r"^my.csv: several columns could hold the ids .*data.id_column = \"shop\" or data.id_column = \"place\"",
    ),
]


@pytest.mark.parametrize(("lines", "message"), MISTAKES)
def test_mistakes_name_file_column_and_line(read, lines, message):
    with pytest.raises(DataError, match=message) as caught:
        read(lines)
    assert "\n" not in str(caught.value)


def test_the_good_file_of_these_tests_is_good(read):
    assert len(MISTAKES) > 15
    read(GOOD)
    read([*GOOD, "2024-01-05,4"])


def test_several_mistakes_come_at_once(read):
    lines = ["ds,a,b", "1,1,2", "2,x,3", "3,2,inf", "4,5,6", "q,5,6"]
    with pytest.raises(DataError, match=r"^3 problems with the data:\n") as caught:
        read(lines)
    places = ["column 'a', line 3", "column 'b', line 4", "column 'ds', line 6"]
    assert [place in line for place, line in zip(places, caught.value.problems, strict=True)] == [True] * 3


def test_problems_of_many_series_are_counted(read):
    rows = [f"{name},{time},{row}" for name in "abcdefgh" for row, time in enumerate((1, 1, 2))]
    with pytest.raises(DataError, match=r"and 3 more problems$") as caught:
        read(["unique_id,ds,y", *rows])
    assert len(caught.value.problems) == 6


def facts(recording):
    return {fact.name: fact for fact in recording.facts}


def test_missing_values_and_missing_times_are_marked(read):
    recording = read([*GOOD[:2], "2024-01-02,", "2024-01-04,7", "2024-01-07,8", "2024-01-08,n/a"])
    (series,) = recording.series
    np.testing.assert_array_equal(series.values[:, 0], [1.5, np.nan, 7, 8, np.nan])
    assert series.steps.tolist() == [0, 1, 3, 6, 7]
    assert recording.step == "1 day" and recording.span == ("2024-01-01", "2024-01-08")


def test_newest_first_is_sorted_and_said(read):
    recording = read([GOOD[0], *GOOD[:0:-1]])
    assert recording.series[0].values[:, 0].tolist() == [1.5, 2.5, 4.0, 3.0]
    assert recording.series[0].lines.tolist() == [5, 4, 3, 2]
    assert facts(recording)["order of rows"].text == "newest first: sorted"
    assert "order of rows" not in facts(read(GOOD))


def test_ids_are_text_and_their_rows_may_be_mixed(read):
    recording = read(["unique_id,ds,y", "NA,1,1", "07,1,5", "NA,2,2", "07,2,6", "NA,3,1"])
    assert [one.name for one in recording.series] == ["NA", "07"]
    assert [one.values[:, 0].tolist() for one in recording.series] == [[1, 2, 1], [5, 6]]
    assert "mixed" in facts(recording)["order"].text


@pytest.mark.parametrize("name", ["when", "date", "x"])
def test_a_column_of_dates_is_the_time_whatever_its_name(read, name):
    recording = read([f"{name},y", *GOOD[1:]])
    assert recording.channels == ("y",) and recording.step == "1 day"
    assert facts(recording)["time"].key == f'time_column = "{name}"'


@pytest.mark.parametrize(
    ("header", "rows", "time"),
    [
        ("t,y", ["0.5,1", "1.0,3", "1.5,2"], "t"),  # by its name
        ("pos,y", ["5,1", "15,3", "25,2", "35,0"], "pos"),  # in even steps
        ("y,k", ["1,3", "3,2", "2,1"], "k"),  # falling
        (",y", ["3,1", "4,3", "6,2", "7,5"], ""),  # the index of a frame from which rows were dropped
    ],
)
def test_a_column_of_rising_numbers_is_the_time(read, header, rows, time):
    recording = read([header, *rows])
    assert recording.channels == ("y",)
    assert facts(recording)["time"].guessed and facts(recording)["time"].key == f'time_column = "{time}"'


def test_the_only_column_is_the_channel_even_if_it_rises_evenly(read):
    assert read(["k", "1", "2", "3", "4"]).channels == ("k",)
    assert read(["ds,k", "1,1", "2,2", "3,3"]).channels == ("k",)


def test_a_nameless_counter_is_left_out(read):
    recording = read([",y,z", "0,5,1", "1,7,9", "2,6,3"])
    assert recording.channels == ("y", "z") and "counts the rows" in facts(recording)["index"].text


def test_a_column_that_makes_the_times_unique_holds_the_ids(read):
    rows = [f"{time},{unit},{value}" for unit in (3, 7) for time, value in ((1, 5.5), (2, 6.5), (3, 5.0))]
    recording = read(["t,unit,y", *rows])
    assert [one.name for one in recording.series] == ["3", "7"] and recording.channels == ("y",)
    assert facts(recording)["ids"].guessed and facts(recording)["ids"].key == 'id_column = "unit"'
    # the control: the same column beside times that are unique is a channel
    rows = [f"{time},{unit},{time**2}" for time, unit in enumerate((3, 3, 3, 7, 7, 7))]
    assert read(["t,unit,y", *rows]).channels == ("unit", "y")


def test_text_beside_numbers_is_left_out_and_said(read):
    recording = read(["ds,y,quality", "1,4,ok", "2,5,ok", "3,3,bad"])
    assert recording.channels == ("y",)
    assert facts(recording)["left out"].text == "quality (text)" and facts(recording)["left out"].guessed


def test_a_column_that_is_named_as_an_input_is_no_part_of_a_time(read):
    rows = [f"2024-01-{day:02d},{hour},{day * hour % 7}" for day in (1, 2) for hour in range(24)]
    assert read(["date,hour,y", *rows]).step == "1 hour"  # the control
    with pytest.raises(DataError, match=r"is also the time of"):  # and not: no column 'hour' (data.known)
        read(["date,hour,y", *rows], known=("hour",))


def test_columns_to_forecast_can_be_named(read):
    lines = ["ds,a,b,c", "1,4,5,1", "2,5,6,2", "3,3,3,9"]
    assert read(lines).channels == ("a", "b", "c")
    assert facts(read(lines))["forecast"].guessed
    assert facts(read(lines))["forecast"].key == 'target = ["a"]'  # one line of [data], which can be pasted
    assert "forecast" not in facts(read(lines, target=("a",)))
    assert read(lines, channels=("c", "a")).channels == ("c", "a")
    with pytest.raises(DataError, match=r"no column 'd' \(data.channels\)\. Did you mean"):
        read(lines, channels=("d",))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"time_column": "when"}, r"^my.csv: no column 'when' \(data.time_column\)"),
        ({"id_column": "dss"}, r"^my.csv: no column 'dss' \(data.id_column\). Did you mean 'ds'\?"),
        ({"target": ("z",)}, r"^my.csv: no column 'z' \(data.target\)"),
    ],
)
def test_columns_that_are_not_there(read, settings, message):
    with pytest.raises(DataError, match=message):
        read(GOOD, **settings)


def test_the_suggested_resampling_works(read):
    times = np.cumsum(np.random.default_rng(0).exponential(10, 200)).round(2)
    lines = ["ds,y", *(f"{time},{np.sin(time / 50)}" for time in times)]
    with pytest.raises(DataError, match=r'irregular .*data.resample = "(\d+)"') as caught:
        read(lines)
    step = str(caught.value).split('data.resample = "')[1].split('"')[0]
    recording = read(lines, resample=step)
    values = recording.series[0].values[:, 0]
    assert recording.step == step and np.isfinite(values).mean() > 0.95 and len(values) > 100
    assert "resample" in " ".join(facts(recording))


def test_irregular_times_of_which_few_are_equal_are_resampled_too(read):
    times = np.cumsum(np.random.default_rng(0).exponential(10, 200)).round(1)
    times[50] = times[49]
    lines = ["ds,y", *(f"{time},{row % 7}" for row, time in enumerate(times))]  # no row is a copy
    with pytest.raises(DataError, match=r'irregular .*data.resample = "10"'):
        read(lines)
    assert read(lines, resample="10").step == "10"
    # the control: even times of which some are equal
    with pytest.raises(DataError, match=r"is also the time of"):
        read(["ds,y", "1,1", "2,3", "2,4", *(f"{time},1" for time in range(3, 40))])


def test_arrays_and_files_without_times_cannot_be_resampled(read, tmp_path):
    with pytest.raises(DataError, match=r"data.resample needs a column of times: set data.time_column"):
        read(["y", "1", "3", "2"], resample="2")


def test_files_that_are_not_there(tmp_path):
    (tmp_path / "waves.csv").write_text("ds,y\n1,2\n")
    for path, message in {
        "wave.csv": r"wave.csv: no such file in .*Did you mean 'waves.csv'\?",
        "no/where.csv": r"no/where.csv: no such file",
        "a.docx": r"unknown extension '.docx'. Known: .csv, .tsv, ",
    }.items():
        with pytest.raises(DataError, match=message):
            read_file(path, tmp_path, DataConfig(path=path))
    assert len(READERS) > 8


def test_absolute_and_relative_paths_give_the_same_data(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "noise.csv"
    path.write_text("y\n" + "\n".join(str(value) for value in rng.normal(size=300)) + "\n")
    score = ScoreConfig(warmup=10, horizon=20, starts=4)
    relative = load(DataConfig(path="noise.csv"), score, tmp_path)
    assert relative.name == "noise"
    assert relative.fingerprint == load(DataConfig(path=str(path)), score).fingerprint


HOURS = np.arange("2024-01-31T22", "2024-02-01T02", dtype="datetime64[h]")


@pytest.mark.parametrize(
    ("names", "cells"),
    [
        ("Date,Time,y", ["2024-01-31,22:00", "2024-01-31,23:00", "2024-02-01,00:00", "2024-02-01,01:00"]),
        ("Time,day,y", ["10:00 PM,31/1/2024", "11:00 PM,31/1/2024", "12:00 AM,1/2/2024", "1:00 AM,1/2/2024"]),
        ("Date,Hour,y", ["2024-01-31,22", "2024-01-31,23", "2024-02-01,00", "2024-02-01,01"]),
        ("day,HrMn,y", ["20240131,2200", "20240131,2300", "20240201,0000", "20240201,0100"]),
        ("day,time,y", ["2024-01-31,22.00", "2024-01-31,23.00", "2024-02-01,00.00", "2024-02-01,01.00"]),
        ("Date,Hour,y", ["20240131,22", "20240131,23", "20240201,0", "20240201,1"]),
        ("day,HE,y", ["2024-01-31,22", "2024-01-31,23", "2024-01-31,24", "2024-02-01,1"]),
        ("Year,Month,Day,hour,y", ["2024,1,31,22", "2024,1,31,23", "2024,2,1,0", "2024,2,1,1"]),
        ("yr,mon,dd,hr,min,y", ["2024,Jan,31,22,0", "2024,Jan,31,23,0", "2024,Feb,1,0,0", "2024,Feb,1,1,0"]),
    ],
)
def test_times_in_several_columns_are_joined(read, names, cells):
    recording = read([names, *(f"{cell},{row}" for row, cell in enumerate(cells))])
    (series,) = recording.series
    assert recording.channels == ("y",) and series.values[:, 0].tolist() == [0, 1, 2, 3]
    assert series.stamps.tolist() == HOURS.astype(series.stamps.dtype).tolist()
    fact = facts(recording)["joined times"]
    assert fact.guessed and all(name in fact.text for name in names.split(",")[:-1])
    key, value = fact.key.split(" = ")
    settled = read([names, *(f"{cell},{row}" for row, cell in enumerate(cells))], **{key: value.strip('"')})
    assert not facts(settled)["joined times"].guessed
    np.testing.assert_array_equal(settled.series[0].stamps, series.stamps)


def test_years_and_months_are_joined_and_other_columns_stay(read):
    recording = read(["year,month,y", "1999,11,5", "1999,12,6", "2000,1,8"])
    assert recording.step == "1 month" and recording.channels == ("y",)
    assert read(["year,y", "1999,5", "2000,6", "2001,8"]).step == "1"
    kept = read(["year,month,y", "1999,11,5", "1999,12,6", "2000,1,8"], channels=("month", "y"))
    assert kept.channels == ("month", "y") and "joined times" not in facts(kept)


def test_years_and_quarters_are_joined(read):
    recording = read(["quarter,year,y", "3,1999,5", "4,1999,6", "1,2000,8"])
    assert recording.step == "1 quarter" and recording.channels == ("y",)


def test_the_first_of_several_times_of_day_is_that_of_the_row(read):
    rows = [f"2024-01-{day:02d},{hour}:00,{hour + 12}:00,{day + hour}" for day in (1, 2) for hour in (0, 12)]
    recording = read(["day,from,to,y", *rows])
    assert len(recording.series) == 1 and recording.step == "12 hours"


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("", r"column 'Date', line 3: the time is missing: fill it in"),
        ("25:70", r"column 'Date', line 3: '2024-01-01 25:70' is not a time like '2024-01-01 00:00'"),
    ],
)
def test_a_time_of_day_that_is_wrong(read, cell, message):
    rows = [f"2024-01-{day:02d},{hour:02d}:00,{day + hour}" for day in (1, 2) for hour in range(24)]
    rows[1] = f"2024-01-01,{cell},5"
    with pytest.raises(DataError, match=message):
        read(["Date,Time,y", *rows])


def test_hours_in_an_unknown_form_are_no_ids(read):
    rows = [f"2024-01-{day:02d},{hour},{day + hour}" for day in range(1, 30) for hour in (100, 1300)]
    with pytest.raises(DataError, match=r"line 3: 2024-01-01 is also the time of line 2"):
        read(["Date,hour,y", *rows])


def test_a_time_by_its_name_that_is_not_understood_is_not_left_out(read):
    lines = ["time,y", "13:00:00,5", "13:00:02,6", "13:00:04,8"]
    with pytest.raises(DataError, match=r"column 'time': '13:00:00' is not a time in a known form: set"):
        read(lines)
    assert read(lines, time_column="time", time_format="%H:%M:%S").step == "2 seconds"
    assert read(lines, channels=("y",)).step == ""


def test_a_time_of_day_beside_dates_that_are_unique_is_not_joined(read):
    recording = read(["Date,sunrise,y", "2024-01-01,08:01,5", "2024-01-02,08:02,6", "2024-01-03,08:03,8"])
    assert recording.step == "1 day" and "joined times" not in facts(recording)


def test_hours_that_the_settings_name_as_ids_are_not_joined(read):
    rows = [f"2024-01-{day:02d},{hour}:00,{day + hour}" for day in range(1, 9) for hour in (8, 20)]
    assert len(read(["Date,Time,y", *rows]).series) == 1
    assert len(read(["Date,Time,y", *rows], id_column="Time").series) == 2


@pytest.mark.parametrize("names", ["unit,cycle,y,z", "engine,t_step,y,z", None])
def test_counters_that_restart_are_the_times_of_series(read, names):
    rows = [f"{unit},{n},{n * unit % 7 + 0.5},{n % 3}" for unit in (1, 2) for n in range(1, 40 + unit)]
    recording = read([*([names] if names else []), *rows])
    assert [one.name for one in recording.series] == ["1", "2"] and len(recording.channels) == 2
    assert [len(one.values) for one in recording.series] == [40, 41]
    assert facts(recording)["ids"].guessed and facts(recording)["time"].guessed
    settled = read([*([names] if names else []), *rows], id_column=names.split(",")[0] if names else "x0")
    assert settled.step == "1" and settled.channels == recording.channels


def test_months_of_years_without_names_are_not_series(read):
    rows = [
        f"{year} {month} {month * year % 7 + 0.5}" for year in range(1990, 2000) for month in range(1, 13)
    ]
    assert len(read(rows, name="my.txt").series) == 1
    hours = [f"{day} {hour} {hour * day % 7 + 0.5}" for day in range(1, 9) for hour in range(24)]
    assert len(read(hours, name="my.txt").series) == 1


def test_runs_one_after_the_other_are_series_by_their_name(read):
    rows = [f"{'ab'[n // 10]},{n},{n * n % 7}" for n in range(20)]
    assert [one.name for one in read(["run,time,y", *rows]).series] == ["a", "b"]
    assert len(read(["weather,time,y", *rows]).series) == 1


def test_copies_of_rows_are_left_out(read):
    rows = [*GOOD, GOOD[2], GOOD[3]]
    recording = read(rows)
    assert recording.series[0].values[:, 0].tolist() == [1.5, 2.5, 4.0, 3.0]
    assert "copies" in facts(recording) and "copies" not in facts(read(GOOD))
    with pytest.raises(DataError, match=r"2024-01-02 is also the time of line 3"):
        read([*GOOD, GOOD[2], GOOD[4], "2024-01-03,9"])


def test_empty_columns_are_left_out_as_such(read):
    recording = read(["ds,a,b,c", "1,5,,7", "2,6,NA,8", "3,8,,9"])
    assert recording.channels == ("a", "c") and facts(recording)["left out"].text == "b (empty)"


@pytest.mark.parametrize(
    "names", ["2024-01-01,2024-01-02,2024-01-03", "Jan,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec"]
)
def test_columns_that_are_times_are_refused(read, names):
    row = ",".join("5" for _ in names.split(","))
    with pytest.raises(DataError, match=r"are named as times: write the times in a column, one row for each"):
        read([f"place,{names}", f"A,{row}", f"B,{row}"])


@pytest.mark.parametrize(
    ("cell", "remedy"), [("$5.20", "without currency"), ("5.2%", "without percent signs")]
)
def test_the_only_column_with_signs_is_refused_by_what_to_do(read, cell, remedy):
    with pytest.raises(DataError, match=rf"column 'y', line 2: .*{remedy}; there is no column of numbers"):
        read(["ds,y", f"2024-01-01,{cell}", f"2024-01-02,{cell}"])
