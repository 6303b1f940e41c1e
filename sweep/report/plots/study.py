"""The pictures of a whole study, each a function of tables that returns PNG bytes."""

import io
import math
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from PIL import Image

from sweep.config.ranges import Choice
from sweep.config.space import Axis
from sweep.report.plots.canvas import (
    FAINT,
    GOOD,
    INK,
    MARKERS,
    ONE_STEP,
    QUIET,
    ROLLOUT,
    STATES,
    TRUTH,
    key,
    label,
    linear_ticks,
    log_ticks,
    new_figure,
    png,
    ruled,
)
from sweep.results.effects import BINS, groups_of
from sweep.results.wording.numbers import param_text

DPI = 200  # twice the size at which the page shows them
WIDTH, HEIGHT = 5.4, 3.5
FLOOR = 1e-10  # smaller errors are drawn there


def scatter_plot(trials: pd.DataFrame, best: int | None, by_loss: int | None) -> bytes:
    """Return one-step against rollout error, each trial at its checkpoint of the lowest one-step error."""
    shown = trials[trials["lowest_one_step_error"].notna() & trials["loss_rollout_error"].notna()]
    x = np.clip(shown["lowest_one_step_error"].to_numpy(float), FLOOR, 1.0)
    y = shown["loss_rollout_error"].to_numpy(float)
    low = 10.0 ** math.floor(math.log10(x.min(initial=0.1)) + 1e-9)
    axes = _axes()
    ruled(
        axes,
        (math.log10(low) - 0.08, 0.08),
        (0, 1.04),
        [(math.log10(place), text) for place, text in log_ticks(low, 1.0)],
        linear_ticks(0, 1, 4),
        title="rollout error",
        x_name="lowest one-step error of the trial",
    )
    _points(axes, np.log10(x), y, shown["state"])
    key(axes, _states(shown["state"]))
    numbers = shown["number"].to_numpy()
    apart = 14  # points between the labels, as the two choices are often neighbours
    for number, text, color, lift in (
        (by_loss, "the loss's choice", ONE_STEP, 0 if by_loss == best else apart),
        (best, "the rollout's choice", GOOD, 0),
    ):
        at = np.flatnonzero(numbers == (-1 if number is None else number))
        if len(at):
            place = (float(np.log10(x[at[0]])), float(y[at[0]]))
            axes.plot(
                *place, "o", markersize=11, markerfacecolor="none", markeredgecolor=color, markeredgewidth=1.6
            )
            right = place[0] < math.log10(low) / 2
            label(
                axes,
                *place,
                text if by_loss != best else "the choice of both",
                (9 if right else -9, lift),
                size=9,
                color=color,
                weight="bold",
                ha="left" if right else "right",
                va="center",
                over=axes.transData,
                bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 0.8},
            )
    return png(axes.figure)  # type: ignore[arg-type]


def history_plot(trials: pd.DataFrame) -> bytes:
    """Return the score of each trial by its number, with the best so far."""
    shown = trials[trials["rollout_error"].notna()].sort_values("number")
    x, y = shown["number"].to_numpy(float), np.clip(shown["rollout_error"].to_numpy(float), FLOOR, 1.0)
    low = min(0.1, 10.0 ** math.floor(math.log10(y.min(initial=0.1)) + 1e-9))
    last = max(float(trials["number"].max()) if len(trials) else 0.0, 1.0)
    axes = _axes()
    ruled(
        axes,
        (-0.02 * last, 1.02 * last),
        (low * 0.9, 1.15),
        linear_ticks(0, last, 5),
        log_ticks(low, 1.0),
        title="rollout error",
        x_name="trial",
        log=True,
    )
    key(axes, [*_states(shown["state"]), ("best so far", INK)])
    if len(y):
        axes.step([*x, last], [*np.minimum.accumulate(y), y.min()], where="post", color=INK, linewidth=1.3)
    _points(axes, x, y, shown["state"])
    return png(axes.figure)  # type: ignore[arg-type]


def regret_plot(trials: pd.DataFrame) -> bytes:
    """Return the rollout errors of the chosen, last and best one-step checkpoints of full trials, by rank."""
    done = trials[(trials["state"] == "complete") & trials["regret_last"].notna()].sort_values(
        "rollout_error"
    )
    axes = _axes()
    count = max(2, len(done))
    ruled(
        axes,
        (0.2, count + 0.8),
        (0, 1.04),
        linear_ticks(1, count, 5, lambda v: f"{v:.0f}"),
        linear_ticks(0, 1, 4),
        title="rollout error",
        x_name="trials that trained to the end, best first",
    )
    key(axes, [("chosen", "#00704f"), ("lowest one-step error", ONE_STEP), ("last", INK)])
    rank = np.arange(1, len(done) + 1)
    chosen, last = done["rollout_error"].to_numpy(float), done["last_rollout_error"].to_numpy(float)
    loss = done["loss_rollout_error"].to_numpy(float)
    axes.vlines(rank, chosen, np.fmax(last, loss), color="#c4c8ce", linewidth=1.2, zorder=1)
    axes.plot(
        rank, last, "s", markersize=4.5, markerfacecolor="white", markeredgecolor=INK, markeredgewidth=1
    )
    axes.plot(
        rank, loss, "D", markersize=4.5, markerfacecolor="none", markeredgecolor=ONE_STEP, markeredgewidth=1.2
    )
    axes.plot(rank, chosen, "o", markersize=4.5, color=GOOD)
    return png(axes.figure)  # type: ignore[arg-type]


