"""Opening a study: plug-ins that are missing or broken, and results of an older score format."""

import json
import os

import pytest

from sweep import api
from sweep.config.errors import DataError, StudyChanged, StudyFileError
from sweep.config.plugins import VARIABLE
from sweep.config.records import SCORE_FORMAT
from sweep.results.wording.study import status_text
from sweep.store import StudyFolder
from sweep.study.open_study import open_study, scale_sources
from tests.support.made_study import write_study

STUDY = "[data]\nsource = 'sine'\n[space]\noptimizer = ['lion']\n"


def test_a_missing_plugin_of_a_stored_study_is_named_with_its_origin(tmp_path):
    (tmp_path / "mine.toml").write_text(STUDY)
    opened = open_study(str(tmp_path / "mine.toml"), tmp_path / "results")
    with pytest.raises(StudyFileError, match="no optimizer named 'lion'"):
        _ = opened.config
    StudyFolder(tmp_path / "results/mine").write_study({"plugins": {"optimizer lion": "lion-sweep 0.2"}})
    with pytest.raises(
        StudyFileError, match=r"the optimizer lion comes from lion-sweep 0\.2, .*: install it"
    ):
        _ = opened.config


def test_a_broken_file_is_one_warning_whatever_the_number_of_tables(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text("1 / 0\n")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "mine.py") + os.pathsep)
    warnings = open_study("sine", tmp_path).warnings
    assert [line for line in warnings if "mine.py" in line] == [
        f"plug-in file {tmp_path / 'mine.py'}: ZeroDivisionError: division by zero"
    ]


WRONG = r"^the results in .*sine have scores by an older definition .* under another name \(--name\)$"
TRAINS = {
    "run": lambda results: api.run("sine", results=results),
    "confirm": lambda results: api.confirm("sine", results=results),
    "treat": lambda results: api.treat(0, "sine", results=results, changes={"training.optimizer.lr": 0.1}),
    "audit": lambda results: api.audit("sine", results=results),
    "diagnose": lambda results: api.diagnose(0, "sine", results=results),
    "report --diagnose": lambda results: api.report("sine", results=results, diagnose_anew=True),
}


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """The results folder of studies whose scores have no format, as those of the first one."""
    results = tmp_path_factory.mktemp("results")
    folder = write_study(StudyFolder(results / "sine"), trials=4)
    document = folder.read_study()
    del document["record"]["score_format"], document["record"]["scale_from"]
    folder.write_study(document)
    return results


@pytest.mark.parametrize("command", TRAINS)
def test_scores_of_an_older_format_are_refused_by_all_that_trains_or_judges(old, command):
    with pytest.raises(StudyChanged, match=WRONG):
        TRAINS[command](old)


def test_they_are_still_read_and_marked(old):
    document = json.loads(api.report("sine", results=old).document.read_text())
    assert document["score"]["format"] == 1 != SCORE_FORMAT and document["score"]["outdated"]
    assert "Scores by an older definition (docs/metrics.md)" in status_text(document)
    assert api.show(0, "sine", results=old)["score"]["outdated"]


def test_the_study_stores_what_set_the_scale(tmp_path):
    opened = open_study("sine", tmp_path)
    opened.write()
    assert opened.facts["score_format"] == SCORE_FORMAT
    assert opened.facts["scale_from"] == ["mean"] == scale_sources(opened.data)


@pytest.mark.parametrize("words", [["model.feedback=false"], ["space.feedback=[true, false]"]])
def test_a_source_without_inputs_is_refused_where_trials_may_be_without_feedback(tmp_path, words):
    study = open_study("sine", tmp_path, overrides=words)
    with pytest.raises(
        DataError, match=r"model.feedback: without feedback the network sees the known inputs alone"
    ):
        study.data  # noqa: B018
    # the control: a source with an input
    driven = open_study("narendra_li", tmp_path, overrides=[*words, "data.options.length=2000"])
    assert driven.data.known == ("u",)
