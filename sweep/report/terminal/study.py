"""The report and a trial in the terminal, readable at 80 columns; names are never taken for markup."""

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sweep.results.diagnoses import TOLD, is_cause
from sweep.results.wording.confirmation import (
    LEGEND,
    confirmation_lines,
    optimism_text,
    range_text,
    seeds_text,
    verdict_text,
)
from sweep.results.wording.diagnosis import MUTED, alternatives_text, symptom_words, tries_text
from sweep.results.wording.numbers import (
    config_words,
    count_text,
    duration_text,
    number_text,
    param_text,
    steps_text,
)
from sweep.results.wording.treatment import LEGEND as TREATMENT_LEGEND
from sweep.results.wording.treatment import short_text, treatment_lines, treatment_texts

BEST_MOST = 10  # trials in the table
TITLES_FROM = 110  # columns of a terminal in which the table has room for the symptoms' titles
FINE = "S01"  # no failure to look for
MARKS = {"found": ("!", "yellow"), "clear": ("✓", "green"), "unknown": ("?", "dim")}


def print_report(document: Mapping[str, Any], console: Console, page: Path | None = None) -> None:
    """Print the best trials between the baselines, the findings, and where the page is.

    Args:
        document: from `report_document`.
        console: where to; its width is respected.
        page: of the report, None where none was written.
    """
    study, progress = document["study"], document["progress"]
    names = ("complete", "pruned", "diverged", "failed", "running")
    counts = ", ".join(f"{progress[name]} {name}" for name in names if progress[name]) or "none yet"
    print_line(console, f"{study['name']}: {len(document['trials'])} trials ({counts})", "bold")
    steps, seconds = count_text(progress["sequence_steps"] or 0), duration_text(progress["seconds"] or 0)
    cost = f"{steps} sequence-steps, {seconds} of work"
    print_line(
        console, cost + ("" if progress["finished"] else "; not finished, what follows is preliminary"), "dim"
    )
    best = next((trial for trial in document["trials"] if trial["number"] == document["best"]), None)
    console.print()
    if best is None:
        print_line(console, f"No winner: {document['no_best']}.", "bold")
    else:
        print_line(console, _heading(document, best), "bold")
        for name, value in best["params"].items():
            print_line(console, f"  {name} = {param_text(name, value)}")
        for where, said in _scores_of_best(document, best):
            print_line(console, f"  {where + ':' if where else '':<24}{said}")
    confirmation = document["confirmation"]
    if confirmation is not None:
        console.print()
        print_line(console, f"Confirmed on {seeds_text(confirmation['seeds'])} each, on validation:", "bold")
        for line in confirmation_lines(confirmation):
            print_line(console, line, wrap=False)
        for text in (LEGEND, verdict_text(confirmation), optimism_text(confirmation)):
            print_line(console, text, "dim" if text is LEGEND else "")
    for treatment in document["treatments"]:
        console.print()
        print_line(console, f"Treated: {short_text(treatment)}")
    console.print()
    console.print(_board(document, console.width))
    if len(document["trials"]) > BEST_MOST:
        print_line(console, f"the best {BEST_MOST} of {len(document['trials'])} trials, on validation", "dim")
    console.print()
    _symptoms(document, console)
    for found in document["findings"]:
        _finding(console, found)
    if page is not None:
        console.print()
        print_line(console, f"Page: {page}", wrap=False)


def _heading(document: Mapping[str, Any], best: Mapping[str, Any]) -> str:
    confirmation = document["confirmation"]
    if confirmation is None:
        return f"Best: trial {best['number']}, selected and not confirmed"
    if confirmation["verdict"] == "tied":
        return f"No single winner; first among equals: trial {best['number']}"
    return f"Best: trial {best['number']}, confirmed on {seeds_text(confirmation['seeds'])}"


