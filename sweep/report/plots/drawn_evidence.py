"""The evidence of a symptom that is drawn into a rollout: the envelope of a decay, the phase error of a drift."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sweep.data.types import Array
from sweep.diagnosis.symptoms.demodulation import DIED, straight_line, windows
from sweep.diagnosis.symptoms.measures import tonal_measures
from sweep.diagnosis.symptoms.tones import tones_of
from sweep.diagnosis.symptoms.verdicts import HOLDS

LATE = 0.5  # of the horizon: a phase error is marked beyond it, where it has grown
FURTHEST = 2.0  # rad: a larger phase error would be drawn nearer to another crest. Our choice
LEAST = 0.2  # rad: a smaller one cannot be seen
FEWEST = 3  # windows of a fit
SLIGHT = 1e-6  # of the swing over the whole rollout; a smaller fall is rounding. Our choice
FITS = 0.9  # R^2 of the logarithm of the swing, below which a decay is not drawn as an exponential


@dataclass(frozen=True)
class Envelope:
    """level +- height exp(-rate step), the swing of a rollout that dies out."""

    level: float
    height: float
    rate: float  # per step, > 0

    @property
    def half_life(self) -> float:
        """Return the steps in which the swing halves."""
        return float(np.log(2) / self.rate)


@dataclass(frozen=True)
class PhaseError:
    """A crest of the truth, and by how many steps the rollout has it early (< 0) or late."""

    step: float  # of the truth's crest, 1 is the first forecast
    value: float  # there
    late: float  # steps
    phase: float  # rad, > 0 ahead


def envelope_of(forecast: Array, truth: Array, block: int) -> Envelope | None:
    """Return the decay of a rollout's swing, None if it does not fall like an exponential.

    The swing is the standard deviation in windows of two blocks, fitted in its logarithm over the windows
    before it has died; sqrt(2) times it is the height of a sine.

    Args:
        forecast: (step,), any unit.
        truth: (step,), same unit.
        block: steps of a block.
    """
    if not np.isfinite(forecast).all():
        return None
    parts, centre = windows(forecast, int(np.clip(2 * block, 4, max(4, len(truth) // 3))))
    whole = max(float(truth.std()), 1e-12)
    swing = parts.std(axis=1) / whole
    dead = np.flatnonzero(swing < DIED)
    last = int(dead[0]) if len(dead) else len(swing)
    if last < FEWEST:
        return None
    slope, first, r2 = straight_line(centre[:last], np.log(swing[:last]), np.ones(last))
    if slope >= 0 or r2 < FITS or -slope * len(truth) < SLIGHT:
        return None
    return Envelope(float(truth.mean()), float(np.sqrt(2) * np.exp(first)) * whole, -slope)


def phase_error_of(past: Array, forecast: Array, truth: Array, block: int, valid: int) -> PhaseError | None:
    """Return the distance of a failing rollout from the truth at a late crest, None if it cannot be drawn.

    The phase is that of the fitted line (`tonal_measures`). The crest is the latest one with a phase small enough to
    be seen, since beyond half a period the nearest crest is another one.

    Args:
        past: (past step,), the truth before, in scales.
        forecast: (step,), in scales.
        truth: (step,), in scales.
        block: steps of a block.
        valid: valid steps of this start.
    """
    if valid >= HOLDS * len(truth) or not np.isfinite(forecast).all():
        return None
    tones = tones_of(np.concatenate([past, truth]))
    if not len(tones.omega):
        return None
    seen = tonal_measures(forecast, truth, tones, block, valid)
    if seen.frequency is None or seen.phase_first is None or seen.phase_last is None:
        return None
    horizon = len(truth)
    crests = np.flatnonzero((truth[1:-1] > truth[:-2]) & (truth[1:-1] >= truth[2:])) + 1
    crests = crests[truth[crests] > truth.mean() + 0.5 * truth.std()]
    phase = seen.phase_first + (seen.phase_last - seen.phase_first) * crests / horizon
    period = 2 * np.pi / seen.frequency
    late = -phase / seen.frequency
    inside = (crests + late < horizon - 0.1 * period) & (crests < horizon - 0.25 * period)
    shown = np.flatnonzero(
        inside & (np.abs(phase) <= FURTHEST) & (np.abs(phase) >= LEAST) & (crests >= LATE * horizon)
    )
    if not len(shown):
        shown = np.flatnonzero(inside & (np.abs(phase) <= FURTHEST) & (np.abs(phase) >= LEAST))
    if not len(shown):
        return None
    at = shown[-1]
    return PhaseError(float(crests[at] + 1), float(truth[crests[at]]), float(late[at]), float(phase[at]))


def evidence_of(
    arrays: Mapping[str, Array], start: int, channel: int, code: str
) -> Envelope | PhaseError | None:
    """Return the evidence of a symptom for one start and channel, in data units; None for most symptoms.

    Args:
        arrays: of rollout.npz.
        start: index of the start.
        channel: index of the channel.
        code: of the trial's symptom.
    """
    mean, scale = float(arrays["mean"][start, channel]), float(arrays["scale"][start, channel])
    forecast, truth, past = (
        np.asarray(arrays[name][start, :, channel], dtype=float) for name in ("forecast", "truth", "past")
    )
    block = int(np.asarray(arrays["block"]).reshape(-1)[0])
    if code == "S03":
        return envelope_of(forecast, truth, block)
    if code != "S05":
        return None
    valid = int(np.asarray(arrays["valid_steps"]).reshape(-1)[start])
    before, ours, true = ((values - mean) / scale for values in (past, forecast, truth))
    error = phase_error_of(before, ours, true, block, valid)
    if error is None:
        return None
    return PhaseError(error.step, error.value * scale + mean, error.late, error.phase)
