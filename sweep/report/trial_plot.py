"""The picture of one trial, made so that a person sees at a glance how its rollout fails."""

import math
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from sweep.config.errors import StoreError
from sweep.config.records import TrialRecord
from sweep.report.canvas import (
    FAINT,
    GOOD,
    INK,
    NORMAL,
    ONE_STEP,
    ROLLOUT,
    SMALL,
    TRUTH,
    drawable,
    heading,
    label,
    new_figure,
    png,
    quiet,
)
from sweep.report.labels import config_words, count_text, number_text, steps_text
from sweep.store.folder import StudyFolder

WIDTH, HEIGHT, DPI = 12.0, 6.6, 100
MARGIN = 1.5  # scales around the truth that an axis shows at most; our choice, so that truth stays readable
FLOOR, CEILING = 1e-6, 30.0  # errors outside are drawn at the rim
TAIL = 0.25  # of the horizon: how much of the warm-up is shown at most


@dataclass(frozen=True)
class Panel:
    """One start of one channel, ready to draw. Steps count from 1 at the first forecast; the past ends at 0."""

    title: str
    valid: int
    steps: np.ndarray  # (tail + horizon,)
    truth: np.ndarray  # (tail + horizon,)
    rollout: np.ndarray  # (horizon + 1,), from the last true value on; clipped to just outside the limits
    limits: tuple[float, float]
    left_at: int | None  # first step outside the limits, or not finite
    lost: bool  # what is there is not finite


def draw_trial(folder: StudyFolder, number: int) -> bytes:
    """Return the rollout plot of a trial as PNG, whatever its state.

    Left: truth and rollout from the start with the most, the median and the fewest valid steps. Right: the
    error by rollout step, free-running and teacher-forced, and the learning curves over the budget.

    Raises:
        StoreError: there is no such trial, or a file of it is damaged.
    """
    record = folder.record(number)
    try:
        arrays: Mapping[str, np.ndarray] = folder.rollout(number)
    except StoreError:
        arrays = {}
    try:
        curves = folder.curves(number)
    except StoreError:
        curves = pd.DataFrame()
    return png(trial_figure(record, arrays, curves, channel_names(folder)))


def channel_names(folder: StudyFolder) -> list[str]:
    """Return the names of the data's channels, empty where the study does not say."""
    try:
        return [str(name) for name in folder.read_study().get("record", {}).get("channels", [])]
    except StoreError:
        return []


def trial_figure(
    record: TrialRecord, arrays: Mapping[str, np.ndarray], curves: pd.DataFrame, channels: list[str]
) -> Figure:
    """Return the figure of `draw_trial` from what was read."""
    figure = new_figure(WIDTH, HEIGHT, DPI)
    _draw_title(figure, record, arrays)
    left, right = (0.045, 0.565), (0.665, 0.315)
    if "forecast" in arrays:
        panels = panels_of(arrays, channels)
        height = 0.77 / len(panels)
        for row, panel in enumerate(panels):
            bottom = 0.075 + 0.77 - (row + 1) * height
            axes = figure.add_axes((left[0], bottom + 0.012, left[1], height - 0.058))
            _draw_panel(axes, panel, legend=row == 0, last=row == len(panels) - 1)
        _draw_steps(figure.add_axes((right[0], 0.52, right[1], 0.292)), arrays)
        _draw_learning(figure.add_axes((right[0], 0.087, right[1], 0.292)), record, curves)
    else:
        axes = figure.add_axes((left[0], 0.087, left[1], 0.735))
        axes.set_axis_off()
        label(axes, 0.5, 0.5, "no rollout was stored", ha="center", va="center", size=12, color=FAINT)
        _draw_learning(figure.add_axes((right[0], 0.087, right[1], 0.725)), record, curves)
    return figure


# --- what is shown --------------------------------------------------------------------------------


