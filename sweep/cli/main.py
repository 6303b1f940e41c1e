"""The command `sweep` and its subcommands. Heavy modules are imported inside commands: help is instant."""

import json
import sys
from functools import partial
from typing import Any

import click

from sweep import __version__
from sweep.cli.compare import compare
from sweep.cli.doctor import doctor
from sweep.cli.export import export
from sweep.cli.fit import fit
from sweep.cli.followup import audit, confirm, reproduce, treat
from sweep.cli.forecast import forecast
from sweep.cli.options import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_NOTHING,
    EXIT_USAGE,
    json_option,
    plugin_option,
    print_json,
    replace_unprintable,
    results_option,
    seconds_of,
    study_argument,
    training_options,
    trial_and_study,
    watched,
)
from sweep.config.bounds import MOST_STEPS, MOST_TRIALS


class SweepGroup(click.Group):
    """Shows a SweepError as one message with its exit code; any other error is a bug and shows its traceback."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a subcommand."""
        from sweep.config.errors import (
            StudyFileError,
            SweepError,
            UnknownName,
            UsageError,
            is_out_of_memory,
        )

        replace_unprintable()
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
        except (MemoryError, ImportError, OSError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            reason = str(error).split("\n", 1)[0]
            click.echo(f"error: out of memory: {reason or 'use smaller data or fewer workers'}", err=True)
            sys.exit(EXIT_FAILED)


@click.group(
    cls=SweepGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="sweep")
def main() -> None:
    """Find out why a recurrent forecaster's rollout fails, and which training makes it hold.

    An option is taken from its flag, else from SWEEP_* in the environment, else from the study file.

    \b
    Exit codes:
      0: done
      1: failed
      2: invalid command or study file
      3: nothing to report (no trial completed, or nothing to confirm or audit)
      130: interrupted; rerun the command to resume
    """  # noqa: D301


for command in (confirm, treat, audit, compare, reproduce, fit, forecast, export, doctor):
    main.add_command(command)


target_option = click.option(
    "--target",
    multiple=True,
    metavar="NAME",
    help="Channel to forecast and score; by default all. Only for a data file. Repeatable.",
)
known_option = click.option(
    "--known",
    multiple=True,
    metavar="NAME",
    help="Column of an input whose future is given, such as a valve; not forecast. Only for a data file. Repeatable.",
)
horizon_option = click.option(
    "--horizon",
    type=click.IntRange(min=10, max=MOST_STEPS),
    help="Number of free-running steps to score; by default about two periods. Only for a data file.",
)


@main.command()
@click.argument("file", type=click.Path(dir_okay=False))
@horizon_option
@target_option
@known_option
@click.option(
    "--output",
    type=click.Path(dir_okay=False),
    help="Study file to write; by default the name of FILE with .toml, in the current directory.",
)
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY.PATH=VALUE",
    help="Set a value of the study file, such as data.time_column=when. Repeatable.",
)
@click.option("--force", is_flag=True, help="Overwrite the study file.")
def init(
    file: str,
    horizon: int | None,
    target: tuple[str, ...],
    known: tuple[str, ...],
    output: str | None,
    overrides: tuple[str, ...],
    force: bool,
) -> None:
    """Look at a data FILE and write a study file that fits it.

    The study file says at each setting why it has its value. Edit it, then run it.
    """
    from sweep import api
    from sweep.report.terminal.proposed import print_proposed

    proposed = api.init(
        file,
        horizon=horizon,
        target=target,
        known=known,
        output=output,
        overrides=overrides,
        force=force,
    )
    print_proposed(proposed.path, proposed.summary, proposed.study, proposed.intervals)


