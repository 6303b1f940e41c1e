"""The RMSE beside the rollout error: in the record, the document, the tables, in words and on the page."""

import csv
import io
import json
import math
from dataclasses import replace

import pytest
from rich.console import Console

from sweep.config.records import record_from_json, to_json
from sweep.report.terminal.study import print_report
from sweep.report.terminal.trial import print_trial
from sweep.report.write import write_report
from sweep.results.document import report_document, trial_document
from sweep.results.rmse import rmse_columns, rmse_names, rmse_text
from sweep.results.study import read_study
from sweep.results.tables import leaderboard

TWO = {"channels": ["a", "b", "c"], "targets": [2, 0]}


def with_rmse(folder, values):
    """The study with this RMSE in the best evaluation of its trial."""
    record = folder.record(0)
    evaluations = tuple(replace(e, scores=replace(e.scores, rmse=values)) for e in record.evaluations)
    folder.write_record(replace(record, evaluations=evaluations))
    return folder


def test_columns_are_named_by_the_target_channels():
    assert rmse_names(["a", "b"], [1], 1) == ["rmse"]
    assert rmse_columns(TWO, [0.5, None]) == {"rmse.c": 0.5, "rmse.a": math.inf}
    assert rmse_columns({}, [0.5, 1.0]) == {"rmse.0": 0.5, "rmse.1": 1.0}
    assert rmse_columns(TWO, None) == rmse_columns(TWO, []) == {}


def test_words():
    assert rmse_text([0.49]) == "0.49" and rmse_text([None, 2.0]) == "∞, 2"
    assert rmse_text([1.0, 2.0, 3.0, 4.0]) == "1, 2, 3, ..." and rmse_text(None) == rmse_text([]) == "–"


def test_a_record_keeps_it_and_an_older_one_has_none(one):
    record = with_rmse(one, (0.5, math.inf)).record(0)
    assert record.scores.rmse == (0.5, math.inf)
    values = to_json(record)
    assert values["evaluations"][0]["scores"]["rmse"] == [0.5, None]
    for entry in values["evaluations"]:
        del entry["scores"]["rmse"]
    assert record_from_json(values).scores.rmse == ()


def test_it_is_in_document_tables_terminal_and_page(one):
    with_rmse(one, (0.4321,))
    entry = {"nrmse": 1.0, "valid_steps": 4.0, "diverged_fraction": 0.0, "settings": {}}
    baselines = {
        "mean": {**entry, "rollout_error": 0.9, "rmse": [0.7654]},
        "ar": {**entry, "rollout_error": 0.6, "rmse": [None]},
        "old": {**entry, "rollout_error": 0.7},
    }
    one.write_document("baselines", {"baselines": baselines})
    document = report_document(one)
    assert document["trials"][0]["rmse"] == [0.4321]
    assert [document["baselines"][name]["rmse"] for name in ("mean", "ar", "old")] == [[0.7654], [None], None]
    board = leaderboard(read_study(one)).set_index("name")
    assert board["rmse"]["trial 0"] == 0.4321 and board["rmse"]["ar"] == math.inf
    assert math.isnan(board["rmse"]["old"])
    paths = write_report(one)
    (row,) = csv.DictReader(io.StringIO(paths.table.read_text()))
    assert row["rmse"] == "0.4321"
    page = paths.page.read_text()
    assert ">0.432</td>" in page and ">0.765</td>" in page
    buffer = io.StringIO()
    print_trial(trial_document(one, 0), Console(file=buffer, width=100))
    wide, narrow = (Console(file=io.StringIO(), width=width) for width in (160, 80))
    for console in (wide, narrow):
        print_report(document, console)
    assert "0.432" in wide.file.getvalue() and "0.765" in wide.file.getvalue()
    assert "rmse" not in narrow.file.getvalue()
    assert "rmse, data units" in buffer.getvalue() and "0.432" in buffer.getvalue()


def test_several_channels_have_a_column_each(one):
    with_rmse(one, (0.5, 2.0))
    stored = one.read_study()
    one.write_study({**stored, "record": {**stored["record"], **TWO}})
    (row,) = csv.DictReader(io.StringIO(write_report(one).table.read_text()))
    assert (row["rmse.c"], row["rmse.a"]) == ("0.5", "2.0") and "rmse" not in row
    assert leaderboard(one)["rmse.a"].dropna().tolist() == [2.0]
    assert json.loads(one.report.joinpath("report.json").read_text())["trials"][0]["rmse"] == [0.5, 2.0]


@pytest.mark.parametrize("missing", [(), None])
def test_older_results_have_no_column(one, missing):
    with_rmse(one, missing or ())
    assert not [name for name in leaderboard(one) if name.startswith("rmse")]
    assert report_document(one)["trials"][0]["rmse"] is None
