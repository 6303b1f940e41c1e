"""The trial that the loss would have picked, beside the configuration that the rollout picks."""

from dataclasses import dataclass

import pandas as pd

from sweep.results.contest import Contender

COST_FOUND = (
    0.05  # rollout error, in [0, 1], that the loss's choice may cost before it is an issue. Our choice
)


@dataclass(frozen=True)
class LossChoice:
    """The checkpoint with the lowest one-step error of all trials, and its scores on validation."""

    number: int
    one_step_error: float
    rollout_error: float
    valid_steps: float
    cost: float  # its rollout error minus that of the leading configuration

    @property
    def costs(self) -> bool:
        """Return whether the loss picks clearly worse than the rollout."""
        return self.cost > COST_FOUND


def loss_choice(trials: pd.DataFrame, leader: Contender | None) -> LossChoice | None:
    """Return what the loss would have picked; None with fewer than two scored trials.

    Args:
        trials: from `trials_frame`.
        leader: the leading configuration with its scores on validation.
    """
    settled = trials[trials["state"].isin(["complete", "pruned", "diverged"])]
    scored = settled[settled["lowest_one_step_error"].notna() & settled["rollout_error"].notna()]
    if leader is None or len(scored) < 2:
        return None
    row = scored.sort_values("lowest_one_step_error", kind="stable").iloc[0]
    error = float(row["loss_rollout_error"])
    return LossChoice(
        int(row["number"]),
        float(row["lowest_one_step_error"]),
        error,
        float(row["loss_valid_steps"]),
        error - leader.rollout_error,
    )
