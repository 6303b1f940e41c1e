"""The scores by series and by channel in the terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from sweep.report.terminal.console import print_line, print_table
from sweep.results.wording.breakdown import (
    TERMINAL_COLUMNS,
    TERMINAL_SHOWN,
    breakdown_text,
    shown_breakdown,
)


def print_breakdown(breakdown: Mapping[str, Any], console: Console) -> None:
    """Print a short table by series and one by channel, worst first, and a sentence if a few carry the error.

    Args:
        breakdown: of a trial's document.
        console: where to print; its width is respected.
    """
    for index, shown in enumerate(shown_breakdown(breakdown, TERMINAL_SHOWN)):
        if index:
            console.print()
        print_table(console, shown.table.columns(TERMINAL_COLUMNS))
        if shown.more:
            print_line(console, shown.more, "dim")
    text = breakdown_text(breakdown)
    if text is not None:
        print_line(console, text)
