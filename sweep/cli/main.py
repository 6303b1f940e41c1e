"""The command `sweep` and its subcommands. Heavy modules are imported inside commands: help is instant."""

import sys

import click

from sweep import __version__
from sweep.cli.followup import audit, confirm, treat
from sweep.cli.options import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_NOTHING,
    EXIT_USAGE,
    complete_trials,
    executor_option,
    leave_interrupted,
    print_json,
    results_option,
    study_argument,
    trial_and_study,
    workers_option,
)


class SweepGroup(click.Group):
    """Shows a SweepError as one message with its exit code; anything else is a bug and shows whole."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a subcommand, turning errors that the user can mend into messages."""
        from sweep.config.errors import StudyFileError, SweepError, UnknownName, UsageError

        try:
            return super().invoke(ctx)
        except (StudyFileError, UnknownName, UsageError) as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(EXIT_USAGE)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            sys.exit(EXIT_INTERRUPTED)
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


for command in (confirm, treat, audit):
    main.add_command(command)


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

    if dry_run:
        from sweep.report.terminal.preview import print_preview

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
    from rich.console import Console

    from sweep.cli import progress
    from sweep.report.terminal.outcome import print_run

    with progress.execution(workers, executor) as execution:
        result = api.run(
            study,
            trials=trials,
            overrides=overrides,
            name=name,
            results=results,
            confirm=not no_confirm,
            execution=execution,
        )
    if result.interrupted:
        progress.print_interrupted(f"{result.trials} trials of {result.folder.name} are complete")
        leave_interrupted()
    print_run(result.folder, Console(stderr=True))
    if result.scored == 0:
        sys.exit(EXIT_NOTHING)


@main.command()
@study_argument
@click.option("--json", "as_json", is_flag=True, help="Print report.json instead of the summary.")
@click.option(
    "--csv", "as_csv", is_flag=True, help="Print the table of trials as CSV instead of the summary."
)
@click.option(
    "--diagnose-anew",
    is_flag=True,
    help="First diagnose, and store, what has no diagnosis or one of an older version's rules.",
)
@results_option
def report(study: str, as_json: bool, as_csv: bool, diagnose_anew: bool, results: str) -> None:
    """Summarise STUDY in the terminal and write its page, report.json and trials.csv."""
    from sweep import api

    paths = api.report(study, results=results, diagnose_anew=diagnose_anew)
    if as_json:
        click.echo(paths.document.read_text(encoding="utf-8"), nl=False)
    elif as_csv:
        click.echo(paths.table.read_text(encoding="utf-8"), nl=False)
    else:
        from rich.console import Console

        from sweep.report.terminal.study import print_report

        print_report(api.load_study(study, results=results).document(), Console(), paths.page)


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

        from sweep.report.terminal.trial import print_trial

        print_trial(document, Console())


@main.command()
@click.argument("trial", required=False, shell_complete=complete_trials)
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
    trial: str | None, study: str, no_probes: bool, mute: tuple[str, ...], as_json: bool, results: str
) -> None:
    """Say how the rollout of one trial of STUDY fails, and probe its network.

    Without TRIAL, STUDY may stand alone, and its best trial is diagnosed.
    """
    from sweep import api

    number, study = trial_and_study(trial, study)
    document = api.diagnose(number, study, probes=not no_probes, mute=mute, results=results)
    if as_json:
        print_json(document)
    else:
        from rich.console import Console

        from sweep.report.terminal.diagnosis import print_diagnosis

        print_diagnosis(document, Console())


@main.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--csv", "as_csv", is_flag=True, help="Print the studies with results as CSV.")
@results_option
def list_(as_json: bool, as_csv: bool, results: str) -> None:
    """List the studies that have results, and the study files that are known."""
    from sweep import api
    from sweep.report.terminal.listing import csv_text, print_listing

    document = api.listing(results=results)
    if as_json:
        print_json(document)
    elif as_csv:
        click.echo(csv_text(document), nl=False)
    else:
        print_listing(document)
