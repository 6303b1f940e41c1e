from sweep.results.checks.trial_failures import trial_failures
from tests.support.made_tables import trials_table


def test_failures_are_counted_by_reason():
    frame = trials_table(
        [1, 1, 1], [1, 1, 1], ["failed", "failed", "complete"], reason=["no memory", "no memory", None]
    )
    assert trial_failures(frame).text == "2 of 3 trials failed: no memory (2)."
    assert trial_failures(trials_table([1], [1], ["complete"])).severity == "ok"


def test_folders_that_are_gone_are_missed():
    finding = trial_failures(trials_table([1, 1, 1, 1], [1, 1, 1, 1], ["complete"] * 4).drop(index=[1, 2]))
    assert finding.severity == "issue" and "2 trial folders are missing (1, 2)" in finding.text
