"""The rollouts of a trial that its plot shows, and where a forecast that leaves the data is cut."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sweep.report.plots.drawn_evidence import Envelope, PhaseError, evidence_of
from sweep.results.shown_rollouts import ShownRollout, rollout_limits
from sweep.results.wording.rollouts import rollout_title, short_name, span_text

TAIL = 0.25  # of the horizon: length of the warm-up that is shown at most
MOST_INPUTS = 3  # inputs from outside that are drawn; our choice, more cannot be told apart
LONGEST = 24  # characters of an input's name


@dataclass(frozen=True)
class InputLine:
    """An input from outside over the steps of a panel."""

    text: str  # its name and its range in data units
    values: np.ndarray  # (tail + horizon,): 0 is the lowest value of all stored starts, 1 the highest


@dataclass(frozen=True)
class Panel:
    """One start of one channel, ready to draw. The first forecast is step 1; the true past ends at step 0."""

    title: str
    valid: int
    steps: np.ndarray  # (tail + horizon,)
    truth: np.ndarray  # (tail + horizon,)
    rollout: np.ndarray  # (horizon + 1,), from the last true value on; clipped to just outside the limits
    limits: tuple[float, float]
    left_at: int | None  # first step outside the limits, or not finite
    lost: bool  # whether the value there is not finite
    evidence: Envelope | PhaseError | None = None  # of the trial's symptom
    baseline: np.ndarray | None = None  # (horizon,), forecast of the best baseline, cut at the limits
    times: str = ""  # of the first and the last forecast; empty without dates
    inputs: tuple[InputLine, ...] = ()  # at most MOST_INPUTS
    more_inputs: int = 0  # that are not drawn


def panels_of(
    arrays: Mapping[str, np.ndarray],
    shown: Sequence[ShownRollout],
    code: str = "",
    baseline: np.ndarray | None = None,
) -> list[Panel]:
    """Return the panels of some rollouts.

    Args:
        arrays: of rollout.npz.
        shown: the rollouts.
        code: of the trial's symptom, whose evidence is drawn; "": none.
        baseline: (start, step, channel), forecasts of the best baseline, or None.
    """
    return [_panel(arrays, one, code, baseline) for one in shown]


def _panel(
    arrays: Mapping[str, np.ndarray], shown_one: ShownRollout, code: str, baseline: np.ndarray | None
) -> Panel:
    start, channel, horizon = shown_one.start, shown_one.group.column, arrays["truth"].shape[1]
    tail = max(1, int(TAIL * horizon))
    past = np.asarray(arrays["past"][start, -tail:, channel], dtype=float)
    truth = np.asarray(arrays["truth"][start, :, channel], dtype=float)
    forecast = np.asarray(arrays["forecast"][start, :, channel], dtype=float)
    scale = float(arrays["scale"][start, channel])
    shown = np.concatenate([past, truth])
    limits = rollout_limits(shown, forecast, scale)
    outside = ~((forecast >= limits[0]) & (forecast <= limits[1]))
    left_at = int(outside.argmax()) if outside.any() else None
    span = limits[1] - limits[0]
    drawn = np.clip(forecast, limits[0] - span, limits[1] + span)
    anchor = past[-1:] if len(past) else drawn[:1]
    return Panel(
        title=rollout_title(shown_one),
        valid=shown_one.valid,
        steps=np.arange(1 - len(past), horizon + 1),
        truth=shown,
        rollout=np.concatenate([anchor, drawn]),
        limits=limits,
        left_at=None if left_at is None else left_at + 1,
        lost=left_at is not None and not math.isfinite(forecast[left_at]),
        evidence=evidence_of(arrays, start, channel, code) if code else None,
        baseline=None if baseline is None else np.clip(baseline[start, :, channel], *limits),
        times=span_text(arrays["times"][start, -horizon:]) if "times" in arrays else "",
        inputs=_input_lines(arrays, start, len(shown)),
        more_inputs=max(0, len(arrays.get("input_names", ())) - MOST_INPUTS),
    )


def _input_lines(arrays: Mapping[str, np.ndarray], start: int, steps: int) -> tuple[InputLine, ...]:
    """Return the first inputs from outside over the last steps of a start; none if none are stored."""
    if "inputs" not in arrays:
        return ()
    lines = []
    for column, name in enumerate(arrays["input_names"][:MOST_INPUTS]):
        every = np.asarray(arrays["inputs"][..., column], dtype=float)
        low, high = float(every.min()), float(every.max())
        text = short_name(str(name), LONGEST)
        if low == high:
            lines.append(InputLine(f"{text} {low:.4g}", np.full(steps, 0.5)))
        else:
            values = (every[start, -steps:] - low) / (high - low)
            lines.append(InputLine(f"{text} {low:.4g} to {high:.4g}", values))
    return tuple(lines)
