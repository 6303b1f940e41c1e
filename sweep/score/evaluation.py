"""Every number of one evaluation, over the target channels."""

import numpy as np

from sweep.config.records import PREFIXES, Scores
from sweep.data.types import Array, Starts
from sweep.score.metrics import (
    Objective,
    block_length,
    diverged_fraction,
    error_of_prefix,
    nrmse,
    rmse_by_channel,
    rollout_error,
    valid_steps,
)
from sweep.score.trivial import best_trivial


def scores(
    forecast: Array,
    one_step: Array,
    starts: Starts,
    targets: tuple[int, ...],
    period: float | None,
    objective: Objective = rollout_error,
) -> Scores:
    """Return every number of one evaluation, over the target channels only.

    The study's objective gives the field `rollout_error` and the prefix errors. The one-step error is the same under
    every objective: it shows what a choice by the training loss would rank by.

    Args:
        forecast: (start, step, channel), the rollout, data units; inf and NaN allowed.
        one_step: (start, step, channel), teacher-forced forecasts of the same steps after the warm-up.
        starts: what was forecast.
        targets: indices of the scored channels.
        period: dominant period of the training data in steps, None if there is none.
        objective: the study's, from `sweep.score.objectives.objective_of`.

    Raises:
        ValueError: no targets, shapes differ from the truth's, or as `block_errors`.
    """
    if not targets:
        raise ValueError("scores needs at least one target channel")
    if not forecast.shape == one_step.shape == starts.truth.shape:
        raise ValueError(
            f"shapes differ: forecast {forecast.shape}, one_step {one_step.shape}, truth {starts.truth.shape}"
        )
    chosen = list(targets)
    forecast, one_step, truth = forecast[..., chosen], one_step[..., chosen], starts.truth[..., chosen]
    std, scale = starts.std[:, chosen], starts.scale[:, chosen]
    block = block_length(period, truth.shape[1])
    steps = valid_steps(forecast, truth, scale, block)
    low, middle, high = np.quantile(steps, (0.1, 0.5, 0.9))
    error = objective(forecast, truth, scale, block)
    return Scores(
        rollout_error=error,
        prefix_errors=tuple(
            error_of_prefix(forecast, truth, scale, block, share, objective) for share in PREFIXES
        ),
        nrmse=nrmse(forecast, truth, scale),
        valid_steps=float(middle),
        valid_steps_low=float(low),
        valid_steps_high=float(high),
        diverged_fraction=diverged_fraction(forecast, truth, scale, std),
        one_step_error=rollout_error(one_step, truth, scale, block),
        one_step_nrmse=nrmse(one_step, truth, scale),
        trivial_skill=best_trivial(starts, targets, period, objective).skill_of(error),
        rmse=tuple(rmse_by_channel(forecast, truth).tolist()),
    )
