"""The rules that decide the symptom of one start and channel from its measures.

The thresholds define the words: what "damped" or "growing" means.
"""

import math
from dataclasses import dataclass

from sweep.diagnosis.symptoms.measures import LIVING, LOST, Measures

HOLDS = 0.9  # of the horizon; a forecast that is valid that long is fine. Our choice
HALVED = 0.5  # late amplitude ratio of a damped forecast: half of it is gone
DECLINED = 0.75  # late over early amplitude; below it the forecast declines and is not a steady small cycle
STEADY = (
    0.85  # last third over middle third: a swing that keeps its size; one that halves in a horizon does not
)
GROWN = 1.5  # late amplitude, or furthest point over the truth's own
OUTSIDE = 1.25  # furthest late point over the truth's; below it a large swing is still inside the data
STILL = 0.1  # late amplitude ratio; a forecast below it does not move
OFF = 0.5  # scales; a level error of that size alone ends validity
PHASE = 0.505  # rad: the phase error at which the error of a sine reaches 0.5 over a period, 2 sin(phase / 2)
SOON_WRONG = 0.15  # first error over that of a sine with this phase error; below it the forecast began right
STRAIGHT, BENT = 0.8, 0.3  # R^2 of the line, and RMS rad around it; a phase that is worse in both wanders
OTHER_SPEED = 0.2  # relative frequency error; beyond it the cycle is another one, not a drifting one
FOREIGN = 0.4  # share of the variance outside the truth's tones; beyond it the forecast does not have them
PURE = 0.15  # the same share after a tone is lost; below it only the truth's other tones are left
REPEATS = 0.05  # recurrence; a series below it is periodic. A fractional period of 10 steps leaves 0.05
WANDERS = 0.1  # recurrence; a series above it is not periodic


@dataclass(frozen=True)
class StartVerdict:
    """A symptom and the confidence in it, in [0, 1]: 0.5 at a threshold, towards 1 beyond it."""

    code: str
    confidence: float


@dataclass(frozen=True)
class TruthStatistics:
    """Statistics of an irregular truth that its forecasts are compared with; a tonal truth needs none."""

    right_climate: bool | None = None  # whether the forecast has the data's climate; None: not compared
    least_amplitude: float = 1.0  # lowest late amplitude ratio among true records
    most_amplitude: float = 1.0  # highest
    wrong_first: float = 0.5  # first error, in scales, of a forecast that was never right
    level_spread: float = 0.0  # standard deviation of the late levels of true records, in scales
    least_recurrence: float = 1.0  # 10 % quantile of the recurrence of true records
    wanders: bool = (
        False  # whether the level differs between records more than values within one: a trend or a walk
    )


def beyond(value: float, threshold: float) -> float:
    """Return the confidence that a value >= threshold is truly beyond it: 0.5 at it, 0.9 at five times it."""
    return 1 - 0.5 * min(1.0, threshold / max(value, 1e-12))


def tonal_verdict(seen: Measures, horizon: int) -> StartVerdict:
    """Return the symptom of a forecast whose truth is a sum of tones."""
    if seen.valid_steps >= HOLDS * horizon:
        return StartVerdict("S01", beyond(seen.valid_steps, HOLDS * horizon / 2))
    still = _still(seen)
    if still is not None:
        return still
    impure = (seen.rest_late or 0.0) >= PURE
    if seen.lost and seen.amplitude_late >= LOST and (impure or seen.overgrown):
        return _foreign(seen)
    if seen.lost and seen.others_live:
        return StartVerdict("S09", beyond(LIVING, min(seen.tone_amplitudes)))
    if seen.amplitude_late >= GROWN and seen.furthest >= OUTSIDE:
        return StartVerdict("S04", beyond(seen.amplitude_late, GROWN))
    parts = {
        "level": seen.share_level,
        "amplitude": seen.share_amplitude,
        "phase": seen.share_phase,
        "rest": seen.share_rest,
    }
    whole = max(sum(parts.values()), 1e-12)
    if seen.share_level >= 0.5 * whole and seen.amplitude_late >= STILL:
        return StartVerdict("S08", parts["level"] / whole)
    if (seen.rest_late or 0.0) >= FOREIGN and seen.amplitude_late >= LOST:
        return _foreign(seen)
    steady = seen.steadiness >= STEADY and seen.recurrence <= REPEATS and seen.amplitude_late >= STILL
    declined = seen.amplitude_late <= DECLINED * seen.amplitude_early
    if seen.amplitude_late <= HALVED and declined and not steady:
        return StartVerdict("S03", beyond(HALVED, seen.amplitude_late))
    if (seen.rest_late or 0.0) >= FOREIGN:
        return _foreign(seen)
    if seen.amplitude_late <= HALVED:
        return StartVerdict("S06", beyond(HALVED, seen.amplitude_late))
    return _by_phase(seen, parts, whole)


