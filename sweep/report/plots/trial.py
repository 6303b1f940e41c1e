"""The picture of one trial, which shows at a glance how its rollout fails."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sweep.config.errors import StoreError, UnknownName
from sweep.config.records import TrialRecord
from sweep.config.registry import nearest
from sweep.report.plots.canvas import FAINT, INK, QUIET, drawable, fitted, label, new_figure, png
from sweep.report.plots.error_curves import draw_learning, draw_steps
from sweep.report.plots.panels import panels_of
from sweep.report.plots.rollout_panels import draw_inputs, draw_panel, name_curves
from sweep.results.shown_rollouts import Group, baseline_of, groups_of, shown_rollouts
from sweep.results.stored_diagnoses import muted_codes, readable_diagnoses
from sweep.results.wording.diagnosis import symptom_text
from sweep.results.wording.numbers import config_words, number_text, steps_text
from sweep.store.folder import StudyFolder

WIDTH, HEIGHT, DPI = 12.0, 6.6, 100
TOP, BOTTOM, GAP = 0.845, 0.092, 0.058  # of the plots, in shares of the height
TALLER = 1.2  # times the height, where there are inputs from outside
RIGHT_BOTTOM = 0.13  # of the learning curves, whose key has two lines
INPUTS_SHARE, INPUTS_GAP = 0.24, 0.024  # of a panel's height, and above it in shares of the figure's
NAMES = {"replicated": "training {}, fresh seed", "completed": "training {}, a pruned trial to its end"}


def draw_trial(
    folder: StudyFolder, number: int, series: str | None = None, channel: str | None = None
) -> bytes:
    """Return the rollout plot of a trial as PNG, whatever its state.

    Left: truth, rollout and the best baseline from the start with the most, the median and the fewest valid steps; of
    several series or channels, those of the median and of the worst one. The inputs from outside are below each, if the
    data have some. Right: the error by rollout step, free-running and teacher-forced, and the learning curves over
    the budget.

    Args:
        folder: of the study.
        number: of the trial.
        series: the name of the only series to show; None: any.
        channel: the name of the only target channel to show; None: any.

    Raises:
        StoreError: there is no such trial, or a file of it is damaged.
        UnknownName: it has no such series or channel.
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
    try:
        baseline = folder.baseline_forecast()
    except StoreError:
        baseline = {}
    drawn = Drawn(arrays, channel_names(folder), baseline, series, channel)
    return png(trial_figure(record, drawn, curves, shown_symptom(folder, record)))


@dataclass(frozen=True)
class Drawn:
    """The rollouts of a trial, and which of them are drawn."""

    arrays: Mapping[str, np.ndarray]  # of rollout.npz; empty: none are stored
    channels: Sequence[str] = ()  # names of all channels, may be empty
    baseline: Mapping[str, np.ndarray] = field(default_factory=dict)  # of baseline.npz
    series: str | None = None  # the only one; None: any
    channel: str | None = None  # the only one; None: any

    @property
    def groups(self) -> list[Group]:
        """Return the groups among which is chosen, the lowest error first.

        Raises:
            UnknownName: there is no such series or channel.
        """
        groups = groups_of(self.arrays, self.channels)
        for kind in ("series", "channel"):
            wanted, known = getattr(self, kind), list(dict.fromkeys(getattr(g, kind) for g in groups))
            if wanted is not None and wanted not in known:
                names = [str(name) for name in known if name is not None]
                listed = f"Known: {', '.join(names)}" if names else f"There is one {kind}; name none"
                raise UnknownName(f"no {kind} named {wanted!r}.{nearest(wanted, names)} {listed}")
            groups = [group for group in groups if wanted is None or getattr(group, kind) == wanted]
        return groups


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
    drawn: Drawn,
    curves: pd.DataFrame,
    symptom: Mapping[str, Any] | None = None,
) -> Figure:
    """Return the figure of `draw_trial` from a record, rollouts and curves."""
    arrays = drawn.arrays
    figure = new_figure(WIDTH, HEIGHT * (TALLER if "inputs" in arrays else 1.0), DPI)
    _draw_title(figure, record, arrays, symptom)
    if "forecast" in arrays:
        best = baseline_of(arrays, drawn.baseline)
        panels = panels_of(
            arrays,
            shown_rollouts(arrays, drawn.groups),
            "" if symptom is None else symptom["code"],
            None if best is None else best[1],
        )
        height = (TOP - BOTTOM + GAP) / len(panels)
        for row, panel in enumerate(panels):
            bottom = TOP + GAP - (row + 1) * height
            last, inner = row == len(panels) - 1, height - GAP
            slim = INPUTS_SHARE * inner if panel.inputs else 0.0
            lift = slim + INPUTS_GAP if panel.inputs else 0.0
            axes = figure.add_axes((0.042, bottom + lift, 0.566, inner - lift))
            draw_panel(axes, panel, last=last and not panel.inputs)
            if panel.inputs:
                axes = figure.add_axes((0.042, bottom, 0.566, slim))
                draw_inputs(axes, panel, last)
            if last:
                name_curves(axes, "" if best is None else best[0])
        draw_steps(figure.add_axes((0.675, 0.535, 0.31, TOP - 0.535)), arrays)
        draw_learning(figure.add_axes((0.675, RIGHT_BOTTOM, 0.31, 0.29)), record, curves)
    else:
        axes = figure.add_axes((0.042, BOTTOM, 0.566, TOP - BOTTOM))
        axes.set_axis_off()
        label(axes, 0.5, 0.5, "no rollout was stored", ha="center", va="center", size=12, color=FAINT)
        draw_learning(figure.add_axes((0.675, RIGHT_BOTTOM, 0.31, TOP - RIGHT_BOTTOM)), record, curves)
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
    line = fitted(" ".join(drawable(text).split()), size, max(0.0, room) * WIDTH * 72)
    figure.text(x, y, line, fontsize=size, color=color, va="top", parse_math=False)
