"""The subcommands that write a study file and run a study: init, run."""

import sys
from functools import partial
from typing import Any

import click

from sweep.cli.options import (
    EXIT_NOTHING,
    print_json,
    seconds_of,
    study_argument,
    training_options,
    watched,
)
from sweep.config.bounds import MOST_STEPS, MOST_TRIALS

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


@click.command()
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


@click.command()
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