@main.command()
@study_argument
@horizon_option
@target_option
@known_option
@click.option(
    "--trials",
    type=click.IntRange(min=1, max=MOST_TRIALS),
    envvar="SWEEP_TRIALS",
    help="Total number of trials to reach; by default that of the study file.",
)
@click.option(
    "--name", envvar="SWEEP_NAME", help="Name of the results folder; by default the name of the study file."
)
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY.PATH=VALUE",
    help="Override a value of the study file, such as training.budget=6000000; recorded. A relative data.path is "
    "relative to the current directory; in a study file, to the folder of that file. Repeatable.",
)
@click.option(
    "--time-limit",
    type=seconds_of,
    envvar="SWEEP_TIME_LIMIT",
    metavar="8h|90m|1h30m",
    help="Start no trial that would not be done in this time, the confirmation included. Running it again continues.",
)
@click.option(
    "--max-trials-without-gain",
    "without_gain",
    type=click.IntRange(min=1),
    envvar="SWEEP_MAX_TRIALS_WITHOUT_GAIN",
    metavar="N",
    help="End the search after N trials in a row, by number, without a lower rollout error.",
)
@click.option(
    "--storage",
    envvar="SWEEP_STORAGE",
    metavar="URL",
    help="Show the trials to Optuna's tools in a PostgreSQL database, postgresql+psycopg://USER@HOST/DATABASE, instead "
    "of study.db. Give the password in SWEEP_STORAGE, PGPASSWORD or ~/.pgpass, because others see command lines.",
)
@click.option("--no-confirm", is_flag=True, envvar="SWEEP_NO_CONFIRM", help="Skip the confirmation.")
@click.option(
    "--dry-run", is_flag=True, help="Show sampled configurations, the cost and the time; run nothing."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document; only with --dry-run.")
@training_options
def run(
    study: str,
    horizon: int | None,
    target: tuple[str, ...],
    known: tuple[str, ...],
    trials: int | None,
    name: str | None,
    overrides: tuple[str, ...],
    time_limit: float | None,
    without_gain: int | None,
    storage: str | None,
    no_confirm: bool,
    dry_run: bool,
    as_json: bool,
    results: str,
    workers: int | None,
    executor: str | None,
    scheduler: str | None,
) -> None:
    """Run or resume STUDY (a name or a path, default "sine") up to a total number of trials.

    STUDY may be a data file, such as sales.csv: it gets the study file sales.toml, as by `sweep init`, and that is run.

    At the end, the best configurations are trained again on fresh seeds ([confirm] in the study file, by default
    3 configurations on 5 seeds each). Then one is named and scored on the locked test.
    """
    from rich.console import Console

    from sweep import api

    which: dict[str, Any] = {
        "horizon": horizon,
        "target": target,
        "known": known,
        "trials": trials,
        "name": name,
        "overrides": overrides,
        "results": results,
        "confirm": not no_confirm,
    }
    if as_json and not dry_run:
        raise click.UsageError("--json needs --dry-run; `sweep report --json` prints the results of a run")
    if dry_run:
        from sweep.report.terminal.preview import print_preview

        previewed = api.preview(study, **which, workers=workers, executor=executor)
        if as_json:
            print_json(previewed.document())
        else:
            print_preview(previewed)
        return
    from sweep.report.terminal.outcome import print_run

    stopping: dict[str, Any] = {"time_limit": time_limit, "max_trials_without_gain": without_gain}
    how: dict[str, Any] = {
        "workers": workers,
        "executor": executor,
        "scheduler": scheduler,
        "storage": storage,
    }
    result = watched(
        partial(api.run, study, **which, **stopping, **how),
        lambda ended: f"{ended.trials} trials of {ended.folder.name} are complete",
    )
    print_run(result.folder, Console(stderr=True), result.stopped)
    if result.scored == 0:
        sys.exit(EXIT_NOTHING)


@main.command()
@study_argument
@click.option("--json", "as_json", is_flag=True, help="Print report.json instead of the summary.")
@click.option(
    "--csv", "as_csv", is_flag=True, help="Print the table of trials as CSV instead of the summary."
)
@click.option(
    "--diagnose-anew", is_flag=True, help="Recompute missing or outdated diagnoses first, and store them."
)
@plugin_option
@results_option
def report(study: str, as_json: bool, as_csv: bool, diagnose_anew: bool, results: str) -> None:
    """Summarise STUDY in the terminal; write its page, report.json and trials.csv."""
    from sweep import api
    from sweep.config.errors import CannotWrite

    paths = None
    try:
        paths = api.report(study, results=results, diagnose_anew=diagnose_anew)
    except CannotWrite as error:  # such as results of somebody else: the report is printed all the same
        click.echo(f"warning: {error}", err=True)
    stored = api.load_study(study, results=results)
    if as_json:
        print_json(json.loads(paths.document.read_text(encoding="utf-8")) if paths else stored.document())
    elif as_csv:
        from sweep.report.write import study_csv

        text = paths.table.read_text(encoding="utf-8") if paths else study_csv(stored.folder)
        click.echo(text, nl=False)
    else:
        from rich.console import Console

        from sweep.report.terminal.study import print_report

        print_report(stored.document(), Console(), paths.page if paths else None)


@main.command()
@trial_and_study()
@json_option
@plugin_option
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
@trial_and_study(required=False)
@click.option(
    "--all", "everything", is_flag=True, help="Print every finding and every number, not only the main lines."
)
@click.option("--no-probes", is_flag=True, help="Show stored results only; do not probe the network.")
@click.option(
    "--mute", multiple=True, metavar="CODE", help="Hide findings of this code, such as S07. Repeatable."
)
@json_option
@plugin_option
@results_option
def diagnose(
    trial: int | None,
    study: str,
    everything: bool,
    no_probes: bool,
    mute: tuple[str, ...],
    as_json: bool,
    results: str,
) -> None:
    """Diagnose how the rollout of one trial of STUDY fails, and probe its network.

    The main lines are printed: the symptom, the surest cause, and the command that tests the change to try.

    Without TRIAL, diagnose the best trial of STUDY.
    """
    from sweep import api

    document = api.diagnose(trial, study, probes=not no_probes, mute=mute, results=results)
    if as_json:
        print_json(document)
    else:
        from rich.console import Console

        from sweep.report.terminal.diagnosis import print_diagnosis

        print_diagnosis(document, Console(), everything)


@main.command("list")
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print the studies with results as CSV.")
@results_option
def list_(as_json: bool, as_csv: bool, results: str) -> None:
    """List the studies that have results, and the known study files."""
    from sweep import api
    from sweep.report.terminal.listing import csv_text, print_listing

    document = api.listing(results=results)
    if as_json:
        print_json(document)
    elif as_csv:
        click.echo(csv_text(document), nl=False)
    else:
        print_listing(document)
