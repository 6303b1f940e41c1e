"""The picture of one trial, which shows at a glance how its rollout fails."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Affine2D

from sweep.config.errors import StoreError
from sweep.config.records import TrialRecord
from sweep.report.plots.canvas import (
    FAINT,
    GOOD,
    INK,
    ONE_STEP,
    QUIET,
    ROLLOUT,
    TRUTH,
    drawable,
    key,
    label,
    level_ticks,
    linear_ticks,
    log_ticks,
    new_figure,
    png,
    ruled,
)
from sweep.report.plots.drawn_evidence import Envelope, PhaseError
from sweep.report.plots.panels import Panel, panels_of
from sweep.results.stored_diagnoses import muted_codes, readable_diagnoses
from sweep.results.wording.diagnosis import symptom_text
from sweep.results.wording.numbers import config_words, count_text, number_text, steps_text
from sweep.store.folder import StudyFolder

WIDTH, HEIGHT, DPI = 12.0, 6.6, 100
TOP, BOTTOM, GAP = 0.845, 0.075, 0.052  # of the plots, in shares of the height
FLOOR, CEILING = 1e-10, 30.0  # errors outside are drawn at the rim
NAMES = {"replicated": "training {}, fresh seed", "completed": "training {}, a pruned trial to its end"}
HALO = {"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 1.0}  # behind text over curves


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
    return png(trial_figure(record, arrays, curves, channel_names(folder), shown_symptom(folder, record)))


def channel_names(folder: StudyFolder) -> list[str]:
    """Return the names of the data's channels, empty if they are not stored."""
    try:
        return [str(name) for name in folder.read_study().get("record", {}).get("channels", [])]
    except StoreError:
        return []


def shown_symptom(folder: StudyFolder, record: TrialRecord) -> Mapping[str, Any] | None:
    """Return a trial's symptom, None if it was not diagnosed or the study mutes it."""
    diagnosis = readable_diagnoses(folder, [record]).get(record.number)
    if diagnosis is None or diagnosis.code in muted_codes(folder.read_study()):
        return None
    return diagnosis.symptom


def trial_figure(
    record: TrialRecord,
    arrays: Mapping[str, np.ndarray],
    curves: pd.DataFrame,
    channels: list[str],
    symptom: Mapping[str, Any] | None = None,
) -> Figure:
    """Return the figure of `draw_trial` from a record, arrays and curves."""
    figure = new_figure(WIDTH, HEIGHT, DPI)
    _draw_title(figure, record, arrays, symptom)
    if "forecast" in arrays:
        panels = panels_of(arrays, channels, "" if symptom is None else symptom["code"])
        height = (TOP - BOTTOM + GAP) / len(panels)
        for row, panel in enumerate(panels):
            bottom = TOP + GAP - (row + 1) * height
            axes = figure.add_axes((0.042, bottom, 0.566, height - GAP))
            _draw_panel(axes, panel, first=row == 0, last=row == len(panels) - 1)
        _draw_steps(figure.add_axes((0.675, 0.535, 0.31, TOP - 0.535)), arrays)
        _draw_learning(figure.add_axes((0.675, BOTTOM + 0.055, 0.31, 0.29)), record, curves)
    else:
        axes = figure.add_axes((0.042, BOTTOM, 0.566, TOP - BOTTOM))
        axes.set_axis_off()
        label(axes, 0.5, 0.5, "no rollout was stored", ha="center", va="center", size=12, color=FAINT)
        _draw_learning(figure.add_axes((0.675, BOTTOM + 0.055, 0.31, TOP - BOTTOM - 0.055)), record, curves)
    return figure


# --- drawing --------------------------------------------------------------------------------------


