import io
from pathlib import Path

import pytest
from rich.console import Console

from sweep.report.terminal.study import print_report
from sweep.report.terminal.trial import print_trial
from sweep.results.document import report_document, trial_document


def printed(show, *arguments, width=80):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    show(*arguments[:1], console, *arguments[1:])
    return console.file.getvalue()


def test_the_report_fits_80_columns_and_says_the_answer(study):
    document = report_document(study)
    text = printed(print_report, document, Path("results/sine/report/index.html"))
    words = " ".join(text.split())
    assert words.startswith(f"{document['verdict']['text']} How sure? Best network: trial {document['best']}")
    (step,) = document["next"]
    assert words.index("How sure?") < words.index("What next?") < words.index("sine: 40 trials")
    assert f"What next? {step['reason']} {step['command']}" in words
    assert max(len(line) for line in text.splitlines() if step["command"] not in line) <= 80
    assert f"Best network: trial {document['best']}" in text
    assert "rollout error, locked test" in text
    assert "rollout error, selected" in text
    (row,) = [line for line in text.splitlines() if line.startswith("seasonal ")]
    assert row.split()[:2] == ["seasonal", "exact"]
    assert "Page: results/sine/report/index.html" in text
    for finding in document["findings"]:
        assert finding["title"] in " ".join(text.split()) and finding["text"][:30] in " ".join(text.split())


@pytest.mark.parametrize("number", [0, 1, 38, 39])
def test_a_trial_fits_80_columns(study, number):
    document = trial_document(study, number)
    document["files"] = {"rollout.png": "results/sine/trials/0000/rollout.png"}
    text = printed(print_trial, document)
    assert max(map(len, text.splitlines())) <= 80
    assert text.startswith(f"trial {number} of sine: {document['state']}")
    assert "Plot: results/sine/trials/0000/rollout.png" in text


def test_names_are_neither_markup_nor_terminal_commands(one, writer):
    _, write_trial, *_ = writer
    write_trial(one, 1, {"cell": "[bold]x[/bold]"}, "drift", 0.01, 0.01, reason="\x1b[31mred [/nope]")
    text = printed(print_report, report_document(one)) + printed(print_trial, trial_document(one, 1))
    assert "[bold]x[/bold]" in text
    assert "red [/nope]" in text
    assert "\x1b" not in text


def test_a_study_without_a_winner_says_why(empty):
    text = printed(print_report, report_document(empty))
    assert "No network is named: no trial has a score yet" in text
