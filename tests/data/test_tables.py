"""CSV files: what is understood, and that every mistake names file, column and line."""

import numpy as np
import pytest

from sweep.config.errors import DataError
from sweep.config.sections import DataConfig, ScoreConfig
from sweep.data import load
from sweep.data.readers import READERS, Columns, read_file

GOOD = ["ds,y", "2024-01-01,1.5", "2024-01-02,2.5", "2024-01-03,4.0", "2024-01-04,3.0"]


@pytest.fixture
def read(tmp_path):
    def written(lines, columns=None, name="my.csv", encoding="utf-8"):
        text = lines if isinstance(lines, str) else "\n".join(lines) + "\n"
        (tmp_path / name).write_bytes(text.encode(encoding))
        return read_file(name, tmp_path, columns or Columns())

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


def test_long_with_channels_in_the_order_of_the_file(read):
    recording = read(
        ["unique_id,ds,y,wind", "B,1,1,9", "B,2,2,8", "A,1,3,7", "A,2,4,6", "A,3,9,5"],
    )
    assert recording.channels == ("y", "wind")
    assert [one.label for one in recording.series] == ["my.csv, series 'B'", "my.csv, series 'A'"]
    assert recording.series[1].values.tolist() == [[3, 7], [4, 6], [9, 5]]
    assert recording.series[1].place(0) == "line 4"


def test_columns_by_other_names(read):
    recording = read(["station,when,t", "S,1,4", "S,2,6"], Columns("station", "when"))
    assert recording.channels == ("t",) and len(recording.series) == 1


def test_byte_order_mark_quotes_spaces_and_trailing_empty_lines(read):
    recording = read(["ds, y ", '"1"," 2.5 "', "2,3", "", ""], encoding="utf-8-sig")
    assert recording.channels == ("y",) and recording.series[0].values[:, 0].tolist() == [2.5, 3.0]


def test_quoted_line_breaks_do_not_shift_line_numbers(read):
    with pytest.raises(DataError, match=r"column 'y', line 4: the value is missing"):
        read('"ds\n",y\n1,2\n2,\n', Columns(time="ds"))


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
    (["1,2", "3,4"], r"^my.csv, line 1: contains numbers instead of column names"),
    (["ds;y", "1;2"], r"^my.csv, line 1: columns are separated by semicolons"),
    (["ds\ty", "1\t2"], r"^my.csv, line 1: columns are separated by tabs"),
    (["ds,,y", "1,2,3"], r"^my.csv, line 1: column 2 has no name"),
    (["ds,y,y", "1,2,3"], r"^my.csv, line 1: two columns are named 'y'"),
    (["ds", "1", "2"], r"^my.csv: no column with values"),
    (changed(3, "2024-01-02,2.5,7"), r"^my.csv, line 3: wanted 2 cells, as in the first line, got 3"),
    (changed(3, "2024-01-02"), r"^my.csv, line 3: wanted 2 cells, .* got 1"),
    (changed(3, ""), r"^my.csv, line 3: empty: remove it"),
    (changed(3, '2024-01-02,"2.5'), r"^my.csv, line \d: not a CSV row"),
    (changed(3, "2024-01-02,"), r"^my.csv, column 'y', line 3: the value is missing \(1 in the column"),
    (changed(5, "2024-01-04,NaN"), r"^my.csv, column 'y', line 5: the value is missing"),
    (changed(4, "2024-01-03,high"), r"^my.csv, column 'y', line 4: wanted a number, got 'high'"),
    (changed(4, '2024-01-03,"3,5"'), r"^my.csv, column 'y', line 4: wanted a number, got '3,5'"),
    (changed(4, "2024-01-03,True"), r"^my.csv, column 'y', line 4: wanted a number, got 'True'"),
    (changed(4, "2024-01-03,-inf"), r"^my.csv, column 'y', line 4: '-inf' is not a finite number"),
    (changed(4, "2024-01-03,1e999"), r"^my.csv, column 'y', line 4: .*'1e999'"),
    (changed(4, ",4"), r"^my.csv, column 'ds', line 4: the time is missing"),
    (changed(4, "03/01/2024,4"), r"^my.csv, column 'ds', line 4: '03/01/2024' is neither a number nor"),
    (changed(4, "2024-02-30,4"), r"^my.csv, column 'ds', line 4: '2024-02-30' is neither"),
    (
        changed(4, "2024-01-02,4"),
        r"^my.csv, column 'ds', line 4: 2024-01-02 is also the time of the line before",
    ),
    (
        changed(4, "2024-01-01,4"),
        r"^my.csv, column 'ds', line 4: 2024-01-01 comes after the later 2024-01-02",
    ),
    ([*GOOD, "2024-01-07,4"], r"^my.csv, column 'ds', line 6: a gap: .* 2 missing at a step of 1 day: fill"),
    ([*GOOD, "2024-01-05T07:00,4"], r"^my.csv, column 'ds', line 6: irregular sampling"),
    (
        ["ds,y", "1,1", "2,3", "4,2", "3,4", "5,5", "6,5"],
        r"^my.csv, column 'ds', line 5: 3 comes after the later 4: sort the rows of a series by time; if",
    ),
    (
        ["ds,y", "2024-03-31T00:30,1", "2024-03-31T00:45,3", "2024-03-31T01:00,3", "2024-03-31T01:30,3"],
        r"line 5: a gap: .* 1 missing at a step of 15 minutes: fill",
    ),
    (
        ["ds,y", *(f"2024-03-31T0{hour}:00,{hour}" for hour in (1, 2, 3, 5))],
        r"line 5: a gap: .* 1 missing at a step of 1 hour: fill",
    ),
    (["ds,y", "1,1", "2,3", "3,2", "5,4"], r"^my.csv, column 'ds', line 5: a gap: 5 follows 3, 1 missing"),
    (["ds,y", "1,1", "2,3", "3,2", "4.5,4"], r"^my.csv, column 'ds', line 5: irregular sampling"),
    (
        ["ds,y", "2024-01,1", "2024-02,3", "2024-03,2", "2024-05,4"],
        r"^my.csv, column 'ds', line 5: a gap: 2024-05 follows 2024-03, 1 missing at a step of 1 month:",
    ),
    (
        ["ds,y", "2024-03-31T01:00+01:00,1", "2024-03-31T03:00+02:00,3"],
        r"^my.csv, column 'ds', line 3: the offset from UTC changes from \+01:00 to \+02:00",
    ),
    (
        ["ds,y", "2024-03-31T01:00Z,1", "2024-03-31T02:00,3"],
        r"^my.csv, column 'ds', line 3: the offset from UTC changes from Z to none",
    ),
    (
        ["unique_id,ds,y", "a,1,1", "a,2,3", "b,1,1", "b,2,3", "a,3,2"],
        r"^my.csv, column 'unique_id', line 6: more rows of 'a' follow those of 'b': sort",
    ),
    (["unique_id,ds,y", "a,1,1", ",2,3"], r"^my.csv, column 'unique_id', line 3: the id is missing"),
    (
        ["unique_id,ds,y", "a,1,1", "a,2,3", "b,1,1", "b,1,3"],
        r"^my.csv, series 'b', column 'ds', line 5: 1 is also the time of the line before",
    ),
    (
        ["unique_id,ds,y", "a,1,1", "a,2,3", "b,1,1", "b,3,3"],
        r"^my.csv, series 'b', column 'ds', line 4: the step is 2, but that of my.csv, series 'a' is 1: resample",
    ),
    (
        ["unique_id,ds,y", "a,1,1", "a,2,3", "b,2024-01-01,1", "b,2024-01-02,3"],
        r"series 'b', column 'ds', line 4: the step is 1 day, but that of my.csv, series 'a' is 1: ",
    ),
    (
        ["shop,ds,y", "s1,1,1", "s1,2,3", "s2,1,1", "s2,2,3"],
        r"column 'shop', line 2: wanted a number, got 's1'.*name the column of their ids in data.id_column",
    ),
    (
        ["t,y", "0.5,1", "1.0,3", "1.5,2"],
        r"^my.csv, column 't': changes by 0.5 in every row.*time_column = \"t\"",
    ),
    (["date,y", "2024-01-01,1", "2024-01-02,3"], r"^my.csv, column 'date', line 2: .*time_column = \"date\""),
]


