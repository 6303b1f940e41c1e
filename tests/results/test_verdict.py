"""The verdict by hand: what to use, by which scores, and that no check can contradict it."""

import io
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from sweep.report.terminal.outcome import print_confirmed, print_run
from sweep.report.terminal.study import print_report
from sweep.report.write import write_report
from sweep.results.checks.beaten_by_baseline import beaten_by_baseline
from sweep.results.checks.horizon_too_long import horizon_too_long
from sweep.results.document import report_document
from sweep.results.loss_choice import LossChoice
from sweep.results.verdict import verdict_of
from sweep.results.wording.leaderboard import board_rows
from sweep.results.wording.verdict import verdict_text
from tests.support.documentation import undocumented
from tests.support.made_contests import made_contest, made_contests

TRIVIAL = {"mean": 1.0, "persistence": 0.7, "drift": 0.6}
STUDY = SimpleNamespace(
    finished=True,
    confirmation=None,
    horizon_on_test=100,
    horizon=100,
    named=(None, "no trial has a score yet"),
)


def text_of(verdict, **changes):
    return verdict_text(verdict, SimpleNamespace(**{**vars(STUDY), **changes}))


@pytest.mark.parametrize(
    ("error", "baselines", "kind", "use"),
    [
        (0.2, {**TRIVIAL, "ar": 0.3}, "configuration", "trial 0"),
        (0.4, {**TRIVIAL, "ar": 0.3}, "baseline", "ar"),
        (0.8, {**TRIVIAL, "ar": 0.3}, "baseline", "ar"),  # the network has no skill, the baseline has
        (0.65, TRIVIAL, "nothing", "drift"),  # better than mean and persistence
        (0.65, {**TRIVIAL, "ar": 0.61}, "nothing", "drift"),
        (0.6, TRIVIAL, "nothing", "drift"),  # a tie is no skill
        (0.3, {**TRIVIAL, "ar": 0.3}, "configuration", "trial 0"),  # no baseline is better
        (1e-10, {**TRIVIAL, "ar": 1e-15}, "configuration", "trial 0"),  # exact is exact
        (1e-10, {**TRIVIAL, "drift": 1e-15, "ar": 1e-16}, "nothing", "drift"),
        (0.4, {}, "configuration", "trial 0"),
        (1.0, {}, "nothing", None),
        (None, TRIVIAL, "unknown", None),
    ],
)
def test_what_to_use(error, baselines, kind, use):
    verdict = verdict_of(made_contest(error, baselines))
    assert (verdict.kind, verdict.use and verdict.use.name) == (kind, use)


def test_the_texts_give_both_numbers_and_their_basis():
    won = verdict_of(made_contest(0.2, {**TRIVIAL, "ar": 0.3}, seeds=5, part="test"))
    assert text_of(won) == (
        "Use the configuration of trial 0: confirmed on 5 fresh seeds, it has a rollout error of 0.2 on the locked "
        "test; the best baseline, ar, has 0.3. It holds its forecast for 50 of 100 steps (a trivial forecast: 5)."
    )
    selected = verdict_of(made_contest(0.2, {**TRIVIAL, "ar": 0.3}))
    assert (
        "selected and not confirmed on fresh seeds, it has a rollout error of 0.2 on validation"
        in text_of(selected)
    )
    lost = verdict_of(made_contest(0.343, {**TRIVIAL, "seasonal_naive_drift": 0.036}, seeds=5, part="test"))
    assert text_of(lost).startswith(
        "Use seasonal_naive_drift: it has a rollout error of 0.036 on the locked test; the best network (trial 0, "
        "confirmed on 5 fresh seeds) has 0.343."
    )
    nothing = verdict_of(made_contest(0.65, {**TRIVIAL, "ar": 0.61}, seeds=3))
    assert text_of(nothing) == (
        "Nothing beats a trivial forecast: drift has a rollout error of 0.6 on validation, the best network (trial 0, "
        "confirmed on 3 fresh seeds) has 0.65, and the best other baseline, ar, has 0.61."
    )
    assert text_of(verdict_of(made_contest(None, {}))) == "No verdict: no trial has a score yet."
    assert text_of(won, finished=False).startswith("Preliminary: use the configuration of trial 0: ")
    tied = text_of(won, confirmation={"verdict": "tied"})
    assert tied.startswith("Use the configuration of trial 0, the first among equals: ")


@pytest.mark.parametrize(("steps", "praised"), [(51.0, False), (50.0, False), (49.0, True)])
def test_valid_steps_are_praised_only_above_those_of_a_trivial_forecast(steps, praised):
    text = text_of(verdict_of(made_contest(0.2, TRIVIAL, trivial_steps=steps)))
    assert ("It holds its forecast for 50 of 100 steps (a trivial forecast: 49)." in text) == praised
    assert (f"It is valid for 50 of 100 steps, a trivial forecast for {steps:.0f}." in text) == (not praised)


def test_the_most_valid_trivial_forecast_counts_also_if_another_has_the_lower_error():
    contest = made_contest(0.2, TRIVIAL)
    mean = replace(contest.baselines[-1], valid_steps=60.0)
    assert mean.name == "mean"
    assert not replace(contest, baselines=(*contest.baselines[:-1], mean)).holds(contest.network)
    assert contest.holds(contest.network)


