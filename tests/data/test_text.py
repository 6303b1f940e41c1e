"""Text tables: what is read, what is refused, and that nothing written by pandas is read wrongly."""

import gzip

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.data.readers.numbers import numbers
from sweep.data.readers.text import read_text

GOOD = ["ds,y", "2024-01-01,1.5", "2024-01-02,2.5", "2024-01-03,4.0", "2024-01-04,3.0"]


@pytest.fixture
def read(tmp_path):
    def table_of(lines, name="my.csv", encoding="utf-8", **keys):
        text = lines if isinstance(lines, str | bytes) else "\n".join(lines) + "\n"
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return read_text(tmp_path / name, DataConfig(path=name, **keys))

    return table_of


def facts(table):
    return {fact.name: (fact.text, fact.key, fact.guessed) for fact in table.facts}


def test_a_plain_file_has_no_facts(read):
    table = read(GOOD)
    assert table.name == "my.csv" and table.facts == () and (table.decimal, table.thousands) == (".", "")
    assert list(table.frame.columns) == ["ds", "y"] and list(table.frame.index) == [0, 1, 2, 3]
    assert table.frame["y"].tolist() == ["1.5", "2.5", "4.0", "3.0"] and table.frame.dtypes.eq(object).all()
    assert table.lines.tolist() == [2, 3, 4, 5]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\x1a"])
def test_line_ends(read, end):
    table = read(end.join(GOOD).replace("\x1a", "", len(GOOD) - 1))
    assert table.frame["y"].tolist() == ["1.5", "2.5", "4.0", "3.0"] and table.lines.tolist() == [2, 3, 4, 5]


@pytest.mark.parametrize("name", ["my.csv.gz", "my.tsv.gz", "my.csv"])
def test_packed_files_are_known_by_their_bytes(read, name):
    table = read(gzip.compress("\n".join(GOOD).encode()), name)
    assert table.name == name and table.frame["y"].tolist() == ["1.5", "2.5", "4.0", "3.0"]


def test_the_dialect_of_a_spreadsheet_in_german(read):
    table = read(
        "\r\n".join(["Zeit;Wert", "01.01.2023 00:00;12,03", "01.01.2023 01:00;1.013,53", ";"]),
        encoding="utf-8-sig",
    )
    assert facts(table) == {
        "separator": ("semicolon", 'separator = ";"', False),
        "decimal": ("comma", 'decimal = ","', False),
        "thousands": ("point", 'thousands = "."', False),
    }
    assert numbers(table, "Wert").values.tolist() == [12.03, 1013.53] and len(table.frame) == 2


def test_cells_are_stripped(read):
    table = read(['"a b" , y ,\u00a0z', '" 1 ", "2 ,5" ,\t3', "4,\u00a05,6"])
    assert list(table.frame.columns) == ["a b", "y", "z"]
    assert table.frame.to_numpy().tolist() == [["1", "2 ,5", "3"], ["4", "5", "6"]]


def test_cells_that_pandas_would_take_for_missing_stay_text(read):
    assert read(["a,b", "NA,null", "nan,1"]).frame.to_numpy().tolist() == [["NA", "null"], ["nan", "1"]]


@pytest.mark.parametrize(
    "lines",
    [
        ["a;b;", "1;2;", "3;4;"],
        ["a;b", "1;2;", "3;4;"],
        ["a;b;;", "1;2;;", "3;4;;"],
        ["a;b", "1;2", "3;4", ";", ";"],
    ],
)
def test_separators_at_the_end_of_rows_and_of_the_file(read, lines):
    table = read(lines)
    assert list(table.frame.columns) == ["a", "b"] and table.frame.to_numpy().tolist() == [
        ["1", "2"],
        ["3", "4"],
    ]


