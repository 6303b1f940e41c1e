"""The subcommands that read stored studies: report, show, diagnose, list."""

import json

import click

from sweep.cli.options import (
    json_option,
    plugin_option,
    print_json,
    results_option,
    study_argument,
    trial_and_study,
)


@click.command()
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


@click.command()
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


@click.command()
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


@click.command("list")
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
