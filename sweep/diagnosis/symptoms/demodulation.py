"""Demodulation: amplitude, phase and level of a forecast's oscillations against the truth's, along the horizon."""

from dataclasses import dataclass

import numpy as np

from sweep.data.types import Array

CYCLES = 2.0  # of the slowest tone in a window; with fewer, level and tone cannot be separated. Our choice
SEPARATION = 1.5  # beats of the closest two tones in a window, so that the fit separates them
LONGEST = 1 / 3  # of the horizon; a longer window hides changes along it
SHORTEST = 1 / 25  # of the horizon; shorter windows add rows but no resolution
HOPS = 4  # windows per window length
WEAK = 0.02  # relative amplitude; below it a phase or the logarithm of an amplitude means nothing
DIED = 1e-4  # relative amplitude that counts as zero in the fit of a decay; rounding of float32 is near


@dataclass(frozen=True)
class Demodulated:
    """A forecast against its truth in overlapping windows; the first axis is the window."""

    centre: Array  # (window,), steps from the start of the horizon
    ratio: Array  # (window, tone), complex: amplitude ratio and phase lead of the forecast
    weight: Array  # (window, tone), the truth's power
    level: Array  # (window,), mean level of the forecast minus that of the truth
    rest: Array  # (window,), share of the forecast's variance outside the truth's tones, 0..1


def window_length(omega: Array, horizon: int) -> int:
    """Return the steps of a window that is long enough to separate the tones from each other and from the level."""
    slowest = 2 * np.pi / omega.min()
    wanted = CYCLES * slowest
    if len(omega) > 1:
        wanted = max(wanted, SEPARATION * 2 * np.pi / np.diff(np.sort(omega)).min())
    return int(np.clip(round(max(wanted, SHORTEST * horizon)), 4, max(4, LONGEST * horizon)))


def windows(values: Array, length: int) -> tuple[Array, Array]:
    """Return overlapping windows (window, length) and their centres; the last window ends with the series."""
    hop = max(1, length // HOPS)
    first = np.arange((len(values) - length) % hop, len(values) - length + 1, hop)
    return values[first[:, None] + np.arange(length)], first + (length - 1) / 2


def demodulated(forecast: Array, truth: Array, omega: Array, length: int) -> Demodulated:
    """Return least-squares amplitudes and phases of the forecast relative to the truth's.

    In each window (Hann weights) a level and the given tones are fitted to both series. The quotient of a tone's two
    complex amplitudes does not depend on the window, nor on modulations that both series share.

    Args:
        forecast: (step,), finite, any unit.
        truth: (step,), in the same unit.
        omega: (tone,), rad per step, tones of the truth that such a window can separate.
        length: steps of a window.
    """
    pieces, centre = windows(forecast, length)
    true, _ = windows(truth, length)
    time = np.arange(length) - (length - 1) / 2
    angle = time[:, None] * omega
    design = np.column_stack([np.ones(length), np.cos(angle), np.sin(angle)])
    taper = np.hanning(length + 2)[1:-1]  # without it, changes within a window leak into the phase
    inverse = np.linalg.pinv(np.sqrt(taper)[:, None] * design) * np.sqrt(taper)
    parts = [values @ inverse.T for values in (pieces, true)]
    tones = len(omega)
    z_forecast, z_true = (part[:, 1 : 1 + tones] - 1j * part[:, 1 + tones :] for part in parts)
    floor = 1e-3 * np.sqrt((np.abs(z_true) ** 2).mean(axis=0))
    safe = np.where(np.abs(z_true) > floor, z_true, floor)
    missed = pieces - parts[0] @ design.T
    variance = pieces.var(axis=1)
    # the floor: a forecast that moves by less than a thousandth of the truth has no shape
    rest = np.square(missed).mean(axis=1) / np.maximum(variance, 1e-6 * true.var(axis=1).mean() + 1e-300)
    return Demodulated(
        centre=centre,
        ratio=z_forecast / safe,
        weight=np.abs(z_true) ** 2,
        level=parts[0][:, 0] - parts[1][:, 0],
        rest=np.clip(rest, 0.0, 1.0),
    )


def separable(omega: Array, length: int) -> Array:
    """Return the tones that a window can separate, in their order; a weaker tone near a stronger one is dropped."""
    kept: list[float] = []
    for value in omega:
        if all(abs(value - other) >= SEPARATION * 2 * np.pi / length for other in kept):
            kept.append(float(value))
    return np.array(kept)


def straight_line(x: Array, y: Array, weight: Array) -> tuple[float, float, float]:
    """Return slope, value at x = 0 and R^2 of a weighted least-squares line; (0, mean, 1) for a constant.

    Args:
        x: (point,).
        y: (point,), finite.
        weight: (point,), >= 0.
    """
    total = weight.sum()
    if len(x) < 2 or not total > 0:
        return 0.0, float(y.mean()) if len(y) else 0.0, 0.0
    weight = weight / total
    middle, mean = float(weight @ x), float(weight @ y)
    spread = float(weight @ (x - middle) ** 2)
    if not spread > 0:
        return 0.0, mean, 0.0
    slope = float(weight @ ((x - middle) * (y - mean))) / spread
    left = float(weight @ (y - mean - slope * (x - middle)) ** 2)
    variance = float(weight @ (y - mean) ** 2)
    return slope, mean - slope * middle, 1 - left / variance if variance > 1e-12 else 1.0


def decay_per_step(centre: Array, amplitude: Array) -> float:
    """Return gamma of amplitude ~ exp(-gamma step): decay above 0, growth below; the half-life is ln 2 / gamma.

    Windows after the amplitude first falls below DIED are left out, so that a floor does not flatten the fit.
    """
    dead = np.flatnonzero(amplitude < DIED)
    last = int(dead[0]) if len(dead) else len(amplitude)
    if last < 2:
        return 0.0
    slope, _, _ = straight_line(centre[:last], np.log(amplitude[:last]), np.ones(last))
    return -slope


def phase_by_window(demodulation: Demodulated, tone: int) -> tuple[Array, Array]:
    """Return the unwrapped phase lead of a tone in rad, (window,), and the weight of each window, (window,)."""
    ratio = demodulation.ratio[:, tone]
    weight = np.abs(ratio) * demodulation.weight[:, tone]
    alive = (np.abs(ratio) > WEAK) & (
        demodulation.weight[:, tone] > 0.01 * demodulation.weight[:, tone].max()
    )
    phase: Array = np.unwrap(np.angle(ratio))
    return phase, np.where(alive, weight, 0.0)
