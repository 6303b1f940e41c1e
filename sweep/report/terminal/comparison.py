"""What `sweep compare` prints: the verdict, the scores, what differs, and where the page is."""

from pathlib import Path

from rich.console import Console

from sweep.report.terminal.console import print_line, print_table
from sweep.results.comparison.compared import Comparison, Pair
from sweep.results.wording.comparison import (
    COMPARISON_LEGEND,
    NOTHING_DIFFERS,
    basis_text,
    differences_table,
    heading_text,
    scores_table,
    verdict_text,
)

TERMINAL_COLUMNS = 6  # of the table of scores: as many as fit 80 characters


def print_comparison(comparison: Comparison, console: Console, page: Path | None) -> None:
    """Print every pair.

    Args:
        comparison: of the studies.
        console: that prints.
        page: that was written; None: none was.
    """
    for pair in comparison.pairs:
        _print_pair(pair, console)
    if page is not None:
        print_line(console, f"Page: {page}", wrap=False)


def _print_pair(pair: Pair, console: Console) -> None:
    print_line(console, heading_text(pair), "bold")
    print_line(console, verdict_text(pair), "red" if pair.alarm else "")
    console.print()
    print_line(console, basis_text(pair))
    print_table(console, scores_table(pair).columns(TERMINAL_COLUMNS))
    print_line(console, COMPARISON_LEGEND)
    console.print()
    table = differences_table(pair)
    if table is None:
        print_line(console, NOTHING_DIFFERS)
    else:
        print_table(console, table)
    console.print()
