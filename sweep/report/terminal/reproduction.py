"""What `sweep reproduce` prints."""

from rich.console import Console

from sweep.report.terminal.console import print_line
from sweep.results.reproduction import Reproduction
from sweep.results.wording.reproduction import agreement_text, reason_texts


def print_reproduction(result: Reproduction, console: Console) -> None:
    """Print what agrees, and why not more."""
    print_line(console, agreement_text(result), "" if result.scores else "red")
    for text in reason_texts(result):
        print_line(console, f"  {text}")
