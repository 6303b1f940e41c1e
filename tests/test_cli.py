"""The command line: help, exit codes, JSON on stdout and nothing else there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from sweep.cli import main
from sweep.diagnosis.probes import PROBES

TINY = [
    "--set", "model.hidden=4", "--set", "model.layers=1", "--set", "training.budget=4000",
    "--set", "training.window=32", "--set", "training.evaluations=4", "--set", "score.warmup=40",
    "--set", "score.horizon=40", "--set", "score.starts=4", "--set", "data.options.length=100",
    "--set", "data.options.series=10",
]  # fmt: skip
COMMANDS = ("run", "confirm", "treat", "report", "show", "diagnose", "list")


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


def invoke(*args: str):
    return CliRunner().invoke(main, list(args), catch_exceptions=False)


def test_every_command_is_tested_here():
    assert set(COMMANDS) == set(main.commands)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command):
    shown = invoke(command, "--help")
    assert shown.exit_code == 0
    assert " ".join(main.commands[command].help.split()) in " ".join(shown.stdout.split())


def test_help_imports_no_torch():
    code = (
        "import sys; sys.argv = ['sweep', '--help']\nfrom sweep.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
    )
    heavy = "print(sorted({'torch', 'optuna', 'pandas', 'matplotlib', 'scipy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code + heavy], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


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
    assert (results / "sine" / "report" / "index.html").stat().st_size < 5_000_000


def test_show_json(results):
    document = json.loads(invoke("show", "1", "sine", "--json", "--results", str(results)).stdout)
    assert document["number"] == 1


def test_show_of_a_missing_trial_is_one_line(results):
    shown = invoke("show", "99", "sine", "--results", str(results))
    assert shown.exit_code == 1
    assert shown.stderr.startswith("error: no trial 99 in")
    assert len(shown.stderr.splitlines()) == 1


def test_list_json(results):
    document = json.loads(invoke("list", "--json", "--results", str(results)).stdout)
    assert document["results"][0]["trials"] == 3
    assert {"sine", "forum", "lorenz"} <= {entry["name"] for entry in document["study_files"]}


def test_running_again_with_the_same_settings_goes_on(results):
    again = invoke(
        "run", "sine", "--trials", "3", "--no-confirm", "--executor", "inline", "--results", str(results)
    )
    assert again.exit_code == 0
    assert "trial 0" not in again.stderr.split("best configuration")[0].split("no winner")[0]


def test_a_changed_study_is_refused_with_the_difference(results):
    shown = invoke("run", "sine", "--results", str(results), "--set", "training.budget=9000")
    assert shown.exit_code == 1
    assert "training.budget: 4000 in the results, 9000 now" in shown.stderr


def test_dry_run_writes_nothing(tmp_path):
    shown = invoke("run", "sine", "--dry-run", "--results", str(tmp_path / "none"))
    assert shown.exit_code == 0
    assert "closures" in shown.stdout and "TFLOP" in shown.stdout and "below 200" in shown.stdout
    assert "confirmation: the best 3 on 3 fresh seeds each, 9 full trainings" in shown.stdout
    without = invoke("run", "sine", "--dry-run", "--no-confirm", "--results", str(tmp_path / "none"))
    assert "confirmation" not in without.stdout
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("trainig.budget=5", "Did you mean 'training'?"),
        ("training.budgte=5", "Did you mean 'budget'?"),
        ("model.readout=incremnt", "Did you mean 'increment'?"),
        ("nonsense", "wanted key.path=value"),
    ],
)
def test_a_wrong_setting_is_a_usage_error(tmp_path, override, told):
    shown = invoke("run", "sine", "--set", override, "--results", str(tmp_path))
    assert shown.exit_code == 2
    assert told in shown.stderr


def test_an_unknown_study_names_the_nearest(tmp_path):
    shown = invoke("run", "lorens", "--results", str(tmp_path))
    assert shown.exit_code == 1
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
    command = [sys.executable, "-c", "from sweep.cli import main; main()", "run", "sine", "--trials", "2"]
    done = subprocess.run(
        [*command, "--no-confirm", "--executor", "inline", "--results", str(tmp_path), *TINY],
        capture_output=True, text=True, check=True, env={**os.environ, "NO_COLOR": "1"}, timeout=120,
    )  # fmt: skip
    assert done.stdout == ""
    assert [line.split()[1] for line in done.stderr.splitlines() if line.startswith("trial ")] == ["0", "1"]
    assert "\x1b" not in done.stderr


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


def test_diagnose_in_words_fits_80_columns(results, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    done = invoke("diagnose", "0", "sine", "--no-probes", "--results", str(results))
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("trial 0: S")
    assert "lyapunov" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_diagnose_of_a_missing_trial_is_one_line(results):
    done = invoke("diagnose", "77", "sine", "--results", str(results))
    assert done.exit_code == 1
    assert len(done.stderr.strip().splitlines()) == 1