def _draw_title(
    figure: Figure, record: TrialRecord, arrays: Mapping[str, np.ndarray], symptom: Mapping[str, Any] | None
) -> None:
    name = NAMES.get(record.origin, "trial {}").format(record.number)
    head = figure.text(
        0.018,
        0.975,
        drawable(" · ".join([name, record.state] + ([] if symptom is None else [symptom_text(symptom)]))),
        fontsize=13,
        fontweight="bold",
        color=INK,
        va="top",
    )
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    offset = head.get_window_extent(renderer).x1 / (WIDTH * DPI) + 0.014
    words = " · ".join(config_words(record.config, record.params))
    _text(figure, offset, 0.9725, words, 11, INK, room=0.985 - offset)
    parts = []
    score = record.config.get("score") or {}
    starts, horizon = (
        arrays["truth"].shape[:2] if "truth" in arrays else (score.get("starts"), score.get("horizon"))
    )
    scores = record.scores
    if scores is not None:
        parts = [
            f"rollout error {number_text(scores.rollout_error)}",
            f"valid steps {steps_text(scores.valid_steps, horizon)}"
            f" (10–90 %: {scores.valid_steps_low:.0f}–{scores.valid_steps_high:.0f}){_beside(arrays)}",
            f"one-step error {number_text(scores.one_step_error)}",
        ]
        if scores.diverged_fraction > 0:
            count = f"{scores.diverged_fraction * starts:.0f} of {starts}" if starts else "some"
            parts.append(f"{count} starts leave the data")
    if record.reason:
        parts.append(record.reason)
    _text(figure, 0.018, 0.928, " · ".join(parts), 10, QUIET, room=0.967)


