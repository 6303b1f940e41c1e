"""What `sweep run` shows: a live display in a terminal, one plain line per finished trial elsewhere. On stderr."""

import contextlib
from collections.abc import Iterator

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from sweep.config.records import TrialRecord
from sweep.search import Message, Progress, Settled, Watch


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
    status: list[Progress] = []

    def watch(event: Settled | Message | Progress) -> None:
        if isinstance(event, Progress):
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
        self.status: Progress | None = None
        self.bar = Bar(BarColumn(bar_width=None), TextColumn("{task.percentage:>3.0f} %"), console=console)
        self.task = self.bar.add_task("trials", total=1.0)

    def watch(self, event: Settled | Message | Progress) -> None:
        """Take in what the driver says."""
        if isinstance(event, Progress):
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


def _left(status: Progress) -> str:
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


def print_interrupted(text: str) -> None:
    """Print on stderr that something was interrupted and how to resume it."""
    _print(Console(stderr=True), f"interrupted: {text}; rerun the command to resume")
