"""The symptom of one start and channel, decided from its measures. Thresholds are definitions of the words."""

import math
from dataclasses import dataclass

from sweep.diagnosis.symptoms.measures import LIVING, LOST, Measures

HOLDS = 0.9  # of the horizon: valid that long is fine. Our choice: a loss at the very end is no failure
HALVED = 0.5  # late amplitude of a damped forecast, as the half-life of facts on decay: gone by half
DECLINED = 0.75  # late over early amplitude: below, it is on its way down, not a steady small cycle
STEADY = 0.85  # last third over middle third: a swing that keeps its size, which nothing halving in H does
GROWN = 1.5  # late amplitude, or furthest point over the truth's own
OUTSIDE = 1.25  # furthest late point over the truth's own, below which a large swing is still inside the data
STILL = 0.1  # late amplitude of what does not move
OFF = 0.5  # scales: a level so far off alone ends validity
PHASE = 0.505  # rad: the phase error at which the error of a sine reaches .5 over a period, 2 sin(phase / 2)
SOON_WRONG = 0.15  # first error over that of a sine this far off: below, it began right. Beats may begin weak
STRAIGHT, BENT = 0.8, 0.3  # R^2, and rad around it, of a phase that drifts steadily: worse in both wanders
OTHER_SPEED = 0.2  # relative frequency error from which a cycle is another one, not a drifting one
FOREIGN = 0.4  # share of a forecast's variance outside of the truth's tones, from which it does not have them
PURE = 0.15  # the same share, below which what is left after a tone is lost are the truth's other tones
REPEATS = 0.05  # recurrence below which a series is periodic; a fractional period of 10 steps leaves .05
WANDERS = 0.1  # recurrence above which a series is not


@dataclass(frozen=True)
class Verdict:
    """A symptom with the confidence that it is this one, in [0, 1]: .5 at a threshold, towards 1 beyond it."""

    code: str
    confidence: float


@dataclass(frozen=True)
class Setting:
    """What the rules need to know of an irregular truth's own habits; a tonal one needs none."""

    right_climate: bool | None = None  # None where the truth is tonal
    least_amplitude: float = 1.0  # lowest late amplitude among the truths themselves
    most_amplitude: float = 1.0  # highest
    wrong_first: float = 0.5  # first error, in scales, of a forecast that was never right
    level_spread: float = 0.0  # standard deviation of the truths' own late levels, in scales
    least_recurrence: float = 1.0  # low recurrence among the truths themselves, their 10 % quantile


def beyond(value: float, threshold: float) -> float:
    """Return the confidence that a value >= threshold is truly beyond it: .5 there, .9 at five times it."""
    return 1 - 0.5 * min(1.0, threshold / max(value, 1e-12))


def tonal_verdict(seen: Measures, horizon: int) -> Verdict:
    """Return the symptom of a forecast of tones."""
    if seen.valid_steps >= HOLDS * horizon:
        return Verdict("S01", beyond(seen.valid_steps, HOLDS * horizon / 2))
    still = _still(seen)
    if still is not None:
        return still
    impure = (seen.rest_late or 0.0) >= PURE
    if seen.lost and seen.amplitude_late >= LOST and (impure or seen.overgrown):
        return _foreign(seen)
    if seen.lost and seen.others_live:
        return Verdict("S09", beyond(LIVING, min(seen.tone_amplitudes)))
    if seen.amplitude_late >= GROWN and seen.furthest >= OUTSIDE:
        return Verdict("S04", beyond(seen.amplitude_late, GROWN))
    parts = {
        "level": seen.share_level,
        "amplitude": seen.share_amplitude,
        "phase": seen.share_phase,
        "rest": seen.share_rest,
    }
    whole = max(sum(parts.values()), 1e-12)
    if seen.share_level >= 0.5 * whole and seen.amplitude_late >= STILL:
        return Verdict("S08", parts["level"] / whole)
    if (seen.rest_late or 0.0) >= FOREIGN and seen.amplitude_late >= LOST:
        return _foreign(seen)
    steady = seen.steadiness >= STEADY and seen.recurrence <= REPEATS and seen.amplitude_late >= STILL
    declined = seen.amplitude_late <= DECLINED * seen.amplitude_early
    if seen.amplitude_late <= HALVED and declined and not steady:
        return Verdict("S03", beyond(HALVED, seen.amplitude_late))
    if (seen.rest_late or 0.0) >= FOREIGN:
        return _foreign(seen)
    if seen.amplitude_late <= HALVED:
        return Verdict("S06", beyond(HALVED, seen.amplitude_late))
    return _by_phase(seen, parts, whole)


