"""Arguments, options and exit codes that the subcommands share, and how they print and exit."""

import contextlib
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from sweep.config.bounds import MOST_PROCESSES

if TYPE_CHECKING:
    from sweep.search import Ended

MOST_SECONDS = 1e9  # 30 years; our choice
EXIT_FAILED, EXIT_USAGE, EXIT_NOTHING, EXIT_INTERRUPTED = 1, 2, 3, 130
DEFAULT_STUDY = "sine"

Command = Callable[..., Any]
Result = TypeVar("Result", bound="Ended")


def complete_studies(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the studies whose names begin with `incomplete`, for the shell."""
    from sweep.study.find import study_files

    names = sorted({*study_files(), *(folder.name for folder in _stored(ctx))})
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def complete_trials(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the trial numbers of the default study, and the stored studies, that begin with `incomplete`."""
    study = os.environ.get("SWEEP_STUDY") or DEFAULT_STUDY
    folders = Path(ctx.params.get("results") or "results", study, "trials").glob("[0-9]*")
    numbers = [str(number) for number in sorted(int(folder.name) for folder in folders)]
    names = sorted(folder.name for folder in _stored(ctx))
    return [CompletionItem(text) for text in (*numbers, *names) if text.startswith(incomplete)]


def _stored(ctx: click.Context) -> list[Path]:
    folders = Path(ctx.params.get("results") or "results").glob("*/study.toml")
    return [file.parent for file in folders]


study_argument = click.argument(
    "study", default=DEFAULT_STUDY, envvar="SWEEP_STUDY", shell_complete=complete_studies
)
results_option = click.option(
    "--results",
    default="results",
    envvar="SWEEP_RESULTS",
    show_default=True,
    type=click.Path(file_okay=False),
    help="Folder of all studies.",
)
workers_option = click.option(
    "--workers",
    type=click.IntRange(min=1, max=MOST_PROCESSES),
    envvar="SWEEP_WORKERS",
    help="Number of worker processes; by default one per core.",
)
executor_option = click.option(
    "--executor",
    type=click.Choice(["loky", "inline", "dask"]),
    envvar="SWEEP_EXECUTOR",
    help="Run trials in worker processes (loky, the default), in this process (inline), or on a cluster (dask).",
)
scheduler_option = click.option(
    "--scheduler",
    envvar="SWEEP_SCHEDULER",
    metavar="ADDRESS|FILE",
    help="Scheduler of the Dask cluster, such as tcp://host:8786, or its scheduler file (.json); by default, dask "
    "starts a cluster on this machine. Only with --executor dask.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def _use_plugins(ctx: click.Context, param: click.Parameter, files: tuple[str, ...]) -> tuple[str, ...]:
    from sweep.config.errors import SweepError
    from sweep.config.plugins import using

    try:
        ctx.with_resource(using(files))
    except SweepError as error:
        raise click.BadParameter(str(error), ctx, param) from error
    return files


plugin_option = click.option(
    "--plugin",
    "plugins",
    multiple=True,
    metavar="FILE.py",
    callback=_use_plugins,
    expose_value=False,
    help="Use the plug-ins of a Python file (docs/extending.md); also SWEEP_PLUGIN. Repeatable.",
)


def seconds_of(text: str) -> float:
    """Return the seconds of a time span such as 8h, 90m, 1h30m or 45s; a bare number is in seconds.

    Raises:
        click.BadParameter: it is another text, or the span is not above 0.
    """
    found = re.fullmatch(r"(?:([\d.]+)h)?(?:([\d.]+)m)?(?:([\d.]+)s?)?", text.strip())
    try:
        parts = [float(part or 0) for part in found.groups()] if found else []
    except ValueError:  # such as 1.2.3h
        parts = []
    seconds = sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))
    if not 0 < seconds < MOST_SECONDS:
        raise click.BadParameter(f"{text!r} is not a time span above 0: write it as 8h, 90m or 1h30m")
    return seconds


def training_options(command: Command) -> Command:
    """Add the options of a command that trains: `workers`, `executor` and `results`, and --plugin."""
    for option in (
        results_option,
        plugin_option,
        scheduler_option,
        executor_option,
        workers_option,
    ):  # the last is listed first
        command = option(command)
    return command


def trial_and_study(required: bool = True) -> Callable[[Command], Command]:
    """Return a decorator that gives a command the arguments TRIAL and STUDY, in either order, as `trial` and `study`.

    Args:
        required: whether TRIAL must be given; else a study may be given alone, and `trial` is None.
    """

    def decorate(command: Command) -> Command:
        def parsed(*args: Any, names: tuple[str, ...], results: str, **kwargs: Any) -> Any:
            trial, study = _parsed(names, Path(results), required)
            return command(*args, trial=trial, study=study, results=results, **kwargs)

        parsed.__doc__, parsed.__name__ = command.__doc__, command.__name__
        parsed.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
        metavar = "TRIAL [STUDY]" if required else "[TRIAL] [STUDY]"
        argument = click.argument("names", nargs=-1, metavar=metavar, shell_complete=complete_trials)
        return argument(parsed)

    return decorate


def _parsed(names: tuple[str, ...], results: Path, required: bool) -> tuple[int | None, str]:
    """Return the trial's number, None if a study is given alone, and the study.

    Two numbers are a trial and a study, in this order, unless only the other order names a stored study.
    """
    default = os.environ.get("SWEEP_STUDY") or DEFAULT_STUDY
    if len(names) > 2:
        raise click.UsageError(f"wanted a trial and a study, got {len(names)} arguments: {' '.join(names)}")
    if not names:
        if required:
            raise click.UsageError("missing argument TRIAL, the number of a trial")
        return None, default
    numbers = [name for name in names if name.isdecimal()]
    if len(names) == 1:
        if numbers:
            return int(names[0]), default
        if required:
            raise click.UsageError(f"invalid trial number {names[0]!r}")
        return None, names[0]
    first, second = names
    if not numbers:
        raise click.UsageError(
            f"invalid trial number {first!r}: neither {first!r} nor {second!r} is a number"
        )
    swapped = (results / first).is_dir() and not (results / second).is_dir()
    if first.isdecimal() and not (second.isdecimal() and swapped):
        return int(first), second
    return int(second), first


def replace_unprintable() -> None:
    """Print characters that the terminal's encoding lacks as replacements instead of failing."""
    from sweep.report.terminal.spelling import spelling

    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):  # not a text file, or one that is closed
            stream.reconfigure(errors=spelling())  # type: ignore[union-attr]


def print_json(document: object) -> None:
    """Print one JSON document on stdout, in ASCII if the terminal's encoding is not UTF-8."""
    utf8 = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("-", "") == "utf8"
    click.echo(json.dumps(document, indent=1, allow_nan=False, ensure_ascii=not utf8))


def watched(train: Callable[..., Result], unfinished: Callable[[Result], str]) -> Result:
    """Train with progress on stderr and return the result. If it was interrupted, print that and end the process.

    Args:
        train: calls a function of the API; takes `watch`.
        unfinished: returns what was interrupted, given the result.
    """
    from sweep.cli import progress

    with progress.watching() as watch:
        result = train(watch=watch)
    if result.interrupted:
        progress.print_interrupted(unfinished(result))
        _exit_interrupted()
    return result


def _exit_interrupted() -> None:
    """End the process at once: everything is stored, and threads of killed workers may never end."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT_INTERRUPTED)
