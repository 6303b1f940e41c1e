"""What a command that trained trials prints at its end: the answer, a treatment or an audit, and where files are."""

import shlex
from collections.abc import Mapping
from typing import Any

from rich.console import Console

from sweep.config.text import plural
from sweep.report.terminal.console import print_line, print_table
from sweep.report.terminal.study import print_answer, print_verdict
from sweep.report.terminal.trial import print_treatment
from sweep.results.document import report_document
from sweep.results.wording.audit import audit_table
from sweep.store import StudyFolder


def print_run(folder: StudyFolder, console: Console, stopped: str | None = None) -> None:
    """Print the verdict of a run, the best network with its scores and its confirmation, and where the plots are.

    Args:
        folder: of the study.
        console: that prints.
        stopped: why the run ended before its total; None: it did not.
    """
    document = report_document(folder)
    if stopped is not None:
        count = len(document["trials"])
        print_line(
            console, f"Stopped after {plural(count, 'trial')}: {stopped}. sweep run continues to the total."
        )
    print_verdict(document, console)
    print_answer(document, console)
    _print_places(console, folder, folder)


def print_confirmed(folder: StudyFolder, console: Console) -> None:
    """Print the verdict and the result of a confirmation, and where the plots of its trainings are."""
    document = report_document(folder)
    print_verdict(document, console)
    print_answer(document, console)
    if document["confirmation"] is not None:
        _print_places(console, folder, folder.below("confirm"))


def print_treated(folder: StudyFolder, treatment: Mapping[str, Any], console: Console) -> None:
    """Print the result of a treatment, treatment.json."""
    print_treatment(treatment, console)
    _print_places(console, folder, folder.treatment(treatment["number"]))


def print_audited(folder: StudyFolder, audit: Mapping[str, Any] | None, console: Console) -> None:
    """Print the result of an audit of pruning, audit.json; None if nothing was pruned."""
    if audit is None:
        print_line(console, "Nothing was pruned, so there is nothing to audit.")
        return
    print_table(console, audit_table(audit))
    findings = report_document(folder)["findings"]
    print_line(console, next(f["text"] for f in findings if f["code"] == "pruning_stopped_winners"))
    _print_places(console, folder, folder.below("audit"))


def _print_places(console: Console, folder: StudyFolder, trained: StudyFolder) -> None:
    text = f"Plots: {trained.path}/trials/*/rollout.png. Report: sweep report {shlex.quote(folder.name)}"
    print_line(console, text, wrap=False)
