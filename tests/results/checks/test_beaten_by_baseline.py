import pytest

from sweep.results.checks.beaten_by_baseline import Results, beaten_by_baseline
from sweep.results.document import report_document
from tests.support.made_tables import board_table

TRIED = board_table(("trial", "trial 0", 0.385), ("baseline", "ar", 0.484), ("baseline", "season", 0.537))


def test_baselines_that_beat_every_trial_are_named():
    rows = (
        ("trial", "trial 0", 0.3),
        ("baseline", "ar", 0.2),
        ("baseline", "season", 1e-12),
        ("baseline", "mean", 1.0),
    )
    found = beaten_by_baseline(board_table(*rows), 0)
    assert found.severity == "issue"
    assert found.evidence["better"] == ["ar", "season"]
    assert found.text == "ar (0.2), season (exact) beat every trial, whose best rollout error is 0.3."
    clear = beaten_by_baseline(TRIED, 0)
    assert clear.severity == "ok"
    assert clear.text == "Every baseline is beaten; the nearest is ar with rollout error 0.484."
    assert beaten_by_baseline(board_table(("baseline", "ar", 0.2)), None).severity == "not applicable"
    assert beaten_by_baseline(board_table(("trial", "trial 0", 0.1)), 0).severity == "not applicable"


def test_a_lucky_selected_score_does_not_beat_a_baseline():
    # selected .385, anew .5: the autoregression with .484 is better, the seasonal forecast with .537 is not
    found = beaten_by_baseline(TRIED, 0, Results(fresh=0.5))
    assert found.severity == "issue"
    assert found.evidence["better"] == ["ar"]
    assert found.text == (
        "On fresh seeds ar (0.484) beats trial 0's configuration, whose rollout error is 0.5."
    )


def test_the_locked_test_can_contradict_validation():
    test = {"ar": 0.49, "season": 0.62, "esn": 0.4}
    found = beaten_by_baseline(TRIED, 0, Results(0.463, 0.508, test))
    assert found.severity == "issue"
    assert found.evidence["better"] == found.evidence["better_on_test"] == ["esn", "ar"]
    assert found.text == (
        "On fresh seeds every baseline is beaten; the nearest is ar with rollout error 0.484 against 0.463. "
        "On the locked test esn (0.4), ar (0.49) beat it (0.508)."
    )
    # control: the same scores with a better network on the test are clear
    assert beaten_by_baseline(TRIED, 0, Results(0.463, 0.39, test)).severity == "ok"


def test_a_baseline_that_wins_twice_is_counted_once():
    found = beaten_by_baseline(TRIED, 0, Results(0.5, 0.6, {"ar": 0.49}))
    assert found.evidence["better"] == ["ar"]


@pytest.mark.parametrize(("error", "beaten"), [(0.001, True), (0.999, False)])
def test_the_report_reads_the_locked_test(study, error, beaten):
    winner = study.read_document("winner")
    ours = winner["test"]["rollout_error"]
    assert 0.001 < ours < 0.999
    baselines = {name: {**entry, "rollout_error": error} for name, entry in winner["baselines_test"].items()}
    try:
        study.write_document("winner", {**winner, "baselines_test": baselines})
        first = report_document(study)["findings"][0]
    finally:
        study.write_document("winner", winner)
    assert first["code"] == "beaten_by_baseline"
    assert first["evidence"]["test_error"] == ours
    assert bool(first["evidence"]["better_on_test"]) == beaten
