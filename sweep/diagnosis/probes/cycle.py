"""The probe `cycle`: whether a long rollout ends at rest, in an exact cycle or in neither, and with which period."""

from dataclasses import dataclass

import numpy as np

from sweep.data.period import dominant_period
from sweep.diagnosis.probes.closed_loop import CannotMeasure, free_trajectory, in_float64
from sweep.diagnosis.probes.subject import Subject

STARTS = 8  # our choice
LENGTHS = 4  # horizons in the rollout, whose last half is measured; our choice
EXACT = 1e-6  # relative return distance of a locked cycle, our choice: far above rounding, far below a drift
REST = 1e-4  # of the data's standard deviation; a tail that moves less is at rest. Our choice
MULTIPLES = 5  # multiples of the data's period for which the return distance is given


@dataclass(frozen=True)
class Cycle:
    """The tail of a long rollout. Shares are of starts; periods are in steps, medians over the starts that have one."""

    resting: float  # share whose tail does not move
    locked: float  # share whose tail repeats exactly after a whole number of steps
    locked_steps: int | None  # that number, the most frequent one
    locked_turns: int | None  # oscillations in it: 1 is an integer lock, 3 in 377 steps is p:q = 377:3
    period: float | None  # of the tail's oscillation; None if it is not clear
    data_period: float | None
    frequency_error: float | None  # data's period / tail's period - 1: above 0, the rollout is too fast
    amplitude: float  # standard deviation of the tail over that of the training data; median
    return_distance: tuple[float, ...]  # after about 1, 2, ... of the data's periods: RMS difference / RMS
    steps: int  # of the tail


def cycle(subject: Subject) -> Cycle:
    """Return measurements of the second half of rollouts of four horizons, in float64.

    The return distance at lag q is RMS(x[t + q] - x[t]) / RMS(x - mean) over the tail; at a multiple of the
    data's period it is the smallest of the lags within 2 % of it. Locked: below 1e-6 at some q up to half the tail,
    which a cycle of irrational period never is. A map locks if its cycle's period is near p/q steps. Its frequency is
    then wrong by a fixed amount, and a longer warm-up does not help.

    Args:
        subject: without known inputs; a few of its starts are rolled out; nothing is drawn.

    Raises:
        CannotMeasure: the data have known inputs, which are not known beyond the horizon; or no start
            stays finite.

    Source: return distances as in recurrence plots, Eckmann, Kamphorst & Ruelle (1987), Europhys. Lett. 4.
    """
    network, task = subject.network, subject.task
    if task.known.shape[-1] > 0:
        raise CannotMeasure("the known inputs are not known beyond the horizon")
    precise, few = in_float64(network, task, STARTS)
    path = free_trajectory(precise, few, LENGTHS * few.horizon).finite()
    values = path.forecasts.transpose(0, 1).cpu().numpy()
    tails = values[:, path.steps // 2 :]
    spread = np.concatenate(task.data.train).std(axis=0)
    sizes = tails.std(axis=1) / spread  # (start, channel)
    amplitudes, moving = sizes.mean(axis=1), (sizes > REST).any(axis=1)
    chosen = zip(tails[moving], sizes[moving], strict=True)
    distances = [return_distances(tail[:, size > REST]) for tail, size in chosen]
    locks = [lock for lock in (_first_exact(curve) for curve in distances) if lock is not None]
    periods = [period for period in (dominant_period([tail]) for tail in tails[moving]) if period]
    period = float(np.median(periods)) if periods else None
    lock = int(np.bincount(locks).argmax()) if locks else None
    truth = task.data.period
    return Cycle(
        resting=float((~moving).mean()),
        locked=len(locks) / len(tails),
        locked_steps=lock,
        locked_turns=max(1, round(lock / period)) if lock and period else None,
        period=period,
        data_period=truth,
        frequency_error=truth / period - 1 if truth and period else None,
        amplitude=float(np.median(amplitudes)),
        return_distance=_at_multiples(distances, truth) if truth and distances else (),
        steps=tails.shape[1],
    )


def return_distances(tail: np.ndarray) -> np.ndarray:
    """Return RMS(x[t + q] - x[t]) / RMS(x - mean), (lag,), for lags q = 1 .. half the tail, scaled by channel.

    Args:
        tail: (step, channel), channels that move only.
    """
    scaled = tail / tail.std(axis=0)
    half = len(tail) // 2
    first = scaled[:half]
    return np.array(
        [np.sqrt(np.square(scaled[lag : lag + half] - first).mean()) for lag in range(1, half + 1)]
    )


def _first_exact(distances: np.ndarray) -> int | None:
    """Return the shortest lag after which the tail repeats itself, None if it never does."""
    exact = np.flatnonzero(distances < EXACT) + 1
    return int(exact[0]) if len(exact) else None


def _at_multiples(distances: list[np.ndarray], period: float) -> tuple[float, ...]:
    at_multiples = []
    for multiple in range(1, MULTIPLES + 1):
        lag = multiple * period
        lags = np.arange(int(np.floor(lag * 0.98)), int(np.ceil(lag * 1.02)) + 1)
        lags = lags[(lags >= 1) & (lags <= len(distances[0]))]
        if len(lags):
            at_multiples.append(float(np.median([curve[lags - 1].min() for curve in distances])))
    return tuple(at_multiples)
