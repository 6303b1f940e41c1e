"""Text tables: what is read, what is refused, and that nothing written by pandas is read wrongly."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sweep.config.errors import DataError
from sweep.config.sections import DataConfig
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
    assert table.frame["y"].tolist() == ["1.5", "2.5", "4.0", "3.0"]
    assert table.lines.tolist() == [2, 3, 4, 5]


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
    columns = {
        f"{kind} {n}" if draw(st.booleans()) else f"{kind[0]}{n}": draw(
            st.lists(KINDS[kind], min_size=rows, max_size=rows)
        )
        for n, kind in enumerate(kinds)
    }
    frame = pd.DataFrame(columns)
    assume(frame.iloc[-1].notna().any())  # empty rows at the end are dropped
    return frame


@settings(max_examples=2000, derandomize=True)
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
