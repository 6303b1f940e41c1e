"""The command `sweep` and its subcommands. Heavy modules are imported inside commands: help is instant."""

import sys

import click

from sweep import __version__

EXIT_FAILED, EXIT_USAGE, EXIT_NOTHING, EXIT_INTERRUPTED = 1, 2, 3, 130

study_argument = click.argument("study", default="sine", envvar="SWEEP_STUDY")
results_option = click.option(
    "--results",
    default="results",
    envvar="SWEEP_RESULTS",
    show_default=True,
    type=click.Path(file_okay=False),
    help="Folder of all studies.",
)


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


@click.group(cls=SweepGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="sweep")
def main() -> None:
    """Hyperparameter sweeps for recurrent forecasters, scored on long rollouts.

    Options come from the flag, else from SWEEP_* in the environment, else from the study file.
    """


@main.command()
@study_argument
@click.option("--trials", type=click.IntRange(min=1), envvar="SWEEP_TRIALS", help="Total number of trials to reach.")
@click.option("--workers", type=click.IntRange(min=1), envvar="SWEEP_WORKERS", help="Worker processes; one per core by default.")
@click.option("--executor", type=click.Choice(["loky", "inline"]), envvar="SWEEP_EXECUTOR", help="Where trials run.")
@click.option("--name", envvar="SWEEP_NAME", help="Name of the results folder; the study's by default.")
@click.option("--set", "overrides", multiple=True, metavar="KEY.PATH=VALUE", help="Override a value of the study file; recorded. Repeatable.")
@click.option("--dry-run", is_flag=True, help="Show sampled configurations and the cost, run nothing.")
@results_option
def run(
    study: str,
    trials: int | None,
    workers: int | None,
    executor: str | None,
    name: str | None,
    overrides: tuple[str, ...],
    dry_run: bool,
    results: str,
) -> None:
    """Run STUDY (a name or a path, default "sine") to a total of N trials, or go on with it."""
    from sweep import api
    from sweep.cli import live

    if dry_run:
        from sweep.cli.preview import print_preview

        print_preview(api.preview(study, trials=trials, overrides=overrides, name=name, results=results))
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
            watch=watch,
        )
    live.print_end(result)
    if result.outcome is api.Outcome.INTERRUPTED:
        sys.exit(EXIT_INTERRUPTED)
    if result.scored == 0:
        sys.exit(EXIT_NOTHING)
