"""The subcommands that train trials of a stored study again: confirm, treat, audit."""

import sys

import click

from sweep.cli.options import (
    EXIT_NOTHING,
    complete_trials,
    executor_option,
    leave_interrupted,
    print_json,
    results_option,
    study_argument,
    workers_option,
)


@click.command()
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
    from sweep.cli import progress

    with progress.execution(workers, executor) as execution:
        result = api.confirm(
            study,
            top=top,
            seeds=seeds,
            results=results,
            execution=execution,
        )
    if result.interrupted:
        progress.print_interrupted(f"the confirmation of {result.folder.name}")
        leave_interrupted()
    if as_json:
        print_json(result.confirmation)
    else:
        from rich.console import Console

        from sweep.report.terminal.outcome import print_confirmed

        print_confirmed(result.folder, Console())
    if result.confirmation is None or result.confirmation["verdict"] == "none":
        sys.exit(EXIT_NOTHING)


@click.command()
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
    from sweep.cli import progress
    from sweep.config.changes import parsed_changes

    with progress.execution(workers, executor) as execution:
        result = api.treat(
            trial,
            study,
            seeds=seeds,
            prescriptions=prescriptions,
            changes=parsed_changes(changes),
            results=results,
            execution=execution,
        )
    if result.interrupted:
        progress.print_interrupted(f"the treatment of trial {trial} of {result.folder.name}")
        leave_interrupted()
    if as_json:
        print_json(result.treatment)
    else:
        from rich.console import Console

        from sweep.report.terminal.outcome import print_treated

        print_treated(result.folder, result.treatment or {}, Console())


@click.command()
@study_argument
@click.option(
    "--trials",
    default=8,
    show_default=True,
    type=click.IntRange(min=1),
    help="Pruned trials to train to their end.",
)
@workers_option
@executor_option
@click.option("--json", "as_json", is_flag=True, help="Print the audit as one JSON document.")
@results_option
def audit(
    study: str, trials: int, workers: int | None, executor: str | None, as_json: bool, results: str
) -> None:
    """Train some pruned trials of STUDY to their end: would one of them have won?

    Half of them are those that came nearest to being kept, half are drawn from the others. What was trained before
    is kept.
    """
    from sweep import api
    from sweep.cli import progress

    with progress.execution(workers, executor) as execution:
        result = api.audit(study, trials=trials, results=results, execution=execution)
    if result.interrupted:
        progress.print_interrupted(f"the audit of {result.folder.name}")
        leave_interrupted()
    if as_json:
        print_json(result.audit)
    else:
        from rich.console import Console

        from sweep.report.terminal.outcome import print_audited

        print_audited(result.folder, result.audit, Console())
    if result.audit is None:
        sys.exit(EXIT_NOTHING)
