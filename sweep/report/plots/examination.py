"""The picture of forecasts from elsewhere: truth, forecast and the best baseline, and the error by step."""

from collections.abc import Mapping, Sequence

import numpy as np

from sweep.report.plots.canvas import INK, QUIET, drawable, fitted, new_figure, png
from sweep.report.plots.error_curves import draw_steps
from sweep.report.plots.panels import panels_of
from sweep.report.plots.rollout_panels import draw_panel, name_curves
from sweep.results.shown_rollouts import baseline_of, groups_of, shown_rollouts

WIDTH, HEIGHT, DPI = 12.0, 6.2, 100
TOP, BOTTOM, GAP = 0.855, 0.098, 0.06  # of the panels, in shares of the height
ROOM = 0.967 * WIDTH * 72  # points of a line of text


def draw_examination(
    arrays: Mapping[str, np.ndarray],
    channels: Sequence[str],
    baseline: Mapping[str, np.ndarray],
    code: str,
    title: str,
    line: str,
) -> bytes:
    """Return the picture as PNG.

    Args:
        arrays: as rollout.npz holds them.
        channels: their names.
        baseline: forecast of the best baseline, as in baseline.npz; empty: none.
        code: of the symptom, whose evidence is drawn.
        title: of the picture.
        line: below the title.
    """
    figure = new_figure(WIDTH, HEIGHT, DPI)
    head = fitted(drawable(title), 13, ROOM)
    figure.text(0.018, 0.975, head, fontsize=13, fontweight="bold", color=INK, va="top", parse_math=False)
    text = fitted(drawable(line), 10, ROOM)
    figure.text(0.018, 0.928, text, fontsize=10, color=QUIET, va="top", parse_math=False)
    best = baseline_of(arrays, baseline)
    shown = shown_rollouts(arrays, groups_of(arrays, channels))
    panels = panels_of(arrays, shown, code, None if best is None else best[1])
    height = (TOP - BOTTOM + GAP) / len(panels)
    for row, panel in enumerate(panels):
        last = row == len(panels) - 1
        axes = figure.add_axes((0.042, TOP + GAP - (row + 1) * height, 0.566, height - GAP))
        draw_panel(axes, panel, last=last)
        if last:
            name_curves(axes, "" if best is None else best[0])
    draw_steps(figure.add_axes((0.675, BOTTOM, 0.31, TOP - BOTTOM)), arrays)
    return png(figure)
