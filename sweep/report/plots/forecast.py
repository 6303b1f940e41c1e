"""The picture of a forecast: the past, what is forecast with its intervals, and the inputs from outside below."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from sweep.config.text import plural
from sweep.report.plots.canvas import (
    INK,
    INPUTS,
    QUIET,
    ROLLOUT,
    TRUTH,
    Ticks,
    drawable,
    key,
    label,
    level_ticks,
    linear_ticks,
    new_figure,
    png,
    ruled,
)
from sweep.report.plots.panels import LONGEST, MOST_INPUTS

Array = np.ndarray

WIDTH, DPI = 10.0, 110
HEAD, PANEL, SLIM, GAP, FOOT = 1.0, 2.3, 0.5, 0.55, 0.3  # inches
ABOVE_SLIM = 0.22  # inches, for the names of the inputs
LEFT, RIGHT = 0.075, 0.985  # of the width
MOST_PAST = 3.0  # of the past that is drawn, in steps of the forecast; our choice
MARGIN = 1.5  # ranges of past and forecast that an interval may add to the axis on each side; our choice
LINE = 130  # characters of a line below the title, of which there are two
SHADES = (0.16, 0.3, 0.42)  # of the intervals, the widest first


@dataclass(frozen=True)
class PanelData:
    """One channel of one series."""

    title: str
    past: Array  # (time,), data units
    forecast: Array  # (step,), possibly not finite
    intervals: Mapping[
        int, tuple[Array, Array]
    ]  # low and high ends by level, (step,); NaN where there is none
    times: Sequence[object]  # (time + step,), as they are shown
    inputs: Mapping[str, Array]  # (time + step,) by name, data units


def draw_forecast(panels: Sequence[PanelData], title: str, line: str, note: str = "") -> bytes:
    """Return the picture of a few panels as PNG.

    Args:
        panels: at least one.
        title: of the picture.
        line: below the title: what forecasts.
        note: beside the title, such as which series are shown.
    """
    heights = [PANEL + (ABOVE_SLIM + SLIM if panel.inputs else 0.0) for panel in panels]
    height = HEAD + sum(heights) + GAP * (len(panels) - 1) + FOOT
    figure = new_figure(WIDTH, height, DPI)
    figure.text(LEFT, 1 - 0.14 / height, drawable(title), fontsize=13, fontweight="bold", color=INK, va="top")
    words = textwrap.fill(drawable(line), LINE, max_lines=2, placeholder=" …")
    figure.text(LEFT, 1 - 0.4 / height, words, fontsize=9, color=QUIET, va="top", parse_math=False)
    top = height - HEAD
    for panel, inches in zip(panels, heights, strict=True):
        first = len(panel.past) - min(len(panel.past), int(MOST_PAST * len(panel.forecast)))
        box = (LEFT, (top - PANEL) / height, RIGHT - LEFT, PANEL / height)
        _draw_panel(figure.add_axes(box), panel, first)
        if panel.inputs:
            box = (LEFT, (top - inches) / height, RIGHT - LEFT, SLIM / height)
            _draw_inputs(figure.add_axes(box), panel, first)
        top -= inches + GAP
    if note:
        figure.text(RIGHT, 1 - 0.14 / height, note, fontsize=9, color=QUIET, ha="right", va="top")
    return png(figure)


def _draw_panel(axes: Axes, panel: PanelData, first: int) -> None:
    """Draw past, forecast and intervals; the last true value is step 0."""
    past, steps = panel.past[first:], len(panel.forecast)
    ahead = np.arange(1, steps + 1)
    limits = _limits(past, panel)
    y_ticks, level = level_ticks(*limits, 4)
    ruled(
        axes,
        (1.0 - len(past), float(steps)),
        limits,
        x_ticks=() if panel.inputs else _time_ticks(panel, first),
        y_ticks=y_ticks,
        title=panel.title,
        note=f"values minus {level}" if level else "",
    )
    axes.axvspan(1 - len(past), 0, color="#f1f2f4", linewidth=0, zorder=0)
    entries = [("past", TRUTH), ("forecast", ROLLOUT)]
    for (width, (low, high)), shade in zip(
        sorted(panel.intervals.items(), reverse=True), SHADES, strict=False
    ):
        axes.fill_between(
            ahead,
            np.maximum(low, limits[0]),
            np.minimum(high, limits[1]),
            color=ROLLOUT,
            alpha=shade,
            linewidth=0,
        )
        entries.append((f"{width} %", ROLLOUT))
    axes.plot(np.arange(1 - len(past), 1), past, color=TRUTH, linewidth=1.3)
    line = np.concatenate([past[-1:], np.where(np.isfinite(panel.forecast), panel.forecast, np.nan)])
    axes.plot(np.arange(steps + 1), line, color=ROLLOUT, linewidth=1.5)
    lost = np.flatnonzero(~np.isfinite(panel.forecast))
    if len(lost):
        label(axes, 1, 0.5, f"not finite from step {lost[0] + 1}", color=ROLLOUT, weight="bold", ha="right")
    key(axes, entries)


def _draw_inputs(axes: Axes, panel: PanelData, first: int) -> None:
    """Draw the inputs from outside, each between its lowest and its highest value."""
    steps, past = len(panel.forecast), len(panel.past) - first
    more = len(panel.inputs) - MOST_INPUTS
    ruled(
        axes,
        (1.0 - past, float(steps)),
        (-0.12, 1.12),
        x_ticks=_time_ticks(panel, first),
        note=f"and {plural(more, 'more input')}" if more > 0 else "",
    )
    axes.axvspan(1 - past, 0, color="#f1f2f4", linewidth=0, zorder=0)
    names = []
    for (name, every), color in zip(panel.inputs.items(), INPUTS[:MOST_INPUTS], strict=False):
        values = every[first:]
        low, high = float(values.min()), float(values.max())
        height = (values - low) / (high - low) if high > low else np.full(len(values), 0.5)
        axes.plot(np.arange(1 - past, steps + 1), height, color=color, linewidth=1.2)
        short = name if len(name) <= LONGEST else f"{name[: LONGEST - 2]} …"
        names.append((f"{short} {low:.4g} to {high:.4g}" if high > low else f"{short} {low:.4g}", color))
    key(axes, names, lift=1, right=False)


def _limits(past: Array, panel: PanelData) -> tuple[float, float]:
    """Return the limits of the axis: past and forecast, and as much of the intervals as leaves these readable."""
    drawn = np.concatenate([past, panel.forecast[np.isfinite(panel.forecast)]])
    low, high = float(drawn.min()), float(drawn.max())
    room = MARGIN * ((high - low) or abs(high) or 1.0)
    ends = np.concatenate([np.concatenate(pair) for pair in panel.intervals.values()] or [np.empty(0)])
    ends = np.clip(ends[~np.isnan(ends)], low - room, high + room)
    low, high = min(low, ends.min(initial=low)), max(high, ends.max(initial=high))
    pad = 0.06 * (high - low) or 1.0
    return low - pad, high + pad


def _time_ticks(panel: PanelData, first: int) -> Ticks:
    """Return a few steps with their times."""
    past, steps = len(panel.past) - first, len(panel.forecast)
    places = [int(place) for place, _ in linear_ticks(1 - past, steps, 6) if place == int(place)]
    return tuple((float(place), _short(panel.times[len(panel.past) - 1 + place])) for place in places)


def _short(time: object) -> str:
    """Return a time without seconds of 0 and without its distance from UTC."""
    if isinstance(time, str):
        day, _, clock = time.partition(" ")
        clock = clock[:8]
        return f"{day} {clock.removesuffix(':00')}".strip() if clock else day
    return f"{time:.6g}" if isinstance(time, float) else str(time)