def test_an_empty_row_within_the_table_stays(read):
    assert read(["a,b", "1,2", ",", "3,4"]).frame.to_numpy().tolist() == [["1", "2"], ["", ""], ["3", "4"]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"^my.csv: the file is empty: write the column names"),
        ("\n \n", r"^my.csv: the file is empty"),
        ("# a\n\n# b\n", r"^my.csv: only blank lines and comments"),
        ("a,b\n", r"^my.csv: no rows below the column names: add the values"),
        ("a,b\n,\n", r"^my.csv: no rows below the column names"),
        (
            "a,b\n1,2\n\n3,4,5\n6,7\n",
            r"^my.csv, line 4: wanted 2 cells, as in most rows, got 3: correct the row",
        ),
        (
            "a,b\n1,2\n3\n6\n7,8\n9,1\n",
            r"^my.csv, line 3: wanted 2 cells, as in most rows, got 1 \(2 such rows\)",
        ),
        (
            "a,b\n1,2,3,4\n6,7,8,9\n",
            r"^my.csv, line 1: wanted 4 cells, as in most rows, got 2: correct line 1 if",
        ),
        (
            "Device: X\nSerial 12\n\nTime;T\n1;2,5\n2;3,5\n",
            r"^my.csv, line 1: wanted 2 cells, .* got 1: correct lines 1 to 2 if part of the table; otherwise delete",
        ),
        ('a,b\n1,"2\n3,4\n', r"^my.csv, line 2: a quote is not closed"),
        ('a b\n1 "2\n3 4\n', r"^my.csv, line 2: a quote is not closed"),
        ('a,b\n1,"2\n' + "3,4\n" * 50_000, r"^my.csv, line 2: .*quote"),
        ("a,a,b\n1,2,3\n", r"^my.csv, line 1: 2 columns are named 'a': rename all but one"),
        (",a,\n1,2,3\n", r"^my.csv, line 1: columns 1 and 3 have no names, which only one may lack"),
        (b"a,b\0\n1,2\n", r"^my.csv: contains NUL bytes"),
        (bytes(range(1, 256)) * 9, r"^my.csv: is not text but binary data"),
        (
            b"PK\x03\x04[Content_Types].xml",
            r"^my.csv: is not text, but seems to be an Excel workbook: rename it to .xlsx",
        ),
        (b"PK\x03\x04data.csv", r"^my.csv: is not text, but seems to be a zip archive: unpack it"),
        (b"\xd0\xcf\x11\xe0\0\0", r"^my.csv: .* seems to be an old Excel workbook"),
        (b"PAR1\0\0", r"^my.csv: .* seems to be a Parquet file: rename it to .parquet"),
        (b"ARROW1\0\0", r"^my.csv: .* seems to be a Feather file: rename it to .feather"),
        (b"\x93NUMPY\1", r"^my.csv: .* seems to be an array of numpy: rename it to .npy"),
        (b"%PDF-1.4", r"^my.csv: .* seems to be a PDF document"),
        ("<!DOCTYPE html>\n<html>", r"^my.csv: is not a table, but seems to be a web page or XML"),
        ('{"a": [1, 2]}', r"^my.csv: is not a table, but seems to be JSON"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0)[:-6], r"^my.csv: cannot be unpacked"),
        (b"\x1f\x8bnothing", r"^my.csv: cannot be unpacked"),
        (
            "a,\u00e9\n1,2\n".encode() + b"3,\xe9\n",
            r"^my.csv, line 3: text that is UTF-8 before .* data.encoding = ",
        ),
        ("a\x1fb\n1\n2\n", r"^my.csv: contains control characters|^my.csv: is not text but binary data"),
    ],
)
def test_refusals(read, content, message):
    with pytest.raises(DataError, match=message):
        read(content)


def test_a_title_above_the_table_is_named(read):
    rows = "".join(f"2024-01-{day:02d},{day},{day / 2}\n" for day in range(1, 20))
    with pytest.raises(DataError, match=r"line 1: wanted 3 cells, as in most rows, got 1: .* delete line 1"):
        read("Report of the year 2024\n\nday,a,b\n" + rows)


def test_a_single_row_is_not_a_question_of_its_names(read):
    with pytest.raises(DataError, match=r"line 1: the only row: write column names and values"):
        read("5,6,7\n")


def test_all_problems_of_the_names_at_once(read):
    with pytest.raises(DataError, match="2 problems") as caught:
        read(["a,a,b,b", "1,2,3,4"])
    assert len(caught.value.problems) == 2


