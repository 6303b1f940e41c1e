"""`sweep compare`: what it prints and leaves, its document, its page in a browser, refusals, exit codes."""

import json
import shutil
from pathlib import Path

import pytest

import sweep
from sweep.config.errors import CannotWrite
from sweep.store.folder import StudyFolder
from tests.support.browser import browser, fits_phones_and_screens
from tests.support.command_line import invoke
from tests.support.documentation import undocumented
from tests.support.made_study import study_document, write_trial

__all__ = ["browser"]
LONG = "after-a-change-with-a-name-that-is-longer-than-a-phone-is-wide-and-<b>bold</b>"


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    """The studies `before`, and LONG, whose errors are at least twice as large; both are searches of 8 trials."""
    folder = tmp_path_factory.mktemp("results")
    for name, worse in (("before", 1.0), (LONG, 5.0)):
        study = StudyFolder(folder / name)
        document = study_document(name, data={"source": "sine", "options": {"noise": worse}})
        study.write_study(document)
        study.write_document("baselines", {"baselines": {"mean": {"rollout_error": 1.0}}})
        for number in range(8):
            params, size = {"cell": "gru", "batch_size": 8 + number}, worse * (0.01 + 0.001 * number)
            write_trial(study, number, params, "drift", size, 0.01, document=document)
    return folder


def compare(results, *options):
    return invoke("compare", "before", *options, "--results", str(results))


def test_the_document_is_the_documented_one(results):
    shown = compare(results, LONG, "--json")
    assert shown.exit_code == 0, shown.stderr
    document = json.loads(shown.stdout)
    (pair,) = document["pairs"]
    own = {*document, *pair, *pair["first"], *pair["differences"], *pair["basis"], *pair["budget"]}
    own |= {*pair["search"], *pair["search"]["ahead"], *pair["first"]["best_so_far"][0]}
    assert {"verdict", "seeds", "new_symptom", "fresh_errors"} <= own
    for name in ("The JSON document", "A pair", "A study"):
        own = set(undocumented(own, "compare.md", name))
    assert own == set()
    assert (pair["verdict"], pair["alarm"], document["worse"]) == ("worse", True, True)
    assert pair["differences"]["data"] == [{"path": "data.options.noise", "first": 1.0, "second": 5.0}]
    assert "NaN" not in shown.stdout and "Infinity" not in shown.stdout


def test_the_words_and_the_page(results):
    shown = compare(results, LONG)
    assert shown.exit_code == 0, shown.stderr
    text = " ".join(shown.stdout.split())
    assert "8 trials of before are better than the best trial of" in text.replace(LONG, "LONG")
    assert "data.options.noise" in text and "Equal budget: 8 trials of each search" in text
    page = (results / LONG / "report/compare.html").read_text(encoding="utf-8")
    assert "<b>bold" not in page and "data.options.noise" in page and page.count("data:image/png") == 2


def test_a_pipeline_stops_only_if_a_later_study_is_worse(results):
    assert compare(results, LONG, "--fail-if-worse").exit_code == 1
    better = invoke("compare", LONG, "before", "--fail-if-worse", "--results", str(results))
    assert (better.exit_code, "before is better than" in " ".join(better.stdout.split())) == (0, True)
    assert compare(results, "before", "--fail-if-worse").exit_code == 0


def test_equal_names_are_told_apart_by_their_folders(results, tmp_path):
    copy = shutil.copytree(results / "before", tmp_path / "before")
    shown = invoke("compare", str(results / "before"), str(copy), "--json")
    (pair,) = json.loads(shown.stdout)["pairs"]
    assert [pair[side]["name"] for side in ("first", "second")] == [str(results / "before"), str(copy)]


def test_what_cannot_be_compared_is_one_line(results, tmp_path):
    copies = Path(shutil.copytree(results, tmp_path / "results"))
    file = copies / LONG / "study.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("0f" * 32, "aa" * 32), encoding="utf-8")
    for number in range(8):
        (copies / LONG / f"trials/{number:04d}/rollout.npz").unlink()
    shown = compare(copies, LONG)
    assert (shown.exit_code, shown.stdout, len(shown.stderr.splitlines())) == (1, "", 1)
    assert (
        "scores are of different tasks (other data), and their stored rollouts share no start" in shown.stderr
    )
    alone = compare(results)
    assert (alone.exit_code, "wanted at least two studies to compare, got 1" in alone.stderr) == (2, True)
    missing = compare(results, "nothing")
    assert (missing.exit_code, "study 'nothing' has no results" in missing.stderr) == (2, True)


def test_a_page_of_ones_own(results, tmp_path):
    done = sweep.compare("before", LONG, results=results, page=tmp_path / "mine.html")
    assert (done.page, done.worse) == (tmp_path / "mine.html", True) and done.page.is_file()
    with pytest.raises(CannotWrite, match="nowhere"):
        sweep.compare("before", LONG, results=results, page=tmp_path / "nowhere" / "mine.html")


def test_a_report_folder_that_cannot_be_written_is_a_warning(results, tmp_path):
    copies = Path(shutil.copytree(results, tmp_path / "results"))
    shutil.rmtree(copies / "before/report", ignore_errors=True)
    (copies / "before/report").write_text("in the way")
    shown = compare(copies, "before")
    assert (shown.exit_code, "warning: cannot" in shown.stderr, "Page:" in shown.stdout) == (0, True, False)


def test_the_page_fits_phones_and_screens_in_light_and_dark(results, browser):
    page = sweep.compare("before", LONG, results=results).page
    fits_phones_and_screens(browser, page)
