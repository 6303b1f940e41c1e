import csv
import io
import json
from pathlib import Path

import pytest

from sweep.config.errors import StoreError
from sweep.config.records import SCORE_FORMAT
from sweep.report.write import guarded, trials_csv, write_report
from sweep.results.checks import CHECKS
from sweep.results.document import report_document, trial_document

TRIAL_KEYS = {
    "number",
    "state",
    "params",
    "rollout_error",
    "nrmse",
    "valid_steps",
    "one_step_error",
    "diverged_fraction",
    "sequence_steps",
    "seconds",
}


@pytest.fixture(scope="module")
def document(study):
    return report_document(study)


def test_the_document_has_what_is_promised(document):
    assert {"study", "score", "best", "baselines", "trials", "findings"} <= set(document)
    assert document["score"] == {
        "horizon": 400,
        "horizon_test": 400,
        "from_start": False,
        "starts": 16,
        "warmup": 100,
        "block": 50,
        "period": 50.0,
        "lyapunov_time": None,
        "n_eff_validation": 12,
        "n_eff_test": 12,
        "format": SCORE_FORMAT,
        "outdated": False,
        "scale_from": ["mean"],
        "trivial": {"name": "persistence", "rollout_error": 0.91, "valid_steps": 6.0},
    }
    assert len(document["trials"]) == 40
    assert all(set(trial) >= TRIAL_KEYS for trial in document["trials"])
    assert all({"rollout_error", "nrmse"} <= set(entry) for entry in document["baselines"].values())
    assert document["missing_baselines"] == {"esn": "the extra `baselines` is not installed"}


def test_the_best_alone_has_test_scores(study, document):
    with_test = [trial["number"] for trial in document["trials"] if "test" in trial]
    assert with_test == [document["best"]]
    test = document["trials"][document["best"]]["test"]
    winner = study.read_document("winner")
    assert test == {key: winner["test"][key] for key in ("rollout_error", "nrmse", "rmse", "valid_steps")}


def test_every_finding_is_there_whatever_it_says(document):
    codes = [finding["code"] for finding in document["findings"]]
    assert codes == [
        "beaten_by_baseline",
        "loss_is_lying",
        "checkpoint_regret",
        "choices_matter",
        "near_bound",
        "horizon_too_long",
        "budget_is_the_limit",
        "within_seed_noise",
        "pruning_stopped_winners",
        "few_starts",
        "trial_failures",
    ]
    assert {finding["severity"] for finding in document["findings"]} <= {"issue", "ok", "not applicable"}
    assert all(
        set(finding) == {"code", "title", "severity", "text", "evidence"} for finding in document["findings"]
    )
    assert list(CHECKS) == codes and all(finding["title"] for finding in document["findings"])


def test_the_documentation_lists_every_key_and_check(document):
    words = (Path(__file__).parents[2] / "docs/report.md").read_text(encoding="utf-8")
    keys = {*document, *document["trials"][0], *document["findings"][0], *document["diagnoses"], *CHECKS}
    keys |= {*document["study"], *document["score"], *document["progress"], *document["effects"]}
    missing = sorted(key for key in keys if f"`{key}`" not in words)
    assert missing == []


def test_non_finite_numbers_are_null(document):
    text = json.dumps(document, allow_nan=False)  # raises on NaN and inf
    assert json.loads(text) == document
    exploded = [trial for trial in document["trials"] if trial["state"] == "diverged"]
    assert exploded
    assert all(trial["nrmse"] is None for trial in exploded)


def test_equal_studies_give_equal_documents(study, document):
    assert report_document(study) == document


def test_a_winner_of_before_gives_no_test_score_to_the_best_of_now(one):
    one.write_document(
        "winner",
        {
            "number": 5,
            "reason": None,
            "test": {"rollout_error": 0.1, "nrmse": 0.2, "valid_steps": 9.0},
            "baselines_test": {},
        },
    )
    document = report_document(one)
    assert document["best"] == 0
    assert document["trials"][0]["test"] is None


def test_one_trial_as_a_document(study):
    document = trial_document(study, 0)
    record = study.record(0)
    assert document["number"] == 0
    assert len(document["evaluations"]) == len(record.evaluations)
    assert document["evaluations"][record.best]["rollout_error"] == record.rollout_error
    assert document["skill"]["seasonal"] is None
    assert document["skill"]["ar"] == pytest.approx(1 - record.rollout_error / 0.31)
    assert set(document["files"]) >= {"trial.json", "rollout.npz", "curves.csv"}
    assert json.dumps(document, allow_nan=False)
    with pytest.raises(StoreError, match="no trial 99"):
        trial_document(study, 99)


def test_rank_counts_scored_trials_only(study, document):
    best = trial_document(study, document["best"])
    assert (best["rank"], best["is_best"], best["ranked"]) == (1, True, 38)
    failed = trial_document(study, 38)
    assert (failed["rank"], failed["is_best"]) == (None, False)


def test_trials_csv_has_a_row_per_trial(document):
    rows = list(csv.DictReader(io.StringIO(trials_csv(document))))
    assert len(rows) == 40
    assert float(rows[0]["rollout_error"]) == document["trials"][0]["rollout_error"]
    assert rows[0]["params.optimizer"] == document["trials"][0]["params"]["optimizer"]
    assert "test" not in rows[0]


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "'  =1"),
        ("\t=1", "'\t=1"),
        ("gru", "gru"),
        (-1.5, -1.5),
        (None, None),
        ([36, 24], "[36, 24]"),
    ],
)
def test_no_cell_is_a_formula(cell, safe):
    assert guarded(cell) == safe


def test_hyperparameter_names_are_no_formulas_either(one, writer):
    _, write_trial, *_ = writer
    write_trial(one, 1, {"=cmd": "=2+2"}, "drift", 0.1, 0.01, reason="@x")
    text = trials_csv(report_document(one))
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert "'=2+2" in cells
    assert "'@x" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "@"))]


def test_all_three_files_are_written(one):
    paths = write_report(one)
    assert paths.page.name == "index.html"
    assert json.loads(paths.document.read_text(encoding="utf-8"))["best"] == 0
    assert paths.table.read_text(encoding="utf-8").startswith("number,state")
    assert sorted(path.name for path in one.report.iterdir()) == ["index.html", "report.json", "trials.csv"]


def test_a_study_that_is_not_there_is_an_error(tmp_path):
    from sweep.store.folder import StudyFolder

    with pytest.raises(StoreError, match="no study in"):
        write_report(StudyFolder(tmp_path / "none"))


def state_running(empty, write_trial):
    for number in range(3):
        changes = {"rollout_error": None}
        write_trial(empty, number, {"cell": "gru"}, "drift", 0.1, 0.01, number, "running", **changes)


def state_failed(empty, write_trial):
    for number in range(3):
        write_trial(empty, number, {"cell": "gru"}, "drift", 0.1, 0.01, 0, "failed", reason="boom")


def state_all_one(empty, write_trial):
    for number in range(10):
        write_trial(empty, number, {"cell": "gru"}, "exploding", 0.5, 0.01, 2, "diverged", rollout_error=1.0)


def state_none(empty, write_trial):
    pass


@pytest.mark.parametrize("make", [state_none, state_running, state_failed, state_all_one])
def test_studies_without_a_winner_have_a_whole_report(empty, writer, make):
    _, write_trial, *_ = writer
    make(empty, write_trial)
    paths = write_report(empty)
    document = json.loads(paths.document.read_text(encoding="utf-8"))
    assert document["best"] is None
    assert document["no_best"]
    assert "No network is named" in paths.page.read_text(encoding="utf-8")
