"""The right side of a trial's plot: the error by rollout step, and the learning curves."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.transforms import Affine2D

from sweep.config.records import TrialRecord
from sweep.report.plots.canvas import (
    FAINT,
    GOOD,
    HALO,
    INK,
    ONE_STEP,
    QUIET,
    ROLLOUT,
    key,
    label,
    linear_ticks,
    log_ticks,
    ruled,
)
from sweep.results.wording.numbers import count_text

FLOOR, CEILING = 1e-10, 30.0  # errors outside are drawn at the rim


def _limits(values: np.ndarray) -> tuple[float, float]:
    """Return limits in whole decades around errors that are mostly below 1: at least 0.1..1."""
    finite = values[np.isfinite(values)]
    low, high = finite.min(initial=0.1), finite.max(initial=1.0)
    top = CEILING if high > 10 else 10.0 if high > 2.2 else 2.2
    return float(10.0 ** math.floor(math.log10(max(low, FLOOR)) + 1e-9)), top


def _rimmed(values: Any) -> np.ndarray:
    """Return errors as floats within the range of an axis: NaN stays a gap, inf becomes the ceiling."""
    rimmed: np.ndarray = np.clip(np.asarray(values, dtype=float), FLOOR, CEILING)
    return rimmed


def draw_steps(axes: Axes, arrays: Mapping[str, np.ndarray]) -> None:
    """Draw the error by rollout step, free-running and on true inputs, of the arrays of rollout.npz."""
    free, forced = (np.asarray(arrays[name], float).reshape(-1) for name in ("nrmse", "one_step_nrmse"))
    low, middle, high = np.quantile(np.asarray(arrays["valid_steps"]).reshape(-1), (0.1, 0.5, 0.9))
    horizon = len(free)
    limits = _limits(np.concatenate([_rimmed(free), _rimmed(forced)]))
    ruled(
        axes,
        (0, horizon),
        limits,
        linear_ticks(0, horizon, 5),
        log_ticks(*limits),
        title="error by step (nrmse)",
        x_name="step of the rollout",
        log=True,
    )
    forced_names = [("on true inputs", ONE_STEP)] if not np.isnan(forced).all() else []
    key(axes, [("free-running", ROLLOUT), *forced_names])
    axes.axvspan(float(low), float(max(high, low + 0.004 * horizon)), color=GOOD, alpha=0.13, linewidth=0)
    axes.axvline(float(middle), color=GOOD, linewidth=1.4)
    axes.axhline(1.0, color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)))
    x = np.arange(1, horizon + 1)
    axes.plot(x, _rimmed(forced), color=ONE_STEP, linewidth=1.2)
    axes.plot(x, _rimmed(free), color=ROLLOUT, linewidth=1.3)
    early = middle < 0.5 * horizon
    label(
        axes,
        float(middle),
        0.07,
        f"valid steps {middle:.0f}",
        (5 if early else -5, 0),
        color="#00704f",
        weight="bold",
        ha="left" if early else "right",
        over=axes.get_xaxis_transform(),
        bbox=HALO,
    )
    over = axes.get_yaxis_transform()
    above = math.log10(limits[1]) > 0.1 * math.log10(limits[1] / limits[0])  # else the key is there
    lift, va = ((0, 2.5), "bottom") if above else ((0, -2.5), "top")
    label(axes, 0.99, 1.0, "as bad as trivial", lift, va=va, ha="right", color=QUIET, over=over)
    if not np.isfinite(free).all():
        step = int((~np.isfinite(free)).argmax()) + 1
        text = f"a start is not finite from step {step}"
        label(axes, 0.99, 0.93, text, ha="right", va="top", color=ROLLOUT, weight="bold", bbox=HALO)


def draw_learning(axes: Axes, record: TrialRecord, curves: pd.DataFrame) -> None:
    """Draw the learning curves over the budget; the columns of curves.csv may be missing."""
    x = np.array([entry.sequence_steps for entry in record.evaluations], dtype=float)
    rollout = _rimmed([entry.scores.rollout_error for entry in record.evaluations])
    one_step = _rimmed([entry.scores.one_step_error for entry in record.evaluations])
    recorded = {"sequence_steps", "loss"} <= set(curves.columns)
    loss_x = curves["sequence_steps"].to_numpy(float) if recorded else np.zeros(0)
    loss = _rimmed(np.sqrt(np.clip(curves["loss"].to_numpy(float), 0, None))) if recorded else np.zeros(0)
    budget = (record.config.get("training") or {}).get("budget") or record.sequence_steps or 1
    limits = _limits(np.concatenate([rollout, one_step, loss]))
    stopped = record.state in ("pruned", "diverged", "failed") and record.sequence_steps < budget
    ruled(
        axes,
        (0, 1.02 * budget),
        limits,
        linear_ticks(0, budget, 4, count_text),
        log_ticks(*limits),
        title="learning curves",
        note=f"{record.state} at {record.sequence_steps / budget:.0%} of the budget" if stopped else "",
        x_name="sequence-steps of training",
        log=True,
    )
    for rung in record.config.get("rungs") or ():
        axes.axvline(rung * budget, color="#b9bec6", linewidth=0.9, linestyle=(0, (1, 2)), zorder=0.6)
    axes.plot(loss_x, loss, color=FAINT, linewidth=0.8, alpha=0.7)
    axes.plot(x, one_step, color=ONE_STEP, linewidth=1.2, marker="o", markersize=2.6)
    axes.plot(x, rollout, color=ROLLOUT, linewidth=1.4, marker="o", markersize=2.6)
    _mark_checkpoints(axes, record, x, rollout)
    where = (0, -0.245)
    for text, color, lift in (
        ("rollout error", ROLLOUT, 0),
        ("one-step error", ONE_STEP, 78),
        ("√ train loss", FAINT, 164),
    ):
        label(axes, *where, text, (lift, 0), color=color, weight="bold", va="top")


def _mark_checkpoints(axes: Axes, record: TrialRecord, x: np.ndarray, rollout: np.ndarray) -> None:
    """Mark on the rollout curve the last, the best one-step, and the chosen checkpoint."""
    marks = (
        (len(x) - 1, "s", 8.5, "last", "none", INK, 190),
        (record.best_one_step, "D", 8.5, "lowest one-step error", "none", ONE_STEP, 66),
        (record.best, "*", 12, "chosen", GOOD, "white", 6),
    )
    place = axes.transAxes + Affine2D().translate(0, -0.245 * axes.bbox.height - 19.5 * axes.figure.dpi / 72)
    for index, marker, size, name, face, edge, lift in marks:
        if index is None or not 0 <= index < len(x):
            continue
        style: dict[str, Any] = {
            "linestyle": "none",
            "marker": marker,
            "markerfacecolor": face,
            "markeredgecolor": edge,
            "clip_on": False,
        }
        axes.plot(
            x[index : index + 1],
            rollout[index : index + 1],
            markersize=size,
            markeredgewidth=1.4,
            zorder=5,
            **style,
        )
        beside = place + Affine2D().translate(lift * axes.figure.dpi / 72, 0)
        style["markeredgecolor"] = GOOD if edge == "white" else edge
        axes.plot([0], [0], markersize=size * 0.75, markeredgewidth=1.1, transform=beside, **style)
        label(axes, 0, 0, name, (8, 0), va="center", over=beside)
