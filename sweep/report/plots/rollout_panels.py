"""The left side of a trial's plot: truth and rollout of a few starts, and the inputs from outside below them."""

import numpy as np
from matplotlib.axes import Axes

from sweep.config.text import plural
from sweep.report.plots.canvas import (
    BASELINE,
    FAINT,
    GOOD,
    HALO,
    INK,
    INPUTS,
    QUIET,
    ROLLOUT,
    SMALL,
    TRUTH,
    key,
    label,
    level_ticks,
    linear_ticks,
    ruled,
    text_width,
)
from sweep.report.plots.drawn_evidence import Envelope, PhaseError
from sweep.report.plots.panels import LONGEST, Panel
from sweep.results.wording.rollouts import short_name

BESIDE_TICK = 8  # points from the middle of a tick's text to its neighbour; our choice


def draw_panel(axes: Axes, panel: Panel, last: bool) -> None:
    """Draw truth and rollout of one start.

    Args:
        axes: new.
        panel: the start.
        last: whether nothing is drawn below, so that it has the ticks of the steps.
    """
    past = len(panel.steps) - len(panel.rollout) + 1
    horizon = len(panel.rollout) - 1
    y_ticks, level = level_ticks(*panel.limits, 3)
    notes = [panel.times, f"values minus {level}" if level else "", _evidence_text(panel.evidence)]
    notes += [f"valid for {panel.valid} of {horizon} steps"]
    ruled(
        axes,
        (float(panel.steps[0]), horizon),
        panel.limits,
        x_ticks=linear_ticks(0, horizon, 5) if last else (),
        y_ticks=y_ticks,
        title=panel.title,
        note=" · ".join(note for note in notes if note),
        x_name="step of the rollout" if last else "",
    )
    axes.axvspan(float(panel.steps[0]), 0, color="#f1f2f4", linewidth=0, zorder=0)
    if panel.valid > 0:
        axes.axvspan(0, panel.valid, ymin=0, ymax=0.03, color=GOOD, linewidth=0, zorder=4)
    axes.plot(panel.steps, panel.truth, color=TRUTH, linewidth=2.6, alpha=0.33, solid_capstyle="butt")
    if panel.baseline is not None:
        step = np.arange(1, horizon + 1)
        axes.plot(step, panel.baseline, color=BASELINE, linewidth=1.1, linestyle=(0, (4, 1.5)))
    axes.plot(np.arange(horizon + 1), panel.rollout, color=ROLLOUT, linewidth=1.15)
    if isinstance(panel.evidence, Envelope):
        _draw_envelope(axes, panel.evidence, horizon)
    elif panel.evidence is not None:
        _mark_phase(axes, panel.evidence, panel.limits)
    if last:
        _name_past(axes, past, horizon)
    if panel.left_at is not None:
        _mark_exit(axes, panel, panel.left_at, horizon)


def draw_inputs(axes: Axes, panel: Panel, last: bool) -> None:
    """Draw the inputs from outside over the steps of a panel, each between its lowest and highest value.

    Args:
        axes: new; slim, below that of the panel.
        panel: with at least one input.
        last: whether nothing is drawn below.
    """
    past, horizon = len(panel.steps) - len(panel.rollout) + 1, len(panel.rollout) - 1
    ruled(
        axes,
        (float(panel.steps[0]), horizon),
        (-0.12, 1.12),
        x_ticks=linear_ticks(0, horizon, 5) if last else (),
        x_name="step of the rollout" if last else "",
        note=f"and {plural(panel.more_inputs, 'more input')}" if panel.more_inputs else "",
    )
    axes.axvspan(float(panel.steps[0]), 0, color="#f1f2f4", linewidth=0, zorder=0)
    for line, color in zip(panel.inputs, INPUTS, strict=False):
        axes.plot(panel.steps, line.values, color=color, linewidth=1.2)
    names = [(line.text, color) for line, color in zip(panel.inputs, INPUTS, strict=False)]
    key(axes, names, lift=1, right=False)
    if last:
        _name_past(axes, past, horizon)


def name_curves(axes: Axes, baseline: str) -> None:
    """Name the curves of all panels in their colours, below the lowest of them at the right.

    Args:
        axes: of that panel, or of its inputs.
        baseline: the name of the drawn one; empty: none is drawn.
    """
    names = [("truth", FAINT), ("rollout", ROLLOUT), ("valid", GOOD)]
    names += [(f"best baseline, {short_name(baseline, LONGEST)}", BASELINE)] if baseline else []
    key(axes, names, lift=-35, base=0.0)


def _name_past(axes: Axes, past: int, horizon: int) -> None:
    text, end = "true past", past / (past + horizon)
    points = axes.bbox.width * 72 / axes.figure.dpi
    room = end * points - 2 * BESIDE_TICK
    if text_width(text, SMALL) <= room:
        label(axes, 0.5 * end, 0, text, (0, -4), color=QUIET, ha="center", va="top")
    else:  # the tick of step 0 is at the end of the past
        label(axes, end, 0, text, (-BESIDE_TICK, -4), color=QUIET, ha="right", va="top")


def _evidence_text(evidence: Envelope | PhaseError | None) -> str:
    """Return the drawn evidence in words, for the panel's heading."""
    if isinstance(evidence, Envelope):
        return f"half-life {evidence.half_life:.0f} steps"
    if evidence is None:
        return ""
    way = "late" if evidence.late > 0 else "early"
    return f"marked: {abs(evidence.late):.0f} steps {way}, {abs(evidence.phase):.1f} rad"


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
