"""The rollouts of a trial that its plot shows, and where a forecast that leaves the data is cut."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sweep.report.plots.drawn_evidence import Envelope, PhaseError, evidence_of

MARGIN = (
    1.5  # scales around the truth that an axis shows at most; our choice, so that the truth stays readable
)
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
    inputs: tuple[InputLine, ...] = ()  # at most MOST_INPUTS
    more_inputs: int = 0  # that are not drawn


def panels_of(arrays: Mapping[str, np.ndarray], channels: list[str], code: str = "") -> list[Panel]:
    """Return the starts with the most, the median and the fewest valid steps; fewer panels if there are fewer starts.

    Args:
        arrays: of rollout.npz.
        channels: names of the channels, may be empty. The first scored channel is shown.
        code: of the trial's symptom, whose evidence is drawn; "": none.
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
        _panel(arrays, int(picks[key]), channel, titles[key] + (f", {name}" if name else ""), horizon, code)
        for key in ("best", "median", "worst")
        if key in picks
    ]


def _panel(
    arrays: Mapping[str, np.ndarray], start: int, channel: int, title: str, horizon: int, code: str
) -> Panel:
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
        evidence=evidence_of(arrays, start, channel, code) if code else None,
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
        text = str(name) if len(str(name)) <= LONGEST else f"{str(name)[: LONGEST - 2]} …"
        if low == high:
            lines.append(InputLine(f"{text} {low:.4g}", np.full(steps, 0.5)))
        else:
            values = (every[start, -steps:] - low) / (high - low)
            lines.append(InputLine(f"{text} {low:.4g} to {high:.4g}", values))
    return tuple(lines)
