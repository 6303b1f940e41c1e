"""The text of a study file: TOML that reads back, comments, and values that were given."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.config.text import toml_text
from sweep.study.study_text import Setting, Table, text_of, with_given

PLAIN = st.one_of(
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"])),
)


@given(
    st.one_of(
        PLAIN, st.lists(PLAIN), st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), PLAIN)
    )
)
def test_values_read_back(value):
    assert tomllib.loads(f"x = {toml_text(value)}")["x"] == value


def test_a_comment_cannot_become_a_setting():
    text = text_of([Table("data", (Setting("path", "a.csv", "as\n[evil]\x00 x = 1"),))], "head\nx = 2")
    assert tomllib.loads(text) == {"data": {"path": "a.csv"}}
    assert max(map(len, text_of([], "word " * 100).splitlines())) <= 110


TABLES = (
    Table("space", (Setting("cell", ["lstm"]),)),
    Table("space.optimizer.adam", (Setting("lr", 1.0),)),
    Table("space.optimizer.sgd"),
)


ADAM = {"adam": {"lr": 1.0}, "sgd": {}}


@pytest.mark.parametrize(
    ("values", "document"),
    [
        ({"space.cell": ["gru"]}, {"space": {"cell": ["gru"], "optimizer": ADAM}}),
        ({"space.optimizer": ["adam"]}, {"space": {"cell": ["lstm"], "optimizer": ["adam"]}}),
        (
            {"space.optimizer.adam.lr": 2.0},
            {"space": {"cell": ["lstm"], "optimizer": {"adam": {"lr": 2.0}, "sgd": {}}}},
        ),
        ({"run.workers": 1}, {"space": {"cell": ["lstm"], "optimizer": ADAM}, "run": {"workers": 1}}),
    ],
)
def test_given_values_replace(values, document):
    assert tomllib.loads(text_of(with_given(TABLES, values), "")) == document
