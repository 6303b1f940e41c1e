"""The sinusoids that make up a series, and whether they forecast it."""

from dataclasses import dataclass

import numpy as np

from sweep.data.types import Array

MOST_TONES = (
    5  # our choice: enough for the three lines of an amplitude-modulated tone, or a wave with harmonics
)
LEAST_SHARE = 0.01  # of the variance; a weaker tone is not counted. Our choice
FEWEST_CYCLES = 1.5  # within the series; fewer are a trend. Our choice
PADDING = 4  # zero-padding of the spectrum, so that the search begins near a peak
STEPS_IN_SEARCH, STEPS = 2, 10  # of Gauss-Newton, which converges in three or four from a padded peak
CONVERGED = 1e-9  # of the spectrum's resolution
FITTED_SHARE = 2 / 3  # of the series is fitted and must forecast the rest; our choice


@dataclass(frozen=True)
class Tones:
    """Sinusoids of one series, strongest first."""

    omega: Array  # (tone,), rad per step, > 0
    share: Array  # (tone,), share of the variance that each explains alone
    explained: float  # share of the variance that all of them explain, 0..1
    foretold: (
        float  # 1 - error/variance over the last third, from a fit to the first two: 1 is a pure tonal series
    )


NO_TONES = Tones(np.empty(0), np.empty(0), 0.0, 0.0)


def tones_of(values: Array) -> Tones:
    """Return the sinusoids that explain a series, found one by one and refined together.

    Each round takes the highest peak of the residual's spectrum (Hann taper), then fits a level and the frequencies,
    amplitudes and phases of all tones by Gauss-Newton. The search ends when a new tone explains less than LEAST_SHARE.

    Args:
        values: (step,), finite.

    Source: the rounds are CLEAN, Hoegbom (1974), Astron. Astrophys. Suppl. 15, 417; the joint fit is ours.
    """
    centred = without_line(values)
    variance = float(centred.var())
    if not _moves(values, variance):
        return NO_TONES
    omega, fitted = _search(centred, MOST_TONES)
    if not len(omega):
        return NO_TONES
    cut = round(FITTED_SHARE * len(values))
    partial = _search(centred[:cut], MOST_TONES)[0]
    foretold = 0.0
    if len(partial):
        weights = np.linalg.lstsq(_design(partial, 0, cut), centred[:cut], rcond=None)[0]
        tail = centred[cut:]
        missed = tail - _design(partial, cut, len(values)) @ weights
        foretold = 1 - float(np.square(missed).mean()) / max(float(tail.var()), 0.1 * variance)
    weights = np.linalg.lstsq(_design(omega, 0, len(values)), centred, rcond=None)[0]
    share = (weights[1::2] ** 2 + weights[2::2] ** 2) / 2 / variance
    order = np.argsort(-share)
    explained = 1 - float(np.square(centred - fitted).mean()) / variance
    return Tones(omega[order], share[order], max(0.0, explained), max(0.0, foretold))


def strongest_tone(values: Array) -> float | None:
    """Return the frequency of the first tone that `tones_of` finds, in rad per step; None if there is none.

    Args:
        values: (step,), finite.
    """
    centred = without_line(values)
    if not _moves(values, float(centred.var())):
        return None
    omega, _ = _search(centred, 1)
    return float(omega[0]) if len(omega) else None


def _moves(values: Array, variance: float) -> bool:
    return len(values) >= 8 and variance > 1e-18 * max(1.0, float(np.square(values).mean()))


def without_line(values: Array) -> Array:
    """Return a series without its least-squares straight line."""
    time = np.arange(len(values)) - (len(values) - 1) / 2
    centred = values - values.mean()
    straight: Array = centred - time * (time @ centred) / max(float(time @ time), 1.0)
    return straight


def _search(values: Array, most: int) -> tuple[Array, Array]:
    """Return the tones' frequencies and the fitted series."""
    count, variance = len(values), float(values.var())
    omega, fitted = np.empty(0), np.zeros(count)
    left = variance
    for _ in range(most):
        found = _peak(values - fitted)
        if found is None:
            break
        trial = _refined(np.append(omega, found), values, STEPS_IN_SEARCH)
        design = _design(trial, 0, count)
        proposal = design @ _solved(design, values)
        rest = float(np.square(values - proposal).mean())
        if left - rest < LEAST_SHARE * variance:
            break
        omega, left = trial, rest
        fitted = proposal
    if len(omega):
        omega = _refined(omega, values, STEPS)
        design = _design(omega, 0, count)
        fitted = design @ np.linalg.lstsq(design, values, rcond=None)[0]
    return omega, fitted


def _peak(values: Array) -> float | None:
    """Return the frequency of the highest spectral peak in rad per step; None if there is none in the range."""
    count = len(values)
    size = PADDING * 2 ** int(np.ceil(np.log2(count)))
    power = np.abs(np.fft.rfft(values * np.hanning(count), size)) ** 2
    lowest = int(np.ceil(FEWEST_CYCLES * size / count))
    if lowest >= len(power) - 2:
        return None
    at = lowest + int(np.argmax(power[lowest:-1]))
    if not power[at] > 0 or power[at] < max(power[at - 1], power[at + 1]):
        return None
    return float(2 * np.pi * at / size)


def _refined(omega: Array, values: Array, steps: int) -> Array:
    """Return frequencies after Gauss-Newton steps, unchanged if two of them meet or one moves too far."""
    count, tones = len(values), len(omega)
    time = np.arange(count) - (count - 1) / 2
    bin_width = 2 * np.pi / count
    current = omega
    for _ in range(steps):
        design = _design(current, 0, count)
        weights = _solved(design, values)
        cosine, sine = weights[1::2], weights[2::2]
        slopes = time[:, None] * (sine * design[:, 1::2] - cosine * design[:, 2::2])
        step = _solved(np.column_stack([design, slopes]), values - design @ weights)[-tones:]
        step = np.clip(step, -bin_width / 4, bin_width / 4)
        current = current + step
        if np.abs(step).max() < CONVERGED * bin_width:
            break
    apart = np.diff(np.sort(current))
    kept = (np.abs(current - omega) < 2 * bin_width).all() and (current > 0).all()
    return current if kept and (not len(apart) or apart.min() > bin_width / 4) else omega


def _design(omega: Array, first: int, last: int) -> Array:
    """Return (step, 1 + 2 tones): a level, then cosine and sine of each tone, for steps first..last - 1."""
    angle = np.arange(first, last)[:, None] * omega
    waves = np.stack([np.cos(angle), np.sin(angle)], axis=2).reshape(last - first, -1)
    return np.column_stack([np.ones(last - first), waves])


def _solved(design: Array, values: Array) -> Array:
    """Return least-squares weights by normal equations: fast, and exact enough for a step towards the optimum."""
    gram = design.T @ design
    gram.flat[:: len(gram) + 1] *= 1 + 1e-10  # without it, two tones that meet make the matrix singular
    weights: Array = np.linalg.lstsq(gram, design.T @ values, rcond=1e-12)[0]
    return weights
