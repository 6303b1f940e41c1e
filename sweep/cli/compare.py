"""The subcommand `compare`: stored studies beside each other."""

import sys

import click

from sweep.cli.options import (
    EXIT_FAILED,
    complete_studies,
    json_option,
    plugin_option,
    print_json,
    results_option,
)


@click.command()
@click.argument("studies", nargs=-1, required=True, metavar="STUDY STUDY...", shell_complete=complete_studies)
@click.option(
    "--fail-if-worse",
    is_flag=True,
    help="Exit with 1 if a later study is worse than the first beyond the noise of seeds and searches, or if its "
    "leading configuration shows a new symptom.",
)
@click.option(
    "--page",
    type=click.Path(dir_okay=False),
    help="File to write the page to; by default report/compare.html in the folder of the last study.",
)
@json_option
@plugin_option
@results_option
def compare(
    studies: tuple[str, ...], fail_if_worse: bool, page: str | None, as_json: bool, results: str
) -> None:
    """Compare every later STUDY with the first: what differs, and is it worse or better?

    Scores are compared at equal budgets, and on fresh seeds where both studies are confirmed.
    """
    from sweep import api

    done = api.compare(*studies, results=results, page=page)
    if done.warning is not None:
        click.echo(f"warning: {done.warning}", err=True)
    if as_json:
        print_json(done.document())
    else:
        from rich.console import Console

        from sweep.report.terminal.comparison import print_comparison

        print_comparison(done.comparison, Console(), done.page)
    if fail_if_worse and done.worse:
        sys.exit(EXIT_FAILED)
