"""Columns as numbers: notation, missing values, and what is refused."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.data.readers import numbers as reader
from sweep.data.readers.numbers import looks_numeric, missing, numbers
from sweep.data.readers.table import Table
from sweep.data.readers.text.cells import MISSING


def table(cells, decimal=".", thousands="", name="y"):
    column = pd.Series(cells, dtype=object) if isinstance(cells, list) else cells
    frame = pd.DataFrame({name: column})
    return Table("my.csv", frame, np.arange(len(frame)) + 2, decimal, thousands)


def test_numbers_as_python_reads_them():
    cells = [
        "1",
        "-2.5",
        "+3",
        ".5",
        "5.",
        "1e-3",
        "1E+05",
        "0.1",
        "123456789.123456789",
        "2.2250738585072011e-308",
    ]
    read = numbers(table(cells), "y")
    assert read.values.tolist() == [float(cell) for cell in cells]
    assert read.values.dtype == np.float64 and not read.missing.any() and read.problems == ()


@settings(derandomize=True, max_examples=200)
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5), st.sampled_from(".,")
)
def test_no_last_bit_is_lost(values, decimal):
    """Both with and without a missing cell, which takes another path."""
    cells = [repr(value).replace(".", decimal) for value in values]
    assert numbers(table(cells, decimal), "y").values.tobytes() == np.array(values).tobytes()
    assert numbers(table([*cells, ""], decimal), "y").values[:-1].tobytes() == np.array(values).tobytes()


@pytest.mark.parametrize(
    ("cell", "decimal", "thousands", "value"),
    [
        ("1,5", ",", "", 1.5),
        (",5", ",", "", 0.5),
        ("1.234,5", ",", ".", 1234.5),
        ("1.234.567", ",", ".", 1234567),
        ("12,000", ".", ",", 12000),
        ("-1,234.5e1", ".", ",", -12345),
        ("1 234,5", ",", " ", 1234.5),
        ("1\u00a0234\u202f567", ".", " ", 1234567),
        ("1'234.5", ".", "'", 1234.5),
        ("1\u2019234", ".", "'", 1234),
        ("1234,5", ",", ".", 1234.5),  # groups are not marked everywhere
        ("\u22125", ".", "", -5),
    ],
)
def test_notations(cell, decimal, thousands, value):
    read = numbers(table([cell, "7"], decimal, thousands), "y")
    assert read.values.tolist() == [value, 7] and read.problems == ()


@pytest.mark.parametrize(
    ("cell", "decimal", "thousands"),
    [
        ("1.5", ",", ""),
        ("1,5", ".", ""),
        ("1,5", ".", ","),
        ("1,2345", ".", ","),
        ("1234,567", ".", ","),
        ("0,123", ".", ","),
        ("1.234", ",", ""),
        ("1 234", ".", ""),
        ("1.5", ",", "."),
        ("1_000", ".", ""),
        ("\u0661", ".", ""),
        ("0x1f", ".", ""),
        ("1e", ".", ""),
        ("1.2.3", ".", ""),
        ("5-", ".", ""),
        ("True", ".", ""),
    ],
)
def test_other_notations_are_refused(cell, decimal, thousands):
    for cells in ([cell, "7", "8"], [cell, "7", "-"]):
        read = numbers(table(cells, decimal, thousands), "y")
        assert np.isnan(read.values[0]) and not read.missing[0]
        (problem,) = read.problems
        assert problem.startswith(f"my.csv, column 'y', line 2: wanted a number, got {cell!r}: ")


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        (
            ["5", "50%", "6 %"],
            "line 3: wanted a number, got '50%' (2 such cells): write the numbers without percent",
        ),
        (["5", "6", "$5"], "line 4: wanted a number, got '$5': write the numbers without currency"),
        (["5", "6", "7 EUR"], "line 4: wanted a number, got '7 EUR': write the numbers without currency"),
        (["5", "-inf", "6"], "line 3: '-inf' is not a finite number: correct the value"),
        (["5", "1e999", "6"], "line 3: '1e999' is not a finite number"),
        (["5", "", "Infinity"], "line 4: 'Infinity' is not a finite number"),
        (
            ["5", "3,5", "6.5"],
            "line 3: wanted a number, got '3,5': numbers are read with data.decimal = \".\"",
        ),
        (["V", "6", "7"], "line 2: wanted a number, got 'V': if the line holds units, delete it"),
        (["6", "7", "high"], "line 4: wanted a number, got 'high': correct the value"),
        (
            ["a", "b", "7"],
            "line 2: wanted a number, got 'a' (2 such cells): the column holds no numbers: name the",
        ),
    ],
)
def test_a_problem_names_the_first_line_and_the_remedy(cells, problem):
    read = numbers(table(cells), "y")
    assert len(read.problems) == 1 and read.problems[0].startswith(f"my.csv, column 'y', {problem}")
    assert np.isfinite(read.values[[cell in "567" and cell != "" for cell in cells]]).all()


def test_a_nameless_column_and_a_file_without_lines():
    nameless = Table("my.xlsx", pd.DataFrame({"": pd.Series([1, "x", 2], dtype=object)}))
    assert (
        numbers(nameless, "")
        .problems[0]
        .startswith("my.xlsx, the column without a name, row 2: wanted a number")
    )


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "NA",
        "n/a",
        "#N/A",
        "NaN",
        "-nan",
        "NULL",
        "None",
        "<NA>",
        "-",
        "--",
        "?",
        ".",
        "#DIV/0!",
        "1.#QNAN",
    ],
)
def test_missing(cell):
    one = table(["1", cell, "-999"])
    read = numbers(one, "y")
    assert read.missing.tolist() == [False, True, False] == missing(one, "y").tolist()
    assert np.isnan(read.values[1]) and read.values[2] == -999 and read.problems == ()
    assert looks_numeric(one, "y") == 1


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (np.array([1, 2**40], dtype=np.int64), [1, 2**40]),
        (np.array([1.5, np.nan]), [1.5, np.nan]),
        (np.array([0.1], dtype=np.float32), [float(np.float32(0.1))]),
        (np.array([True, False]), [1, 0]),
        (pd.array([1, None], dtype="Int64"), [1, np.nan]),
        (pd.array([True, None], dtype="boolean"), [1, np.nan]),
        (pd.array([0.5, None], dtype="Float64"), [0.5, np.nan]),
        (pd.Series(["1.5", None], dtype="string"), [1.5, np.nan]),
        (pd.Categorical(["1.5", "2"]), [1.5, 2]),
        ([Decimal("0.1"), None, Decimal("NaN")], [0.1, np.nan, np.nan]),
        ([1, 2.5, "3", pd.NA, pd.NaT, np.float32(4)], [1, 2.5, 3, np.nan, np.nan, 4]),
    ],
)
def test_typed_columns(cells, values):
    one = table(pd.Series(cells) if not isinstance(cells, list) else cells)
    read = numbers(one, "y")
    assert np.array_equal(read.values, np.array(values, dtype=float), equal_nan=True) and read.problems == ()
    assert read.missing.tolist() == np.isnan(values).tolist() == missing(one, "y").tolist()


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        (
            pd.to_datetime(pd.Series(["2024-01-01", None])),
            "wanted a number, got 2024-01-01 00:00:00: the column holds",
        ),
        (pd.Series([np.inf, 1.0]), "inf is not a finite number"),
        ([10**400, 1], "is not a finite number"),
        ([1, [2]], r"wanted a number, got [2]: correct"),
        (pd.Series([1j, 2]), "wanted a number, got 1j (2 such cells)"),
    ],
)
def test_typed_columns_that_are_not_finite_numbers(cells, problem):
    (text,) = numbers(table(cells), "y").problems
    assert problem in text


def test_reading_changes_no_column():
    one = table(pd.Series([np.inf, 1.0]))
    numbers(one, "y")
    assert one.frame["y"].tolist() == [np.inf, 1.0]


@pytest.mark.parametrize(
    ("cells", "share"),
    [(["1", "x", "NA", "inf", "3"], 0.75), (["NA", ""], 0), (["2024-01-01"], 0), (pd.Series([1, 2]), 1)],
)
def test_share_of_numbers(cells, share):
    assert looks_numeric(table(cells), "y") == share
    assert looks_numeric(table(pd.to_datetime(pd.Series(["2024-01-01"]))), "y") == 0


FAST = [
    "",
    "NA",
    " nan ",
    "-",
    "0",
    "-1.5",
    "2e3",
    "7.",
    "1_0",
    "12,5",
    "1,234",
    "inf",
    "x",
    "x1",
    "\u0663",
    "1.5",
]


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(FAST) | st.none() | st.floats(), min_size=1, max_size=8),
    st.sampled_from([(".", ""), (",", ""), (".", ","), (",", ".")]),
)
def test_a_column_with_missing_cells_is_read_fast_and_equally(cells, notation):
    table = Table("made", pd.DataFrame({"y": pd.Series(cells, dtype=object)}), None, *notation)
    fast = reader._fast(cells, table)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "_fast", lambda cells, table: None)
        values, gaps = reader._parsed(table, "y")
    if fast is not None:
        assert np.array_equal(fast[0], values, equal_nan=True) and np.array_equal(fast[1], gaps)


def test_missing_cells_do_not_make_a_column_slow():
    table = Table("made", pd.DataFrame({"y": ["1", "", "NA", "2.5", ""]}, dtype=object), None, ".", "")
    fast = reader._fast(table.frame["y"].tolist(), table)
    assert fast is not None and fast[1].tolist() == [False, True, True, False, True]
    assert not any(text[-1:].isdigit() for text in MISSING)
