"""The picture of a confirmation: the selected score of each configuration, and its errors on fresh seeds."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from sweep.report.plots.canvas import GOOD, INK, QUIET, ROLLOUT, key, label, log_ticks, new_figure, png, ruled

WIDTH, HEIGHT, DPI = 5.4, 3.5, 200
FLOOR = 1e-10  # smaller errors are drawn there
SPREAD = 0.14  # of the points of an arm, to the sides


def fresh_seeds_plot(
    section: Mapping[str, Any], horizon: int | None, baseline: tuple[str, float] | None = None
) -> bytes:
    """Return a column per configuration, best first: fresh seeds, their interquartile mean, the selected score.

    Args:
        section: `confirmation` of the report's document.
        horizon: steps of a rollout, for the title.
        baseline: name and rollout error of the best baseline. Means above it are not green.
    """
    arms = section["arms"]
    errors = [np.clip(np.array(arm["errors"], float), FLOOR, 1.0) for arm in arms]
    selected = np.clip(np.array([arm["selected"] for arm in arms], float), FLOOR, 1.0)
    bars = [] if baseline is None else [min(max(baseline[1], FLOOR), 1.0)]
    lowest = min(selected.min(), *(row.min() for row in errors), *bars)
    low = min(0.6 * lowest, 0.09)  # a decade at least
    figure = new_figure(WIDTH, HEIGHT, DPI)
    axes = figure.add_axes((0.55 / WIDTH, 0.44 / HEIGHT, 1 - 0.73 / WIDTH, 1 - 0.74 / HEIGHT))
    every = 1 + len(arms) // 12
    ticks = [(k + 0.5, str(arm["number"])) for k, arm in enumerate(arms) if k % every == 0]
    over = "" if horizon is None else f" over {horizon} steps"
    ruled(
        axes,
        (0.0, float(max(1, len(arms)))),
        (low, 1.15),
        ticks,
        log_ticks(low, 1.0),
        title=f"rollout error{over}",
        x_name="trial whose configuration was trained again, best first",
        log=True,
    )
    key(axes, [("◆ selected", ROLLOUT), ("● fresh seeds", INK), ("━ their mean", QUIET)])
    if baseline is not None:
        _draw_baseline(axes, baseline[0], bars[0])
    for place, (arm, row) in enumerate(zip(arms, errors, strict=True)):
        color = GOOD if baseline is None or arm["iqm"]["value"] < baseline[1] else INK
        _draw_arm(axes, place + 0.5, arm, row, color)
    axes.plot(
        np.arange(len(arms)) + 0.5 - 0.27,
        selected,
        "D",
        markersize=6.5,
        color=ROLLOUT,
        markeredgecolor="white",
        markeredgewidth=0.6,
        clip_on=False,
    )
    return png(figure)


def _draw_baseline(axes: Axes, name: str, error: float) -> None:
    axes.axhline(error, color=QUIET, linewidth=1.1, linestyle=(0, (4, 3)))
    place = axes.get_yaxis_transform()
    label(axes, 0.99, error, name, (0, 2.5), color=QUIET, ha="right", va="bottom", over=place)


def _draw_arm(axes: Axes, x: float, arm: Mapping[str, Any], errors: np.ndarray, color: str) -> None:
    iqm = arm["iqm"]
    mean = min(max(iqm["value"], FLOOR), 1.0)
    if iqm["low"] is not None:
        low, high = (min(max(end, FLOOR), 1.0) for end in (iqm["low"], iqm["high"]))
        axes.fill_between([x - 0.2, x + 0.2], low, high, color=color, alpha=0.18, linewidth=0)
    axes.plot([x - 0.2, x + 0.2], [mean, mean], color=color, linewidth=2.4, solid_capstyle="butt")
    aside = np.linspace(-SPREAD, SPREAD, len(errors)) if len(errors) > 1 else np.zeros(1)
    axes.plot(
        x + aside,
        errors,
        "o",
        markersize=4.6,
        color=INK,
        markeredgecolor="white",
        markeredgewidth=0.4,
        alpha=0.85,
        clip_on=False,
    )
