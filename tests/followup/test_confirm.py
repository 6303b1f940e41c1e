"""`sweep confirm` and the end of `sweep run`: what they print, leave, refuse, and how they exit."""

import json
import shutil
from pathlib import Path

import pytest

import sweep
from sweep.results.document import report_document
from sweep.store import DriverLock, StudyFolder
from tests.support.command_line import TINY, invoke
from tests.support.documentation import undocumented

RUN = ("run", "sine", "--trials", "4", "--executor", "inline", *TINY, "--set", "score.starts=8")
EASY = ("--set", "data.options.T=3", "--set", "training.budget=20000")


@pytest.fixture(scope="module")
def swept(tmp_path_factory) -> Path:
    """A small study that was not confirmed."""
    results = tmp_path_factory.mktemp("swept")
    done = invoke(*RUN, *EASY, "--no-confirm", "--results", str(results))
    assert done.exit_code == 0, done.stderr
    return results


@pytest.fixture
def results(swept, tmp_path) -> Path:
    return Path(shutil.copytree(swept, tmp_path / "results"))


def confirm(results, *options):
    return invoke("confirm", "sine", "--executor", "inline", "--results", str(results), *options)


def report(results):
    """Return what `sweep report --json` prints, without the page that it writes."""
    return json.loads(json.dumps(report_document(StudyFolder(results / "sine")), allow_nan=False))


ARM = {
    "number", "configuration", "selected", "selected_state", "errors", "rmse", "valid_steps", "failed", "diverged",
    "replications", "iqm", "median", "optimism", "difference", "leader_wins", "p", "told_apart",
}  # fmt: skip


def test_the_json_document_is_the_documented_one_and_that_of_the_report(results):
    before = report(results)
    assert (before["best_basis"], before["confirmation"], before["test_looks"]) == ("selected", None, 1)
    shown = confirm(results, "--top", "2", "--seeds", "2", "--json")
    assert shown.exit_code == 0, shown.stderr
    document = json.loads(shown.stdout)
    assert set(document) == {
        "top", "seeds", "verdict", "reason", "leader", "equals", "optimism", "seed_noise", "arms", "test",
    }  # fmt: skip
    assert [set(arm) for arm in document["arms"]] == [ARM, ARM]
    gaps = [arm["optimism"]["value"] for arm in document["arms"]]
    assert document["optimism"]["value"] == pytest.approx(sum(gaps) / 2)  # as a reader of the table expects
    assert set(document["test"]) == {"networks", "median_seed", "iqm", "looks", "use"}
    whole = invoke("report", "sine", "--json", "--results", str(results))
    after = json.loads(whole.stdout)
    assert after["confirmation"] == document
    assert (after["best"], after["best_basis"]) == (document["leader"], "confirmed")
    best = next(trial for trial in after["trials"] if trial["number"] == after["best"])
    median = document["test"]["networks"][document["test"]["median_seed"] - 1]
    assert best["test"] == {key: median[key] for key in ("rollout_error", "nrmse", "rmse", "valid_steps")}
    assert (results / "sine" / document["test"]["use"]["checkpoint"]).is_file()
    own = {*document, *ARM, *document["test"], *document["test"]["networks"][0]}
    assert undocumented(own, "report.md", "The confirmation") == []
    of_study = {"best_basis", "test_looks", "confirmation", "confirmation_outdated"}
    assert undocumented(of_study, "report.md", "report.json") == []
    for text in (shown.stdout, whole.stdout):
        assert "NaN" not in text and "Infinity" not in text


def test_the_words_name_one_and_say_what_is_not_known(results):
    shown = confirm(results, "--top", "2", "--seeds", "3")
    text = " ".join(shown.stdout.split())
    assert "Confirmed on 3 fresh seeds each" in text
    assert "No single winner" in text
    assert "3 seeds each are too few" in text
    assert "first among equals" in text
    assert "(median of 3 networks, " in text
    long = [line for line in shown.stdout.splitlines()[:-1] if len(line) > 80]  # the last line is a path
    assert all(line.strip().startswith("sweep ") for line in long)  # a command that can be pasted
    whole = invoke("report", "sine", "--results", str(results)).stdout
    html = (results / "sine/report/index.html").read_text(encoding="utf-8")
    assert 'id="confirmation"' in html and "are not distinguishable" in html
    assert "No single winner; first among equals: trial" in whole
    number = report(results)["best"]
    trial = invoke("show", str(number), "sine", "--results", str(results)).stdout
    assert "3 fresh seeds" in trial


