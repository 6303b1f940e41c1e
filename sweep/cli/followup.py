"""The subcommands that train configurations of a stored study again: confirm, treat, audit, reproduce."""

import sys
from functools import partial
from typing import Any

import click

from sweep.cli.options import (
    EXIT_FAILED,
    EXIT_NOTHING,
    json_option,
    print_json,
    study_argument,
    training_options,
    trial_and_study,
    watched,
)
from sweep.config.bounds import MOST_SEEDS, MOST_TRIALS


@click.command()
@study_argument
@click.option(
    "--top",
    default=5,
    show_default=True,
    type=click.IntRange(min=1, max=MOST_TRIALS),
    help="Number of configurations to train again, the best by their selected scores.",
)
@click.option(
    "--seeds",
    default=5,
    show_default=True,
    type=click.IntRange(min=1, max=MOST_SEEDS),
    help="Number of fresh seeds for each configuration.",
)
@json_option
@training_options
def confirm(study: str, top: int, seeds: int, as_json: bool, **training: Any) -> None:
    """Train the best configurations of STUDY again on fresh seeds, and name one.

    They are ranked on validation data. The locked test is read once, for the named configuration and the coverage of
    its intervals. Earlier trainings are reused.
    """
    from sweep import api

    result = watched(
        partial(api.confirm, study, top=top, seeds=seeds, **training),
        lambda ended: f"the confirmation of {ended.folder.name}",
    )
    if as_json:
        print_json(result.confirmation)
    else:
        from rich.console import Console

        from sweep.report.terminal.outcome import print_confirmed

        print_confirmed(result.folder, Console())
    if result.confirmation is None or result.confirmation["verdict"] == "none":
        sys.exit(EXIT_NOTHING)


@click.command()
@trial_and_study()
@click.option(
    "--seeds",
    default=5,
    show_default=True,
    type=click.IntRange(min=1, max=MOST_SEEDS),
    help="Number of fresh seeds for each arm; fewer than 5 claim nothing.",
)
@click.option(
    "--prescription",
    "prescriptions",
    multiple=True,
    metavar="N",
    type=click.IntRange(min=1, max=MOST_TRIALS),
    help="Try the prescription of this number; by default the first one of each of the two most confident findings. "
    "Repeatable.",
)
@click.option(
    "--change",
    "changes",
    multiple=True,
    metavar="KEY.PATH=VALUE",
    help="Try a change of your own, such as training.optimizer.lr=0.01. Repeatable; all changes are made together.",
)
@json_option
@training_options
def treat(
    trial: int,
    study: str,
    seeds: int,
    prescriptions: tuple[int, ...],
    changes: tuple[str, ...],
    as_json: bool,
    **training: Any,
) -> None:
    """Test the prescriptions for TRIAL of STUDY: does the advice work?

    Train the trial again on fresh seeds: unchanged, with each prescription, and with one random change. A failing
    trial often improves by chance alone, so advice must beat both. Earlier trainings are reused.
    """
    from sweep import api
    from sweep.config.changes import parsed_changes

    tried: dict[str, Any] = {"prescriptions": prescriptions, "changes": parsed_changes(changes)}
    result = watched(
        partial(api.treat, trial, study, seeds=seeds, **tried, **training),
        lambda ended: f"the treatment of trial {trial} of {ended.folder.name}",
    )
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
    type=click.IntRange(min=1, max=MOST_TRIALS),
    help="Number of pruned trials to train to their end.",
)
@json_option
@training_options
def audit(study: str, trials: int, as_json: bool, **training: Any) -> None:
    """Train some pruned trials of STUDY to their end: would one of them have won?

    Half of them are those that came nearest to being kept; the others are drawn at random. Earlier trainings are
    reused.
    """
    from sweep import api

    result = watched(
        partial(api.audit, study, trials=trials, **training),
        lambda ended: f"the audit of {ended.folder.name}",
    )
    if as_json:
        print_json(result.audit)
    else:
        from rich.console import Console

        from sweep.report.terminal.outcome import print_audited

        print_audited(result.folder, result.audit, Console())
    if result.audit is None:
        sys.exit(EXIT_NOTHING)


@click.command()
@trial_and_study()
@click.option(
    "--tolerance",
    default=0.01,
    show_default=True,
    type=click.FloatRange(min=0, max=1),
    help="Relative difference up to which two rollout errors agree.",
)
@json_option
@training_options
def reproduce(trial: int, study: str, tolerance: float, as_json: bool, **training: Any) -> None:
    """Train TRIAL of STUDY again: do bits and scores agree with its record, and if not, why?

    The study stays as it is. Exits with 0 if the scores agree, else with 1.
    """
    from sweep import api

    ended = watched(
        partial(api.reproduce, trial, study, tolerance=tolerance, **training),
        lambda ended: f"the reproduction of trial {trial} of {ended.folder.name}",
    )
    result = ended.reproduction
    assert result is not None
    if as_json:
        print_json(result.document())
    else:
        from rich.console import Console

        from sweep.report.terminal.reproduction import print_reproduction

        print_reproduction(result, Console())
    if not result.scores:
        sys.exit(EXIT_FAILED)
