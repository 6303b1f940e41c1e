"""The record of a trial as JSON: the breakdown is left out where there is none, and comes back as it was."""

import json

import pytest

from sweep.config.breakdown import Breakdown, GroupScores
from sweep.config.records import TrialRecord, record_from_json, to_json

GROUPS = Breakdown(
    by_series=(
        GroupScores("a", None, 3, 0.5, 12.0, 0.8, 0.375),
        GroupScores("b", None, 1, 1.0, 0.0, 0.0, None),
    ),
    by_channel=(GroupScores(None, "y", 4, 0.6, 9.0, 0.7, 1 / 7),),
)


def test_a_breakdown_comes_back_as_it_was():
    record = TrialRecord(3, "complete", {}, {}, "sampled", breakdown=GROUPS)
    again = record_from_json(json.loads(json.dumps(to_json(record), allow_nan=False)))
    assert again == record
    assert again.breakdown is not None and again.breakdown.by_series[1].trivial_skill is None


def test_without_one_the_record_is_as_before():
    record = TrialRecord(3, "complete", {}, {}, "sampled")
    assert "breakdown" not in to_json(record)
    assert record_from_json(to_json(record)) == record
    assert to_json(record).keys() == {*vars(record)} - {"breakdown"}  # no other field is left out


def test_an_unknown_field_of_a_breakdown_is_refused():
    values = to_json(TrialRecord(3, "complete", {}, {}, "sampled", breakdown=GROUPS))
    values["breakdown"]["by_moon"] = []
    with pytest.raises(TypeError, match="by_moon"):
        record_from_json(values)