@settings(max_examples=100, derandomize=True)
@given(
    st.lists(
        st.sampled_from(["1,2", "3,", '"4",5', '"6\n7",8', '"9""\n\n#",1', "", "  ", "# x", "#y,z"]),
        max_size=12,
    ),
    st.booleans(),
)
def test_lines_of_rows(tmp_path_factory, lines, quotes):
    """A slow twin: each row is written alone, so that its line is known."""
    lines = [line for line in lines if quotes or '"' not in line]
    rows = ["a,b", "1,2", *lines, "7,8", "7,9", "1,1", "1,2"]
    wanted, line = [], 1
    for row in rows:
        if row.strip() and not row.startswith("#"):
            wanted.append(line)
        line += 1 + row.count("\n")
    path = tmp_path_factory.getbasetemp() / "lines.csv"
    path.write_text("\n".join(rows))
    table = read_text(path, DataConfig(path=path.name, comment="#", header=True))
    assert table.lines.tolist() == wanted[1:]
    assert table.frame["b"].tolist()[-4:] == ["8", "9", "1", "2"] and table.place(0) == "line 2"


FLOATS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-2000, 2000).map(lambda value: round(value, 3)),
    st.integers(-3, 3).map(float),
    st.just(float("nan")),
)
KINDS = {
    "float": FLOATS,
    "int": st.integers(-(2**53), 2**53) | st.integers(-5, 2000),
    "text": st.text("abcxyzäöü ", min_size=1, max_size=5).filter(lambda text: text.strip()),
}


@st.composite
def frames(draw):
    kinds = draw(
        st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=4).filter(lambda k: {*k} != {"text"})
    )
    assume("float" in kinds or "int" in kinds)
    rows = draw(st.integers(1, 6))
    names = [draw(st.sampled_from([f"{kind} {n}", f"{kind[0]}{n}"])) for n, kind in enumerate(kinds)]
    cells = (draw(st.lists(KINDS[kind], min_size=rows, max_size=rows)) for kind in kinds)
    frame = pd.DataFrame(dict(zip(names, cells, strict=True)))
    assume(frame.iloc[-1].notna().any())  # empty rows at the end are dropped
    assume(frame.iloc[:, -1].notna().any())  # likewise columns without a name at the right
    assume(
        frame.select_dtypes("number").notna().any(axis=None)
    )  # texts alone are names, even if they are none
    return frame


@settings(max_examples=250, derandomize=True)
@given(
    frame=frames(),
    separator=st.sampled_from(",;\t| "),
    decimal=st.sampled_from(".,"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]),
    header=st.booleans(),
    index=st.booleans(),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    pattern=st.sampled_from([None, "%.3f", "%.2f"]),
)
def test_what_pandas_writes_is_read_back_or_refused(
    tmp_path_factory, frame, separator, decimal, encoding, header, index, end, pattern
):
    assume(separator != " " or not frame.isna().any(axis=None))  # between blanks, nothing is not a cell
    form = {"sep": separator, "decimal": decimal, "header": header, "index": index, "lineterminator": end}
    written = frame.to_csv(float_format=pattern, **form)
    path = tmp_path_factory.getbasetemp() / "written.csv"
    path.write_bytes(written.encode(encoding))
    try:
        table = read_text(path, DataConfig(path=path.name))
    except DataError:
        return
    if any(fact.name == "thousands" and fact.guessed for fact in table.facts):
        return
    assert len(table.frame) == len(frame)
    columns = ([""] if index else []) + list(frame.columns)
    assert table.frame.shape[1] == len(columns)
    if header:
        assert list(table.frame.columns) == columns
    for n, name in enumerate(frame.columns, start=int(index)):
        cells = table.frame.columns[n]
        if frame[name].dtype.kind not in "if":
            assert table.frame[cells].tolist() == frame[name].str.strip().tolist()
            continue
        wanted = frame[name].to_numpy()
        if pattern and frame[name].dtype.kind == "f":
            wanted = np.array([float(pattern % value) for value in wanted])
        got = numbers(table, cells)
        assert got.problems == () and got.missing.tolist() == np.isnan(wanted).tolist()
        assert got.values[~got.missing].tobytes() == wanted[~got.missing].astype(float).tobytes()
