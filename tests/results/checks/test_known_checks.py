"""Checks from plug-ins: named by a study, run after sweep's own, and never able to take the report down."""

import pytest

from sweep.config import plugins
from sweep.diagnosis.finding import Finding
from sweep.results.checks import CHECKS, CheckSpec, check_findings
from sweep.results.document import report_document
from sweep.results.study import read_study
from sweep.results.study_tables import StudyTables
from sweep.study.components import known_names

PLUGIN = """
from sweep.diagnosis.finding import Finding
from sweep.results.checks import CheckSpec

def count(tables):
    return MANY.finding("tip", f"There are {len(tables.trials)} trials.", {"trials": len(tables.trials)})

def broken(tables):
    raise ValueError("no such\\ncolumn")

MANY = CheckSpec("many_trials", ("Many trials", "Few trials"), count, "a test")
BROKEN = CheckSpec("broken", ("Broken", "Whole"), broken, "a test")
OTHER = CheckSpec("other", ("Other", "Own"), lambda tables: Finding("near_bound", "ok", "text"), "a test")
NOTHING = CheckSpec("nothing", ("Nothing", "Something"), lambda tables: None, "a test")
"""


@pytest.fixture
def plugin(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN)
    with plugins.using([path]):
        yield


def naming(folder, *names):
    folder.write_study({**folder.read_study(), "diagnosis": {"checks": list(names)}})
    return report_document(folder)["findings"][len(CHECKS) :]


def test_a_named_check_of_a_plugin_is_in_the_document(one, plugin):
    (finding,) = naming(one, "many_trials")
    assert finding == {
        "code": "many_trials",
        "title": "Many trials",
        "severity": "tip",
        "text": "There are 1 trials.",
        "evidence": {"trials": 1},
    }
    assert naming(one) == []  # it runs only where the study names it


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("broken", "Check 'broken' of mine.py sha256:"),
        ("broken", "failed: ValueError: no such column"),
        ("other", "must return a Finding with its own code, got code 'near_bound'."),
        ("nothing", "must return a Finding with its own code, got NoneType."),
        ("not_there", "no check named 'not_there'."),
    ],
)
def test_a_check_that_cannot_be_used_is_named_in_one_line(one, plugin, name, words):
    (finding,) = naming(one, name)
    assert (finding["code"], finding["severity"]) == (name, "not applicable")
    assert words in finding["text"] and "\n" not in finding["text"]


def test_a_name_of_our_own_is_reported_and_not_run_twice(one, tmp_path):
    (finding,) = naming(one, "near_bound")
    assert finding["code"] == "near_bound (plug-in)" and "one of sweep's own checks" in finding["text"]
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN.replace('"many_trials"', '"near_bound"'))
    with plugins.using([path]):
        (finding,) = naming(one, "near_bound")
    assert finding["severity"] == "not applicable" and "the name is taken" in finding["text"]


def test_the_study_file_knows_the_names_of_plugins(plugin):
    names = known_names()
    assert set(names.checks) == {"many_trials", "broken", "other", "nothing"}
    assert names.origins["check many_trials"].startswith("mine.py sha256:")


def test_the_title_follows_the_severity():
    check = CheckSpec("x", ("Too few", "Enough"), lambda tables: Finding("x", "ok", ""), "a test")
    severities = ("issue", "tip", "ok", "not applicable")
    assert [check.title(severity) for severity in severities] == ["Too few", "Too few", "Enough", "Too few?"]


@pytest.mark.parametrize("name", list(CHECKS))
def test_every_check_answers_for_an_empty_and_a_whole_study(name, empty, study):
    for folder in (empty, study):
        finding = CHECKS[name].check(StudyTables(read_study(folder)))
        assert finding.code == name and finding.text and finding.title == CHECKS[name].title(finding.severity)
        assert finding.confidence is None
    assert CHECKS[name].source


def test_the_bootstrap_of_one_check_does_not_depend_on_other_checks(study):
    tables = StudyTables(read_study(study))
    alone = CHECKS["loss_is_lying"].check(StudyTables(read_study(study)))
    assert {finding.code: finding for finding in check_findings(tables)}["loss_is_lying"] == alone
    assert CHECKS["loss_is_lying"].check(tables) == alone  # nor on how often it was asked
