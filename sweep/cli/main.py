"""The command `sweep` and its subcommands. Heavy modules are imported inside commands: help is instant."""

import json
import os
import sys
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from sweep import __version__

EXIT_FAILED, EXIT_USAGE, EXIT_NOTHING, EXIT_INTERRUPTED = 1, 2, 3, 130


def complete_studies(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the studies whose names begin so, for the shell."""
    from sweep.studies import study_files

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


def print_json(document: object) -> None:
    """Print one JSON document on stdout."""
    click.echo(json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False))


class SweepGroup(click.Group):
    """Shows a SweepError as one message with its exit code; anything else is a bug and shows whole."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a subcommand, turning errors that the user can mend into messages."""
        from sweep.config.errors import StudyFileError, SweepError, UnknownName

        try:
            return super().invoke(ctx)
        except (StudyFileError, UnknownName) as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(EXIT_USAGE)
        except SweepError as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(EXIT_FAILED)


@click.group(
    cls=SweepGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="sweep")
def main() -> None:
    """Hyperparameter sweeps for recurrent forecasters, scored on long rollouts.

    Options come from the flag, else from SWEEP_* in the environment, else from the study file.
    """


@main.command()
@study_argument
@click.option(
    "--trials", type=click.IntRange(min=1), envvar="SWEEP_TRIALS", help="Total number of trials to reach."
)
@workers_option
@executor_option
@click.option("--name", envvar="SWEEP_NAME", help="Name of the results folder; the study's by default.")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY.PATH=VALUE",
    help="Override a value of the study file; recorded. Repeatable.",
)
@click.option(
    "--no-confirm",
    is_flag=True,
    envvar="SWEEP_NO_CONFIRM",
    help="Name the best by its selected score, without training the best again on fresh seeds.",
)
@click.option("--dry-run", is_flag=True, help="Show sampled configurations and the cost, run nothing.")
@results_option
def run(
    study: str,
    trials: int | None,
    workers: int | None,
    executor: str | None,
    name: str | None,
    overrides: tuple[str, ...],
    no_confirm: bool,
    dry_run: bool,
    results: str,
) -> None:
    """Run STUDY (a name or a path, default "sine") to a total of N trials, or go on with it.

    At the end the best configurations are trained again on fresh seeds ([confirm] in the study file, 3 on 3 by
    default), and only then one is named and scored on the locked test.
    """
    from sweep import api
    from sweep.cli import live

    if dry_run:
        from sweep.cli.preview import print_preview

        shown = api.preview(
            study,
            trials=trials,
            overrides=overrides,
            name=name,
            results=results,
            confirm=not no_confirm,
        )
        print_preview(shown)
        return
    with live.watching() as watch:
        result = api.run(
            study,
            trials=trials,
            workers=workers,
            executor=executor,
            name=name,
            overrides=overrides,
            results=results,
            confirm=not no_confirm,
            watch=watch,
        )
    live.print_end(result)
    if result.interrupted:
        leave_interrupted()
    if result.scored == 0:
        sys.exit(EXIT_NOTHING)


@main.command()
@study_argument
@click.option(
    "--top",
    default=5,
    show_default=True,
    type=click.IntRange(min=1),
    help="Configurations to train again, the best by their selected scores.",
)
@click.option(
    "--seeds", default=5, show_default=True, type=click.IntRange(min=1), help="Fresh seeds for each of them."
)
@workers_option
@executor_option
@click.option("--json", "as_json", is_flag=True, help="Print the confirmation as one JSON document.")
@results_option
def confirm(
    study: str,
    top: int,
    seeds: int,
    workers: int | None,
    executor: str | None,
    as_json: bool,
    results: str,
) -> None:
    """Train the best configurations of STUDY again on fresh seeds, and name one.

    They are ranked on validation data; the locked test is read once, for the one that is named. What was
    trained before is kept, so that more configurations or seeds only add to it.
    """
    from sweep import api
    from sweep.cli import live

    with live.watching() as watch:
        result = api.confirm(
            study,
            top=top,
            seeds=seeds,
            workers=workers,
            executor=executor,
            results=results,
            watch=watch,
        )
    if result.interrupted:
        live.print_interrupted(f"the confirmation of {result.folder.name}")
        leave_interrupted()
    if as_json:
        print_json(result.confirmation)
    else:
        live.print_confirmed(result)
    if result.confirmation is None or result.confirmation["verdict"] == "none":
        sys.exit(EXIT_NOTHING)


