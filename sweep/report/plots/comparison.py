"""The pictures of a comparison: best-so-far by budget, and the distribution of the trials' errors."""

import numpy as np
from matplotlib.axes import Axes

from sweep.data.types import Array
from sweep.report.plots.canvas import (
    ONE_STEP,
    QUIET,
    ROLLOUT,
    key,
    linear_ticks,
    log_ticks,
    new_figure,
    png,
    ruled,
)
from sweep.results.comparison.compared import Pair, Side
from sweep.results.wording.numbers import count_text, percent_text

WIDTH, HEIGHT, DPI = 5.4, 3.5, 200
FLOOR = 1e-10  # smaller errors are drawn there
COLORS = (ONE_STEP, ROLLOUT)  # of the first and the second study


def best_so_far_plot(pair: Pair) -> bytes:
    """Return the lowest error by the budget that a search has spent: trials, or sequence-steps; the limit is dashed."""
    sides, trials = (pair.first, pair.second), pair.budget.unit == "trials"
    spent = [np.arange(1, len(side.scores.trials) + 1) if trials else side.scores.cost for side in sides]
    axes, low = _axes(sides)
    most = float(max(costs[-1] for costs in spent))
    begin = 1.0 if trials else 0.0
    ruled(
        axes,
        (begin, max(most, begin + 1)),
        (low, 1.15),
        linear_ticks(begin, most, 5, count_text),
        log_ticks(low, 1.0),
        title="lowest rollout error so far",
        x_name=f"{pair.budget.unit} of the search",
        log=True,
    )
    axes.axvline(pair.budget.limit, color=QUIET, linewidth=1.1, linestyle=(0, (4, 3)))
    for side, costs, color in zip(sides, spent, COLORS, strict=True):
        axes.step(costs, _drawn(side.scores.best_so_far), where="post", color=color, linewidth=1.8)
    key(axes, [(side.name, color) for side, color in zip(sides, COLORS, strict=True)])
    return png(axes.figure)  # type: ignore[arg-type]


def distribution_plot(pair: Pair) -> bytes:
    """Return the share of trials with at most an error, within the equal budget."""
    sides = (pair.first, pair.second)
    axes, low = _axes(sides)
    ruled(
        axes,
        (np.log10(low), 0.0),
        (0.0, 1.02),
        [(float(np.log10(place)), text) for place, text in log_ticks(low, 1.0)],
        linear_ticks(0, 1, 4, percent_text),
        title="share of trials with at most this error",
        x_name="rollout error, within the equal budget",
    )
    for side, color in zip(sides, COLORS, strict=True):
        errors = np.sort(_drawn(side.equal.errors))
        shares = np.arange(1, len(errors) + 1) / len(errors)
        axes.step(np.log10([*errors, 1.0]), [*shares, 1.0], where="post", color=color, linewidth=1.8)
    key(axes, [(side.name, color) for side, color in zip(sides, COLORS, strict=True)])
    return png(axes.figure)  # type: ignore[arg-type]


def _axes(sides: tuple[Side, Side]) -> tuple[Axes, float]:
    figure = new_figure(WIDTH, HEIGHT, DPI)
    axes = figure.add_axes((0.55 / WIDTH, 0.44 / HEIGHT, 1 - 0.73 / WIDTH, 1 - 0.74 / HEIGHT))
    lowest = min(float(_drawn(side.scores.errors).min()) for side in sides)
    return axes, min(0.6 * lowest, 0.09)  # a decade at least


def _drawn(errors: Array) -> Array:
    return np.asarray(np.clip(errors, FLOOR, 1.0))
