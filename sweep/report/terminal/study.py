"""The report of a study in the terminal, readable at 80 columns."""

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sweep.config.text import plural
from sweep.report.terminal.console import new_table, plain, print_facts, print_line, print_table
from sweep.results.wording.breakdown import breakdown_text
from sweep.results.wording.confirmation import (
    CONFIRMATION_LEGEND,
    TERMINAL_COLUMNS,
    confirmation_heading,
    confirmation_table,
    confirmation_texts,
)
from sweep.results.wording.diagnosis import MUTED, first_try_text, symptom_text
from sweep.results.wording.fit import fit_text
from sweep.results.wording.intervals import intervals_text
from sweep.results.wording.leaderboard import board_rows
from sweep.results.wording.numbers import param_text
from sweep.results.wording.study import (
    baselines_on_test_text,
    best_of,
    cost_facts,
    data_facts,
    heading_text,
    score_facts,
    status_text,
    verdict_severity,
)
from sweep.results.wording.treatment import treatment_short_text

BEST_MOST = 10  # trials in the table
DATA_MOST = 3  # facts about the data: the page has all
NARROW = 76  # columns of a terminal below which the table leaves out one-step errors and symptoms
TITLES_FROM = 110  # columns of a terminal in which the table has room for the symptoms' titles
STYLES = {
    "issue": ("!", "yellow"),
    "tip": ("i", "cyan"),
    "ok": ("✓", "green"),
    "not applicable": ("?", "dim"),
}


def print_report(document: Mapping[str, Any], console: Console, page: Path | None = None) -> None:
    """Print the three answers, then the study, the best trials between the baselines, the findings, and the page.

    Args:
        document: from `report_document`.
        console: where to print; its width is respected.
        page: of the report, None where none was written.
    """
    print_answers(document, console)
    for text in document["damaged"]:
        print_line(console, f"! {text}", "yellow")
    print_line(console, f"{document['study']['name']}: {status_text(document)}", "bold")
    print_line(console, ", ".join(f"{name} {value}" for name, value in cost_facts(document)[1:3]), "dim")
    facts = data_facts(document)
    if facts:
        print_facts(console, facts[:DATA_MOST])
    console.print()
    print_details(document, console)
    if document["fit"] is not None:
        console.print()
        print_line(console, fit_text(document["fit"]))
    for treatment in document["treatments"]:
        console.print()
        print_line(console, f"Treated: {treatment_short_text(treatment)}")
    console.print()
    console.print(_board(document, console.width))
    count = len(document["trials"])
    which = f"the best {BEST_MOST} of {count} trials" if count > BEST_MOST else "trials"
    print_line(console, f"{which} by their selected scores, on validation", "dim")
    console.print()
    _print_symptoms(document, console)
    for finding in document["findings"]:
        _print_finding(finding, console)
    if page is not None:
        console.print()
        print_line(console, f"Page: {page}", wrap=False)


def print_answers(document: Mapping[str, Any], console: Console) -> None:
    """Print what to use, how sure that is, and what to do next: the first lines of every report."""
    _, style = STYLES[verdict_severity(document)]
    print_line(console, document["verdict"]["text"], "bold" if style == "dim" else f"bold {style}")
    console.print()
    print_line(console, f"How sure? {heading_text(document)}", "bold")
    facts = score_facts(document)
    print_facts(console, [(fact.name, f"{fact.value} {fact.note}".rstrip()) for fact in facts])
    console.print()
    if document["next"]:
        print_line(console, "What next?", "bold")
    for step in document["next"]:
        console.print(Padding(Text(plain(step["reason"])), (0, 0, 0, 2)))
        print_line(console, f"    {step['command']}", "cyan", wrap=False)
    if document["next"]:
        console.print()


def print_details(document: Mapping[str, Any], console: Console) -> None:
    """Print the best configuration, the baselines on the locked test, and the confirmation."""
    best, confirmation = best_of(document), document["confirmation"]
    if best is not None:
        print_line(console, f"Configuration of trial {best['number']}", "bold")
        for name, value in best["params"].items():
            print_line(console, f"  {name} = {param_text(name, value)}")
    carried = None if document["breakdown"] is None else breakdown_text(document["breakdown"])
    if carried is not None:
        print_line(console, carried)
    baselines = baselines_on_test_text(document)
    if baselines is not None:
        print_line(console, baselines)
    if confirmation is not None:
        console.print()
        print_line(console, confirmation_heading(confirmation), "bold")
        print_table(console, confirmation_table(confirmation).columns(TERMINAL_COLUMNS))
        print_line(console, CONFIRMATION_LEGEND, "dim")
        for text in confirmation_texts(confirmation):
            print_line(console, text)
    if document["intervals"] is not None:
        print_line(console, intervals_text(document["intervals"]))


def _board(document: Mapping[str, Any], width: int) -> Table:
    rows = [row for row in board_rows(document) if row.values["rollout_error"] is not None]
    best = [row.number for row in rows if row.number is not None][:BEST_MOST]
    table, narrow = new_table(), width < NARROW
    heads = ("", "rollout\nerror", "valid\nsteps", *(() if narrow else ("one-step\nerror", "symptom")))
    rmse = width >= TITLES_FROM and any(row.values["rmse"] is not None for row in rows)
    heads = (*heads[:3], "rmse", *heads[3:]) if rmse else heads
    for head in heads:
        table.add_column(head, justify="left" if head in ("", "symptom") else "right", no_wrap=True)
    table.add_column("configuration", overflow="fold")
    for row in rows:
        if row.number is not None and row.number not in best:
            continue
        style = "bold green" if row.used else "bold" if row.best else "cyan" if row.number is None else ""
        cells = [row.name, row.texts["rollout_error"], row.texts["valid_steps"]]
        cells += [row.texts["rmse"]] if rmse else []
        if not narrow:
            cells += [row.texts["one_step_error"], row.symptom if width >= TITLES_FROM else row.code]
        cells.append("baseline" if row.number is None else row.what)
        table.add_row(*(Text(plain(cell), style=style) for cell in cells))
    return table


def _print_symptoms(document: Mapping[str, Any], console: Console) -> None:
    """Print how many trials have which symptom, and which causes were found."""
    section = document["diagnoses"]
    if not section["judged"]:
        return
    counts = [f"{symptom_text(row)} {row['trials']}" for row in section["symptoms"] if not row["muted"]]
    muted = sum(row["trials"] for row in section["symptoms"] if row["muted"])
    counts += [f"{MUTED} {muted}"] if muted else []
    print_line(console, f"Symptoms of {plural(section['judged'], 'trial')}: {', '.join(counts)}")
    for row in section["causes"]:
        if not row["muted"]:
            first = first_try_text(row)
            text = f"{row['code']} {row['title']}: {plural(row['trials'], 'trial')}"
            print_line(console, text if first is None else f"{text}; {first}")
    console.print()


def _print_finding(finding: Mapping[str, Any], console: Console) -> None:
    mark, style = STYLES[finding["severity"]]
    title = finding["title"] + ("" if finding["title"].endswith("?") else ":")
    lines = textwrap.wrap(plain(f"{title} {finding['text']}"), width=max(20, console.width - 3))
    for index, line in enumerate(lines):
        console.print(Text(f"{mark if index == 0 else ' '} ", style=style) + Text(line), soft_wrap=True)
