"""The output of `sweep forecast`: what forecasts, the first steps, and where the rest is."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from sweep.report.terminal.console import print_line, print_table
from sweep.results.wording.forecast import coverage_line, forecast_table, rest_text, warning_texts


def print_forecast(document: Mapping[str, Any], console: Console, files: Sequence[Path]) -> None:
    """Print a forecast.

    Args:
        document: of the forecast (docs/forecast.md).
        console: to print to.
        files: that have been written.
    """
    print_line(console, document["forecaster"]["text"], "bold")
    if document["forecaster"].get("asked"):
        print_line(console, f"The study's verdict: {document['verdict']}")
    print_table(console, forecast_table(document))
    if coverage_line(document):
        print_line(console, coverage_line(document))
    for text in warning_texts(document):
        print_line(console, f"! {text}", "yellow")
    for file in files:
        print_line(console, f"Written: {file}", wrap=False)
    rest = rest_text(document, {file.suffix for file in files})
    if rest:
        print_line(console, rest)
