"""The best of the three trivial forecasts on some starts, which every forecast has to beat."""

import functools
from dataclasses import dataclass, field

import numpy as np

from sweep.data.trivial import trivial_forecasts
from sweep.data.types import Array, Starts
from sweep.score.comparisons import EXACT, skill
from sweep.score.metrics import Objective, block_length, valid_steps


@dataclass(frozen=True)
class TrivialForecast:
    """A trivial forecast and its numbers."""

    name: str  # of the baseline: "mean", "persistence" or "drift"
    rollout_error: float  # by the study's objective
    exact: bool  # whether it is right to rounding: then no forecast has skill against it
    noise: float  # standard error of the rollout error, as a mean over starts that do not overlap
    valid_steps: Array = field(compare=False)  # (start,)

    def skill_of(self, error: float) -> float | None:
        """Return 1 - error / this forecast's rollout error; None if this forecast is exact."""
        return None if self.exact else skill(error, self.rollout_error)


@functools.lru_cache(maxsize=8)
def best_trivial(
    starts: Starts, targets: tuple[int, ...], period: float | None, objective: Objective
) -> TrivialForecast:
    """Return the trivial forecast with the lowest rollout error, of equal ones the first; computed once per process.

    Args:
        starts: what is forecast.
        targets: indices of the scored channels.
        period: dominant period of the training data in steps, None if there is none.
        objective: the study's.
    """
    chosen = list(targets)
    truth, scale = starts.truth[..., chosen], starts.scale[:, chosen]
    block = block_length(period, truth.shape[1])
    forecasts = trivial_forecasts(starts.past[..., chosen], starts.mean[:, chosen], truth.shape[1])
    errors = {name: objective(values, truth, scale, block) for name, values in forecasts.items()}
    name = min(errors, key=lambda one: errors[one])
    best = forecasts[name]
    exact = errors[name] < EXACT or bool(starts.exact[:, chosen].all())
    pieces = [slice(start, start + 1) for start in range(len(truth))]
    spread = np.std([objective(best[one], truth[one], scale[one], block) for one in pieces])
    noise = float(spread / np.sqrt(starts.n_eff))
    return TrivialForecast(name, errors[name], exact, noise, valid_steps(best, truth, scale, block))
