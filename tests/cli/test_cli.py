"""The command line: help, exit codes, JSON on stdout and nothing else there."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sweep.cli import main
from sweep.diagnosis.probes import PROBES, always_on
from sweep.diagnosis.symptoms import SYMPTOMS
from sweep.results.wording.numbers import number_text
from sweep.store import DriverLock
from tests.support.command_line import TINY, TINY_TRIALS, invoke

COMMANDS = (
    "init",
    "run",
    "confirm",
    "treat",
    "audit",
    "compare",
    "reproduce",
    "fit",
    "forecast",
    "report",
    "show",
    "diagnose",
    "list",
    "export",
    "doctor",
)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    done = invoke(
        "run",
        "sine",
        "--trials",
        "3",
        "--no-confirm",
        "--executor",
        "inline",
        "--results",
        str(folder),
        *TINY,
    )
    assert done.exit_code == 0, done.stderr
    return folder


def test_every_command_is_tested_here():
    assert set(COMMANDS) == set(main.commands)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command):
    shown = invoke(command, "--help")
    assert shown.exit_code == 0
    assert " ".join(main.commands[command].help.split()) in " ".join(shown.stdout.split())


def test_the_exit_codes_are_on_lines_of_their_own():
    lines = [line.strip() for line in invoke("--help").stdout.splitlines()]
    first = lines.index("Exit codes:")
    assert lines[first + 1 : first + 3] == ["0: done", "1: failed"]


def test_help_imports_no_torch():
    code = (
        "import sys; sys.argv = ['sweep', '--help']\nfrom sweep.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
    )
    heavy = "print(sorted({'torch', 'optuna', 'pandas', 'matplotlib', 'scipy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code + heavy], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_setting_that_is_asked_for_again_holds(tmp_path):
    for top in (2, 3, 2):
        done = invoke(
            "run", "sine", "--trials", "1", "--executor", "inline", "--no-confirm", *TINY,
            "--set", f"confirm.top={top}", "--results", str(tmp_path),
        )  # fmt: skip
        assert done.exit_code == 0, done.stderr
        assert f"top = {top}" in (tmp_path / "sine/study.toml").read_text()


def test_report_json_is_the_documented_document(results):
    shown = invoke("report", "sine", "--json", "--results", str(results))
    document = json.loads(shown.stdout)
    assert {"study", "score", "best", "baselines", "trials"} <= set(document)
    assert set(document["score"]) >= {"horizon", "starts", "warmup"}
    assert document["score"]["horizon"] == 40
    wanted = {
        "number", "state", "params", "rollout_error", "nrmse", "valid_steps", "one_step_error",
        "diverged_fraction", "sequence_steps", "seconds",
    }  # fmt: skip
    assert [trial["number"] for trial in document["trials"]] == [0, 1, 2]
    for trial in document["trials"]:
        assert wanted <= set(trial)
    assert set(document["baselines"]["mean"]) >= {"rollout_error", "nrmse"}
    assert "NaN" not in shown.stdout and "Infinity" not in shown.stdout


def test_report_csv_has_a_row_per_trial(results):
    shown = invoke("report", "sine", "--csv", "--results", str(results))
    assert len(shown.stdout.splitlines()) == 4
    assert shown.stdout.splitlines()[0].startswith("number,")


def test_report_writes_the_page(results):
    assert invoke("report", "sine", "--results", str(results)).exit_code == 0
    page = (results / "sine" / "report" / "index.html").read_text(encoding="utf-8")
    assert len(page) < 5_000_000
    assert all(f"trial {number}" in page for number in range(3))


def test_show_json(results):
    document = json.loads(invoke("show", "1", "sine", "--json", "--results", str(results)).stdout)
    record = json.loads((results / "sine/trials/0001/trial.json").read_text())
    for key in ("number", "state", "params", "rollout_error"):
        assert document[key] == record[key]
    assert len(document["evaluations"]) == len(record["evaluations"])


def test_show_of_a_missing_trial_is_one_line(results):
    shown = invoke("show", "99", "sine", "--results", str(results))
    assert shown.exit_code == 1
    assert shown.stderr.startswith("error: no trial 99 in")
    assert len(shown.stderr.splitlines()) == 1


def test_list_json(results):
    document = json.loads(invoke("list", "--json", "--results", str(results)).stdout)
    assert document["results"][0]["trials"] == 3
    assert {"sine", "forum", "lorenz"} <= {entry["name"] for entry in document["study_files"]}


def test_one_damaged_study_hides_no_other(results, tmp_path):
    for name in ("good", "torn"):
        shutil.copytree(results / "sine", tmp_path / name)
    (tmp_path / "torn/trials/0001/trial.json").write_text('{"number": 1, "sta')
    document = json.loads(invoke("list", "--json", "--results", str(tmp_path)).stdout)["results"]
    assert [(entry["name"], entry["trials"]) for entry in document] == [("good", 3), ("torn", None)]
    assert "0001/trial.json is damaged" in document[1]["error"] and document[0]["error"] is None
    assert "torn cannot be read" in invoke("list", "--results", str(tmp_path)).stdout


def test_a_damaged_checkpoint_is_one_line(results, tmp_path):
    shutil.copytree(results / "sine", tmp_path / "sine")
    whole = (tmp_path / "sine/trials/0000/checkpoint.pt").read_bytes()
    for content in (b"", whole[:100], whole[: len(whole) // 2], b"no checkpoint at all"):
        (tmp_path / "sine/trials/0000/checkpoint.pt").write_bytes(content)
        shown = invoke("diagnose", "0", "sine", "--results", str(tmp_path))
        assert shown.exit_code == 1 and len(shown.stderr.splitlines()) == 1
        assert "trials/0000/checkpoint.pt is damaged: " in shown.stderr
        assert "remove the trial's folder, and sweep run trains it again" in shown.stderr


def test_a_finished_study_says_that_nothing_is_left(results):
    args = ("--no-confirm", "--executor", "inline", "--results", str(results))
    assert "all 3 trials are complete" in invoke("run", "sine", "--trials", "2", *args).stderr


def test_an_interrupt_before_the_first_trial_is_no_failure(tmp_path, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("sweep.study.open_study.load", interrupted)
    shown = invoke("run", "sine", "--trials", "1", "--results", str(tmp_path))
    assert (shown.exit_code, shown.stderr) == (130, "interrupted\n")


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (("run", "nowhere.toml"), "nowhere.toml"),
        (("run", "sine", "--name", "../x"), "../x"),
        (("run", "sine", "--set", 'search.sampler="gp"'), "gp"),
    ],
)
def test_a_call_that_cannot_be_meant_is_a_usage_error(tmp_path, args, named):
    shown = invoke(*args, "--dry-run", "--results", str(tmp_path))
    assert shown.exit_code == 2
    assert shown.stdout == "" and named in shown.stderr


def test_running_again_with_the_same_settings_trains_nothing(results, monkeypatch):
    def trained(*args):
        raise AssertionError("a trial was trained again")

    monkeypatch.setattr("sweep.trial.segment.Run.advance", trained)
    records = sorted((results / "sine/trials").glob("*/trial.json"))
    before = [path.read_bytes() for path in records]
    again = invoke(
        "run", "sine", "--trials", "3", "--no-confirm", "--executor", "inline", "--results", str(results)
    )
    assert again.exit_code == 0, again.stderr
    assert not [line for line in again.stderr.splitlines() if line.startswith("trial ")]
    assert [path.read_bytes() for path in records] == before and len(before) == 3


def test_a_changed_study_is_refused_with_the_difference(results):
    shown = invoke("run", "sine", "--results", str(results), "--set", "training.budget=9000")
    assert shown.exit_code == 2
    assert "training.budget: 4000 in the results, 9000 now" in shown.stderr


def test_a_dry_run_warns_of_the_data(tmp_path):
    steps = np.arange(1500)
    np.save(tmp_path / "rising.npy", (0.1 * steps + np.sin(steps / 5))[:, None])
    study = tmp_path / "rising.toml"
    study.write_text('[data]\npath = "rising.npy"\n[space]\ncell = ["lstm", "gru"]\n')
    shown = invoke("run", str(study), "--dry-run", "--set", "score.warmup=50", "--set", "score.horizon=50")
    assert shown.stdout.count("strong trend") == 1
    assert "scale of errors: the RMS error of drift\n" in shown.stdout


def test_dry_run_writes_nothing(tmp_path):
    shown = invoke("run", "sine", "--dry-run", "--results", str(tmp_path / "none"))
    assert shown.exit_code == 0
    assert "closures" in shown.stdout and "TFLOP" in shown.stdout and "below 200" in shown.stdout
    assert "confirmation: the best 3 on 5 fresh seeds each, 15 full trainings" in shown.stdout
    without = invoke("run", "sine", "--dry-run", "--no-confirm", "--results", str(tmp_path / "none"))
    assert "confirmation" not in without.stdout
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("trainig.budget=5", "Did you mean 'training'?"),
        ("training.budgte=5", "Did you mean 'budget'?"),
        ("model.readout=incremnt", "Did you mean 'increment'?"),
        ("nonsense", "wanted key.path=value"),
    ],
)
def test_a_wrong_setting_is_a_usage_error(tmp_path, override, message):
    shown = invoke("run", "sine", "--set", override, "--results", str(tmp_path))
    assert shown.exit_code == 2
    assert message in shown.stderr


def test_an_unknown_study_names_the_nearest(tmp_path):
    shown = invoke("run", "lorens", "--results", str(tmp_path))
    assert shown.exit_code == 2
    assert "Did you mean 'lorenz'?" in shown.stderr


def test_options_come_from_the_environment(results, monkeypatch):
    monkeypatch.setenv("SWEEP_RESULTS", str(results))
    assert json.loads(invoke("list", "--json").stdout)["results"][0]["name"] == "sine"


def test_no_scored_trial_exits_with_3(tmp_path, monkeypatch):
    def broken(run, point):
        raise RuntimeError("the disk of this trial is on fire")

    monkeypatch.setattr("sweep.trial.segment.Run.advance", broken)
    shown = invoke("run", "sine", "--trials", "2", "--executor", "inline", "--results", str(tmp_path), *TINY)
    assert shown.exit_code == 3
    assert "trial 1 failed: RuntimeError: the disk of this trial is on fire" in shown.stderr


def test_plain_lines_when_stderr_is_no_terminal(tmp_path):
    (tmp_path / "sine").mkdir()
    (tmp_path / "sine/baselines.json").write_text('{"baselines": {}}')  # their searches take long
    command = [sys.executable, "-c", "from sweep.cli import main; main()", "run", "sine", "--trials", "2"]
    done = subprocess.run(
        [*command, "--no-confirm", "--executor", "inline", "--results", str(tmp_path), *TINY],
        capture_output=True, text=True, check=True, env={**os.environ, "NO_COLOR": "1"}, timeout=120,
    )  # fmt: skip
    assert done.stdout == ""
    assert [line.split()[1] for line in done.stderr.splitlines() if line.startswith("trial ")] == ["0", "1"]
    assert "\x1b" not in done.stderr
    for number in range(2):  # a real picture: the other tests of this file draw one pixel
        picture = (tmp_path / f"sine/trials/000{number}/rollout.png").read_bytes()
        assert picture.startswith(b"\x89PNG") and len(picture) > 10_000


def test_load_study_gives_tidy_frames(results):
    import sweep

    study = sweep.load_study(results / "sine")
    assert len(study.trials) == 3
    assert set(study.evaluations["number"]) == {0, 1, 2}
    assert study.rollout(0)["forecast"].shape == (4, 40, 1)
    assert study.plot(0)[:8] == b"\x89PNG\r\n\x1a\n"


def test_diagnose_json_names_a_symptom_and_measures(results):
    done = invoke("diagnose", "0", "sine", "--json", "--results", str(results))
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["symptom"]["code"] in {finding["code"] for finding in document["findings"]}
    assert sum(document["symptom"]["shares"].values()) == pytest.approx(1)
    assert set(document["probes"]) == set(PROBES)
    assert document["probes"]["readout_refit"]["refit"] <= document["probes"]["readout_refit"]["raw"]


def test_diagnose_of_a_study_alone_takes_its_best_trial(results, tmp_path):
    shutil.copytree(results / "sine", tmp_path / "other")
    where = ["--no-probes", "--json", "--results", str(tmp_path)]
    best = json.loads(invoke("report", "other", "--json", "--results", str(tmp_path)).stdout)["best"]
    assert json.loads(invoke("diagnose", "other", *where).stdout)["number"] == best
    assert json.loads(invoke("diagnose", str(best), "other", *where).stdout)["number"] == best
    wrong = invoke("diagnose", "best", "other", *where)
    assert wrong.exit_code == 2 and "invalid trial number 'best'" in wrong.stderr


def test_diagnose_reads_what_is_stored_and_makes_what_is_missing(results, tmp_path):
    def diagnosis(folder, *options):
        done = invoke("diagnose", "0", "sine", "--json", "--results", str(folder), *options)
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout)

    copy = Path(shutil.copytree(results, tmp_path / "results"))
    stored = copy / "sine/trials/0000/diagnosis.json"
    whole, cheap = diagnosis(copy), diagnosis(copy, "--no-probes")
    assert set(cheap["probes"]) == {probe.name for probe in always_on()}
    document = json.loads(stored.read_text())
    document["symptom"]["text"] = "as stored"
    document["probes"]["driven"] = {"reason": "as stored"}
    stored.write_text(json.dumps(document))
    assert diagnosis(copy)["symptom"]["text"] == "as stored"
    assert diagnosis(copy)["probes"]["driven"] == {"reason": "as stored"}
    stored.unlink()  # as in the folder of a trial from before diagnoses were stored
    assert diagnosis(copy) == whole
    bare = diagnosis(copy, "--no-probes")  # causes have less to go by, symptoms the same
    assert bare["probes"] == {} and bare["symptom"] == cheap["symptom"]
    symptoms = [[f for f in one["findings"] if f["code"].startswith("S")] for one in (bare, cheap)]
    assert symptoms[0] == symptoms[1] and len(symptoms[0]) == len(SYMPTOMS)
    stored.write_text(json.dumps({**document, "symptom": {"code": "S01"}}))
    done = invoke("diagnose", "0", "sine", "--results", str(copy))
    assert done.exit_code == 1 and "diagnosis.json is damaged" in done.stderr


def test_what_other_rules_stored_is_made_again(results, tmp_path):
    copy = Path(shutil.copytree(results, tmp_path / "results"))
    stored = copy / "sine/trials/0000/diagnosis.json"
    shown = ["sine", "--results", str(copy)]
    plain = json.loads(invoke("diagnose", "0", *shown, "--no-probes", "--json").stdout)
    assert plain["recomputed"] is False
    document = json.loads(stored.read_text())
    document["symptom"]["text"] = "as other rules had it"
    document["probes"] = {name: {"reason": "as it was"} for name in document["probes"]}
    stored.write_text(json.dumps({**document, "rules": "of another version"}))
    again = json.loads(invoke("diagnose", "0", *shown, "--no-probes", "--json").stdout)
    assert again["recomputed"] is True and again["symptom"] == plain["symptom"]
    assert set(again["probes"]) == set(plain["probes"])  # measured, not judged: kept where none are taken
    short = " ".join(invoke("diagnose", "0", *shown).stdout.split())
    assert "recomputed, as the stored diagnosis is from another version" in short
    whole = invoke("diagnose", "0", "--all", *shown).stdout
    assert "Recomputed: the stored diagnosis is from another version" in whole
    probed = json.loads(invoke("diagnose", "0", *shown, "--json").stdout)
    assert "as it was" not in json.dumps(probed["probes"])
    assert json.loads(invoke("report", *shown, "--json").stdout)["diagnoses"]["other_rules"] == 1
    page = (copy / "sine/report/index.html").read_text(encoding="utf-8")
    assert "Diagnoses from another version of the rules: 1" in page


def test_diagnosing_anew_gives_the_bytes_of_the_trials_end(results, tmp_path):
    copy = Path(shutil.copytree(results, tmp_path / "results"))
    files = sorted((copy / "sine/trials").glob("*/diagnosis.json"))
    before = [path.read_bytes() for path in files]
    assert len(files) == 3
    document = json.loads(before[0])
    files[0].write_text(json.dumps({**document, "rules": "old", "findings": []}))
    files[1].unlink()
    files[2].write_text("damaged")
    shown = invoke("report", "sine", "--diagnose-anew", "--json", "--results", str(copy))
    assert shown.exit_code == 0, shown.stderr
    assert [path.read_bytes() for path in files] == before
    counts = json.loads(shown.stdout)["diagnoses"]
    assert (counts["judged"], counts["not_judged"], counts["other_rules"]) == (3, 0, 0)
    files[0].write_text(json.dumps({**document, "findings": []}))  # of today's rules: left alone
    invoke("report", "sine", "--diagnose-anew", "--results", str(copy))
    assert json.loads(files[0].read_text())["findings"] == []
    with DriverLock(copy / "sine/.lock"):
        assert invoke("report", "sine", "--diagnose-anew", "--results", str(copy)).exit_code == 1


def test_muted_codes_are_not_told_but_kept(results, tmp_path):
    copy = str(shutil.copytree(results, tmp_path / "results"))
    shown = ["sine", "--no-probes", "--results", copy]
    plain = json.loads(invoke("diagnose", "0", *shown, "--json").stdout)
    code, text = plain["symptom"]["code"], plain["symptom"]["text"]
    assert not any(finding["muted"] for finding in plain["findings"])
    done = invoke("diagnose", "0", *shown, "--mute", code, "--mute", "S12", "--json")
    muted = json.loads(done.stdout)
    assert {f["code"] for f in muted["findings"] if f["muted"]} == {code, "S12"}
    assert muted["symptom"] == {**plain["symptom"], "muted": True}
    words = " ".join(invoke("diagnose", "0", *shown, "--mute", code).stdout.split())
    assert text not in words and f"muted: {code}" in words
    assert text in " ".join(invoke("diagnose", "0", *shown).stdout.split())
    # in the study file, which may say so of a study that has results
    done = invoke(
        "run", "sine", "--trials", "3", "--no-confirm", "--executor", "inline", "--results", copy,
        *TINY, "--set", f"diagnosis.mute=['{code}']",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    again = json.loads(invoke("diagnose", "0", *shown, "--json").stdout)
    assert {f["code"] for f in again["findings"] if f["muted"]} == {code}
    assert text not in " ".join(invoke("show", "0", "sine", "--results", copy).stdout.split())
    assert json.loads(invoke("show", "0", "sine", "--results", copy, "--json").stdout)["symptom"] == code


def test_a_code_that_there_is_not_cannot_be_muted(results):
    done = invoke("diagnose", "0", "sine", "--mute", "S7", "--results", str(results))
    assert done.exit_code == 2 and "Did you mean 'S07'?" in done.stderr


def test_the_list_says_what_the_best_trial_shows(results):
    (entry,) = json.loads(invoke("list", "--json", "--results", str(results)).stdout)["results"]
    best = min(
        (json.loads(path.read_text()) for path in results.glob("sine/trials/*/trial.json")),
        key=lambda record: record["rollout_error"],
    )
    path = results / f"sine/trials/{best['number']:04d}/diagnosis.json"
    symptom = json.loads(path.read_text())["symptom"]
    assert entry["best_symptom"] == f"{symptom['code']} {symptom['title']}"
    assert entry["best_symptom"] in invoke("list", "--csv", "--results", str(results)).stdout


def test_the_list_fits_80_columns_with_the_whole_of_its_numbers(results, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("sine", "a_study_of_the_pressure_at_seven_stations"):
        shutil.copytree(results / "sine", tmp_path / name)
    (entry, _) = json.loads(invoke("list", "--json", "--results", str(tmp_path)).stdout)["results"]
    lines = invoke("list", "--results", str(tmp_path)).stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert all(heading in lines[1] for heading in ("trials", "complete", "rollout error", "symptom"))
    assert sum(number_text(entry["best_rollout_error"]) in line.split() for line in lines) == 2


def test_what_baselines_reach_takes_an_excuse_away(results, tmp_path):
    """Of noise nothing can be forecast; where a baseline is said to do it, no trial has the data for an excuse."""
    rng = np.random.default_rng(0)
    table = tmp_path / "noise.csv"
    table.write_text("ds,y\n" + "".join(f"{k},{v}\n" for k, v in enumerate(rng.standard_normal(900))))
    study = tmp_path / "noise.toml"
    study.write_text(
        '[data]\npath = "noise.csv"\n[model]\nreadout = "value"\n[space]\ncell = ["lstm", "gru"]\n'
    )
    codes = []
    for name, error in (("poor", 1.0), ("good", 0.1)):
        folder = tmp_path / "results" / name
        folder.mkdir(parents=True)
        entry = {"rollout_error": error, "prefix_errors": 4 * [error], "settings": {}}
        (folder / "baselines.json").write_text(json.dumps({"baselines": {"mean": entry}}))
        done = invoke(
            "run", str(study), "--name", name, "--trials", "1", "--no-confirm", "--executor", "inline",
            "--results", str(tmp_path / "results"), *TINY_TRIALS,
        )  # fmt: skip
        assert done.exit_code == 0, done.stderr
        stored = json.loads((folder / "trials/0000/diagnosis.json").read_text())
        codes.append(stored["symptom"]["code"])
        done = invoke("diagnose", "0", name, "--json", "--no-probes", "--results", str(tmp_path / "results"))
        assert json.loads(done.stdout)["symptom"] == {**stored["symptom"], "muted": False}
        (folder / "trials/0000/diagnosis.json").unlink()
        done = invoke("diagnose", "0", name, "--json", "--no-probes", "--results", str(tmp_path / "results"))
        assert json.loads(done.stdout)["symptom"] == {**stored["symptom"], "muted": False}
    assert codes[0] == "S12" != codes[1]


def test_diagnose_in_words_fits_80_columns(results, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    done = invoke("diagnose", "0", "sine", "--no-probes", "--results", str(results))
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("trial 0: S")
    assert "driven" not in done.stdout and "Every number: --all" in done.stdout
    whole = invoke("diagnose", "0", "sine", "--no-probes", "--all", "--results", str(results)).stdout
    assert "driven" in whole and "lyapunov" not in whole  # stored ones are shown
    for text in (done.stdout, whole):  # a command is not cut
        assert max(len(line) for line in text.splitlines() if "sweep treat" not in line) <= 80


def test_diagnose_of_a_missing_trial_is_one_line(results):
    done = invoke("diagnose", "77", "sine", "--results", str(results))
    assert done.exit_code == 1
    assert len(done.stderr.strip().splitlines()) == 1


def test_no_diagnosis_is_made_on_data_that_changed(results, tmp_path):
    copy = Path(shutil.copytree(results, tmp_path / "copy"))
    path, fingerprint = copy / "sine/study.toml", "0" * 64
    path.write_text(
        re.sub('data_fingerprint = "[0-9a-f]+"', f'data_fingerprint = "{fingerprint}"', path.read_text())
    )
    for file in copy.glob("sine/trials/*/diagnosis.json"):
        file.unlink()
    for command in (("diagnose", "0", "sine"), ("report", "sine", "--diagnose-anew")):
        shown = invoke(*command, "--results", str(copy))
        assert shown.exit_code == 2 and len(shown.stderr.splitlines()) == 1
        assert "have changed since it began: restore them, or run it under another name" in shown.stderr


def test_a_run_that_ends_early_says_why_and_how_to_go_on(results, tmp_path):
    copy = str(shutil.copytree(results, tmp_path / "copy"))
    rest = ("--trials", "40", "--no-confirm", "--executor", "inline", "--results", copy)
    shown = invoke("run", "sine", "--max-trials-without-gain", "1", "--set", "search.width=1", *rest)
    assert shown.exit_code == 2  # another width is another study
    shown = invoke("run", "sine", "--time-limit", "0.001s", *rest)
    assert shown.exit_code == 0
    assert "no more trials after 3: the time that is left is for" in shown.stderr
    said = " ".join(shown.stderr.split())
    assert "Stopped after 3 trials: the time that is left" in said
    command = f"sweep run sine --results {copy}"
    assert f"To continue to the total: {command}" in shown.stderr.splitlines()
    shown = invoke("run", "sine", "--time-limit", "soon", *rest)
    assert shown.exit_code == 2 and "'soon' is not a time span above 0" in shown.stderr
