"""Confirmed numbers beside selected ones: in words, at 80 columns, on the page, drawn."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from sweep.report.plots.fresh_seeds import fresh_seeds_plot
from sweep.report.terminal.console import print_table
from sweep.report.terminal.study import print_report
from sweep.report.terminal.trial import print_trial
from sweep.report.write import write_report
from sweep.results.document import report_document, trial_document
from sweep.results.selection import candidates, is_current
from sweep.results.study import read_study
from sweep.results.wording.confirmation import (
    TERMINAL_COLUMNS,
    confirmation_table,
    confirmation_verdict_text,
    optimism_text,
)
from sweep.results.wording.confirmation import test_text as text_of_test
from sweep.store.folder import StudyFolder


def estimate(value, low, high):
    return {"value": value, "low": low, "high": high}


def arm(number, selected, errors, **changes):
    errors = [float(error) for error in errors]
    middle = float(np.median(errors))
    return {
        "number": number,
        "key": f"{number:016x}",
        "selected": selected,
        "selected_state": "complete",
        "replications": [10 * number + k for k in range(len(errors))],
        "errors": errors,
        "valid_steps": [100.0] * len(errors),
        "failed": 0,
        "diverged": 0,
        "iqm": estimate(middle, min(errors), max(errors)),
        "median": middle,
        "optimism": estimate(middle - selected, min(errors) - selected, max(errors) - selected),
        "difference": None,
        "leader_wins": None,
        "p": None,
        "told_apart": None,
        **changes,
    }


def stored(arms, verdict="tied", equals=(), reason="the differences are within the noise between seeds"):
    return {
        "top": len(arms),
        "seeds": len(arms[0]["errors"]),
        "fresh_seeds": [1] * len(arms[0]["errors"]),
        "verdict": verdict,
        "reason": reason,
        "leader": arms[0]["number"],
        "equals": list(equals),
        "optimism": estimate(0.05, 0.01, 0.09),
        "seed_noise": 0.0311,
        "arms": arms,
    }


@pytest.fixture
def confirmed(study, tmp_path):
    """The study of 40 trials with its three best confirmed: the second leads, the first is its equal."""
    folder = StudyFolder(shutil.copytree(study.path, tmp_path / "sine"))
    read = read_study(folder)
    best, _ = candidates(read.records, read.baselines)
    versus = {"difference": estimate(0.1, 0.01, 0.2), "leader_wins": 0.9}
    arms = [
        arm(best[1].number, best[1].rollout_error, [0.11, 0.12, 0.13, 0.14, 0.15]),
        arm(best[0].number, best[0].rollout_error, [0.1, 0.3, 0.14, 0.2, 0.16], p=0.15, told_apart=False, **versus),
        arm(best[2].number, best[2].rollout_error, [0.5, 0.6, 0.7, 0.8, 1], p=2 / 252, told_apart=True, **versus),
    ]  # fmt: skip
    folder.write_document("confirmation", stored(arms, equals=[best[0].number]))
    networks = [
        {
            "seed": k + 1,
            "replication": 10 * best[1].number + k,
            "validation": error,
            "test": {"rollout_error": error + 0.02, "nrmse": 1.0, "valid_steps": 50.0},
        }
        for k, error in enumerate(arms[0]["errors"])
    ]
    winner = {
        "number": best[1].number,
        "reason": None,
        "basis": "confirmed",
        "test": networks[2]["test"],
        "networks": networks,
        "median_seed": 3,
        "baselines_test": {},
        "looks": [{"basis": "confirmed"}],
    }
    folder.write_document("winner", winner)
    return folder


def printed(show, *arguments, width=80):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    show(*arguments[:1], console, *arguments[1:])
    return console.file.getvalue()


def test_the_best_is_the_confirmed_one_with_its_test_score(confirmed, study):
    document = report_document(confirmed)
    before = report_document(study)
    assert (before["best_basis"], document["best_basis"]) == ("selected", "confirmed")
    assert document["best"] == document["confirmation"]["leader"] != before["best"]
    best = document["trials"][document["best"]]
    assert best["test"]["rollout_error"] == pytest.approx(0.15)
    use = document["confirmation"]["test"]["use"]
    assert (use["seed"], use["rollout_error"]) == (1, pytest.approx(0.13))
    assert use["checkpoint"] == f"confirm/trials/{10 * document['best']:04d}/checkpoint.pt"
    assert trial_document(confirmed, document["best"])["is_best"]
    assert not trial_document(confirmed, before["best"])["is_best"]


def test_baselines_are_compared_with_the_fresh_score(confirmed):
    document = report_document(confirmed)
    leader = document["confirmation"]["arms"][0]
    evidence = document["findings"][0]["evidence"]
    assert evidence["validation_error"] == leader["iqm"]["value"] != leader["selected"]
    assert document["findings"][0]["text"].startswith("On fresh seeds ")


def test_the_skill_of_a_confirmed_trial_is_that_of_its_fresh_seeds(confirmed):
    best = report_document(confirmed)["best"]
    document = trial_document(confirmed, best)
    assert document["skill"]["ar"] == pytest.approx(1 - 0.13 / 0.31)
    assert "skill against the best baseline, fresh seeds" in printed(print_trial, document)
    assert "skill against the best baseline  " in printed(print_trial, trial_document(confirmed, 5))


def test_a_test_score_of_another_basis_is_not_shown(confirmed):
    winner = confirmed.read_document("winner")
    confirmed.write_document("winner", {**winner, "basis": "selected"})
    document = report_document(confirmed)
    assert document["trials"][document["best"]]["test"] is None
    assert document["confirmation"]["test"] is None


def test_a_confirmation_of_other_trials_is_outdated(confirmed, writer):
    _, write_trial, *_ = writer
    write_trial(confirmed, 40, {"cell": "gru"}, "drift", 0.0, 0.01)
    document = report_document(confirmed)
    assert document["trials"][40]["rollout_error"] < 0.05  # or it is not the best
    assert (document["best"], document["best_basis"]) == (40, "selected")
    assert (document["confirmation"], document["confirmation_outdated"]) == (None, True)


def test_a_confirmation_is_current_by_its_trials_whatever_their_order(confirmed):
    read = read_study(confirmed)
    confirmation = confirmed.read_document("confirmation")
    assert is_current(confirmation, read.records, read.baselines)
    fewer = {**confirmation, "arms": confirmation["arms"][:1]}  # the second best alone
    assert not is_current(fewer, read.records, read.baselines)


def test_the_terminal_says_it_at_80_columns(confirmed):
    document = report_document(confirmed)
    text = printed(print_report, document)
    assert max(len(line) for line in text.splitlines() if " sweep " not in line) <= 80  # commands are not cut
    best = document["best"]
    for words in (
        f"No single winner; first among equals: trial {best}",
        "rollout error, 5 fresh seeds 0.13 (0.11–0.15)",
        "rollout error, locked test 0.15 (median of 5 networks, 0.13–0.17)",
        "Confirmed on 5 fresh seeds each",
        "are not distinguishable; the differences are within the noise between seeds.",
        "the error is on average 0.05 higher than the 3 selected scores (95 %: 0.01 to 0.09)",
    ):
        assert words in " ".join(text.split())
    shown = printed(print_trial, trial_document(confirmed, best))
    assert "5 fresh seeds rollout error 0.13 (0.11–0.15)" in " ".join(shown.split())
    assert max(len(line) for line in shown.splitlines() if " sweep " not in line) <= 80


def test_the_table_fits_whatever_the_numbers():
    wide = arm(12345, 1.234567e-05, [1.23456e-05, 9.87654e-05, 0.000123456])
    arms = [{**each, "configuration": "gru"} for each in (wide, arm(3, 0.5, [1.0, 1.0, 1.0]))]
    section = {**stored(arms), "seeds": 3}
    table = confirmation_table(section).columns(TERMINAL_COLUMNS)
    assert table.rows[0] == ("trial 12345", "1.23e-05", "9.88e-05", *["1.23e-05–0.000123"] * 2, "+8.6e-05")
    for width in (80, 60):
        console = Console(file=io.StringIO(), width=width, color_system=None)
        print_table(console, table)
        lines = console.file.getvalue().splitlines()
        assert max(map(len, lines)) <= width
        cells = "".join(line[12:] for line in lines[2:]).replace(" ", "")
        assert all(
            cells.count(character) >= "".join(table.rows[0][1:]).count(character) for character in "–5e"
        )
        assert "…" not in cells and (width == 60 or "1.23e-05–0.000123" in cells)


@pytest.mark.parametrize(
    ("verdict", "changes", "words"),
    [
        ("winner", {}, "Trial 1 is the best: on 3 fresh seeds it is distinguishable from all other"),
        (
            "tied",
            {"equals": [2]},
            "trials 1 and 2 are not distinguishable; why. Worse than the first: trial 3.",
        ),
        (
            "tied",
            {"equals": [2, 3]},
            "trials 1, 2 and 3 are not distinguishable; why. Trial 1 has the lowest",
        ),
        ("alone", {}, "Trial 1 is named: why."),
        ("none", {"leader": None}, "No configuration is named: why."),
    ],
)
def test_verdicts_in_words(verdict, changes, words):
    arms = [arm(1, 0.1, [0.1] * 3), arm(2, 0.1, [0.2] * 3, p=0.2), arm(3, 0.1, [0.3] * 3, p=0.01)]
    assert words in confirmation_verdict_text({**stored(arms, verdict, reason="why"), **changes})


def test_optimism_in_words_keeps_its_sign_and_doubts_itself():
    arms = [arm(1, 0.1, [0.1] * 3)]
    bad = optimism_text({**stored(arms), "optimism": estimate(-0.2, -0.3, -0.1)})
    assert "is on average 0.2 lower than the selected score (95 %: 0.1 to 0.3);" in bad
    unsure = optimism_text({**stored(arms), "optimism": estimate(0.1, -0.1, 0.3)})
    assert "(95 %: -0.1 to 0.3), which may be chance;" in unsure
    one = {**stored([arm(1, 0.1, [0.1])]), "optimism": estimate(0.1, None, None), "seed_noise": None}
    assert optimism_text(one) == "On fresh seeds the error is 0.1 higher than the selected score."


def test_a_test_that_was_read_more_than_once_says_so(confirmed):
    assert "has now been read" not in text_of_test(report_document(confirmed)["confirmation"])
    winner = confirmed.read_document("winner")
    confirmed.write_document("winner", {**winner, "looks": [{}, {}]})
    document = report_document(confirmed)
    assert document["test_looks"] == 2
    assert "has now been read for 2 configurations of this study" in text_of_test(document["confirmation"])


def test_the_page_has_the_section_only_where_there_is_one(confirmed):
    html = write_report(confirmed).page.read_text(encoding="utf-8")
    assert '<section id="confirmation">' in html and "Is there a winner?" in html
    assert "first among equals" in html.split('id="leaderboard"')[0]
    assert "not distinguishable" in html and "selected score and fresh seeds" in html
    (confirmed.path / "confirmation.json").unlink()
    assert 'id="confirmation"' not in write_report(confirmed).page.read_text(encoding="utf-8")


@pytest.mark.parametrize(("bar", "green"), [(0.5, True), (0.05, False)])
def test_the_plot_is_green_only_where_the_mean_is_better_than_the_best_baseline(bar, green):
    picture = fresh_seeds_plot(stored([arm(0, 0.1, [0.1, 0.11, 0.12])]), 400, ("ar", bar))
    with Image.open(io.BytesIO(picture)) as opened:
        pixels = np.asarray(opened.convert("RGB")).reshape(-1, 3).astype(int)
    assert (np.abs(pixels - [0x00, 0x9E, 0x73]).max(axis=1) < 12).any() == green


@pytest.mark.parametrize("count", [1, 3, 15])
def test_the_plot_shows_every_seed_and_selected_score(count):
    arms = [arm(k, 0.01 * (k + 1), [0.02 * (k + 1), 0.5, 1.0]) for k in range(count)]
    picture = fresh_seeds_plot(stored(arms), 400)
    assert picture == fresh_seeds_plot(stored(arms), 400)
    with Image.open(io.BytesIO(picture)) as opened:
        pixels = np.asarray(opened.convert("RGB")).reshape(-1, 3).astype(int)
    orange = (np.abs(pixels - [0xD5, 0x5E, 0x00]).max(axis=1) < 12).sum()
    other = fresh_seeds_plot(stored([{**a, "selected": 0.9} for a in arms]), 400)
    assert orange > 150 * count
    assert other != picture
