"""What an audit of pruning says, by hand."""

import pytest
from scipy.stats import binom

from sweep.config.records import TrialRecord
from sweep.results.checks.pruning_stopped_winners import largest_share, pruning_stopped_winners
from sweep.results.wording.audit import audit_table


def trial(number, error, state="complete"):
    return TrialRecord(number, state, {}, {}, "sampled", rollout_error=error)


def entry(number, error, picked="near", state="complete", reproduced=True):
    return {
        "number": number, "picked": picked, "pruned_at": 4000, "pruned_error": 0.9, "state": state, "error": error,
        "valid_steps": 12.0, "replication": 0, "reproduced": reproduced,
    }  # fmt: skip


KEPT = [trial(0, 0.02), trial(1, 0.01), trial(2, 0.04), trial(3, 0.5), trial(4, 1.0, "diverged")]
PRUNED = [trial(10 + k, 0.8, "pruned") for k in range(20)]
NONE_GOOD = [entry(10 + k, 0.05 + k / 100, "near" if k < 4 else "drawn") for k in range(8)]


def finding_of(entries, records=(*KEPT, *PRUNED)):
    return pruning_stopped_winners(records, {"trials": entries})


def test_clear_where_none_of_them_would_have_won():
    finding = finding_of(NONE_GOOD)
    assert finding.severity == "ok"
    assert "none would have been among the best 3" in finding.text
    assert "(4 nearest to being kept, 4 drawn from the others)" in finding.text
    assert "trial 10, 0.05; the lowest selected score of the study is 0.01" in finding.text
    assert "at most 53 % of all such trials" in finding.text  # 1 - .05^(1/4)
    assert finding.evidence["gain"] == pytest.approx(-0.69897)


def test_found_where_one_would_have_won_clearly():
    finding = finding_of([*NONE_GOOD[:-1], entry(17, 0.005, "drawn")])
    assert finding.severity == "issue" and "keep more trials at the rungs" in finding.text
    assert finding.evidence["gain"] == pytest.approx(0.30103)
    assert (finding.evidence["good"], finding.evidence["drawn_good"]) == ([17], 1)


def test_a_hair_below_the_best_is_no_winner_and_still_among_the_best():
    finding = finding_of([*NONE_GOOD[:-1], entry(17, 0.009, "drawn")])
    assert finding.severity == "ok" and "1 would have been among the best 3" in finding.text


def test_the_best_three_reach_to_the_third():
    assert (
        "1 would have been among the best 3" in finding_of([*NONE_GOOD[:-1], entry(17, 0.039, "drawn")]).text
    )
    assert (
        "none would have been among the best 3"
        in finding_of([*NONE_GOOD[:-1], entry(17, 0.041, "drawn")]).text
    )


def test_those_that_are_as_good_as_the_best_are_counted():
    finding = finding_of([*NONE_GOOD[:-2], entry(16, 0.0125), entry(17, 0.0127)])
    assert finding.evidence["as_good"] == [16]  # a factor of 10^.1 = 1.26
    assert "1 of them ends within a factor of 1.3 of it" in finding.text
    assert "None of them end within" in finding_of(NONE_GOOD).text


def test_exact_forecasts_are_alike():
    exact = [trial(0, 1e-10), trial(1, 1e-5), trial(2, 1e-4), *PRUNED]
    assert finding_of([*NONE_GOOD, entry(18, 1e-13)], exact).severity == "ok"


def test_unknown_without_an_audit_or_with_too_few_that_ended():
    assert pruning_stopped_winners([*KEPT, *PRUNED], None).severity == "not applicable"
    failed = [entry(10 + k, None, state="failed") for k in range(8)]
    finding = finding_of([*NONE_GOOD[:3], *failed])
    assert (finding.severity, finding.evidence["audited"]) == ("not applicable", 3)
    assert "sweep audit" in finding.text
    assert finding_of(NONE_GOOD, PRUNED).severity == "not applicable"  # nothing to compare with


def test_few_suffice_where_no_more_were_pruned():
    finding = finding_of([entry(10, 0.3)], (*KEPT, PRUNED[0]))
    assert finding.severity == "ok" and "nearest" not in finding.text
    assert finding.evidence["share_bound"] is None


@pytest.mark.parametrize(("state", "severity"), [("pruned", "issue"), ("complete", "ok")])
def test_a_pruned_trial_that_leads_on_fresh_seeds_is_a_winner_that_was_stopped(state, severity):
    confirmation = {"leader": 12, "arms": [{"number": 12, "selected_state": state}]}
    finding = pruning_stopped_winners([*KEPT, *PRUNED], {"trials": NONE_GOOD}, confirmation)
    assert finding.severity == severity
    assert ("Trial 12 was pruned, and its configuration leads" in finding.text) == (state == "pruned")


def test_nothing_pruned_is_clear():
    assert pruning_stopped_winners(KEPT, None).severity == "ok"


def test_a_machine_that_rounds_differently_is_reported():
    assert "rounds differently" in finding_of([*NONE_GOOD, entry(18, 0.3, reproduced=False)]).text
    assert "rounds differently" not in finding_of(NONE_GOOD).text


@pytest.mark.parametrize(("hits", "draws"), [(0, 4), (1, 4), (3, 7), (0, 100)])
def test_the_bound_is_the_share_that_gives_so_few_hits_once_in_twenty(hits, draws):
    bound = largest_share(hits, draws)
    assert binom.cdf(hits, draws, bound) == pytest.approx(0.05)


def test_the_bound_at_its_ends():
    assert largest_share(0, 0) is None
    assert largest_share(5, 5) == 1.0


def test_the_table_has_the_trial_when_it_was_pruned_and_at_its_end():
    rows = audit_table({"trials": [*NONE_GOOD, entry(1234, None, state="diverged")]}).rows
    assert len(rows) == 9
    assert rows[0] == ("trial 10", "near", "4 k", "0.9", "0.05", "12")
    assert rows[-1][-2:] == ("diverged", "12")
