"""What `sweep run` shows: a live display in a terminal, one plain line per finished trial elsewhere. On stderr."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from sweep.api import (
    Message,
    Settled,
    Watch,
    audit_lines,
    audit_text,
    confirmation_lines,
    optimism_text,
    treatment_lines,
    treatment_texts,
    verdict_text,
)
from sweep.api import Progress as Status
from sweep.config.records import TrialRecord

if TYPE_CHECKING:
    from sweep.api import AuditResult, ConfirmResult, RunResult, TreatResult


@contextlib.contextmanager
def watching() -> Iterator[Watch]:
    """Yield a watcher for the driver that prints what happens."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _plain(console)
        return
    display = _Display(console)
    with Live(console=console, get_renderable=display.render, refresh_per_second=4, transient=True):
        yield display.watch


def _plain(console: Console) -> Watch:
    status: list[Status] = []

    def watch(event: Settled | Message | Status) -> None:
        if isinstance(event, Status):
            status[:] = [event]
        elif isinstance(event, Message):
            _print(console, event.text)
        else:
            _print(console, settled_line(event.record))

    return watch


def _print(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def settled_line(record: TrialRecord) -> str:
    """Return one line about a finished trial."""
    params = " ".join(f"{key}={_short(value)}" for key, value in record.params.items())
    if record.rollout_error is None:
        return f"trial {record.number} {record.state}: {record.reason} | {params}"
    scores = record.scores
    valid = f"{scores.valid_steps:.0f}" if scores else "0"
    return (
        f"trial {record.number} {record.state}: rollout error {record.rollout_error:.4g}, "
        f"valid steps {valid} | {params}"
    )


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


class _Display:
    """The live display: counts, best so far, time left; finished trials scroll by above it."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.status: Status | None = None
        self.bar = Progress(
            BarColumn(bar_width=None), TextColumn("{task.percentage:>3.0f} %"), console=console
        )
        self.task = self.bar.add_task("trials", total=1.0)

    def watch(self, event: Settled | Message | Status) -> None:
        """Take in what the driver says."""
        if isinstance(event, Status):
            self.status = event
            self.bar.update(self.task, completed=event.share)
        elif isinstance(event, Message):
            self.console.print(event.text, markup=False, highlight=False)
        else:
            self.console.print(
                Text(settled_line(event.record), overflow="ellipsis", no_wrap=True), highlight=False
            )

    def render(self) -> Table:
        """Return the display as it is now."""
        table = Table.grid(expand=True)
        status = self.status
        if status is None:
            table.add_row("starting")
            return table
        settled = status.complete + status.pruned + status.diverged + status.failed
        what = "trials" if status.stage == "run" else f"trainings to {status.stage}"
        counts = (
            f"{settled} of {status.total} {what}: {status.complete} complete, {status.pruned} pruned, "
            f"{status.diverged} diverged"
        )
        if status.failed:
            counts += f", {status.failed} failed"
        table.add_row(Text(counts))
        best = status.best
        if best is not None and best.scores is not None:
            horizon = best.config["score"]["horizon"]
            table.add_row(
                Text(
                    f"best so far: trial {best.number}, rollout error {best.rollout_error:.4g}, "
                    f"valid {best.scores.valid_steps:.0f} of {horizon} steps (selected, not confirmed)"
                )
            )
        table.add_row(Text(f"elapsed {duration(status.elapsed)}, left {_left(status)}"))
        table.add_row(self.bar)
        return table


def _left(status: Status) -> str:
    if status.share < 0.01 or status.elapsed < 5:
        return "to be seen"
    return f"about {duration(status.elapsed * (1 - status.share) / status.share)}"


def duration(seconds: float) -> str:
    """Return a duration as a person says it."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def print_interrupted(what: str) -> None:
    """Print that something was stopped and can go on."""
    _print(Console(stderr=True), f"interrupted: {what}; the same command goes on from there")


def print_end(result: "RunResult") -> None:
    """Print the best configuration, its scores beside the baselines, and where to look; on stderr."""
    console = Console(stderr=True)
    folder = result.folder
    if result.interrupted:
        _print(console, f"interrupted after {result.trials} trials; the same command goes on from there")
        return
    winner = result.winner or {}
    _print_confirmation(console, result.confirmation)
    _print_best(console, result, winner)
    if winner.get("number") is not None and result.confirmation is None:
        _print(
            console,
            f"selected, not confirmed on fresh seeds: the score looks better than it is (sweep confirm {folder.name})",
        )
    _print(console, f"plots: {folder.path}/trials/*/rollout.png; report: sweep report {folder.name}")


def print_confirmed(result: "ConfirmResult") -> None:
    """Print what a confirmation says, to stdout."""
    console = Console()
    _print_confirmation(console, result.confirmation)
    _print_best(console, result, result.winner or {})
    below = result.folder.path / "confirm"
    if result.confirmation is not None:
        _print(console, f"plots: {below}/trials/*/rollout.png; report: sweep report {result.folder.name}")


def print_treated(result: "TreatResult") -> None:
    """Print what a treatment says, to stdout."""
    console, treatment = Console(), result.treatment
    assert treatment is not None
    _print(
        console,
        f"trial {treatment['number']} treated on {treatment['seeds']} fresh seeds each, rollout errors on validation:",
    )
    for line in treatment_lines(treatment):
        _print(console, line)
    for text in treatment_texts(treatment):
        _print(console, text)
    below = result.folder.treatment(treatment["number"]).path
    _print(console, f"plots: {below}/trials/*/rollout.png; report: sweep report {result.folder.name}")


def print_audited(result: "AuditResult") -> None:
    """Print what an audit of the pruning says, to stdout."""
    console, audited = Console(), result.audit
    if audited is None:
        _print(console, "nothing was pruned: there is nothing to audit")
        return
    for line in audit_lines(audited):
        _print(console, line)
    _print(console, audit_text(result.folder))
    below = result.folder.path / "audit"
    _print(console, f"plots: {below}/trials/*/rollout.png; report: sweep report {result.folder.name}")


def _print_confirmation(console: Console, confirmation: Mapping[str, Any] | None) -> None:
    if confirmation is None:
        return
    _print(console, f"confirmed on {confirmation['seeds']} fresh seeds each, rollout errors on validation:")
    for line in confirmation_lines(confirmation):
        _print(console, line)
    _print(console, verdict_text(confirmation))
    _print(console, optimism_text(confirmation))


def _print_best(console: Console, result: "RunResult | ConfirmResult", winner: Mapping[str, Any]) -> None:
    folder, confirmation = result.folder, result.confirmation
    number = winner.get("number")
    if number is None:
        _print(console, f"no winner: {winner.get('reason')}")
        return
    record, test = folder.record(number), winner["test"]
    horizon = record.config["score"]["horizon"]
    assert record.scores is not None
    tied = confirmation is not None and confirmation["verdict"] == "tied"
    head = "no single winner, first among equals" if tied else "best configuration"
    _print(console, f"{head}: trial {number}")
    for key, value in record.params.items():
        _print(console, f"  {key} = {_short(value)}")
    _print(
        console,
        f"selected on validation: rollout error {record.rollout_error:.4g}, "
        f"valid {record.scores.valid_steps:.0f} of {horizon} steps",
    )
    count = len(winner["networks"])
    of = f" (the median on validation of {count} networks)" if count > 1 else ""
    _print(
        console,
        f"locked test:            rollout error {test['rollout_error']:.4g}, "
        f"valid {test['valid_steps']:.0f} of {horizon} steps{of}",
    )
    if confirmation is not None and confirmation["test"] is not None:
        _print(console, f"network to use:         {folder.path / confirmation['test']['use']['checkpoint']}")
    _print(console, "baselines on the same test starts:")
    for name, entry in winner["baselines_test"].items():
        said = entry.get("reason") or f"rollout error {entry['rollout_error']:.4g}"
        _print(console, f"  {name}: {said}")
