"""`sweep audit`: what it prints, leaves, refuses, and how it exits."""

import json
import math
import shutil
from pathlib import Path

import pytest

from sweep.results.document import report_document
from sweep.store import DriverLock, StudyFolder
from tests.support.command_line import TINY, invoke
from tests.support.documentation import undocumented

PRUNED = ("--set", "pruning.startup=2", "--set", "score.starts=8", "--no-confirm")


@pytest.fixture(scope="module")
def swept(tmp_path_factory) -> Path:
    """A small study with pruned trials."""
    results = tmp_path_factory.mktemp("swept")
    done = invoke(
        "run", "sine", "--trials", "18", "--executor", "inline", *TINY, *PRUNED, "--results", str(results)
    )
    assert done.exit_code == 0, done.stderr
    return results


@pytest.fixture
def results(swept, tmp_path) -> Path:
    return Path(shutil.copytree(swept, tmp_path / "results"))


def audit(results, *options):
    return invoke("audit", "sine", "--executor", "inline", "--results", str(results), *options)


def report(results):
    """Return what `sweep report --json` prints, without the page that it writes."""
    return json.loads(json.dumps(report_document(StudyFolder(results / "sine")), allow_nan=False))


def finding(document):
    return next(entry for entry in document["findings"] if entry["code"] == "pruning_stopped_winners")


def test_the_json_document_is_the_documented_one_and_that_of_the_report(results):
    before = report(results)
    assert (before["audit"], finding(before)["severity"]) == (None, "not applicable")
    shown = audit(results, "--trials", "4", "--json")
    assert shown.exit_code == 0, shown.stderr
    document = json.loads(shown.stdout)
    keys = {
        "number", "picked", "pruned_at", "pruned_error", "state", "error", "valid_steps", "replication", "reproduced",
    }  # fmt: skip
    assert [set(entry) for entry in document["trials"]] == [keys] * 4
    assert all(entry["reproduced"] for entry in document["trials"])  # real trainings, the same bits again
    after = json.loads(invoke("report", "sine", "--json", "--results", str(results)).stdout)
    assert after["audit"] == document
    assert [entry["picked"] for entry in document["trials"]] == ["near"] * 2 + ["drawn"] * 2
    # an issue where one of them ends a tenth of a decade below the best trial that was let to its end
    kept = [trial["rollout_error"] for trial in after["trials"] if trial["state"] == "complete"]
    lowest = min(entry["error"] for entry in document["trials"])
    stopped_a_winner = math.log10(max(min(kept), 1e-9) / max(lowest, 1e-9)) >= 0.1
    assert finding(after)["severity"] == ("issue" if stopped_a_winner else "ok")
    assert finding(after)["evidence"]["audited"] == 4
    assert after["best"] == before["best"]
    assert undocumented({*keys, *document}, "report.md", "An audit of the pruning") == []
    assert undocumented({"audit"}, "report.md", "report.json") == []


def test_the_words_and_pictures_of_each_trial(results):
    shown = audit(results, "--trials", "4")
    assert shown.exit_code == 0, shown.stderr
    assert "auditing: 4 pruned trials to the end; 4 trainings to run" in shown.stderr
    assert "to its end, complete: rollout error" in shown.stderr
    assert "pruned trials that were trained to the end" in " ".join(shown.stdout.split())
    assert len(list((results / "sine/audit/trials").glob("*/rollout.png"))) == 4
    again = audit(results, "--trials", "4")
    assert "auditing" not in again.stderr and again.stdout == shown.stdout
    assert invoke("report", "sine", "--results", str(results)).exit_code == 0
    page = (results / "sine/report/index.html").read_text(encoding="utf-8")
    assert "pruned trials that were trained to the end" in page


def test_nothing_pruned_exits_with_3(tmp_path):
    done = invoke(
        "run", "sine", "--trials", "2", "--executor", "inline", *TINY, *PRUNED, "--results", str(tmp_path)
    )
    assert done.exit_code == 0, done.stderr
    shown = audit(tmp_path)
    assert (shown.exit_code, "Nothing was pruned" in shown.stdout) == (3, True)
    assert audit(tmp_path, "--json").stdout == "null\n"


def test_what_cannot_be_audited_says_why(results, tmp_path):
    assert "study 'sine' has no results" in audit(tmp_path / "none").stderr
    assert audit(results, "--trials", "0").exit_code == 2
    with DriverLock(results / "sine/.lock"):
        shown = audit(results)
        assert (shown.exit_code, "is being run by process" in shown.stderr) == (1, True)
