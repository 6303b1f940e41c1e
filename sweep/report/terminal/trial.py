"""One trial in the terminal, readable at 80 columns."""

import math
import shlex
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from sweep.config.text import duration_text
from sweep.report.terminal.breakdown import print_breakdown
from sweep.report.terminal.console import new_table, print_facts, print_line, print_table
from sweep.results.rmse import rmse_text
from sweep.results.wording.confirmation import seed_range_text, seeds_text
from sweep.results.wording.diagnosis import MUTED, diagnosis_lines
from sweep.results.wording.numbers import config_words, count_text, number_text, percent_text, steps_text
from sweep.results.wording.treatment import (
    TREATMENT_LEGEND,
    treatment_heading,
    treatment_table,
    treatment_texts,
)

FINE = "S01"  # the symptom of a rollout that does not fail


def print_trial(document: Mapping[str, Any], console: Console) -> None:
    """Print one trial: its configuration, numbers and checkpoints, and where its rollout plot is.

    Args:
        document: from `trial_document`.
        console: where to print; its width is respected.
    """
    crown = ", the best network" if document["is_best"] else ""
    rank = f", rank {document['rank']} of {document['ranked']}{crown}" if document["rank"] else ""
    print_line(
        console, f"trial {document['number']} of {document['study']}: {document['state']}{rank}", "bold"
    )
    print_line(console, " · ".join(config_words(document["config"], document["params"])))
    if document["reason"]:
        print_line(console, document["reason"], "yellow")
    _print_symptom(document, console)
    console.print()
    print_facts(console, _facts(document))
    if document["breakdown"] is not None:
        console.print()
        print_breakdown(document["breakdown"], console)
    if document["evaluations"]:
        console.print()
        console.print(_evaluations(document))
    if document["treatment"] is not None:
        console.print()
        print_treatment(document["treatment"], console)
    plot = document["files"].get("rollout.png")
    if plot:
        console.print()
        print_line(console, f"Plot: {plot}", wrap=False)


def print_treatment(treatment: Mapping[str, Any], console: Console) -> None:
    """Print the table of a treatment and its results in words.

    Args:
        treatment: of a trial's document.
        console: where to print; its width is respected.
    """
    print_line(console, treatment_heading(treatment), "bold")
    print_table(console, treatment_table(treatment))
    print_line(console, TREATMENT_LEGEND, "dim")
    for text in treatment_texts(treatment):
        print_line(console, text)


def _facts(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    facts = [("rollout error", number_text(document["rollout_error"]))]
    if document["valid_steps"] is not None:
        low, high = document["valid_steps_low"], document["valid_steps_high"]
        spread = f" (10–90 %: {number_text(low)}–{number_text(high)})"
        trivial = document["score"]["trivial"]
        beside = "" if trivial is None else f"; {trivial['name']}: {number_text(trivial['valid_steps'])}"
        facts += [
            (
                "valid steps",
                steps_text(document["valid_steps"], document["score"]["horizon"]) + spread + beside,
            ),
            ("nrmse", number_text(document["nrmse"]) if document["nrmse"] is not None else "∞"),
            ("rmse, data units", rmse_text(document["rmse"])),
            ("one-step error", number_text(document["one_step_error"])),
            ("exposure gap", _exposure_gap(document)),
            ("starts that leave the data", percent_text(document["diverged_fraction"])),
        ]
        if document["trivial_skill"] is not None:
            facts.append(
                ("skill against the best trivial forecast", number_text(document["trivial_skill"], 2))
            )
    if document.get("test"):
        test = document["test"]
        beside = f", rmse {rmse_text(test['rmse'])}" if test["rmse"] else ""
        facts.append(("locked test", f"rollout error {number_text(test['rollout_error'])}{beside}"))
    arm = document["confirmation"]
    if arm is not None:
        iqm, spread = number_text(arm["iqm"]["value"]), seed_range_text(arm["errors"])
        facts.append((seeds_text(len(arm["errors"])), f"rollout error {iqm} ({spread})"))
    if document["regret_last"] is not None:
        facts.append(("regret of the last checkpoint", number_text(document["regret_last"], 2)))
        facts.append(("regret of the best one-step", number_text(document["regret_one_step"], 2)))
    steps = count_text(document["sequence_steps"])
    facts.append(("cost", f"{steps} sequence-steps, {duration_text(document['seconds'])}"))
    if document["diverged_at"] is not None:
        facts.append(("diverged at", f"{count_text(document['diverged_at'])} sequence-steps"))
    if document["rollout_error"] is not None and document["skill"]:
        basis = "" if arm is None else ", fresh seeds"
        skills = document["skill"]
        name = min(skills, key=lambda one: -math.inf if skills[one] is None else skills[one])
        text = "exact baseline" if skills[name] is None else number_text(skills[name], 2)
        facts.append((f"skill against the best baseline{basis}", f"{text} ({name})"))
    return facts


def _exposure_gap(document: Mapping[str, Any]) -> str:
    if document["config"].get("model", {}).get("feedback", True):
        return number_text(document["exposure_gap"])
    return "not applicable: without feedback no forecast is an input"


def _print_symptom(document: Mapping[str, Any], console: Console) -> None:
    """Print the symptom and the causes that were found, each with the change to try first."""
    diagnosis, number, study = document["diagnosis"], document["number"], shlex.quote(document["study"])
    if diagnosis is None:
        if document["rollout_error"] is not None and document["state"] != "running":
            print_line(console, f"not diagnosed: sweep diagnose {number} {study}", "dim")
        return
    symptom = diagnosis["symptom"]
    if symptom["muted"]:
        print_line(console, f"symptom: {MUTED}", "dim")
        return
    lines = diagnosis_lines(symptom, diagnosis["findings"], document["treat"])
    for index, line in enumerate(lines):
        style = ("green" if symptom["code"] == FINE else "yellow") if not index else ""
        if line.command:
            print_line(console, f"  {line.text} {line.command}", wrap=False)
        else:
            print_line(console, f"{'  ' if index else ''}{line.text}", style)
    if len(lines) > 1:
        print_line(console, f"  why: sweep diagnose {number} {study}", "dim")


def _evaluations(document: Mapping[str, Any]) -> Table:
    table = new_table()
    for name in ("training", "rollout error", "valid", "one-step", "checkpoint"):
        table.add_column(name, justify="left" if name == "checkpoint" else "right", overflow="fold")
    entries = document["evaluations"]
    checkpoints = (
        ("chosen", document["best_evaluation"]),
        ("lowest one-step", document["best_one_step_evaluation"]),
        ("last", len(entries) - 1),
    )
    for index, entry in enumerate(entries):
        marks = [name for name, which in checkpoints if which == index]
        table.add_row(
            count_text(entry["sequence_steps"]),
            number_text(entry["rollout_error"]),
            f"{entry['valid_steps']:.0f}",
            number_text(entry["one_step_error"]),
            ", ".join(marks),
            style="bold green" if "chosen" in marks else "",
        )
    return table
