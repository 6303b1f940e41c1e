"""A forecast in words: the table of its first steps, and what else should be known about it."""

import math
from collections.abc import Mapping, Set
from itertools import islice
from typing import Any

from sweep.config.text import plural
from sweep.results.wording.intervals import coverage_text
from sweep.results.wording.text_table import TextTable

ROWS = 12  # of the table; our choice
MOST_PARTS = 4  # series and channels in it
MOST_WARNINGS = 5  # series that are named as left out
DIGITS = 4  # that a value shows of the spread of its channel


def forecast_table(document: Mapping[str, Any]) -> TextTable:
    """Return the first steps of the first series and scored channels."""
    parts = _shown(document)
    several = len(document["targets"]) > 1
    named = any(one["name"] for one in document["series"])
    levels = [str(level) for level in document["levels"]]
    head = [
        *(["series"] if named else []),
        "time",
        *(["channel"] if several or not named else []),
        "forecast",
        *(f"{level} %" for level in levels),
    ]
    rows = []
    for series, channel in parts:
        values = series["values"][channel]
        ends = [(series["low"][level][channel], series["high"][level][channel]) for level in levels]
        digits = _decimals(
            [value for line in (values, *(end for pair in ends for end in pair)) for value in line]
        )
        for step in range(min(_steps_shown(document), len(values))):
            cells = [
                *([series["name"]] if named else []),
                _time_text(series["times"][step]),
                *([channel] if several or not named else []),
                _value_text(values[step], digits, "not finite"),
            ]
            for low, high in ends:
                pair = [_value_text(end[step], digits, "") for end in (low, high)]
                cells.append(f"{pair[0]} to {pair[1]}" if all(pair) else "–")
            rows.append(tuple(cells))
    return TextTable(tuple(head), tuple(rows))


def rest_text(document: Mapping[str, Any], written: Set[str]) -> str:
    """Return how to get the values that the table does not show; "" if all are shown or written.

    Args:
        document: of the forecast.
        written: extensions of the files that have been written.
    """
    shown = len(_shown(document)) * min(_steps_shown(document), document["steps"])
    total = len(document["series"]) * len(document["channels"]) * document["steps"]
    ways = [] if any(end != ".png" for end in written) else ["--csv FILE writes all of them"]
    ways += [] if ".png" in written else ["--plot FILE.png draws them"]
    return f"{shown} of {plural(total, 'value')} shown: {', '.join(ways)}." if ways and shown < total else ""


def coverage_line(document: Mapping[str, Any]) -> str:
    """Return what the intervals of a forecast cover of the locked test; "" where it has not been measured."""
    covered = coverage_text(document["coverage"])
    return "" if covered is None else f"The intervals cover {covered}."


def warning_texts(document: Mapping[str, Any]) -> list[str]:
    """Return the notes of a forecast, and which series are left out and why."""
    left_out = document["left_out"]
    texts = [
        f"{one['name'] or 'the series'} is left out: {one['reason']}" for one in left_out[:MOST_WARNINGS]
    ]
    more = len(left_out) - MOST_WARNINGS
    return [*document["notes"], *texts, *([f"and {more} more are left out"] if more > 0 else [])]


def _shown(document: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], str]]:
    """Return the series and channels of the table."""
    every = ((series, channel) for series in document["series"] for channel in document["targets"])
    return list(islice(every, MOST_PARTS))


def _steps_shown(document: Mapping[str, Any]) -> int:
    return max(1, ROWS // len(_shown(document)))


def _decimals(values: list[float | None]) -> int:
    """Return how many decimals show the spread of some values."""
    finite = [value for value in values if value is not None]
    spread = max(finite) - min(finite) if finite else 0.0
    size = spread or max((abs(value) for value in finite), default=1.0) or 1.0
    return min(12, max(0, DIGITS - 1 - math.floor(math.log10(size))))


def _value_text(value: float | None, decimals: int, missing: str) -> str:
    if value is None:
        return missing
    return f"{value:.{decimals}f}" if abs(value) < 1e12 else f"{value:.6g}"


def _time_text(time: Any) -> str:
    """Return a time without seconds of 0, and a number with few digits."""
    if isinstance(time, str) and time[16:19] == ":00":
        return time[:16] + time[19:]
    return f"{time:.10g}" if isinstance(time, float) else str(time)
