import pytest

from sweep.results.checks.beaten_by_baseline import beaten_by_baseline
from sweep.results.document import report_document
from tests.support.made_contests import made_contests

TRIED = {"ar": 0.484, "season": 0.537}


def test_baselines_that_beat_the_best_selected_score_are_named():
    found = beaten_by_baseline(made_contests(0.3, {"ar": 0.2, "season": 1e-12, "mean": 1.0}))
    assert found.severity == "issue"
    assert found.evidence["better"] == ["season", "ar"]
    assert found.text == "On validation season (exact), ar (0.2) beat the best selected score (0.3)."
    clear = beaten_by_baseline(made_contests(0.385, TRIED))
    assert clear.severity == "ok"
    assert (
        clear.text
        == "On validation no baseline beats the best selected score (0.385); the nearest is ar (0.484)."
    )
    assert beaten_by_baseline(made_contests(None, TRIED)).severity == "not applicable"
    assert beaten_by_baseline(made_contests(0.1, {})).severity == "not applicable"


def test_a_lucky_selected_score_does_not_beat_a_baseline():
    # selected .385, anew .5: the autoregression with .484 is better, the seasonal forecast with .537 is not
    found = beaten_by_baseline(made_contests(0.5, TRIED, seeds=3))
    assert found.severity == "issue"
    assert found.evidence["better"] == ["ar"]
    assert found.text == "On fresh seeds ar (0.484) beats the configuration of trial 0 (0.5)."


def test_the_locked_test_can_contradict_validation_and_decides():
    test = {"ar": 0.49, "season": 0.62, "esn": 0.4}
    found = beaten_by_baseline(made_contests(0.463, TRIED, seeds=3, test=(0.508, test)))
    assert found.severity == "issue"
    assert found.evidence["better"] == found.evidence["better_on_test"] == ["esn", "ar"]
    assert found.text == (
        "On fresh seeds no baseline beats the configuration of trial 0 (0.463); the nearest is ar (0.484). "
        "On the locked test esn (0.4), ar (0.49) beat it (0.508)."
    )
    # control: the same scores with a better network on the test are clear
    assert beaten_by_baseline(made_contests(0.463, TRIED, seeds=3, test=(0.39, test))).severity == "ok"
    # the other way round the test decides too, and both results are told
    won = beaten_by_baseline(made_contests(0.5, TRIED, seeds=3, test=(0.39, test)))
    assert (won.severity, won.title) == ("ok", "No baseline is better")
    assert "On fresh seeds ar (0.484) beats" in won.text and "no baseline beats it (0.39)" in won.text


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