@main.command()
@click.argument("trial", type=click.IntRange(min=0), shell_complete=complete_trials)
@study_argument
@click.option(
    "--seeds",
    default=5,
    show_default=True,
    type=click.IntRange(min=1),
    help="Fresh seeds for each arm; below 5 nothing is claimed.",
)
@click.option(
    "--prescription",
    "prescriptions",
    multiple=True,
    metavar="N",
    type=click.IntRange(min=1),
    help="Number of a prescription to try; the first of the two most confident findings by default. Repeatable.",
)
@click.option(
    "--change",
    "changes",
    multiple=True,
    metavar="KEY.PATH=VALUE",
    help="Try a change of your own; all that are given are made together. Repeatable.",
)
@workers_option
@executor_option
@click.option("--json", "as_json", is_flag=True, help="Print the treatment as one JSON document.")
@results_option
def treat(
    trial: int,
    study: str,
    seeds: int,
    prescriptions: tuple[int, ...],
    changes: tuple[str, ...],
    workers: int | None,
    executor: str | None,
    as_json: bool,
    results: str,
) -> None:
    """Try what is prescribed for TRIAL of STUDY, and say whether the advice worked.

    The trial is trained again on fresh seeds: unchanged, with each prescription, and with one random change. A
    failing trial often improves by chance alone, so advice has to beat both. What was trained before is kept.
    """
    from sweep import api
    from sweep.cli import live
    from sweep.config.changes import parsed_changes

    with live.watching() as watch:
        result = api.treat(
            trial,
            study,
            seeds=seeds,
            prescriptions=prescriptions,
            changes=parsed_changes(changes),
            workers=workers,
            executor=executor,
            results=results,
            watch=watch,
        )
    if result.interrupted:
        live.print_interrupted(f"the treatment of trial {trial} of {result.folder.name}")
        leave_interrupted()
    if as_json:
        print_json(result.treatment)
    else:
        live.print_treated(result)


def leave_interrupted() -> None:
    """End the process: everything is stored; threads around killed workers are not waited for."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT_INTERRUPTED)


@main.command()
@study_argument
@click.option("--json", "as_json", is_flag=True, help="Print report.json instead of the summary.")
@click.option(
    "--csv", "as_csv", is_flag=True, help="Print the table of trials as CSV instead of the summary."
)
@results_option
def report(study: str, as_json: bool, as_csv: bool, results: str) -> None:
    """Summarise STUDY in the terminal and write its page, report.json and trials.csv."""
    from sweep import api

    paths = api.report(study, results=results)
    if as_json:
        click.echo(paths.document.read_text(encoding="utf-8"), nl=False)
    elif as_csv:
        click.echo(paths.table.read_text(encoding="utf-8"), nl=False)
    else:
        from rich.console import Console

        api.print_report(api.load_study(study, results=results).document(), Console(), paths.page)


@main.command()
@click.argument("trial", type=click.IntRange(min=0), shell_complete=complete_trials)
@study_argument
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@results_option
def show(trial: int, study: str, as_json: bool, results: str) -> None:
    """Show one trial of STUDY: its numbers, and where its rollout plot is."""
    from sweep import api

    document = api.show(trial, study, results=results)
    if as_json:
        print_json(document)
    else:
        from rich.console import Console

        api.print_trial(document, Console())


@main.command()
@click.argument("trial", type=click.IntRange(min=0), required=False, shell_complete=complete_trials)
@study_argument
@click.option("--no-probes", is_flag=True, help="Show what is stored; do not probe the network.")
@click.option(
    "--mute",
    multiple=True,
    metavar="CODE",
    help="Do not show findings of this code, such as S07. Repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@results_option
def diagnose(
    trial: int | None, study: str, no_probes: bool, mute: tuple[str, ...], as_json: bool, results: str
) -> None:
    """Say how the rollout of one trial of STUDY fails (the best by default), and probe its network."""
    from sweep import api

    document = api.diagnose(trial, study, probes=not no_probes, mute=mute, results=results)
    if as_json:
        print_json(document)
    else:
        from rich.console import Console

        api.print_diagnosis(document, Console())


@main.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--csv", "as_csv", is_flag=True, help="Print the studies with results as CSV.")
@results_option
def list_(as_json: bool, as_csv: bool, results: str) -> None:
    """List the studies that have results, and the study files that are known."""
    from sweep.cli.listing import csv_text, print_listing
    from sweep.studies import listing

    document = listing(Path(results))
    if as_json:
        print_json(document)
    elif as_csv:
        click.echo(csv_text(document), nl=False)
    else:
        print_listing(document)