def _scores_of_best(document: Mapping[str, Any], best: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what is known of the best trial: selected, on fresh seeds, on the locked test."""
    horizon, confirmation = document["score"]["horizon"], document["confirmation"]

    def said(scores: Mapping[str, Any]) -> str:
        error = number_text(scores["rollout_error"])
        return f"rollout error {error}, valid {steps_text(scores['valid_steps'], horizon)} steps"

    rows = [("selected on validation", said(best))]
    if confirmation is not None:
        arm = next(arm for arm in confirmation["arms"] if arm["number"] == best["number"])
        rows.append(("fresh seeds", f"rollout error {number_text(arm['iqm']['value'])} (interquartile mean)"))
    test = best.get("test")
    rows.append(("locked test", "not scored yet" if test is None else said(test)))
    scored = None if confirmation is None else confirmation["test"]
    if scored is not None and len(scored["networks"]) > 1:
        errors = [network["rollout_error"] for network in scored["networks"]]
        rows.append(
            (
                "",
                f"the median on validation; all {len(errors)} networks {range_text(min(errors), max(errors))}",
            )
        )
    if scored is not None:
        rows.append(("network to use", scored["use"]["checkpoint"]))
    return rows


def print_trial(document: Mapping[str, Any], console: Console) -> None:
    """Print one trial: what it was, its numbers, its checkpoints, and where its rollout plot is.

    Args:
        document: from `trial_document`.
        console: where to; its width is respected.
    """
    horizon = document["score"]["horizon"]
    crown = ", the best" if document["is_best"] else ""
    rank = f", rank {document['rank']} of {document['ranked']}{crown}" if document["rank"] else ""
    print_line(
        console, f"trial {document['number']} of {document['study']}: {document['state']}{rank}", "bold"
    )
    print_line(console, " · ".join(config_words(document["config"], document["params"])))
    if document["reason"]:
        print_line(console, document["reason"], "yellow")
    _symptom_of_trial(document, console)
    console.print()
    facts = [("rollout error", number_text(document["rollout_error"]))]
    if document["valid_steps"] is not None:
        low, high = document["valid_steps_low"], document["valid_steps_high"]
        spread = f" (10–90 %: {number_text(low)}–{number_text(high)})"
        facts += [
            ("valid steps", steps_text(document["valid_steps"], horizon) + spread),
            ("nrmse", number_text(document["nrmse"]) if document["nrmse"] is not None else "∞"),
            ("one-step error", number_text(document["one_step_error"])),
            ("exposure gap", number_text(document["exposure_gap"])),
            ("starts that leave the data", f"{document['diverged_fraction']:.0%}"),
        ]
    if document.get("test"):
        facts.append(("locked test", f"rollout error {number_text(document['test']['rollout_error'])}"))
    arm = document["confirmation"]
    if arm is not None:
        spread = range_text(min(arm["errors"]), max(arm["errors"]))
        iqm = number_text(arm["iqm"]["value"])
        facts.append((seeds_text(len(arm["errors"])), f"rollout error {iqm} ({spread})"))
    if document["regret_last"] is not None:
        facts.append(("regret of the last checkpoint", number_text(document["regret_last"], 2)))
        facts.append(("regret of the best one-step", number_text(document["regret_one_step"], 2)))
    facts.append(
        (
            "cost",
            f"{count_text(document['sequence_steps'])} sequence-steps, {duration_text(document['seconds'])}",
        )
    )
    if document["diverged_at"] is not None:
        facts.append(("diverged at", f"{count_text(document['diverged_at'])} sequence-steps"))
    for name, value in document["skill"].items() if document["rollout_error"] is not None else ():
        facts.append((f"skill against {name}", "exact baseline" if value is None else number_text(value, 2)))
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        print_line(console, f"  {name:<{width}}  {value}")
    if document["evaluations"]:
        console.print()
        console.print(_evaluations(document))
    if document["treatment"] is not None:
        console.print()
        _treatment(console, document["treatment"])
    plot = document["files"].get("rollout.png")
    if plot:
        console.print()
        print_line(console, f"Plot: {plot}", wrap=False)


def _symptom_of_trial(document: Mapping[str, Any], console: Console) -> None:
    diagnosis = document["diagnosis"]
    if diagnosis is None:
        if document["rollout_error"] is not None and document["state"] != "running":
            print_line(console, f"not diagnosed: sweep diagnose {document['number']}", "dim")
    elif diagnosis["symptom"]["muted"]:
        print_line(console, f"symptom: {MUTED}", "dim")
    else:
        symptom = diagnosis["symptom"]
        print_line(
            console, f"{symptom['code']}: {symptom['text']}", "green" if symptom["code"] == FINE else "yellow"
        )
        _causes_of_trial(document, console)


def _causes_of_trial(document: Mapping[str, Any], console: Console) -> None:
    """Print the causes that were found, each with what to try first; `sweep diagnose` has their evidence."""
    found = [
        finding
        for finding in document["diagnosis"]["findings"]
        if finding["severity"] in TOLD and is_cause(finding["code"]) and not finding["muted"]
    ]
    for finding in found:
        tries = "".join(f"; try {words}" for words in alternatives_text(finding["prescriptions"])[:1])
        print_line(console, f"  {finding['code']} {finding['title']} ({finding['severity']}){tries}")
    if found:
        print_line(console, f"  why: sweep diagnose {document['number']} {document['study']}", "dim")


def _symptoms(document: Mapping[str, Any], console: Console) -> None:
    """Print how many trials have which symptom, and which causes were found."""
    section = document["diagnoses"]
    if not section["judged"]:
        return
    counts = [
        f"{symptom_words(row)} {row['trials']}" for row in section["symptoms"] if not row["muted"]
    ]  # fmt: skip
    muted = sum(row["trials"] for row in section["symptoms"] if row["muted"])
    counts += [f"{MUTED} {muted}"] if muted else []
    print_line(console, f"symptoms of {section['judged']} trials: {', '.join(counts)}")
    for row in section["causes"]:
        if not row["muted"]:
            said = f"{row['code']} {row['title']}: {row['trials']} trials"
            print_line(console, said + "".join(f"; {words}" for words in tries_text(row)[:1]))
    console.print()


def _treatment(console: Console, treatment: Mapping[str, Any]) -> None:
    print_line(console, f"treated on {seeds_text(treatment['seeds'])} each, on validation:", "bold")
    for line in treatment_lines(treatment):
        print_line(console, line, wrap=False)
    print_line(console, TREATMENT_LEGEND, "dim")
    for text in treatment_texts(treatment):
        print_line(console, text)


def _board(document: Mapping[str, Any], width: int) -> Table:
    trials = sorted(
        (trial for trial in document["trials"] if trial["rollout_error"] is not None),
        key=lambda trial: (trial["rollout_error"], trial["number"]),
    )
    rows: list[tuple[float, Mapping[str, Any], str, str]] = [
        (trial["rollout_error"], trial, f"trial {trial['number']}", " ".join(_short(trial["params"])))
        for trial in trials[:BEST_MOST]
    ]
    rows += [
        (entry["rollout_error"], entry, name, "baseline") for name, entry in document["baselines"].items()
    ]
    table = Table(
        box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold", width=min(width, 120)
    )
    wide = width >= TITLES_FROM
    muted = document["diagnoses"]["muted"]
    titles = {one["number"]: one["symptom"] for one in document["diagnoses"]["trials"]}
    for name in ("", "rollout error", "valid steps", "one-step"):
        table.add_column(name, justify="left" if not name else "right", no_wrap=True)
    table.add_column("symptom", no_wrap=True)
    table.add_column("configuration", overflow="ellipsis", no_wrap=True, ratio=1)
    for error, entry, name, what in sorted(rows, key=lambda row: row[0]):
        best = entry.get("number") is not None and entry["number"] == document["best"]
        style = "bold green" if best else "cyan" if what == "baseline" else ""
        valid = "–" if entry["valid_steps"] is None else f"{entry['valid_steps']:.0f}"
        error_text = "exact" if entry.get("exact") else number_text(error)
        code = entry.get("symptom")
        symptom = "" if what == "baseline" else "–" if code is None else MUTED if code in muted else code
        if wide and symptom == code and code is not None:
            symptom = symptom_words(titles[entry["number"]])
        cells = (name, error_text, valid, number_text(entry.get("one_step_error")), symptom, what)
        table.add_row(*(Text(_plain(cell), style=style) for cell in cells))
    return table


def _evaluations(document: Mapping[str, Any]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for name in ("training", "rollout error", "valid", "one-step", "checkpoint"):
        table.add_column(name, justify="left" if name == "checkpoint" else "right", no_wrap=True)
    entries = document["evaluations"]
    for index, entry in enumerate(entries):
        marks = [
            word
            for word, which in (
                ("chosen", document["best_evaluation"]),
                ("lowest one-step", document["best_one_step_evaluation"]),
                ("last", len(entries) - 1),
            )
            if which == index
        ]
        table.add_row(
            count_text(entry["sequence_steps"]),
            number_text(entry["rollout_error"]),
            f"{entry['valid_steps']:.0f}",
            number_text(entry["one_step_error"]),
            ", ".join(marks),
            style="bold green" if "chosen" in marks else "",
        )
    return table


def _finding(console: Console, found: Mapping[str, Any]) -> None:
    mark, style = MARKS[found["verdict"]]
    lines = textwrap.wrap(_plain(found["text"]), width=max(20, console.width - 3)) or [""]
    for index, line in enumerate(lines):
        console.print(Text(f"{mark if index == 0 else ' '} ", style=style) + Text(line), soft_wrap=True)


def print_line(console: Console, text: str, style: str = "", wrap: bool = True) -> None:
    """Print a line of plain text; nothing in it is taken for markup."""
    console.print(Text(_plain(text), style=style), soft_wrap=not wrap, highlight=False)


def _short(params: Mapping[str, Any]) -> list[str]:
    """Return values by short names, without the owner: `gru`, `sgd`, `lr=0.03`."""
    return [
        param_text(name, value)
        if isinstance(value, str)
        else f"{name.rsplit('.', 1)[-1]}={param_text(name, value)}"
        for name, value in params.items()
    ]


def _plain(text: str) -> str:
    """Return the text without control characters, which could steer the terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)
