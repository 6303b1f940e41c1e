"""What `sweep list` prints."""

import csv
import io
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

NUMBERS = ("trials", "complete", "pruned", "diverged", "failed", "running", "best_rollout_error")
COLUMNS = ("name", *NUMBERS, "best_symptom")


def print_listing(document: Mapping[str, Any]) -> None:
    """Print the stored studies and the known study files to stdout."""
    console = Console()
    if document["results"]:
        table = Table(title="studies with results", title_justify="left")
        for column in COLUMNS:
            table.add_column(column.replace("_", " "), justify="right" if column in NUMBERS else "left")
        for entry in document["results"]:
            table.add_row(*(Text(_cell(entry[column])) for column in COLUMNS))
        console.print(table)
    else:
        console.print("no studies with results yet: sweep run", markup=False, highlight=False)
    table = Table(title="known study files", title_justify="left")
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
    return "-" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
