"""The subcommand that forecasts with a stored study."""

from typing import Any

import click

from sweep.cli.options import json_option, plugin_option, print_json, results_option, study_argument


def _levels(ctx: click.Context, param: click.Parameter, text: str) -> tuple[int, ...]:
    """Return the levels of a list such as 50,90."""
    words = [word.strip().removesuffix("%").strip() for word in text.split(",") if word.strip()]
    if not all(word.isdecimal() and 1 <= int(word) <= 99 for word in words):
        raise click.BadParameter(
            f"wanted whole percents from 1 to 99, such as 50,90, got {text!r}", ctx, param
        )
    return tuple(sorted({int(word) for word in words}))


@click.command()
@study_argument
@click.option(
    "--steps", type=click.IntRange(min=1), help="Number of steps to forecast; by default the study's horizon."
)
@click.option(
    "--trial",
    type=click.IntRange(min=0),
    help="Forecast with the networks of this trial; by default as the study's verdict says.",
)
@click.option(
    "--fitted",
    is_flag=True,
    help="Forecast with the networks that `sweep fit` trained on all data, after the end of these data; they are not "
    "scored.",
)
@click.option(
    "--data",
    type=click.Path(dir_okay=False),
    help="File with new data of the same shape, read with the settings of the study; by default the data of "
    "the study, or of the fit.",
)
@click.option(
    "--known",
    type=click.Path(dir_okay=False),
    help="File with the inputs of the steps to forecast; by default the last rows of the data, whose channels are "
    "empty.",
)
@click.option(
    "--levels",
    default="50,90",
    show_default=True,
    metavar="N,N",
    callback=_levels,
    help="Levels of the intervals, in percent; empty for none.",
)
@click.option("--csv", "csv", type=click.Path(dir_okay=False), help="Write all values to this CSV file.")
@click.option(
    "--plot", "picture", type=click.Path(dir_okay=False), help="Draw the forecast to this PNG file."
)
@json_option
@plugin_option
@results_option
def forecast(
    study: str,
    levels: tuple[int, ...],
    csv: str | None,
    picture: str | None,
    as_json: bool,
    **which: Any,
) -> None:
    """Forecast what comes after the end of the data of STUDY, or of new data.

    The median of the networks of the named configuration forecasts, or the baseline that the study's verdict names.
    Intervals come from data that chose nothing (data.calibration in the study file).
    """
    from sweep import api
    from sweep.report.write import forecast_csv, written

    made = api.forecast(study, levels=levels, **which)
    written_to = []
    if csv is not None:
        written_to.append(written(csv, forecast_csv(made.frame).encode()))
    if picture is not None:
        written_to.append(written(picture, bytes(made.plot())))
    if as_json:
        print_json(made.document())
        return
    from rich.console import Console

    from sweep.report.terminal.forecast import print_forecast

    print_forecast(made.document(), Console(), written_to)
