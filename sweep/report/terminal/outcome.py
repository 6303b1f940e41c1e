"""What a command that trained trials prints at its end: winner, confirmation, treatment or audit."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from sweep.report.terminal.study import print_line
from sweep.results.checks.pruning_stopped_winners import audit_lines, audit_text
from sweep.results.wording.confirmation import confirmation_lines, optimism_text, verdict_text
from sweep.results.wording.numbers import value_text
from sweep.results.wording.treatment import treatment_lines, treatment_texts
from sweep.store import StudyFolder


def print_run(
    folder: StudyFolder,
    winner: Mapping[str, Any],
    confirmation: Mapping[str, Any] | None,
    console: Console,
) -> None:
    """Print the winner of a run, its scores beside the baselines, and where the plots are.

    Args:
        folder: of the study.
        winner: winner.json.
        confirmation: as in report.json; None if nothing was confirmed.
        console: where to print.
    """
    if confirmation is not None:
        _print_confirmation(console, confirmation)
    _print_winner(console, folder, winner, confirmation)
    if winner.get("number") is not None and confirmation is None:
        _print(
            console,
            f"selected, not confirmed on fresh seeds: the score looks better than it is (sweep confirm {folder.name})",
        )
    _print_places(console, folder, folder)


def print_confirmed(
    folder: StudyFolder, winner: Mapping[str, Any], confirmation: Mapping[str, Any] | None, console: Console
) -> None:
    """Print the result of a confirmation; arguments as in `print_run`."""
    if confirmation is not None:
        _print_confirmation(console, confirmation)
    _print_winner(console, folder, winner, confirmation)
    if confirmation is not None:
        _print_places(console, folder, StudyFolder(folder.path / "confirm"))


def print_treated(folder: StudyFolder, treatment: Mapping[str, Any], console: Console) -> None:
    """Print the result of a treatment.

    Args:
        folder: of the study.
        treatment: treatment.json.
        console: where to print.
    """
    _print(
        console,
        f"trial {treatment['number']} treated on {treatment['seeds']} fresh seeds each, rollout errors on validation:",
    )
    for text in (*treatment_lines(treatment), *treatment_texts(treatment)):
        _print(console, text)
    _print_places(console, folder, folder.treatment(treatment["number"]))


def print_audited(folder: StudyFolder, audit: Mapping[str, Any] | None, console: Console) -> None:
    """Print the result of an audit of the pruning.

    Args:
        folder: of the study.
        audit: audit.json; None if nothing was pruned.
        console: where to print.
    """
    if audit is None:
        _print(console, "nothing was pruned: there is nothing to audit")
        return
    for text in (*audit_lines(audit), audit_text(folder)):
        _print(console, text)
    _print_places(console, folder, StudyFolder(folder.path / "audit"))


def _print_confirmation(console: Console, confirmation: Mapping[str, Any]) -> None:
    _print(console, f"confirmed on {confirmation['seeds']} fresh seeds each, rollout errors on validation:")
    for text in (*confirmation_lines(confirmation), verdict_text(confirmation), optimism_text(confirmation)):
        _print(console, text)


def _print_winner(
    console: Console, folder: StudyFolder, winner: Mapping[str, Any], confirmation: Mapping[str, Any] | None
) -> None:
    number = winner.get("number")
    if number is None:
        _print(console, f"no winner: {winner.get('reason')}")
        return
    record, test = folder.record(number), winner["test"]
    horizon = record.config["score"]["horizon"]
    assert record.scores is not None
    tied = confirmation is not None and confirmation["verdict"] == "tied"
    head = "no single winner, first among equals" if tied else "best configuration"
    _print(console, f"{head}: trial {number}")
    for key, value in record.params.items():
        _print(console, f"  {key} = {value_text(value)}")
    _print(
        console,
        f"selected on validation: rollout error {record.rollout_error:.4g}, "
        f"valid {record.scores.valid_steps:.0f} of {horizon} steps",
    )
    count = len(winner["networks"])
    of = f" (the median on validation of {count} networks)" if count > 1 else ""
    _print(
        console,
        f"locked test:            rollout error {test['rollout_error']:.4g}, "
        f"valid {test['valid_steps']:.0f} of {horizon} steps{of}",
    )
    if confirmation is not None and confirmation["test"] is not None:
        _print(console, f"network to use:         {folder.path / confirmation['test']['use']['checkpoint']}")
    _print(console, "baselines on the same test starts:")
    for name, entry in winner["baselines_test"].items():
        text = entry.get("reason") or f"rollout error {entry['rollout_error']:.4g}"
        _print(console, f"  {name}: {text}")


def _print_places(console: Console, folder: StudyFolder, trained: StudyFolder) -> None:
    _print(console, f"plots: {trained.path}/trials/*/rollout.png; report: sweep report {folder.name}")


def _print(console: Console, text: str) -> None:
    print_line(console, text, wrap=False)