def irregular_verdict(seen: Measures, usual: TruthStatistics, horizon: int) -> StartVerdict:
    """Return the symptom of a forecast of chaos or noise, by comparison with the statistics of the truth."""
    if seen.valid_steps >= HOLDS * horizon:
        return StartVerdict("S01", beyond(seen.valid_steps, HOLDS * horizon / 2))
    high = max(GROWN, 1.1 * usual.most_amplitude)
    growing = seen.amplitude_late >= high and seen.furthest >= OUTSIDE
    if usual.wanders and not growing and seen.share_level >= seen.share_rest:
        return StartVerdict("S08", seen.share_level / max(seen.share_level + seen.share_rest, 1e-300))
    still = _still(seen)
    if still is not None:
        return still
    if growing:
        return StartVerdict("S04", beyond(seen.amplitude_late, high))
    periodic = min(REPEATS, 0.5 * usual.least_recurrence)
    if seen.recurrence <= periodic and seen.steadiness >= STEADY:
        return StartVerdict("S06", beyond(periodic, seen.recurrence))
    low = min(HALVED, 0.6 * usual.least_amplitude)
    declined = seen.amplitude_late <= DECLINED * seen.amplitude_early
    if seen.amplitude_late <= low and declined and not usual.right_climate:
        return StartVerdict("S03", beyond(low, seen.amplitude_late))
    if seen.recurrence <= periodic:
        return StartVerdict("S06", 0.5)
    if usual.right_climate:
        if seen.first_error >= usual.wrong_first:
            return StartVerdict("S11", beyond(seen.first_error, usual.wrong_first))
        return StartVerdict("S10", 0.8)
    far = OFF + 2 * usual.level_spread
    if abs(seen.level_late) >= far:
        return StartVerdict("S08", beyond(abs(seen.level_late), far))
    return StartVerdict("S07", 0.7)


def _still(seen: Measures) -> StartVerdict | None:
    if (seen.stopped or seen.amplitude_late < STILL) and seen.furthest >= GROWN:
        return StartVerdict("S04", beyond(seen.furthest, GROWN))
    if seen.stopped:
        return StartVerdict("S02", beyond(STILL, seen.amplitude_late))
    return None


def _foreign(seen: Measures) -> StartVerdict:
    """Return the symptom of a forecast whose oscillation is not at the truth's frequencies."""
    confidence = beyond(seen.rest_late or 0.0, PURE if seen.lost else FOREIGN)
    if seen.recurrence > WANDERS:
        return StartVerdict("S07", confidence)
    own, wanted = seen.own_frequency, 2 * math.pi / seen.tones[0]
    if own is not None and not seen.lost and abs(own / wanted - 1) <= OTHER_SPEED:
        return StartVerdict("S05", confidence)
    return StartVerdict("S06", confidence)


def _by_phase(seen: Measures, parts: dict[str, float], whole: float) -> StartVerdict:
    """Return the symptom of a forecast with the right tones, alive, at about the right level."""
    first, last, straight = seen.phase_first or 0.0, seen.phase_last or 0.0, seen.phase_r2 or 0.0
    drift = abs(last - first)
    most = max(parts, key=lambda name: parts[name])
    if most == "phase":
        if straight < STRAIGHT and (seen.phase_bent or 0.0) >= BENT:
            return StartVerdict("S10", beyond(seen.phase_bent or 0.0, BENT))
        if abs(first) >= 0.8 * PHASE and abs(first) >= drift:
            if seen.first_error < SOON_WRONG * 2 * math.sin(min(abs(first), math.pi) / 2):  # right at first
                return StartVerdict("S10", beyond(abs(first), 0.8 * PHASE))
            return StartVerdict("S11", beyond(abs(first), 0.8 * PHASE))
        if abs(seen.frequency_error or 0.0) > OTHER_SPEED:
            return StartVerdict("S06", beyond(abs(seen.frequency_error or 0.0), OTHER_SPEED))
        return StartVerdict("S05", beyond(drift, 0.8 * PHASE))
    share = parts[most] / whole
    if most == "level":
        return StartVerdict("S08", share)
    if most == "amplitude":
        growing = seen.amplitude_late > 1
        if seen.amplitude_late <= DECLINED * seen.amplitude_early:
            return StartVerdict("S03", 0.5 * share)
        return StartVerdict("S04" if growing else "S06", 0.5 * share)
    return StartVerdict("S07" if seen.recurrence > WANDERS else "S06", 0.5 * share)
