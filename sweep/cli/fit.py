"""The subcommand that trains a configuration on all data, and updates it with new data: fit."""

from functools import partial
from typing import Any

import click

from sweep.cli.options import json_option, print_json, study_argument, training_options, watched


@click.command()
@study_argument
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    help="Number of fresh seeds; by default 5. Not with --update, which trains every network of the latest fit.",
)
@click.option(
    "--trial",
    type=click.IntRange(min=0),
    metavar="N",
    help="Fit the configuration of this trial; by default the one that STUDY names.",
)
@click.option("--update", is_flag=True, help="Train the networks of the latest fit further with new data.")
@click.option(
    "--data",
    metavar="FILE",
    help="Train on FILE, which begins with the data of STUDY; by default on its own file, which may have grown. With "
    "--update: new data of the same shape; by default the file of the fit.",
)
@click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True),
    help="Share of the budget for an update; by default 0.2. Needs --update.",
)
@json_option
@training_options
def fit(
    study: str,
    seeds: int | None,
    trial: int | None,
    update: bool,
    data: str | None,
    share: float | None,
    as_json: bool,
    **training: Any,
) -> None:
    """Train the named configuration of STUDY on all data, validation, test and rows added since included.

    Nothing is left to score these networks on, so they are not scored. Training ends where the confirmed networks had
    their best checkpoints, with their ridge and their plateaus. Earlier trainings are reused.
    """
    from sweep import api

    chosen: dict[str, Any] = {"seeds": seeds, "trial": trial, "update": update, "data": data, "share": share}
    result = watched(
        partial(api.fit, study, **chosen, **training),
        lambda ended: f"the {'update' if update else 'fit'} of {ended.folder.name}",
    )
    if as_json:
        print_json(result.fit)
    else:
        from rich.console import Console

        from sweep.report.terminal.outcome import print_fitted

        print_fitted(result.folder, result.fit or {}, Console())
