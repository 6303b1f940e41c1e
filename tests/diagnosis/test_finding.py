"""Findings go to JSON and back, and refuse what no reader could show."""

import json
import math

import pytest

from sweep.diagnosis.finding import Change, Finding, finding_from_json, finding_to_json

FOUND = Finding(
    code="C07",
    title="learning rate too high",
    severity="issue",
    text="The loss jumped in 12 % of the steps.",
    evidence={"spikes": 0.12, "count": 7, "by": "step", "bad": True, "none": None, "curve": [1.0, 2.5]},
    confidence=0.8,
    prescriptions=((Change("training.optimizer.lr", 1e-3),), (Change("a.b", "x"), Change("a.c", None))),
)


def test_a_finding_survives_json():
    assert finding_from_json(json.loads(json.dumps(finding_to_json(FOUND)))) == FOUND


def test_a_check_of_a_study_needs_no_title_and_no_confidence():
    finding = Finding("near_bound", "not applicable", "No hyperparameter has a range.")
    values = json.loads(json.dumps(finding_to_json(finding)))
    assert values["confidence"] is None and values["title"] == "" and values["evidence"] == {}
    assert finding_from_json(values) == finding


def test_a_number_that_json_does_not_know_becomes_null():
    values = finding_to_json(Finding("S13", "issue", "x", {"error": math.inf}))
    assert json.loads(json.dumps(values, allow_nan=False))["evidence"] == {"error": None}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"severity": "bad"}, "severity must be one of issue, tip"),
        ({"confidence": 1.2}, r"must lie in \[0, 1\], got 1.2"),
    ],
)
def test_what_cannot_be_shown_is_refused(change: dict, complaint: str):
    with pytest.raises(ValueError, match=complaint):
        Finding(
            **{
                "code": "S01",
                "title": "t",
                "severity": "ok",
                "text": "",
                "evidence": {},
                "confidence": 1.0,
                **change,
            }
        )
