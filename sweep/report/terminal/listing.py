"""The output of `sweep list`."""

import csv
import io
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from sweep.report.terminal.console import new_table, print_line
from sweep.results.wording.numbers import number_text

NUMBERS = ("trials", "complete", "pruned", "diverged", "failed", "running", "best_rollout_error")
COLUMNS = ("name", *NUMBERS, "best_symptom")
SELDOM = ("pruned", "diverged", "failed", "running")  # shown only if a study has some, for lack of room


def print_listing(document: Mapping[str, Any]) -> None:
    """Print the stored studies and the known study files to stdout."""
    console = Console()
    if document["results"]:
        shown = [
            column
            for column in COLUMNS
            if column not in SELDOM or any(entry[column] for entry in document["results"])
        ]
        table = new_table("studies with results")
        for column in shown:
            number = column in NUMBERS
            heading = column.replace("best_", "").replace("_", " ")
            table.add_column(heading, justify="right" if number else "left", no_wrap=number, overflow="fold")
        for entry in document["results"]:
            table.add_row(*(Text(_cell(entry[column])) for column in shown))
        console.print(table, "")
        for entry in document["results"]:
            if entry["error"]:
                print_line(console, f"{entry['name']} cannot be read: {entry['error']}", "yellow", wrap=False)
    else:
        print_line(console, "No study has results yet: sweep run makes some.")
    table = new_table("known study files")
    table.add_column("name")
    table.add_column("description", overflow="fold")
    for entry in document["study_files"]:
        table.add_row(Text(entry["name"]), Text(entry["description"]))
    console.print(table)


def csv_text(document: Mapping[str, Any]) -> str:
    """Return the stored studies as CSV."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([entry[column] for column in COLUMNS] for entry in document["results"])
    return buffer.getvalue()


def _cell(value: Any) -> str:
    return number_text(value) if isinstance(value, float) else "–" if value is None else str(value)