def irregular_verdict(seen: Measures, setting: Setting, horizon: int) -> Verdict:
    """Return the symptom of a forecast of chaos or noise, compared with the statistics of the truth."""
    if seen.valid_steps >= HOLDS * horizon:
        return Verdict("S01", beyond(seen.valid_steps, HOLDS * horizon / 2))
    still = _still(seen)
    if still is not None:
        return still
    high = max(GROWN, 1.1 * setting.most_amplitude)
    if seen.amplitude_late >= high and seen.furthest >= OUTSIDE:
        return Verdict("S04", beyond(seen.amplitude_late, high))
    periodic = min(REPEATS, 0.5 * setting.least_recurrence)
    if seen.recurrence <= periodic and seen.steadiness >= STEADY:
        return Verdict("S06", beyond(periodic, seen.recurrence))
    low = min(HALVED, 0.6 * setting.least_amplitude)
    declined = seen.amplitude_late <= DECLINED * seen.amplitude_early
    if seen.amplitude_late <= low and declined and not setting.right_climate:
        return Verdict("S03", beyond(low, seen.amplitude_late))
    if seen.recurrence <= periodic:
        return Verdict("S06", 0.5)
    if setting.right_climate:
        if seen.first_error >= setting.wrong_first:
            return Verdict("S11", beyond(seen.first_error, setting.wrong_first))
        return Verdict("S10", 0.8)
    far = OFF + 2 * setting.level_spread
    if abs(seen.level_late) >= far:
        return Verdict("S08", beyond(abs(seen.level_late), far))
    return Verdict("S07", 0.7)


def _still(seen: Measures) -> Verdict | None:
    if (seen.stopped or seen.amplitude_late < STILL) and seen.furthest >= GROWN:
        return Verdict("S04", beyond(seen.furthest, GROWN))
    if seen.stopped:
        return Verdict("S02", beyond(STILL, seen.amplitude_late))
    return None


def _foreign(seen: Measures) -> Verdict:
    """Return the symptom of a forecast whose oscillation is not at the truth's frequencies."""
    confidence = beyond(seen.rest_late or 0.0, PURE if seen.lost else FOREIGN)
    if seen.recurrence > WANDERS:
        return Verdict("S07", confidence)
    own, wanted = seen.own_frequency, 2 * math.pi / seen.tones[0]
    if own is not None and not seen.lost and abs(own / wanted - 1) <= OTHER_SPEED:
        return Verdict("S05", confidence)
    return Verdict("S06", confidence)


def _by_phase(seen: Measures, parts: dict[str, float], whole: float) -> Verdict:
    """Return the symptom of a forecast with the right tones, alive, at about the right level."""
    first, last, straight = seen.phase_first or 0.0, seen.phase_last or 0.0, seen.phase_r2 or 0.0
    drift = abs(last - first)
    most = max(parts, key=lambda name: parts[name])
    if most == "phase":
        if straight < STRAIGHT and (seen.phase_bent or 0.0) >= BENT:
            return Verdict("S10", beyond(seen.phase_bent or 0.0, BENT))
        if abs(first) >= 0.8 * PHASE and abs(first) >= drift:
            if seen.first_error < SOON_WRONG * 2 * math.sin(
                min(abs(first), math.pi) / 2
            ):  # it was right at first
                return Verdict("S10", beyond(abs(first), 0.8 * PHASE))
            return Verdict("S11", beyond(abs(first), 0.8 * PHASE))
        if abs(seen.frequency_error or 0.0) > OTHER_SPEED:
            return Verdict("S06", beyond(abs(seen.frequency_error or 0.0), OTHER_SPEED))
        return Verdict("S05", beyond(drift, 0.8 * PHASE))
    share = parts[most] / whole
    if most == "level":
        return Verdict("S08", share)
    if most == "amplitude":
        growing = seen.amplitude_late > 1
        if seen.amplitude_late <= DECLINED * seen.amplitude_early:
            return Verdict("S03", 0.5 * share)
        return Verdict("S04" if growing else "S06", 0.5 * share)
    return Verdict("S07" if seen.recurrence > WANDERS else "S06", 0.5 * share)