def _beside(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the median valid steps of the best trivial forecast, to compare with."""
    if "trivial" not in arrays:
        return ""
    return f", {arrays['trivial']}: {np.median(arrays['trivial_valid_steps']):.0f}"


def _text(figure: Figure, x: float, y: float, text: str, size: float, color: str, room: float) -> None:
    """Write one line, cut at `room` (a share of the figure's width)."""
    most = int(room * WIDTH * 72 / (size * 0.54))  # 0.54 em: a usual character of DejaVu Sans
    line = " ".join(drawable(text).split())
    line = line if len(line) <= most else line[: most - 2] + " …"
    figure.text(x, y, line, fontsize=size, color=color, va="top", parse_math=False)


def _draw_panel(axes: Axes, panel: Panel, first: bool, last: bool) -> None:
    past = len(panel.steps) - len(panel.rollout) + 1
    horizon = len(panel.rollout) - 1
    y_ticks, level = level_ticks(*panel.limits, 3)
    shift = f"values minus {level} · " if level else ""
    ruled(
        axes,
        (float(panel.steps[0]), horizon),
        panel.limits,
        x_ticks=linear_ticks(0, horizon, 5) if last else (),
        y_ticks=y_ticks,
        title=panel.title,
        note=f"{shift}{_evidence_text(panel.evidence)}valid for {panel.valid} of {horizon} steps",
        x_name="step of the rollout" if last else "",
    )
    axes.axvspan(float(panel.steps[0]), 0, color="#f1f2f4", linewidth=0, zorder=0)
    if panel.valid > 0:
        axes.axvspan(0, panel.valid, ymin=0, ymax=0.03, color=GOOD, linewidth=0, zorder=4)
    axes.plot(panel.steps, panel.truth, color=TRUTH, linewidth=2.6, alpha=0.33, solid_capstyle="butt")
    axes.plot(np.arange(horizon + 1), panel.rollout, color=ROLLOUT, linewidth=1.15)
    if isinstance(panel.evidence, Envelope):
        _draw_envelope(axes, panel.evidence, horizon)
    elif panel.evidence is not None:
        _mark_phase(axes, panel.evidence, panel.limits)
    if first:
        origin = past / (past + horizon)
        label(axes, origin, 1, "truth", (4, 4), color=FAINT, weight="bold", va="bottom")
        label(axes, origin, 1, "rollout", (38, 4), color=ROLLOUT, weight="bold", va="bottom")
        label(axes, origin, 1, "valid", (84, 4), color=GOOD, weight="bold", va="bottom")
    if last:
        label(
            axes, 0.5 * past / (past + horizon), 0, "true past", (0, -4), color=QUIET, ha="center", va="top"
        )
    if panel.left_at is not None:
        _mark_exit(axes, panel, panel.left_at, horizon)


def _evidence_text(evidence: Envelope | PhaseError | None) -> str:
    """Return the drawn evidence in words, for the panel's heading."""
    if isinstance(evidence, Envelope):
        return f"half-life {evidence.half_life:.0f} steps · "
    if evidence is None:
        return ""
    way = "late" if evidence.late > 0 else "early"
    return f"marked: {abs(evidence.late):.0f} steps {way}, {abs(evidence.phase):.1f} rad · "


def _draw_envelope(axes: Axes, decay: Envelope, horizon: int) -> None:
    """Draw the decay of the swing on both sides of the level."""
    step = np.linspace(0, horizon, 200)
    reach = decay.height * np.exp(-decay.rate * step)
    for side in (reach, -reach):
        axes.plot(step, decay.level + side, color=INK, linewidth=0.9, linestyle=(0, (5, 3)), alpha=0.75)


def _mark_phase(axes: Axes, error: PhaseError, limits: tuple[float, float]) -> None:
    """Mark the distance between a late crest of the truth and the same crest of the rollout."""
    rise = 0.04 * (limits[1] - limits[0])
    there = error.step + error.late
    y = limits[1] - 0.6 * rise
    for step in (error.step, there):
        axes.plot([step, step], [y - rise, y + rise], color=INK, linewidth=1.4, zorder=6, clip_on=False)
    axes.plot([error.step, there], [y, y], color=INK, linewidth=1.4, zorder=6, clip_on=False)


def _mark_exit(axes: Axes, panel: Panel, step: int, horizon: int) -> None:
    """Mark the step at which the rollout leaves the picture, and its direction."""
    down = panel.rollout[step] < panel.limits[0]
    place = axes.get_xaxis_transform()
    y, marker = (0.0, "v") if down else (1.0, "^")
    axes.plot(
        [step], [y], marker=marker, color=ROLLOUT, markersize=7, clip_on=False, transform=place, zorder=6
    )
    early = step < 0.6 * horizon
    text = f"{'not finite' if panel.lost else 'leaves the picture'} from step {step}"
    label(
        axes,
        step,
        y,
        text,
        (9 if early else -9, 9 if down else -9),
        color=ROLLOUT,
        weight="bold",
        over=place,
        ha="left" if early else "right",
        va="center",
        bbox=HALO,
    )


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


def _draw_steps(axes: Axes, arrays: Mapping[str, np.ndarray]) -> None:
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
    key(axes, [("free-running", ROLLOUT), ("on true inputs", ONE_STEP)])
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
    label(axes, 0.99, 1.0, "as bad as trivial", (0, 2.5), va="bottom", ha="right", color=QUIET, over=over)
    if not np.isfinite(free).all():
        step = int((~np.isfinite(free)).argmax()) + 1
        text = f"a start is not finite from step {step}"
        label(axes, 0.99, 0.93, text, ha="right", va="top", color=ROLLOUT, weight="bold", bbox=HALO)


def _draw_learning(axes: Axes, record: TrialRecord, curves: pd.DataFrame) -> None:
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
    place = axes.transAxes + Affine2D().translate(0, -0.245 * axes.bbox.height - 19.5 * DPI / 72)
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
        beside = place + Affine2D().translate(lift * DPI / 72, 0)
        style["markeredgecolor"] = GOOD if edge == "white" else edge
        axes.plot([0], [0], markersize=size * 0.75, markeredgewidth=1.1, transform=beside, **style)
        label(axes, 0, 0, name, (8, 0), va="center", over=beside)
