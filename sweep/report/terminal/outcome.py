"""What a command that trained trials prints at its end: the answer, a treatment or an audit, and where files are."""

import shlex
from collections.abc import Mapping
from typing import Any

from rich.console import Console

from sweep.config.text import plural
from sweep.report.terminal.console import print_line, print_table
from sweep.report.terminal.study import print_answers, print_details
from sweep.report.terminal.trial import print_treatment
from sweep.results.commands import study_command
from sweep.results.document import report_document
from sweep.results.wording.audit import audit_table
from sweep.results.wording.fit import fit_texts
from sweep.store import StudyFolder


def print_run(folder: StudyFolder, console: Console, stopped: str | None = None) -> None:
    """Print the three answers of a run, the best configuration and its confirmation, and where the plots are.

    Args:
        folder: of the study.
        console: that prints.
        stopped: why the run ended before its total; None: it did not.
    """
    document = report_document(folder)
    if stopped is not None:
        print_line(console, f"Stopped after {plural(len(document['trials']), 'trial')}: {stopped}.")
        print_line(console, f"To continue to the total: {study_command(folder, 'run')}", wrap=False)
        console.print()
    print_answers(document, console)
    print_details(document, console)
    _print_places(console, folder, folder)


def print_confirmed(folder: StudyFolder, console: Console) -> None:
    """Print the three answers and the result of a confirmation, and where the plots of its trainings are."""
    document = report_document(folder)
    print_answers(document, console)
    print_details(document, console)
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


def print_fitted(folder: StudyFolder, fit: Mapping[str, Any], console: Console) -> None:
    """Print the result of a fit or an update, an entry of fit.json, and where the networks are."""
    for text in fit_texts(fit):
        print_line(console, text)
    print_line(console, f"Networks: {folder.path}/fit/trials/*/checkpoint.pt", wrap=False)
    command = study_command(folder, "export", ..., f"{folder.name}_fitted", "--fitted")
    print_line(console, f"To export them: {command}", wrap=False)


def _print_places(console: Console, folder: StudyFolder, trained: StudyFolder) -> None:
    text = f"Plots: {trained.path}/trials/*/rollout.png. Report: sweep report {shlex.quote(folder.name)}"
    print_line(console, text, wrap=False)
