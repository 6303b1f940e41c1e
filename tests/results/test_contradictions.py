"""No sentence of a report contradicts another one: made studies in which an earlier report said two things.

Each test makes a study in which one claim holds, and asserts that the claim against it is nowhere in the report.
"""

import json
from types import SimpleNamespace

import pytest

from sweep.config.records import Evaluation, Scores, TrialRecord
from sweep.results.document import report_document
from sweep.results.wording.confirmation import confirmation_texts
from sweep.results.wording.study import answer_text, heading_text, score_facts
from sweep.store.folder import StudyFolder
from tests.support.made_study import POINTS, config_of, study_document

FLAT = (1.0,) * 10  # rollout errors by evaluation, as multiples of the last
LATE = (9.0, 9.0, 8.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 1.0)


def baselines(**errors):
    return {
        name: {"rollout_error": e, "nrmse": e, "valid_steps": 20.0, "diverged_fraction": 0.0, "settings": {}}
        for name, e in errors.items()
    }


def record(number, error, course=FLAT, state="complete", one_step=0.01, valid=100.0, **params):
    params = {"optimizer": "adam", "adam.lr": 1e-3 * (1 + number / 100), **params}
    points = []
    for k, factor in enumerate(course):
        e = min(1.0, error * factor)
        scores = Scores(e, (e,) * 4, e, valid, valid, valid, 0.0, one_step * factor, one_step * factor)
        points.append(Evaluation(k, POINTS[k], 1 + k, scores, 0.1, 0.01))
    last = len(points) - 1
    return TrialRecord(
        number, state, params, config_of(params, study_document()), "sampled", tuple(points), error, last, last,
        sequence_steps=POINTS[-1],
    )  # fmt: skip


