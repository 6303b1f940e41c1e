"""What the subcommands share: arguments, options, exit codes, how they print and leave."""

import json
import os
import sys
from pathlib import Path

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

EXIT_FAILED, EXIT_USAGE, EXIT_NOTHING, EXIT_INTERRUPTED = 1, 2, 3, 130


def complete_studies(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the studies whose names begin so, for the shell."""
    from sweep.study.find import study_files

    stored = Path(ctx.params.get("results") or "results").glob("*/study.toml")
    names = sorted({*study_files(), *(path.parent.name for path in stored)})
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def complete_trials(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the numbers of the default study's trials that begin so, for the shell."""
    folders = Path(ctx.params.get("results") or "results", "sine", "trials").glob("[0-9]*")
    numbers = sorted(int(folder.name) for folder in folders)
    return [CompletionItem(str(number)) for number in numbers if str(number).startswith(incomplete)]


study_argument = click.argument(
    "study", default="sine", envvar="SWEEP_STUDY", shell_complete=complete_studies
)
results_option = click.option(
    "--results",
    default="results",
    envvar="SWEEP_RESULTS",
    show_default=True,
    type=click.Path(file_okay=False),
    help="Folder of all studies.",
)

workers_option = click.option(
    "--workers",
    type=click.IntRange(min=1),
    envvar="SWEEP_WORKERS",
    help="Worker processes; one per core by default.",
)
executor_option = click.option(
    "--executor", type=click.Choice(["loky", "inline"]), envvar="SWEEP_EXECUTOR", help="Where trials run."
)


def trial_and_study(trial: str | None, study: str) -> tuple[int | None, str]:
    """Return a trial's number, None where a command line names a study alone, and the study.

    Raises:
        UsageError: what stands in the trial's place is no number, and a study is named beside it.
    """
    if trial is None:
        return None, study
    if trial.isdecimal():
        return int(trial), study
    if click.get_current_context().get_parameter_source("study") is ParameterSource.COMMANDLINE:
        raise click.UsageError(f"{trial!r} is no number of a trial of {study}")
    return None, trial


def print_json(document: object) -> None:
    """Print one JSON document on stdout."""
    click.echo(json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False))


def leave_interrupted() -> None:
    """End the process: everything is stored; threads around killed workers are not waited for."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT_INTERRUPTED)
