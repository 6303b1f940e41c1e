"""The output of `sweep init`: what was seen of the data, what was chosen, and the next command."""

import shlex
from pathlib import Path

from rich.console import Console

from sweep.config.study import StudyConfig
from sweep.config.summary_words import fact_rows, forecast_text, seen_text
from sweep.config.text import plural
from sweep.data import DataSummary
from sweep.report.terminal.console import print_facts, print_line


def print_proposed(path: Path, summary: DataSummary, study: StudyConfig, intervals: str) -> None:
    """Print a proposed study to stdout.

    Args:
        path: of the study file.
        summary: of the data.
        study: as the file has it.
        intervals: which intervals its forecasts will have, or why none; empty: not said.
    """
    console, score, seen = Console(), study.score, summary.document()
    print_line(console, seen_text(seen))
    facts = [
        ("channels", forecast_text(seen)),
        (
            "rollouts",
            f"{score.horizon} free-running steps after {score.warmup} true ones, {score.starts} starts"
            + (", on the test whole records" if score.from_start else "")
            if score.from_start is not True
            else f"whole records after {score.warmup} true steps each",
        ),
        (
            "search",
            f"{plural(study.search.trials, 'trial')}, {study.training.budget:,} sequence-steps each at most",
        ),
        *([("intervals", intervals)] if intervals else []),
        *fact_rows(seen),
    ]
    print_facts(console, facts)
    command = f"sweep run {shlex.quote(str(path))}"
    print_line(
        console, f"wrote {path}. Next: {command} --dry-run shows the time; {command} runs it", wrap=False
    )
