"""The output of `sweep doctor`: the verdict, the failure, and the baselines."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from sweep.report.terminal.console import print_line, print_table
from sweep.results.wording.examination import baseline_table, examined_facts, symptom_lines

COLORS = {"issue": "bold yellow", "ok": "bold green"}


def print_examination(document: Mapping[str, Any], console: Console, files: Sequence[Path]) -> None:
    """Print an examination.

    Args:
        document: of the examination (docs/doctor.md).
        console: to print to.
        files: that have been written.
    """
    print_line(console, document["verdict"]["text"], COLORS.get(document["verdict"]["severity"], "bold"))
    for text in symptom_lines(document):
        print_line(console, text)
    if document["baselines"]:
        print_table(console, baseline_table(document))
    for text in [*examined_facts(document), *document["notes"]]:
        print_line(console, text)
    for file in files:
        print_line(console, f"Written: {file}", wrap=False)
