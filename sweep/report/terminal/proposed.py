"""The output of `sweep init`: what was seen of the data, what was chosen, and the next command."""

import shlex
from pathlib import Path

from rich.console import Console

from sweep.config.study import StudyConfig
from sweep.config.text import plural
from sweep.data import DataSummary
from sweep.report.terminal.console import print_facts, print_line
from sweep.study.proposal import forecast_text, head_of


def print_proposed(path: Path, summary: DataSummary, study: StudyConfig, named: bool) -> None:
    """Print a proposed study to stdout.

    Args:
        path: of the study file.
        summary: of the data.
        study: as the file has it.
        named: whether the targets were named.
    """
    console = Console()
    score = study.score
    print_line(console, head_of(summary))
    facts = [
        ("channels", forecast_text(summary, named or bool(study.data.target))),
        (
            "rollouts",
            f"{score.horizon} free-running steps after {score.warmup} true ones, {score.starts} starts",
        ),
        (
            "search",
            f"{plural(study.search.trials, 'trial')}, {study.training.budget:,} sequence-steps each at most",
        ),
        *((fact.name, f"{fact.text} ({fact.key})" if fact.key else fact.text) for fact in summary.facts),
    ]
    print_facts(console, facts)
    command = f"sweep run {shlex.quote(str(path))}"
    print_line(
        console, f"wrote {path}. Next: {command} --dry-run shows the time; {command} runs it", wrap=False
    )