def test_the_choice_of_the_loss_is_named_where_it_is_clearly_worse():
    contest = made_contest(0.2, TRIVIAL, seeds=5)
    worse = LossChoice(3, 1e-4, 0.8, 12.0, cost=0.6)
    assert text_of(verdict_of(contest, worse)).endswith(
        " The loss would have picked trial 3, with a rollout error of 0.8 on validation and 12 of 100 valid steps."
    )
    same = text_of(verdict_of(contest, replace(worse, number=0)))
    assert "would have picked another checkpoint of the same trial, with" in same
    assert "The loss" not in text_of(verdict_of(contest, replace(worse, cost=0.04)))


errors = st.floats(0.01, 1.0)
forecasts = st.fixed_dictionaries({}, optional=dict.fromkeys((*TRIVIAL, "ar", "esn"), errors))


@given(errors, forecasts, st.none() | st.tuples(errors, forecasts), st.integers(0, 5))
def test_no_check_contradicts_the_verdict(error, here, there, seeds):
    there = None if there is None or bool(there[1]) != bool(here) else there
    contests = made_contests(error, here, seeds, there)
    verdict = verdict_of(contests.decisive)
    beaten, horizon = beaten_by_baseline(contests), horizon_too_long(contests.decisive)
    assert (beaten.severity == "issue") == bool(contests.decisive.better)
    if verdict.kind == "configuration":
        assert beaten.severity != "issue"
    if verdict.kind == "baseline":
        assert beaten.severity == "issue"
        assert verdict.use.name == beaten.evidence["better"][0]
    if verdict.kind == "nothing":
        assert horizon.severity != "ok"
    assert (contests.test is None) == (there is None)


def printed(show, *arguments):
    console = Console(file=io.StringIO(), width=10_000, color_system=None)
    show(*arguments, console)
    return console.file.getvalue()


def test_it_is_the_first_line_of_every_report(study):
    text = report_document(study)["verdict"]["text"]
    assert text.startswith("Preliminary: use seasonal: it is exact on the locked test")
    document = report_document(study)
    for shown in (
        printed(print_report, document),
        printed(print_run, study),
        printed(print_confirmed, study),
    ):
        assert shown.splitlines()[0] == text
    html = write_report(study).page.read_text(encoding="utf-8")
    assert html.split('<p class="verdict issue">')[1].startswith(f"{text}</p>")
    assert html.index('<p class="verdict issue">') < html.index("How sure")


def test_the_documentation_lists_every_key(study):
    verdict = report_document(study)["verdict"]
    assert undocumented({*verdict, *verdict["use"], "number"}, "report.md", "The verdict") == []


def test_the_row_to_use_is_coloured_and_the_best_network_is_not_for_being_best(study):
    document = report_document(study)
    rows = {row.name: row for row in board_rows(document)}
    assert [name for name, row in rows.items() if row.used] == ["seasonal"]
    assert [name for name, row in rows.items() if row.best] == [f"trial {document['best']}"]
    html = write_report(study).page.read_text(encoding="utf-8")
    assert html.count('<tr class="baseline used"') == 1 and html.count('<tr class="trial best"') == 1
    nothing = {**document, "verdict": {**document["verdict"], "kind": "nothing"}}
    assert not any(row.used for row in board_rows(nothing))


def test_the_document_has_the_stored_scores(study):
    """On the locked test, where there is one: configuration and baselines from winner.json."""
    verdict, winner = report_document(study)["verdict"], study.read_document("winner")
    assert (verdict["part"], verdict["confirmed"], verdict["seeds"]) == ("test", False, 0)
    assert verdict["other"]["rollout_error"] == winner["test"]["rollout_error"]
    assert verdict["other"]["valid_steps"] == winner["test"]["valid_steps"]
    assert verdict["other"]["number"] == winner["number"]
    assert verdict["use"]["rollout_error"] == winner["baselines_test"]["seasonal"]["rollout_error"]
    assert (verdict["trivial"]["name"], verdict["trivial_valid_steps"]) == ("persistence", 6.0)


def test_fresh_seeds_count_before_the_locked_test_is_read(one):
    """Of four fresh networks the worse middle one gives the valid steps."""
    record = one.record(0)
    estimate = {"value": 0.4, "low": 0.3, "high": 0.5}
    arm = {
        "number": 0, "selected": record.rollout_error, "selected_state": "complete", "errors": [0.4] * 4,
        "valid_steps": [10.0, None, 30.0, 20.0], "iqm": estimate, "told_apart": None, "failed": 1, "p": None,
        "optimism": estimate, "replications": [0, 1, 2, 3], "key": "k", "diverged": 0, "median": 0.4,
        "leader_wins": None, "difference": None,
    }  # fmt: skip
    one.write_document(
        "confirmation",
        {"top": 1, "seeds": 4, "verdict": "alone", "reason": "why", "leader": 0, "equals": [], "arms": [arm],
         "optimism": estimate, "seed_noise": 0.1, "fresh_seeds": [1, 2, 3, 4]},
    )  # fmt: skip
    verdict = report_document(one)["verdict"]
    assert (verdict["part"], verdict["confirmed"], verdict["seeds"]) == ("validation", True, 4)
    assert (verdict["use"]["rollout_error"], verdict["use"]["valid_steps"]) == (0.4, 10.0)
    assert verdict["use"]["configuration"].startswith("gru · sgd lr 0.03 momentum 0.9 · cosine")
