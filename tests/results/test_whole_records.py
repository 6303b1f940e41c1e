"""A study of whole records in words: horizons of its own for validation and test, and few starts."""

import pytest

from sweep.results.checks.few_starts import few_starts
from sweep.results.document import report_document
from sweep.results.study import read_study
from sweep.results.study_tables import StudyTables
from sweep.results.wording.study import answer_text, provenance_of


def whole(folder, validation=60, test=100, records=1, from_start=True):
    """The study as one of whole records, whose horizon is only recorded."""
    stored = folder.read_study()
    score = {key: value for key, value in stored["score"].items() if key != "horizon"}
    facts = {"horizon": validation, "horizon_test": test, "n_eff_validation": records, "n_eff_test": records}
    folder.write_study(
        {**stored, "score": {**score, "from_start": from_start}, "record": {**stored["record"], **facts}}
    )
    return folder


def test_horizons_are_those_that_the_data_gave(one):
    study = read_study(whole(one))
    assert study.horizon == 60 and study.horizon_on_test == 100 and study.from_start
    score = report_document(one)["score"]
    assert (score["horizon"], score["horizon_test"], score["starts"]) == (60, 100, 1)
    text = dict(provenance_of(report_document(one)))["rollouts"]
    assert "1 start," in text and "horizon 60 (test: 100), whole records" in text


def test_whole_records_of_the_test_alone(one):
    whole(one, from_start="test")
    document = report_document(one)
    assert document["score"]["from_start"] == "test"
    assert document["score"]["starts"] == one.read_study()["score"]["starts"] != 1
    text = dict(provenance_of(document))["rollouts"]
    assert text.endswith("horizon 60 (test: whole records, 100)")
    (finding,) = [entry for entry in document["findings"] if entry["code"] == "few_starts"]
    assert "Only 1 start does not overlap" in finding["text"] and "Shorten the horizon" in finding["text"]


def test_without_them_it_is_that_of_the_study_file(one):
    study = read_study(one)
    assert study.horizon == study.horizon_on_test == 400 and not study.from_start


@pytest.mark.parametrize(
    ("known", "static", "driven"),
    [([], [], False), (["u"], [], True), (["size"], ["size"], False), (["u", "size"], ["size"], True)],
)
def test_static_inputs_drive_nothing(known, static, driven, one):
    stored = one.read_study()
    facts = {**stored["record"], "data": {"known": known}}
    one.write_study({**stored, "data": {**stored["data"], "static": static}, "record": facts})
    assert read_study(one).driven is driven


def test_valid_steps_on_test_are_of_its_horizon(one):
    whole(one)
    record = one.record(0)
    steps = {"rollout_error": 0.2, "nrmse": 0.3, "rmse": [0.1], "valid_steps": 70.0}
    one.write_document("baselines", {"baselines": {"mean": {"rollout_error": 0.9, "valid_steps": 3.0}}})
    winner = {"number": record.number, "basis": "selected", "reason": None, "test": steps, "networks": []}
    on_test = {"mean": {"rollout_error": 0.9, "valid_steps": 3.0}}
    one.write_document("winner", {**winner, "baselines_test": on_test, "looks": [{}], "median_seed": None})
    document = report_document(StudyTables(read_study(one)))
    assert "70 of 100 steps" in answer_text(document)
    assert "70 of 100 steps" in document["verdict"]["text"]
    one.write_document("winner", {**winner, "test": None, "baselines_test": {}, "looks": []})
    document = report_document(StudyTables(read_study(one)))
    assert "of 60 steps" in answer_text(document) and "of 60 steps" in document["verdict"]["text"]


def test_few_records_allow_no_claim():
    finding = few_starts(1, whole_records=True)
    assert finding.severity == "issue" and "Only 1 record is scored" in finding.text
    assert "horizon" not in finding.text and "Give more records" in finding.text
    assert "horizon" in few_starts(1).text
    assert few_starts(8, whole_records=True).severity == "ok"
