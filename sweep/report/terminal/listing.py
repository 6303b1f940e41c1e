"""What `sweep list` prints."""

import csv
import io
from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

NUMBERS = ("trials", "complete", "pruned", "diverged", "failed", "running", "best_rollout_error")
COLUMNS = ("name", *NUMBERS, "best_symptom")
SELDOM = ("pruned", "diverged", "failed", "running")  # shown where a study has some: 80 columns are few


def print_listing(document: Mapping[str, Any]) -> None:
    """Print the stored studies and the known study files to stdout."""
    console = Console()
    if document["results"]:
        shown = [
            column
            for column in COLUMNS
            if column not in SELDOM or any(entry[column] for entry in document["results"])
        ]
        table = _table("studies with results")
        for column in shown:
            number = column in NUMBERS
            heading = column.replace("best_", "").replace("_", " ")
            table.add_column(heading, justify="right" if number else "left", no_wrap=number, overflow="fold")
        for entry in document["results"]:
            table.add_row(*(Text(_cell(entry[column])) for column in shown))
        console.print(table, "")
        for entry in document["results"]:
            if entry["error"]:
                text = Text(f"{entry['name']} cannot be read: {entry['error']}", style="yellow")
                console.print(text, soft_wrap=True)
    else:
        console.print("no studies with results yet: sweep run", markup=False, highlight=False)
    table = _table("known study files")
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


def _table(title: str) -> Table:
    return Table(
        title=title,
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        header_style="bold",
    )


def _cell(value: Any) -> str:
    return "-" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
