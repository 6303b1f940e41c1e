"""The output of `sweep run --dry-run`."""

from rich.console import Console
from rich.text import Text

from sweep.config.summary_words import fact_rows, forecast_text, seen_text, split_text
from sweep.config.text import plural
from sweep.report.terminal.console import new_table, print_line
from sweep.results.wording.numbers import param_text
from sweep.study.preview import Preview


def print_preview(preview: Preview) -> None:
    """Print sampled configurations and costs to stdout."""
    console = Console()
    names = [axis.name for axis in preview.study.space.axes]
    table = new_table(f"first {len(preview.costs)} of {plural(preview.trials, 'trial')}")
    table.add_column("trial", justify="right")
    table.add_column("configuration", overflow="fold")
    table.add_column("updates", justify="right")
    table.add_column("TFLOP", justify="right")
    for number, cost in enumerate(preview.costs):
        shown = [f"{name}={param_text(name, cost.params[name])}" for name in names if name in cost.params]
        count = f"{cost.updates:,}" + (" closures" if cost.full_batch else "")
        flop = "unknown" if cost.multiply_adds is None else f"{2 * cost.multiply_adds / 1e12:.2g}"
        table.add_row(str(number), Text(" ".join(shown)), count, flop)
    console.print(table)
    total = preview.sequence_steps
    flop = "unknown" if preview.tera_flop is None else f"{preview.tera_flop:.3g}"
    budgets = sorted({cost.sequence_steps for cost in preview.costs})
    full = " to ".join(f"{budget:,}" for budget in (budgets[0], budgets[-1])[: len(budgets)])
    seen = preview.data.document()
    lines = [
        f"data: {seen_text(seen)} {forecast_text(seen)}",
        f"parts: {split_text(seen)}",
        *(f"{name}: {text}" for name, text in fact_rows(seen)),
        f"a full trial: {full} sequence-steps",
        f"{plural(preview.trials, 'trial')}: {total:,} sequence-steps unpruned, about "
        f"{round(total * preview.kept_share):,} with pruning; {flop} TFLOP unpruned",
    ]
    seeds, again = preview.study.confirm.seeds, preview.confirmed * preview.study.confirm.seeds
    if again:
        bound = "up to " if len(budgets) > 1 else ""
        lines.append(
            f"confirmation: the best {preview.confirmed} on {plural(seeds, 'fresh seed')} each, "
            f"{plural(again, 'full training')}: {bound}{again * budgets[-1]:,} more sequence-steps "
            "(--no-confirm skips them)"
        )
    if preview.seconds is not None:
        workers = plural(preview.study.run.workers, "worker")
        lines.append(f"time: {minutes_text(preview.seconds)} with {workers} (measured here)")
    lines.append(f"scale of errors: the RMS error of {'; '.join(preview.scale_from)}")
    lines += [f"warning: {warning}" for warning in preview.warnings]
    for line in lines:
        print_line(console, line, wrap=False)


def minutes_text(seconds: float) -> str:
    """Return a rough duration: "less than a minute", "about 7 minutes", "about 2.5 hours"."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    return f"about {plural(minutes, 'minute') if minutes < 100 else f'{seconds / 3600:.2g} hours'}"