def test_a_run_ends_with_a_confirmation_and_a_second_one_trains_nothing(tmp_path):
    small = ("--set", "confirm.top=2", "--set", "confirm.seeds=2")
    done = invoke(*RUN, *EASY, *small, "--results", str(tmp_path))
    assert done.exit_code == 0, done.stderr
    assert "confirming: the best 2 configurations on 2 fresh seeds each" in done.stderr
    document = report(tmp_path)
    assert document["confirmation"]["verdict"] == "tied"  # two seeds can tell nothing apart
    assert f"No single winner; first among equals: trial {document['best']}\n" in done.stderr
    assert "Best network: trial" not in done.stderr
    assert (document["best_basis"], len(document["confirmation"]["arms"])) == ("confirmed", 2)
    assert document["test_looks"] == 1  # only that of the confirmed one: the selected one was never read
    again = invoke(*RUN, *EASY, "--results", str(tmp_path))  # [confirm] is recorded with the study
    assert "confirming" not in again.stderr
    assert report(tmp_path) == document
    without = invoke(*RUN, *EASY, "--no-confirm", "--results", str(tmp_path))
    assert without.exit_code == 0
    assert report(tmp_path) == document  # what is confirmed stays confirmed


def test_a_run_keeps_a_confirmation_that_holds_more(results):
    confirm(results, "--top", "3", "--seeds", "2")
    before = report(results)
    again = invoke(
        *RUN, *EASY, "--set", "confirm.top=2", "--set", "confirm.seeds=2", "--results", str(results)
    )
    assert again.exit_code == 0, again.stderr
    assert "confirming" not in again.stderr
    assert report(results)["confirmation"] == before["confirmation"]


def test_confirm_is_no_part_of_what_a_study_is(results):
    done = invoke(*RUN, *EASY, "--set", "confirm.top=0", "--results", str(results))
    assert done.exit_code == 0, done.stderr
    assert not (results / "sine/confirm").exists()


def test_one_worker_or_two_give_the_same(results, tmp_path):
    other = Path(shutil.copytree(results, tmp_path / "other"))
    one = confirm(results, "--top", "2", "--seeds", "2", "--json")
    many = invoke(
        "confirm", "sine", "--workers", "2", "--top", "2", "--seeds", "2", "--json", "--results", str(other)
    )
    assert one.exit_code == many.exit_code == 0
    assert json.loads(one.stdout) == json.loads(many.stdout)


def test_what_cannot_be_confirmed_says_why(results, tmp_path):
    shown = confirm(tmp_path / "none")
    assert shown.exit_code == 2
    assert "study 'sine' has no results" in shown.stderr
    assert confirm(results, "--top", "0").exit_code == 2
    with DriverLock(results / "sine/.lock"):
        shown = confirm(results)
        assert shown.exit_code == 1
        assert "is being run by process" in shown.stderr
    path = results / "sine/study.toml"
    text = path.read_text()
    path.write_text(text.replace(report(results)["study"]["data_fingerprint"], "0" * 64))
    shown = confirm(results)
    assert shown.exit_code == 2
    assert "the data of the study" in shown.stderr and "have changed" in shown.stderr
    assert len(shown.stderr.splitlines()) == 1


def test_a_study_that_was_edited_after_its_confirmation_is_refused(results):
    confirm(results, "--top", "1", "--seeds", "1")
    path = results / "sine/study.toml"
    path.write_text(path.read_text().replace("hidden = 4", "hidden = 5"))
    shown = confirm(results, "--top", "1", "--seeds", "2")
    assert shown.exit_code == 2
    assert "model.hidden: 4 in the results, 5 now" in shown.stderr


def test_where_every_training_fails_there_is_no_winner_and_the_exit_code_is_3(results, monkeypatch):
    def broken(run, point):
        raise RuntimeError("the disk of this trial is on fire")

    monkeypatch.setattr("sweep.trial.segment.Run.advance", broken)
    looks = report(results)["test_looks"]
    shown = confirm(results, "--top", "2", "--seeds", "2")
    assert shown.exit_code == 3
    assert "confirm: trial" in shown.stderr and "failed: RuntimeError: the disk" in shown.stderr
    assert "No network is named: on fresh seeds every configuration" in " ".join(shown.stdout.split())
    document = report(results)
    assert (document["best"], document["confirmation"]["verdict"]) == (None, "none")
    assert document["test_looks"] == looks


def test_nothing_scored_is_nothing_to_confirm(tmp_path, monkeypatch):
    def broken(run, point):
        raise RuntimeError("the disk of this trial is on fire")

    monkeypatch.setattr("sweep.trial.segment.Run.advance", broken)
    done = invoke(*RUN, *EASY, "--results", str(tmp_path))
    assert done.exit_code == 3
    assert "confirming" not in done.stderr
    shown = confirm(tmp_path)
    assert shown.exit_code == 3
    assert shown.stdout.startswith("No verdict: no trial was completed with a score.\n")
    assert "No network is named: no trial was completed with a score\n" in shown.stdout


def test_in_python(results):
    result = sweep.confirm("sine", top=1, seeds=1, results=results, executor="inline", plots=False)
    assert result.confirmation["verdict"] == "alone"
    assert result.winner["number"] == result.confirmation["leader"]
    with pytest.raises(ValueError, match="at least one configuration and one seed"):
        sweep.confirm("sine", top=0, results=results)
