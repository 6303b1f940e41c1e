"""How far the data let any forecast go: by their Lyapunov time, or by what plain forecasts make of them."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sweep.data.types import Array
from sweep.diagnosis.symptoms.reference import WORST, reference_squares, stretches

LYAPUNOV_TIMES = 3.0  # that a forecast of a chaotic system must hold before chaos is to blame. Our choice
LOST = 0.5  # scales, as for valid steps
SKILL = 0.9  # scales: a plain forecast with a larger error has no skill left
ENDS = 0.9  # of the horizon: what holds as long is fine, and no limit was met
AS_GOOD, AS_GOOD_FLOOR = (
    1.15,
    0.05,
)  # all starts together may err this much more than the reference, in scales
START_GOOD, START_FLOOR = 1.5, 0.1  # a single start
# Of the rollout error: a baseline that is better by more shows that the data allow more.
BETTER_BASELINE = 0.05


@dataclass(frozen=True)
class Limit:
    """What the data allow."""

    limited: bool  # chaos or noise end any forecast within the horizon
    why: str  # the reason, either way
    steps: int  # that a forecast can be asked for: the horizon if not limited
    reference: (
        Array | None
    )  # (start, step), squared errors of the plain forecasts; None: the exponent decides
    skill: int  # steps for which the plain forecasts have skill


def limit_of(
    past: Array,
    truth: Array,
    block: int,
    lyapunov_time: float | None,
    noise: float | None,
    series: Array | None,
    position: Array | None,
) -> Limit:
    """Return how far the data can be forecast.

    With a known Lyapunov time T: LYAPUNOV_TIMES T steps, or ln(LOST / noise) T if that is less. Otherwise as
    far as the better of two plain forecasts gets (`reference_squares`).

    Args:
        past: (start, past step, channel), in scales.
        truth: (start, step, channel), in scales.
        block: steps of a block.
        lyapunov_time: in steps, or None.
        noise: of the observations in scales, or None.
        series: (start,) or None.
        position: (start,) or None.
    """
    horizon = truth.shape[1]
    if lyapunov_time is not None:
        times = LYAPUNOV_TIMES if not noise else min(LYAPUNOV_TIMES, max(0.0, float(np.log(LOST / noise))))
        steps = int(times * lyapunov_time)
        if steps >= ENDS * horizon:
            why = f"the horizon has only {horizon / lyapunov_time:.1f} Lyapunov times"
            return Limit(False, why, horizon, None, horizon)
        why = f"chaos: {times:.1f} Lyapunov times are {steps} of {horizon} steps"
        return Limit(True, why, steps, None, steps)
    squares = reference_squares(past, truth, block, series, position)
    edges = stretches(horizon)
    pooled = [_mean(squares[:, first:last]) for first, last in pairwise(edges.tolist())]
    lost = [k for k, value in enumerate(pooled) if not value < LOST**2]
    blind = [k for k, value in enumerate(pooled) if not value < SKILL**2]
    steps = int(edges[lost[0]]) if lost else horizon
    skill = int(edges[blind[0]]) if blind else horizon
    if steps >= ENDS * horizon:
        why = "a plain forecast holds for the whole horizon, so the data allow it"
        return Limit(False, why, horizon, squares, horizon)
    return Limit(
        True, f"plain forecasts of the data hold for {steps} of {horizon} steps", steps, squares, skill
    )


def as_far_as_possible(
    limit: Limit, squares: Array, valid: Array, errors: tuple[float, ...], baselines: list[tuple[float, ...]]
) -> Array:
    """Return (start,) whether a forecast goes as far as the data allow.

    Args:
        limit: from `limit_of`.
        squares: (start, step), the forecast's squared error, mean over channels, finite or +inf.
        valid: (start,), its valid steps.
        errors: its rollout error over each prefix of the horizon; may be empty, then baselines are ignored.
        baselines: the same of each baseline.
    """
    if not limit.limited:
        return np.zeros(len(valid), dtype=bool)
    if any(errors and errors[-1] - other[-1] > BETTER_BASELINE for other in baselines):
        return np.zeros(len(valid), dtype=bool)
    if limit.reference is None:
        # exponents of finite stretches differ: where the usual start holds, one that holds half as long is excused
        usual = np.median(valid) >= limit.steps
        held: Array = (valid >= limit.steps) | (usual & (valid >= limit.steps / 2))
        return held
    # on all steps with any skill, and on the first ones, which a forecast of the mean would miss
    good: Array = _as_good(squares, limit.reference, limit.skill)
    good = good & _as_good(squares, limit.reference, limit.steps)
    return good


def _as_good(squares: Array, reference: Array, span: int) -> Array:
    """Return (start,) whether a forecast errs no more than the reference over the first steps."""
    span = max(1, span)
    known = np.isfinite(reference[:, :span])
    if not known.any(axis=1).all():
        return np.zeros(len(squares), dtype=bool)
    own = np.sqrt(np.minimum(squares[:, :span], WORST**2).mean(axis=1))
    other = np.sqrt(np.where(known, reference[:, :span], 0.0).sum(axis=1) / known.sum(axis=1))
    together = np.sqrt((own**2).mean()) <= AS_GOOD * np.sqrt((other**2).mean()) + AS_GOOD_FLOOR
    good: Array = together & (own <= START_GOOD * other + START_FLOOR)
    return good


def _mean(squares: Array) -> float:
    """Return the mean of what is known, +inf where nothing is."""
    known = squares[np.isfinite(squares)]
    return float(known.mean()) if len(known) else float("inf")