def effect_plot(
    trials: pd.DataFrame,
    name: str,
    axis: Axis | None,
    scores: Mapping[int, float],
    rng: np.random.Generator,
    low: float = 0.0,
) -> bytes:
    """Return the score of each trial by one hyperparameter, with medians by value or bin.

    Args:
        trials: from `trials_frame`.
        name: of the hyperparameter.
        axis: its range; None treats every value as a choice.
        scores: by trial number, those to compare.
        rng: jitters the points of a choice.
        low: lower end of the vertical axis, the same for all plots side by side.
    """
    groups = [(text, [n for n in numbers if n in scores]) for text, numbers in groups_of(trials, name, axis)]
    states = dict(zip(trials["number"], trials["state"], strict=True))
    axes = _axes(3.6, 2.5)
    ranged = axis is not None and not isinstance(axis.span, Choice)
    count = len(groups)
    if ranged:
        assert axis is not None
        edges = [axis.span.from_unit(k / BINS) for k in range(BINS + 1)]
        ticks = [(float(k), param_text(name, edge)) for k, edge in enumerate(edges)]
        limits = (-0.1, BINS + 0.1)
    else:
        ticks = [
            (k + 0.5, text if len(text) <= 14 else text[:13] + "…") for k, (text, _) in enumerate(groups)
        ]
        if count > 5:  # names would run into each other: every second one a line lower
            ticks = [(place, ("\n" if k % 2 else "") + text) for k, (place, text) in enumerate(ticks)]
        limits = (0.0, float(max(1, count)))
    ruled(axes, limits, (low, 1 + 0.04 * (1 - low)), ticks, linear_ticks(low, 1, 3), title=name)
    values = dict(zip(trials["number"], trials[name], strict=True))
    for k, (_, numbers) in enumerate(groups):
        if not numbers:
            continue
        y = np.array([scores[number] for number in numbers])
        if ranged:
            assert axis is not None
            x = np.array([axis.span.to_unit(values[number]) * BINS for number in numbers])
        else:
            x = k + 0.5 + rng.uniform(-0.22, 0.22, len(numbers))
        _points(axes, x, y, pd.Series([states[number] for number in numbers]), size=3.6)
        margin = 0.08 if ranged else 0.16
        axes.plot(
            [k + margin, k + 1 - margin], [np.median(y)] * 2, color=INK, linewidth=2, solid_capstyle="round"
        )
    return png(axes.figure)  # type: ignore[arg-type]


def small_png(content: bytes) -> bytes:
    """Return a trial's plot reduced to the colours of such plots: a third of its bytes or less.

    Colours chosen from the picture would lose the rare ones, such as the green of a rollout that is hardly
    valid. A picture that would not shrink is returned unchanged.
    """
    with Image.open(io.BytesIO(content)) as picture:
        reduced = picture.convert("RGB").quantize(palette=_palette(), dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    reduced.save(buffer, format="PNG", optimize=True)
    return min(content, buffer.getvalue(), key=len)


@cache
def _palette() -> Image.Image:
    """Return an image whose palette holds the plots' colours, blended with their backgrounds."""
    white = np.array(to_rgb("white"))
    truth = 0.33 * np.array(to_rgb(TRUTH)) + 0.67 * white  # as the trial plot draws it
    valid = 0.13 * np.array(to_rgb(GOOD)) + 0.87 * white
    colours = [white, np.array(to_rgb("#f1f2f4")), valid]
    for front in (INK, QUIET, FAINT, ROLLOUT, ONE_STEP, GOOD, "#00704f"):
        colours += [
            (1 - share) * white + share * np.array(to_rgb(front)) for share in np.linspace(0.06, 1, 20)
        ]
    colours += [(1 - share) * white + share * truth for share in np.linspace(0.1, 1, 10)]
    for front, back in ((ROLLOUT, truth), (ROLLOUT, valid), (ONE_STEP, valid), (INK, valid), (GOOD, valid)):
        colours += [
            (1 - share) * back + share * np.array(to_rgb(front)) for share in np.linspace(0.1, 0.9, 9)
        ]
    values = np.rint(255 * np.array(colours)).astype(np.uint8)
    palette = Image.new("P", (1, 1))
    palette.putpalette([*values.tobytes(), *values[:1].tobytes() * (256 - len(values))])
    return palette


def _axes(width: float = WIDTH, height: float = HEIGHT) -> Axes:
    figure = new_figure(width, height, DPI)
    left, bottom, top = 0.45 / width, 0.44 / height, 0.30 / height
    return figure.add_axes((left, bottom, 1 - left - 0.18 / width, 1 - bottom - top))


def _points(axes: Axes, x: np.ndarray, y: np.ndarray, states: pd.Series, size: float = 4.6) -> None:
    for state in ("pruned", "complete", "diverged", "running"):
        which = (states == state).to_numpy()
        axes.plot(
            x[which],
            y[which],
            linestyle="none",
            marker=MARKERS[state],
            color=STATES[state],
            markersize=size,
            markeredgecolor="white",
            markeredgewidth=0.4,
            alpha=0.85,
            clip_on=False,
        )


def _states(states: pd.Series) -> Sequence[tuple[str, str]]:
    marks = {"complete": "● ", "pruned": "▼ ", "diverged": "✖ ", "running": "■ "}
    return [(marks[state] + state, STATES[state]) for state in marks if (states == state).any()]
