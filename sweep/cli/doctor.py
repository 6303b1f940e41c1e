"""The subcommand that examines forecasts from elsewhere."""

from typing import Any

import click

from sweep.cli.options import json_option, print_json

FILE = click.Path(dir_okay=False)


@click.command()
@click.argument("forecast", metavar="FORECAST", type=FILE)
@click.option("--truth", type=FILE, help="File with what came; by default column y of FORECAST.")
@click.option(
    "--past",
    type=FILE,
    help="File with the values before the forecasts; by default what the file of --truth holds before them.",
)
@click.option(
    "--one-step", type=FILE, help="File with forecasts of a single step from the true values before it."
)
@click.option(
    "--column", default="", help="The column of FORECAST that is the forecast, where several could be."
)
@click.option("--plot", "picture", type=FILE, help="Draw the forecasts to this PNG file.")
@click.option("--page", type=FILE, help="Write all that was found to this HTML file.")
@json_option
def doctor(picture: str | None, page: str | None, as_json: bool, **given: Any) -> None:
    """Say what is wrong with the forecasts in the file FORECAST, made by any tool.

    A file has a row per step (CSV, TSV, Parquet, Feather or Excel). A column of ids tells series apart, a column cutoff
    the starts of a series. Rows of forecast, truth and past belong together by series and time.
    """
    from sweep import api
    from sweep.report.write import written

    found = api.doctor(**given)
    files = []
    if picture is not None:
        files.append(written(picture, bytes(found.plot())))
    if page is not None:
        files.append(written(page, found.page().encode()))
    if as_json:
        print_json(found.document())
        return
    from rich.console import Console

    from sweep.report.terminal.examination import print_examination

    print_examination(found.document(), Console(), files)
