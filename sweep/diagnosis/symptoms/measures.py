"""Measures: the numbers of one start and channel that decide its symptom."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sweep.data.types import Array
from sweep.diagnosis.symptoms.demodulation import (
    LONGEST,
    Demodulated,
    decay_per_step,
    demodulated,
    phase_by_window,
    separable,
    straight_line,
    window_length,
    windows,
)
from sweep.diagnosis.symptoms.recurrence import locked_period, recurrence
from sweep.diagnosis.symptoms.tones import Tones, strongest_tone, without_line

STILL = 0.1  # of the truth's standard deviation; a forecast that moves less has stopped
SOON = 0.1  # of the horizon; a forecast that has stopped by then never moved
ONE_WAY = 1.1  # path length over range; a ramp that turns back has a larger one
LATE = 0.75  # of the horizon; windows centred beyond it measure its end
LIVING, LOST = 0.6, 0.3  # amplitude ratios of a tone: above the first it is present, below the second lost
AUDIBLE = 0.1  # share of the variance; the loss of a weaker tone does not count


@dataclass(frozen=True)
class Measures:
    """Numbers of a forecast against its truth. Amplitudes are ratios, levels are in scales."""

    valid_steps: int  # steps before the trailing error reaches 0.5
    first_error: float  # RMS error of the first quarter block
    amplitude_early: float  # swing (standard deviation in a window) over the truth's
    amplitude_late: float
    decay_per_step: float  # above 0 the oscillation dies out
    steadiness: float  # movement of the last third over that of the middle third: 1 is a steady swing
    stopped: bool  # moves by less than STILL from a tenth of the horizon on, apart from a slow ramp
    level_late: float  # forecast minus truth, mean level
    furthest: float  # largest distance of the late forecast from the truth's middle, over the truth's own
    recurrence: float  # of the late forecast: 0 is an exact repetition, 1 is none
    locked_period: int | None  # steps, if the forecast repeats itself exactly
    own_frequency: float | None  # rad per step, the late forecast's strongest tone
    # against the truth's tones; None or empty if the truth has none
    tones: tuple[float, ...] = ()  # periods in steps, strongest first
    frequency: float | None = None  # rad per step: the truth's tone whose phase error costs most
    frequency_error: float | None = None  # relative: 0.01 is 1 % too fast
    phase_first: float | None = None  # rad, of the fitted line at step 0
    phase_last: float | None = None  # rad, of the fitted line at the horizon
    phase_r2: float | None = None  # of that line
    phase_bent: float | None = None  # rad, RMS distance from that line
    rest_late: float | None = None  # share of the late forecast's variance outside the truth's tones
    tone_amplitudes: tuple[float, ...] = ()  # late amplitude ratio by tone
    lost: tuple[float, ...] = ()  # periods of lost tones
    others_live: bool = False  # another strong tone has kept its amplitude
    overgrown: bool = False  # a strong tone is larger than the truth's
    # mean squared error after the valid steps that a right level, amplitude or phase would remove, and the rest; of a
    # truth that wanders, of all steps, that a right level and slope would remove, and the rest
    share_level: float = 0.0
    share_amplitude: float = 0.0
    share_phase: float = 0.0
    share_rest: float = 0.0


def tonal_measures(forecast: Array, truth: Array, tones: Tones, block: int, valid: int) -> Measures:
    """Return the measures of a forecast whose truth is a sum of tones.

    Args:
        forecast: (step,), finite, in scales from the mean.
        truth: (step,), same.
        tones: of the truth.
        block: steps of a block.
        valid: valid steps of this start and channel.
    """
    horizon = len(truth)
    omega = separable(tones.omega, int(LONGEST * horizon))
    length = window_length(omega, horizon)
    windowed = demodulated(forecast, truth, omega, length)
    moves, true = _swing(forecast, length), _swing(truth, length)
    swing = moves / np.maximum(true, 0.05 * truth.std() + 1e-12)
    late = _late(windowed.centre, horizon)
    failing = windowed.centre >= min(valid, windowed.centre[-1])
    parts = _error_parts(windowed, moves**2, failing)
    tone = int(np.argmax(parts[2]))
    phase, weight = phase_by_window(windowed, tone)
    slope, first, r2 = straight_line(windowed.centre, phase, weight)
    bent = np.square(phase - first - slope * windowed.centre)
    ratio = np.sqrt((np.abs(windowed.ratio[late]) ** 2).mean(axis=0))
    share = windowed.weight.mean(axis=0) / windowed.weight.mean(axis=0).sum()
    gone = (ratio < LOST) & (share >= AUDIBLE)
    lives = (ratio >= LIVING) & (ratio <= 1 / LIVING) & (share >= AUDIBLE)
    periods = 2 * np.pi / omega
    common = _common(forecast, truth, block, valid, swing, windowed.centre)
    # by power: otherwise a window in which a modulated truth nearly rests would decide
    common["amplitude_late"] = float(
        np.sqrt((moves[late] ** 2).mean() / max((true[late] ** 2).mean(), 1e-24))
    )
    return Measures(
        **common,
        level_late=float(windowed.level[late].mean()),
        tones=tuple(periods.tolist()),
        frequency=float(omega[tone]),
        frequency_error=float(slope / omega[tone]),
        phase_first=float(first),
        phase_last=float(first + slope * horizon),
        phase_r2=float(r2),
        phase_bent=float(np.sqrt(bent @ weight / max(float(weight.sum()), 1e-300))),
        rest_late=float(windowed.rest[late].mean()),
        tone_amplitudes=tuple(ratio.tolist()),
        lost=tuple(periods[gone].tolist()),
        others_live=bool(lives.any()),
        overgrown=bool(((ratio > 1 / LIVING) & (share >= AUDIBLE)).any()),
        share_level=float(parts[0]),
        share_amplitude=float(parts[1].sum()),
        share_phase=float(parts[2].sum()),
        share_rest=float(parts[3]),
    )


def irregular_measures(forecast: Array, truth: Array, everyone: Array, block: int, valid: int) -> Measures:
    """Return the measures of a forecast whose truth has no lasting tones, against the truth of all starts.

    Args:
        forecast: (step,), finite, in scales from the mean.
        truth: (step,), same.
        everyone: (start, step), the truth of all starts.
        block: steps of a block.
        valid: valid steps of this start and channel.
    """
    horizon = len(truth)
    length = min(horizon, max(4, 2 * block))
    usual = np.sqrt(np.mean([_swing(values, length) ** 2 for values in everyone])) + 1e-12
    _, centre = windows(truth, length)
    half = horizon // 2
    common = _common(forecast, truth, block, valid, _swing(forecast, length) / usual, centre)
    # windows of chaotic data differ among themselves, so half of the horizon measures the end
    common["amplitude_late"] = float(forecast[half:].std() / max(_pooled_std(everyone[:, half:]), 1e-12))
    if not wanders(everyone):
        return Measures(**common, level_late=float(forecast[half:].mean() - everyone[:, half:].mean()))
    error = forecast - truth
    line = float(np.square(error - without_line(error)).mean())
    return Measures(
        **common,
        level_late=float(error[half:].mean()),
        share_level=line,
        share_rest=float(np.square(error).mean()) - line,
    )


def wanders(everyone: Array) -> bool:
    """Return whether the level differs more between records than the values within one, as with a trend or a walk.

    Then a forecast's level is compared with its own truth and not with that of all records.

    Args:
        everyone: (start, step), the truth of all starts.
    """
    late = everyone[:, everyone.shape[1] // 2 :]
    return bool(late.mean(axis=1).std() > _pooled_std(late))


def _common(
    forecast: Array, truth: Array, block: int, valid: int, swing: Array, centre: Array
) -> dict[str, Any]:
    horizon = len(truth)
    late = _late(centre, horizon)
    tail = forecast[horizon // 3 :]
    repeats, _ = recurrence(tail)
    third = horizon // 3
    middle = float(truth.mean())
    reach = max(float(np.abs(truth - middle).max()), 1e-12)
    first = max(1, block // 4)
    return {
        "valid_steps": valid,
        "first_error": float(np.sqrt(np.square(forecast[:first] - truth[:first]).mean())),
        "amplitude_early": float(swing[0]),
        "amplitude_late": float(np.sqrt((swing[late] ** 2).mean())),
        "decay_per_step": decay_per_step(centre, swing),
        "stopped": _has_stopped(forecast, truth, block),
        "steadiness": float(
            forecast[2 * third :].std() / max(float(forecast[third : 2 * third].std()), 1e-12)
        ),
        "furthest": float(np.abs(forecast[horizon * 3 // 4 :] - middle).max()) / reach,
        "recurrence": repeats,
        "locked_period": locked_period(tail),
        "own_frequency": strongest_tone(tail),
    }


def _has_stopped(forecast: Array, truth: Array, block: int) -> bool:
    """Return whether a forecast has stopped from SOON on; not if the truth is itself a ramp that it follows."""
    begin, least = int(SOON * len(truth)), STILL * max(float(truth.std()), 1e-12)
    if not _stopped(forecast[begin:], block, least):
        return False
    return not _stopped(truth[begin:], block, least) or float(forecast[begin:].std()) < least


def _stopped(after: Array, block: int, least: float) -> bool:
    """Return whether a series moves by less than `least` in every block, apart from a ramp in one direction."""
    parts, _ = windows(after, min(max(4, block), len(after)))
    if (parts.std(axis=1) < least).all():
        return True
    coarse = after[:: max(1, block // 4)]
    one_way = np.abs(np.diff(coarse)).sum() <= ONE_WAY * (coarse.max() - coarse.min())
    return bool(one_way and (np.array([without_line(part).std() for part in parts]) < least).all())


def _error_parts(windowed: Demodulated, variance: Array, failing: Array) -> tuple[float, Array, Array, float]:
    """Return mean squared errors: of the level, of amplitudes and of phases by tone, and of the rest."""
    size = np.abs(windowed.ratio[failing])
    power = windowed.weight[failing] / 2
    phase = np.angle(windowed.ratio[failing])
    return (
        float(np.square(windowed.level[failing]).mean()),
        (power * (1 - size) ** 2).mean(axis=0),
        (power * 4 * size * np.sin(phase / 2) ** 2).mean(axis=0),
        float((windowed.rest * variance)[failing].mean()),
    )


def _swing(values: Array, length: int) -> Array:
    """Return (window,), the standard deviation in overlapping windows."""
    deviation: Array = windows(values, length)[0].std(axis=1)
    return deviation


def _late(centre: Array, horizon: int) -> Array:
    late: Array = centre >= min(LATE * horizon, centre[-1])
    return late


def _pooled_std(records: Array) -> float:
    return float(np.sqrt(records.var(axis=1).mean()))