def panels_of(arrays: Mapping[str, np.ndarray], channels: list[str]) -> list[Panel]:
    """Return the starts with the most, the median and the fewest valid steps; fewer where there are fewer starts.

    Args:
        arrays: of rollout.npz.
        channels: names of the channels, may be empty. The first scored channel is shown.
    """
    valid = np.asarray(arrays["valid_steps"]).reshape(-1)
    horizon = arrays["truth"].shape[1]
    channel = int(np.asarray(arrays.get("targets", [0])).reshape(-1)[0])
    name = channels[channel] if channel < len(channels) and len(channels) > 1 else ""
    order = np.argsort(valid, kind="stable")
    picks = {"worst": order[0], "median": order[(len(order) - 1) // 2], "best": order[-1]}
    if len(order) < 3:
        picks = {key: picks[key] for key in (("worst", "best") if len(order) == 2 else ("best",))}
    words = {"best": "best start", "median": "median start", "worst": "worst start"}
    titles = {key: words[key] if len(order) > 1 else "only start" for key in picks}
    return [
        _panel(arrays, int(picks[key]), channel, titles[key] + (f", {name}" if name else ""), horizon)
        for key in ("best", "median", "worst")
        if key in picks
    ]


def _panel(arrays: Mapping[str, np.ndarray], start: int, channel: int, title: str, horizon: int) -> Panel:
    tail = max(1, int(TAIL * horizon))
    past = np.asarray(arrays["past"][start, -tail:, channel], dtype=float)
    truth = np.asarray(arrays["truth"][start, :, channel], dtype=float)
    forecast = np.asarray(arrays["forecast"][start, :, channel], dtype=float)
    scale = float(arrays["scale"][start, channel])
    shown = np.concatenate([past, truth])
    finite = forecast[np.isfinite(forecast)]
    floor, ceiling = shown.min() - MARGIN * scale, shown.max() + MARGIN * scale
    low = max(floor, min(shown.min(), finite.min(initial=np.inf)))
    high = min(ceiling, max(shown.max(), finite.max(initial=-np.inf)))
    pad = 0.06 * (high - low) or 1.0
    limits = (low - pad, high + pad)
    outside = ~((forecast >= limits[0]) & (forecast <= limits[1]))
    left_at = int(outside.argmax()) if outside.any() else None
    span = limits[1] - limits[0]
    drawn = np.clip(forecast, limits[0] - span, limits[1] + span)
    anchor = past[-1:] if len(past) else drawn[:1]
    return Panel(
        title=title,
        valid=int(np.asarray(arrays["valid_steps"]).reshape(-1)[start]),
        steps=np.arange(1 - len(past), horizon + 1),
        truth=shown,
        rollout=np.concatenate([anchor, drawn]),
        limits=limits,
        left_at=None if left_at is None else left_at + 1,
        lost=left_at is not None and not math.isfinite(forecast[left_at]),
    )


# --- drawing --------------------------------------------------------------------------------------


def _draw_title(figure: Figure, record: TrialRecord, arrays: Mapping[str, np.ndarray]) -> None:
    words = config_words(record.config, record.params)
    head = f"trial {record.number} · {record.state}"
    first = figure.text(0.02, 0.972, head, fontsize=13, fontweight="bold", color=INK, va="top", parse_math=False)
    offset = 0.02 + 0.0098 * len(head) + 0.012
    lines = textwrap.wrap(drawable(" · ".join(words)), width=max(40, int((0.975 - offset) * 137)))
    shown = lines[0] + (" …" if len(lines) > 1 else "") if lines else ""
    figure.text(offset, 0.9685, shown, fontsize=11, color=INK, va="top", parse_math=False)
    del first
    scores = record.scores
    horizon = arrays["truth"].shape[1] if "truth" in arrays else (record.config.get("score") or {}).get("horizon")
    parts = []
    if scores is not None:
        starts = arrays["truth"].shape[0] if "truth" in arrays else (record.config.get("score") or {}).get("starts")
        parts = [
            f"rollout error {number_text(scores.rollout_error)}",
            f"valid steps {steps_text(scores.valid_steps, horizon)}"
            f" (10–90 %: {scores.valid_steps_low:.0f}–{scores.valid_steps_high:.0f})",
            f"one-step error {number_text(scores.one_step_error)}",
        ]
        if scores.diverged_fraction > 0:
            count = f"{scores.diverged_fraction * starts:.0f} of {starts}" if starts else "some"
            parts.append(f"{count} starts diverge")
    if record.reason:
        parts.append(record.reason)
    line = textwrap.shorten(drawable("   ".join(parts)), width=190, placeholder=" …") if record.reason else "   ".join(parts)
    figure.text(0.02, 0.922, line, fontsize=10, color="#454b54", va="top", parse_math=False)


def _draw_panel(axes: Axes, panel: Panel, legend: bool, last: bool) -> None:
    quiet(axes)
    past = len(panel.steps) - len(panel.rollout) + 1
    horizon = len(panel.rollout) - 1
    axes.axvspan(panel.steps[0], 0, color="#f1f2f4", linewidth=0)
    if panel.valid > 0:
        axes.axvspan(0, panel.valid, ymin=0, ymax=0.028, color=GOOD, linewidth=0, zorder=4)
    axes.plot(panel.steps, panel.truth, color=TRUTH, linewidth=2.6, alpha=0.33, solid_capstyle="butt")
    axes.plot(np.arange(horizon + 1), panel.rollout, color=ROLLOUT, linewidth=1.15)
    axes.set_xlim(panel.steps[0], horizon)
    axes.set_ylim(*panel.limits)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    if not last:
        axes.tick_params(labelbottom=False)
    else:
        axes.set_xlabel("step of the rollout", fontsize=SMALL, color="#5a616b", labelpad=2)
    heading(axes, panel.title, f"valid for {panel.valid} of {horizon} steps")
    if legend:
        label(axes, 0.005, 0.97, "true past", va="top", color="#5a616b", transform=axes.get_xaxis_transform())
        axes.texts[-1].xy = (panel.steps[0] + 0.008 * (horizon + past), 0.97)
        key = axes.legend(
            handles=axes.lines[:2],
            labels=["truth", "rollout"],
            loc="lower right",
            bbox_to_anchor=(0.6, 0.985),
            ncols=2,
            fontsize=SMALL,
            frameon=False,
            handlelength=1.6,
            borderpad=0.1,
            labelcolor=INK,
        )
        key.set_zorder(5)
    if panel.left_at is not None:
        _mark_exit(axes, panel, horizon)


def _mark_exit(axes: Axes, panel: Panel, horizon: int) -> None:
    """Mark where the rollout leaves the picture, and which way."""
    value = panel.rollout[panel.left_at] if panel.left_at is not None else 0.0
    down = value < panel.limits[0]
    word = "not finite" if panel.lost else "leaves the picture"
    y, marker = (0.0, "v") if down else (1.0, "^")
    where = axes.get_xaxis_transform()
    axes.plot([panel.left_at], [y], marker=marker, color=ROLLOUT, markersize=7, clip_on=False, transform=where, zorder=6)
    early = panel.left_at < 0.6 * horizon
    text = f"  {word} from step {panel.left_at}  "
    label(
        axes, panel.left_at, y, text, -9 if not down else 9, color=ROLLOUT, weight="bold", transform=where,
        ha="left" if early else "right", va="center",
    )  # fmt: skip


def _logarithmic(axes: Axes, low: float, high: float) -> None:
    """Make the error axis logarithmic, in whole decades, with few ticks (minor ones are slow to draw)."""
    bottom, top = math.floor(math.log10(low)), math.ceil(math.log10(high) - 1e-9)
    if top - bottom < 2:
        bottom = top - 2
    axes.set_yscale("log")
    axes.set_ylim(10.0**bottom, 10.0**top * (1.25 if top == 0 else 1))
    axes.yaxis.set_major_locator(LogLocator(base=10, numticks=8))
    axes.yaxis.set_minor_locator(NullLocator())


def _rimmed(values: Any) -> np.ndarray:
    """Return errors as floats inside what an axis can show: NaN stays a gap, inf goes to the ceiling."""
    return np.clip(np.asarray(values, dtype=float), FLOOR, CEILING)


def _draw_steps(axes: Axes, arrays: Mapping[str, np.ndarray]) -> None:
    quiet(axes)
    free, forced = np.asarray(arrays["nrmse"], float).reshape(-1), np.asarray(arrays["one_step_nrmse"], float).reshape(-1)
    valid = np.asarray(arrays["valid_steps"]).reshape(-1)
    low, middle, high = np.quantile(valid, (0.1, 0.5, 0.9))
    horizon = len(free)
    x = np.arange(1, horizon + 1)
    axes.axvspan(max(low, 0), max(high, low + 0.004 * horizon), color=GOOD, alpha=0.13, linewidth=0)
    axes.axvline(middle, color=GOOD, linewidth=1.4)
    axes.axhline(1.0, color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.plot(x, _rimmed(forced), color=ONE_STEP, linewidth=1.3)
    axes.plot(x, _rimmed(free), color=ROLLOUT, linewidth=1.3)
    both = np.concatenate([_rimmed(free), _rimmed(forced)])
    both = both[np.isfinite(both)]
    _logarithmic(axes, max(FLOOR, min(0.1, both.min(initial=1.0))), min(CEILING, max(1.0, both.max(initial=1.0))))
    axes.set_xlim(0, horizon)
    axes.set_xlabel("step of the rollout", fontsize=SMALL, color="#5a616b", labelpad=2)
    heading(axes, "error by step (nrmse)", f"valid steps {steps_text(float(middle), horizon)}, 10–90 % shaded")
    _name_line(axes, x, free, "free-running", ROLLOUT, above=True)
    _name_line(axes, x, forced, "on true inputs", ONE_STEP, above=False)
    label(
        axes, 0.995, 1.0, "as bad as the mean", -2, va="top", ha="right", color="#6b727c",
        transform=axes.get_yaxis_transform(),
    )  # fmt: skip
    broken = ~np.isfinite(free)
    if broken.any():
        step = int(broken.argmax()) + 1
        label(axes, 0.985, 0.93, f"a start is not finite from step {step}", ha="right", va="top", color=ROLLOUT, weight="bold")


def _name_line(axes: Axes, x: np.ndarray, y: np.ndarray, name: str, color: str, above: bool) -> None:
    """Write a curve's name beside it, inside the axes."""
    low, high = axes.get_ylim()
    part = y[int(len(y) * 0.62) : int(len(y) * 0.98) + 1]
    part = part[np.isfinite(part)]
    if not len(part):
        part = y[np.isfinite(y)]
    value = float((part.max() if above else part.min()) if len(part) else high)
    place = (math.log10(min(max(value, low), high)) - math.log10(low)) / (math.log10(high) - math.log10(low))
    upward = above and place < 0.86
    upward = upward or (not above and place < 0.12)
    label(
        axes, 0.985, min(max(place, 0.02), 0.98), name, 4 if upward else -4, ha="right",
        va="bottom" if upward else "top", color=color, weight="bold",
    )  # fmt: skip


def _draw_learning(axes: Axes, record: TrialRecord, curves: pd.DataFrame) -> None:
    quiet(axes)
    evaluations = record.evaluations
    budget = (record.config.get("training") or {}).get("budget") or record.sequence_steps or 1
    for rung in record.config.get("rungs") or ():
        axes.axvline(rung * budget, color="#b9bec6", linewidth=0.8, linestyle=(0, (1, 2)))
    seen = [np.array([1.0, 0.1])]
    handles = []
    if {"sequence_steps", "loss"} <= set(curves.columns) and len(curves):
        loss = np.sqrt(np.clip(curves["loss"].to_numpy(float), 0, None))
        handles += axes.plot(
            curves["sequence_steps"].to_numpy(float), _rimmed(loss), color=FAINT, linewidth=0.8, alpha=0.75,
            label="√ train loss",
        )  # fmt: skip
        seen.append(_rimmed(loss))
    x = np.array([entry.sequence_steps for entry in evaluations], dtype=float)
    rollout = _rimmed([entry.scores.rollout_error for entry in evaluations])
    if len(x):
        one_step = _rimmed([entry.scores.one_step_error for entry in evaluations])
        dots = {"marker": "o", "markersize": 2.6}
        handles += axes.plot(x, one_step, color=ONE_STEP, linewidth=1.2, label="one-step error", **dots)
        handles += axes.plot(x, rollout, color=ROLLOUT, linewidth=1.4, label="rollout error", **dots)
        seen += [rollout, one_step]
        handles += _mark_checkpoints(axes, record, x, rollout)
    values = np.concatenate(seen)
    values = values[np.isfinite(values)]
    _logarithmic(axes, max(FLOOR, values.min()), values.max())
    axes.set_xlim(0, budget * 1.02)
    axes.xaxis.set_major_locator(MaxNLocator(5, min_n_ticks=2))
    ticks = [tick for tick in axes.get_xticks() if 0 <= tick <= budget * 1.02]
    axes.set_xticks(ticks, [count_text(tick) for tick in ticks])
    axes.set_xlabel("training, sequence-steps of the budget", fontsize=SMALL, color="#5a616b", labelpad=2)
    stopped = record.state in ("pruned", "diverged", "failed") and record.sequence_steps < budget
    note = f"{record.state} at {record.sequence_steps / budget:.0%} of the budget" if stopped else ""
    heading(axes, "learning curves", note)
    if handles:
        axes.legend(
            handles=handles, loc="upper left", bbox_to_anchor=(-0.02, -0.135), ncols=3, fontsize=7.5, frameon=False,
            handlelength=1.4, columnspacing=1.0, borderpad=0.0, labelspacing=0.25, labelcolor=INK,
        )  # fmt: skip


def _mark_checkpoints(axes: Axes, record: TrialRecord, x: np.ndarray, rollout: np.ndarray) -> list[Any]:
    """Mark on the rollout curve which checkpoint was chosen, which the loss would choose, and the last."""
    marks = [
        (len(x) - 1, "s", 6.5, "last", "white", INK),
        (record.best_one_step, "D", 7.5, "lowest one-step", "white", ONE_STEP),
        (record.best, "*", 14, "chosen", GOOD, "white"),
    ]
    handles = []
    for index, marker, size, name, face, edge in marks:
        if index is not None and 0 <= index < len(x):
            handles += axes.plot(
                x[index : index + 1], rollout[index : index + 1], linestyle="none", marker=marker, markersize=size,
                markerfacecolor=face, markeredgecolor=edge, markeredgewidth=1.3, label=name, zorder=5, clip_on=False,
            )  # fmt: skip
    return handles[::-1]


__all__ = ["NORMAL", "Panel", "draw_trial", "panels_of", "trial_figure"]
