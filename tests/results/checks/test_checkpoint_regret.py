import pytest

from sweep.results.checks.checkpoint_regret import checkpoint_regret
from tests.support.made_tables import trials_table


def test_checkpoint_regret_counts_the_trials_that_lose_by_it():
    frame = trials_table(
        [1] * 4, [0.5] * 4, regret_last=[0.0, 0.04, 0.06, 0.3], regret_one_step=[0, 0, 0, 0.2]
    )
    frame.loc[3, "state"] = "complete"
    finding = checkpoint_regret(frame)
    assert finding.severity == "issue"
    assert finding.evidence["share_last"] == 0.5  # .06 and .3 lie above .05
    assert finding.evidence["median_last"] == pytest.approx(0.05)
    assert finding.evidence["share_one_step"] == 0.25
    pruned = frame.assign(state="pruned")
    assert checkpoint_regret(pruned).severity == "not applicable"
    assert checkpoint_regret(frame.assign(regret_last=0.01, regret_one_step=0.0)).severity == "ok"