def arm(number, selected, errors, state="complete", told_apart=None, p=None):
    value = sorted(errors)[len(errors) // 2]
    estimate = {"value": value, "low": min(errors), "high": max(errors)}
    return {
        "number": number, "key": str(number), "selected": selected, "selected_state": state, "p": p,
        "replications": [10 * number + k for k in range(len(errors))], "errors": list(errors),
        "valid_steps": [100.0] * len(errors), "failed": 0, "diverged": 0, "iqm": estimate, "median": value,
        "optimism": estimate, "difference": None, "leader_wins": None, "told_apart": told_apart,
    }  # fmt: skip


def confirmation(*arms, verdict="alone", reason="why"):
    estimate = {"value": 0.05, "low": 0.01, "high": 0.09}
    equals = [arm["number"] for arm in arms[1:] if not arm["told_apart"]]
    seeds = len(arms[0]["errors"])
    return {
        "top": len(arms), "seeds": seeds, "fresh_seeds": list(range(seeds)), "verdict": verdict, "reason": reason,
        "leader": arms[0]["number"], "equals": equals, "optimism": estimate, "seed_noise": 0.03, "arms": list(arms),
    }  # fmt: skip


def winner(number, basis="confirmed", test=None, baselines_test=None, reason=None):
    scores = None if test is None else {"rollout_error": test, "nrmse": test, "valid_steps": 100.0}
    return {
        "number": number, "reason": reason, "basis": basis, "test": scores, "networks": [], "median_seed": None,
        "baselines_test": baselines_test or {}, "looks": [],
    }  # fmt: skip


def diagnosis(symptom="S02", cause=None, change=None):
    findings = []
    if cause is not None:
        changes = [] if change is None else [[{"path": "training.optimizer.lr", "value": change}]]
        findings = [
            {
                "code": cause, "severity": "issue", "text": "why", "evidence": {}, "title": cause,
                "confidence": 0.9, "prescriptions": changes,
            }
        ]  # fmt: skip
    values = {
        "code": symptom, "title": symptom, "text": "how", "mixture": False, "shares": {}, "numbers": {},
        "confidence": 0.9,
    }  # fmt: skip
    return {"rules": "", "symptom": values, "findings": findings, "probes": {}}


class Report:
    """All that a report says of a made study, by where it says it."""

    def __init__(self, folder):
        self.document = document = report_document(folder)
        self.findings = {finding["code"]: SimpleNamespace(**finding) for finding in document["findings"]}
        named = document["best"] is not None
        answer = [answer_text(document)] if named else []
        section = document["confirmation"]
        facts = [f"{fact.name} {fact.value} {fact.note}" for fact in score_facts(document)]
        own = [
            heading_text(document),
            *answer,
            *(step["reason"] for step in document["next"]),
            *facts,
            *([] if section is None else confirmation_texts(section)),
        ]
        verdict = document.get("verdict", {"text": ""})["text"]
        self.texts = [verdict, *own, *(f"{f.title}: {f.text}" for f in self.findings.values())]

    def says(self, *words):
        """Whether some sentence has one of these words."""
        return any(word in text for text in self.texts for word in words)


@pytest.fixture
def report(tmp_path):
    """Return a function that writes a study and returns its report."""

    def write(records, forecasts, confirmed=None, named=None, diagnoses=None, audit=None, n_eff=12):
        folder = StudyFolder(tmp_path / "sine")
        document = study_document()
        document["record"]["n_eff_validation"] = n_eff
        folder.write_study(document)
        folder.write_document("baselines", {"baselines": forecasts})
        for each in records:
            folder.write_record(each)
        for number, content in (diagnoses or {}).items():
            folder.write_files(number, {"diagnosis.json": json.dumps(content).encode()})
        if audit is not None:
            folder.write_document("audit", audit)
        if confirmed is not None:
            folder.write_document("confirmation", confirmed)
        folder.write_document("winner", winner(None) if named is None else named)
        return Report(folder)

    return write


def test_no_baseline_is_beaten_where_fresh_seeds_do_not_beat_persistence(report):
    # case a02: selected .03 beats persistence and all others, anew .09 does not
    records = [record(0, 0.03), record(1, 0.04)]
    made = report(
        records, baselines(mean=0.12, persistence=0.083, ar=0.1), confirmation(arm(0, 0.03, [0.09, 0.09]))
    )
    assert made.says("no configuration beats the baseline 'persistence'")
    assert not made.says("very baseline is beaten", "o baseline beats", "No baseline is better")
    assert made.findings["beaten_by_baseline"].severity == "issue"
    assert made.document["verdict"]["kind"] == "nothing"


def test_the_budget_was_not_enough_where_the_best_trials_are_undertrained(report):
    records = [record(k, 0.3 + k / 100) for k in range(6)]
    causes = {k: diagnosis(cause="C05") for k in range(4)}
    made = report(records, baselines(mean=1.0), diagnoses=causes, named=winner(0, "selected"))
    assert made.document["diagnoses"]["causes"][0]["code"] == "C05"
    assert not made.says("The budget was enough")
    assert made.says("the diagnoses of 4 of the best 6 trials say that training ended too early")
    assert made.findings["budget_is_the_limit"].severity == "not applicable"


def test_that_two_of_six_undertrained_trials_leave_the_budget_enough(report):
    records = [record(k, 0.3 + k / 100) for k in range(6)]
    causes = {k: diagnosis(cause="C05" if k < 2 else None) for k in range(6)}
    made = report(records, baselines(mean=1.0), diagnoses=causes, named=winner(0, "selected"))
    assert made.findings["budget_is_the_limit"].severity == "ok"
    assert made.says("the diagnoses of 2 of the best 6 trials say that training ended too early")


def test_the_budget_was_not_enough_where_nothing_beats_a_trivial_forecast(report):
    records = [record(k, 0.3 + k / 100) for k in range(6)]
    made = report(records, baselines(mean=0.9, persistence=0.2))
    assert made.document["best"] is None
    assert made.findings["budget_is_the_limit"].evidence["longer"]
    assert not made.says("The budget was enough")


def test_the_budget_is_no_limit_where_the_data_allow_no_more(report):
    records = [record(k, 0.03 + k / 1000, LATE) for k in range(6)]
    limited = {k: diagnosis("S12") for k in range(4)}
    made = report(records, baselines(mean=1.0), diagnoses=limited, named=winner(0, "selected"))
    assert not made.says("a larger training.budget should help")
    assert made.says("the diagnoses of 4 of the best 6 trials say that the data allow no better forecast")
    control = report(records, baselines(mean=1.0), diagnoses={k: diagnosis("S05") for k in range(6)})
    assert control.says("a larger training.budget should help")


def test_the_budget_is_no_limit_where_fresh_seeds_do_not_gain(report, tmp_path):
    # the selected trials owe their scores to a late dip, which their configurations do not repeat
    records = [record(k, 0.03 + k / 1000, LATE) for k in range(6)]
    confirmed = confirmation(arm(0, 0.03, [0.1, 0.11, 0.12]))
    made = report(records, baselines(mean=1.0), confirmed, winner(0))
    assert made.says("The best 6 trials still gained")  # no training is stored
    below = StudyFolder(tmp_path / "sine" / "confirm")
    for number, error in enumerate([0.1, 0.11, 0.12]):
        below.write_record(record(number, error))
    below.write_record(record(3, 0.01, LATE))  # of another configuration
    made = report(records, baselines(mean=1.0), confirmed, winner(0))
    assert not made.says("a larger training.budget should help")
    assert made.says("The 3 networks on fresh seeds gained a factor of 1 (median)")
    (below.trial(3) / "trial.json").write_text("{")  # the report does without them
    assert report(records, baselines(mean=1.0), confirmed, winner(0)).says("The best 6 trials still gained")


def test_the_horizon_does_not_fit_by_a_selected_score_that_fresh_seeds_take_back(report):
    records = [record(0, 0.3), record(1, 0.4)]
    made = report(records, baselines(mean=0.9), confirmation(arm(0, 0.3, [0.95, 0.95, 0.95])))
    assert made.says("no configuration beats the baseline 'mean'")
    assert not made.says("The horizon fits the data")


def test_the_horizon_does_not_fit_by_the_skill_of_a_trivial_forecast(report):
    made = report([record(0, 0.6), record(1, 0.7)], baselines(mean=0.9, persistence=0.5))
    assert made.says("no trial beats the baseline 'persistence'")
    assert not made.says("The horizon fits the data")


def test_the_loss_is_compared_with_the_configuration_that_leads(report):
    # the loss picks trial 0, which was selected first; on fresh seeds trial 1 leads
    records = [record(0, 0.1, one_step=0.001), record(1, 0.12), *(record(k, 0.5) for k in range(2, 9))]
    arms = (arm(1, 0.12, [0.11] * 5), arm(0, 0.1, [0.4] * 5, told_apart=True, p=0.008))
    made = report(records, baselines(mean=1.0), confirmation(*arms, verdict="winner", reason=None), winner(1))
    assert made.document["best"] == 1
    assert not made.says("The loss would have chosen the same trial")
    assert made.says("Trial 1 has 0.11 and 100 of 400 valid steps (on fresh seeds)")


def test_a_loss_that_hardly_ranks_is_no_fair_guide(report):
    one_step = [0.001, 0.08, 0.07, 0.06, 0.05, 0.04, 0.03, 0.02]  # right about the first, else backwards
    records = [record(k, 0.1 + k / 20, one_step=one_step[k]) for k in range(8)]
    made = report(records, baselines(mean=1.0), named=winner(0, "selected"))
    assert made.findings["loss_is_lying"].evidence["spearman"] < 0.3
    assert made.says("hardly agree")
    assert not made.says("a fair guide")


def test_a_baseline_that_wins_on_validation_alone_does_not_still_beat_it(report):
    # anew .5 against .484, on the locked test .4 against .45: the locked test decides
    records, forecasts = [record(0, 0.3), record(1, 0.4)], baselines(mean=1.0, ar=0.484)
    named = winner(0, test=0.4, baselines_test=baselines(mean=1.0, ar=0.45))
    made = report(records, forecasts, confirmation(arm(0, 0.3, [0.5] * 5)), named)
    assert not made.says("still beats it", "A baseline is better")
    assert made.document["verdict"]["use"]["name"] == "trial 0"
    assert made.says("On fresh seeds ar (0.484) beats the configuration of trial 0 (0.5)")


def test_the_best_baseline_is_one_of_the_same_starts(report):
    # a baseline that is not scored on the locked test is not the best one there
    records, forecasts = [record(0, 0.3), record(1, 0.4)], baselines(mean=1.0, ar=0.5, esn=0.2)
    named = winner(0, test=0.4, baselines_test=baselines(mean=1.0, ar=0.45))
    made = report(records, forecasts, confirmation(arm(0, 0.3, [0.3] * 5)), named)
    assert made.says("best baseline, locked test 0.45 (ar)")
    assert not made.says("(esn)")


def test_the_best_is_within_seed_noise_where_the_confirmation_cannot_distinguish_it(report):
    # selected .01 and .9; on fresh seeds .4 and .41
    records = [record(0, 0.01), record(1, 0.9)]
    arms = (arm(0, 0.01, [0.39, 0.4, 0.41]), arm(1, 0.9, [0.4, 0.41, 0.42], told_apart=False, p=0.4))
    made = report(records, baselines(mean=1.0), confirmation(*arms, verdict="tied"), winner(0))
    assert made.says("trials 0 and 1 are not distinguishable")
    assert not made.says("The best trial is beyond seed noise", "No other trial is within")


def test_a_winner_is_not_within_seed_noise_of_the_trials_that_it_is_distinguished_from(report):
    records = [record(0, 0.1), record(1, 0.11)]
    arms = (
        arm(0, 0.1, [0.05, 0.1, 0.12, 0.13, 0.14]),
        arm(1, 0.11, [0.2, 0.21, 0.22, 0.23, 0.24], told_apart=True, p=0.008),
    )
    made = report(records, baselines(mean=1.0), confirmation(*arms, verdict="winner", reason=None), winner(0))
    assert made.says("Trial 0 is the best: on 5 fresh seeds it is distinguishable")
    assert not made.says("their order may be chance")


def test_pruning_stopped_a_winner_where_a_pruned_trial_leads(report):
    records = [record(0, 0.3, state="pruned"), record(1, 0.4)]
    audited = {
        "number": 0, "picked": "near", "pruned_at": 4000, "pruned_error": 0.3, "state": "complete", "error": 0.5,
        "valid_steps": 12.0, "replication": 0, "reproduced": True,
    }  # fmt: skip
    confirmed = confirmation(arm(0, 0.3, [0.2] * 5, "pruned"))
    made = report(records, baselines(mean=1.0), confirmed, winner(0), audit={"trials": [audited]})
    assert made.document["best"] == 0
    assert not made.says("Pruning stopped no winner")
    assert made.says("Trial 0 was pruned, and its configuration leads on fresh seeds")


def test_the_range_is_not_too_low_where_the_diagnosis_wants_a_lower_rate(report):
    records = [record(0, 0.3, **{"adam.lr": 0.09}), record(1, 0.4)]
    causes = {0: diagnosis(cause="C01", change=0.01)}
    made = report(records, baselines(mean=1.0), diagnoses=causes, named=winner(0, "selected"))
    assert made.document["best"] == 0
    assert not made.says("search higher")
    control = report(records, baselines(mean=1.0), diagnoses={0: diagnosis()}, named=winner(0, "selected"))
    assert control.says("search higher")


def test_a_study_that_has_ended_does_not_wait_for_a_best_trial(report):
    made = report(
        [record(0, 0.3)], baselines(mean=0.5), confirmation(arm(0, 0.3, [0.6] * 5)), winner(None, reason="x")
    )
    assert made.document["progress"]["finished"]
    assert not made.says("no best trial yet")


def test_a_baseline_to_use_does_not_stand_beside_no_winner(report):
    made = report([record(0, 0.3)], baselines(mean=0.5, ar=0.1), confirmation(arm(0, 0.3, [0.6] * 5)))
    assert made.document["best"] is None
    assert not made.says("No winner")
    assert made.document["verdict"]["use"]["name"] == "ar"


def test_valid_steps_are_not_good_where_a_trivial_forecast_has_as_many(report):
    forecasts = baselines(mean=1.0, persistence=0.9)
    test = baselines(mean=1.0, persistence=0.9)
    for steps, good in ((100.0, False), (99.0, True)):
        test["persistence"]["valid_steps"] = steps
        named = winner(0, test=0.4, baselines_test=test)
        made = report([record(0, 0.3)], forecasts, confirmation(arm(0, 0.3, [0.3] * 5)), named)
        facts = score_facts(made.document)
        assert facts[0].note.endswith(f"; a trivial forecast: {steps:.0f}")
        assert (facts[0].good, facts[1].good) == (good, True)


def test_scores_are_not_good_where_a_baseline_is_better(report):
    test = baselines(mean=1.0, ar=0.2)
    named = winner(0, test=0.4, baselines_test=test)
    made = report([record(0, 0.3)], test, confirmation(arm(0, 0.3, [0.3] * 5)), named)
    assert not any(fact.good for fact in score_facts(made.document))


def test_a_selected_score_is_never_good(report):
    made = report([record(0, 0.3)], baselines(mean=1.0), named=winner(0, "selected"))
    assert not any(fact.good for fact in score_facts(made.document))
    assert made.document["verdict"]["kind"] == "configuration"
    assert "selected and not confirmed" in made.document["verdict"]["text"]


def test_scores_on_the_locked_test_are_not_compared_with_baselines_on_validation(report):
    named = winner(0, test=0.4)
    made = report([record(0, 0.3)], baselines(mean=1.0, ar=0.35), confirmation(arm(0, 0.3, [0.3] * 5)), named)
    verdict = made.document["verdict"]
    assert (verdict["part"], verdict["use"]["rollout_error"]) == ("validation", 0.3)
    assert not made.says("best baseline, locked test")


@pytest.mark.parametrize(("starts", "named"), [(8, True), (7, False)])
def test_the_choice_of_the_loss_is_in_the_verdict_only_with_enough_starts(report, starts, named):
    records = [record(0, 0.1), record(1, 0.8, one_step=0.001, valid=7.0)]
    made = report(records, baselines(mean=1.0), named=winner(0, "selected"), n_eff=starts)
    loss = {"number": 1, "rollout_error": 0.8, "valid_steps": 7.0}
    assert made.document["verdict"]["loss"] == (loss if named else None)
    assert made.says("The loss would have picked trial 1, with a rollout error of 0.8 on validation") == named