@pytest.mark.parametrize(("lines", "message"), MISTAKES)
def test_mistakes_name_file_column_and_line(read, lines, message):
    with pytest.raises(DataError, match=message) as caught:
        read(lines)
    assert "\n" not in str(caught.value)


def test_the_good_file_of_these_tests_is_good(read):
    assert len(MISTAKES) > 30
    read(GOOD)
    read([*GOOD, "2024-01-05,4"])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (Columns(time="when"), r"^my.csv: no column 'when' \(data.time_column\)"),
        (Columns(series_id="dss"), r"^my.csv: no column 'dss' \(data.id_column\). Did you mean 'ds'\?"),
    ],
)
def test_columns_that_are_not_there(read, columns, message):
    with pytest.raises(DataError, match=message):
        read(GOOD, columns)


def test_other_encodings_are_refused(read):
    with pytest.raises(DataError, match=r"my.csv: not UTF-8 text"):
        read(["ds,höhe", "1,2"], encoding="latin-1")


def test_files_that_are_not_there(tmp_path):
    (tmp_path / "waves.csv").write_text("ds,y\n1,2\n")
    with pytest.raises(DataError, match=r"wave.csv: no such file in .*Did you mean 'waves.csv'\?"):
        read_file("wave.csv", tmp_path, Columns())
    with pytest.raises(DataError, match=r"no/where.csv: no such file"):
        read_file("no/where.csv", tmp_path, Columns())
    with pytest.raises(DataError, match=r"unknown extension '.parquet'. Known: .csv, .npy, .npz"):
        read_file("a.parquet", tmp_path, Columns())
    assert list(READERS) == [".csv", ".npy", ".npz"]


def test_absolute_and_relative_paths_give_the_same_data(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "noise.csv"
    path.write_text("y\n" + "\n".join(str(value) for value in rng.normal(size=300)) + "\n")
    score = ScoreConfig(warmup=10, horizon=20, starts=4)
    relative = load(DataConfig(path="noise.csv"), score, tmp_path)
    assert relative.name == "noise"
    assert relative.fingerprint == load(DataConfig(path=str(path)), score).fingerprint
