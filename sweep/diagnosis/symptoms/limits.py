"""The limit of the data: how far any forecast can hold, by the Lyapunov time or by plain forecasts."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sweep.data.types import Array
from sweep.diagnosis.symptoms.reference import WORST, reference_squares, stretches
from sweep.score.trivial import TrivialForecast

LYAPUNOV_TIMES = 3.0  # a forecast that fails sooner is not excused by chaos; our choice
LOST = 0.5  # scales, as for valid steps
SKILL = 0.9  # scales; a plain forecast with a larger error has no skill left
ENDS = 0.9  # of the horizon: a limit beyond it is not a limit
# how much larger the error of all starts may be than the reference's: a factor, and scales on top
AS_GOOD, AS_GOOD_FLOOR = 1.15, 0.05
START_GOOD, START_FLOOR = 1.5, 0.1  # the same for a single start
# of the rollout error: a baseline that is better by more shows that the data allow a better forecast
BETTER_BASELINE = 0.05
# A forecast is clearly better than the best trivial one if its skill is SKILLED and its error lower by LUCK standard
# errors of the trivial one's: baselines and checkpoints are selected on the same few starts. Our choice.
SKILLED, LUCK = 0.05, 2.0


@dataclass(frozen=True)
class Limit:
    """How far the data can be forecast."""

    limited: bool  # chaos or noise end any forecast within the horizon
    why: str  # the reason, whether limited or not
    steps: int  # that a forecast can hold: the horizon if not limited
    reference: (
        Array | None
    )  # (start, step), squared errors of the plain forecasts; None: the Lyapunov time decides
    skill: int  # steps over which the plain forecasts have skill


def limit_of(
    past: Array,
    truth: Array,
    block: int,
    lyapunov_time: float | None,
    noise: float | None,
    series: Array | None,
    position: Array | None,
    driven: bool = False,
) -> Limit:
    """Return how far the data can be forecast.

    With a known Lyapunov time T: LYAPUNOV_TIMES T steps, or ln(LOST / noise) T if that is less. Otherwise as
    far as the better of two plain forecasts holds (`reference_squares`), which see no inputs from outside: where such
    inputs drive the data, they show no limit.

    Args:
        past: (start, past step, channel), in scales.
        truth: (start, step, channel), in scales.
        block: steps of a block.
        lyapunov_time: in steps, or None.
        noise: of the observations in scales, or None.
        series: (start,) or None.
        position: (start,) or None.
        driven: whether the data have inputs from outside.
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
    if driven:
        why = "plain forecasts do not see the inputs from outside, so they show no limit"
        return Limit(False, why, horizon, None, horizon)
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


def hopeless(
    trivial: TrivialForecast | None, error: float, baselines: Mapping[str, tuple[float, ...]]
) -> str:
    """Return why no forecast is known to be better than the best trivial one; "" if one is, or none is known.

    Neither the forecast itself nor any baseline is then clearly better (SKILLED, LUCK), or the trivial one is exact.

    Args:
        trivial: the best trivial forecast, None if it is not known.
        error: rollout error of the forecast.
        baselines: rollout errors over each prefix of the horizon, by name; empty: not known.
    """
    if trivial is None:
        return ""
    if trivial.exact:
        return f"the trivial forecast {trivial.name} is exact on these data, so use that"
    best = trivial.rollout_error - max(SKILLED * trivial.rollout_error, LUCK * trivial.noise)
    if not baselines or error <= best or any(errors[-1] <= best for errors in baselines.values()):
        return ""
    return f"neither a baseline nor this forecast is clearly better than the trivial forecast {trivial.name}"


def as_far_as_possible(
    limit: Limit, squares: Array, valid: Array, errors: tuple[float, ...], baselines: list[tuple[float, ...]]
) -> Array:
    """Return (start,), whether the forecast holds as long as the data allow.

    Args:
        limit: from `limit_of`.
        squares: (start, step), the forecast's squared error, mean over channels, finite or +inf.
        valid: (start,), its valid steps.
        errors: its rollout error over each prefix of the horizon; if empty, baselines are ignored.
        baselines: the same of each baseline.
    """
    if not limit.limited:
        return np.zeros(len(valid), dtype=bool)
    if any(errors and errors[-1] - other[-1] > BETTER_BASELINE for other in baselines):
        return np.zeros(len(valid), dtype=bool)
    if limit.reference is None:
        # local exponents differ: where the median start holds, a start that holds half as long is excused
        usual = np.median(valid) >= limit.steps
        held: Array = (valid >= limit.steps) | (usual & (valid >= limit.steps / 2))
        return held
    # on all steps with any skill, and on the first steps alone: a forecast of the mean would fail there
    good: Array = _as_good(squares, limit.reference, limit.skill)
    good = good & _as_good(squares, limit.reference, limit.steps)
    return good


def _as_good(squares: Array, reference: Array, span: int) -> Array:
    """Return (start,), whether the forecast's error over the first `span` steps is no larger than the reference's."""
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
    """Return the mean of the finite values, +inf if there are none."""
    known = squares[np.isfinite(squares)]
    return float(known.mean()) if len(known) else float("inf")
