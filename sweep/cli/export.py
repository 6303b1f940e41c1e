"""The subcommand that takes a study's networks home: export."""

import os
from pathlib import Path

import click

from sweep.cli.options import (
    DEFAULT_STUDY,
    complete_studies,
    json_option,
    plugin_option,
    print_json,
    results_option,
)


@click.command()
@click.argument("names", nargs=-1, metavar="[STUDY] DIR", shell_complete=complete_studies)
@click.option(
    "--trial",
    metavar="K",
    type=click.IntRange(min=0),
    help="Export the networks of this trial; by default those of the configuration that the study names.",
)
@click.option(
    "--fitted",
    is_flag=True,
    help="Export the networks that `sweep fit` trained on all data; they are not scored.",
)
@json_option
@plugin_option
@results_option
def export(names: tuple[str, ...], trial: int | None, fitted: bool, as_json: bool, results: str) -> None:
    """Write the networks of STUDY to the folder DIR, with scripts that forecast without sweep.

    DIR holds weights (safetensors), card.json, README.md, a script that needs torch alone, one that needs NumPy alone,
    and ONNX models. It must be new, empty, or an earlier export, which is replaced.
    """
    from sweep import api

    if not 1 <= len(names) <= 2:
        raise click.UsageError(f"wanted a folder, or a study and a folder, got {len(names)} arguments")
    study = names[0] if len(names) == 2 else os.environ.get("SWEEP_STUDY") or DEFAULT_STUDY
    written = api.export(study, Path(names[-1]), trial=trial, fitted=fitted, results=results)
    if as_json:
        print_json(written.document())
    else:
        from rich.console import Console

        from sweep.report.terminal.exported import print_exported

        print_exported(written.document(), Console())
