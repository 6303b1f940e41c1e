"""The summary of data in words: for study files, terminal and page."""

from collections.abc import Mapping
from typing import Any

from sweep.config.text import plural

Document = Mapping[str, Any]  # of `DataSummary.document`; in a stored study without the entries that are None


def seen_text(summary: Document) -> str:
    """Return what was seen of data, in a few sentences."""
    channels = plural(len(summary["channels"]), "channel")
    if summary.get("known"):
        channels += f" and {plural(len(summary['known']), 'input')} from outside"
    if summary["series"] > 1:
        shortest, longest = f"{summary['shortest']:,}", f"{summary['longest']:,}"
        each = shortest if shortest == longest else f"{shortest} to {longest}"
        lengths = f"{each} rows each, {summary['rows']:,} in all"
        parts = [f"{summary['name']}: {summary['series']:,} series of {lengths}, {channels}."]
    else:
        parts = [f"{summary['name']}: {summary['rows']:,} rows, {channels}."]
    if summary["first"]:
        step = f" in steps of {summary['step']}" if summary["step"] else ""
        parts.append(f"From {summary['first']} to {summary['last']}{step}.")
    if summary.get("gaps"):
        parts.append(f"{plural(summary['gaps'], 'gap')}.")
    period = f"a period of {summary['period']:.4g} steps" if summary.get("period") else "no clear period"
    parts.append(
        f"The training part has {period}; at most {percent(summary['noise'])} of its standard deviation is noise, and "
        f"a straight line explains {percent(summary['trend'])} of its variance."
    )
    return " ".join(parts)


def forecast_text(summary: Document) -> str:
    """Return which channels are forecast and scored, and which inputs are known, in words."""
    channels, targets = summary["channels"], summary["targets"]
    names = ", ".join(targets)
    known = f"; known ahead: {', '.join(summary['known'])}" if summary.get("known") else ""
    if len(channels) == 1:
        return f"Forecast and scored: {names}{known}"
    if len(targets) == len(channels):
        return f"All {len(channels)} channels are forecast and scored: {names}{known}"
    others = ", ".join(name for name in channels if name not in targets)
    return f"Scored: {names}; forecast, but not scored: {others}{known}"


def split_text(summary: Document) -> str:
    """Return the sizes of the parts, and the starts in them where they are known."""
    if summary.get("samples") is None:
        return ""
    sizes = list(zip(("training", "validation", "test"), summary["samples"], strict=True))
    text = ", ".join(f"{count:,} samples for {part}" for part, count in sizes)
    if summary.get("starts") is None:
        return text
    pairs = zip(("validation", "test"), summary["starts"], summary["n_eff"], strict=True)
    text = f"{text}; " + ", ".join(
        f"{plural(count, 'start')} in {part}, of which {apart} do not overlap" for part, count, apart in pairs
    )
    if summary.get("calibration") is None:
        return text
    samples, starts = summary["calibration"]
    return f"{text}; {samples:,} samples for calibration with {plural(starts, 'start')} that do not overlap"


def fact_rows(summary: Document) -> list[tuple[str, str]]:
    """Return the name and the text of each thing understood of a file; guesses are named as guesses, with their key."""
    rows = []
    for fact in summary["facts"]:
        key = f"data.{fact['key']}" if fact["key"] else ""
        settles = f"a guess; {key} settles it" if fact["guessed"] else key
        rows.append((fact["name"], f"{fact['text']} ({settles})" if settles else fact["text"]))
    return rows


def percent(share: float) -> str:
    """Return a share as percent with two digits."""
    return f"{100 * share:.2g} %"
