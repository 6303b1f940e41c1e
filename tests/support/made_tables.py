"""Made tables of trials and leaderboards, as the checks of a study read them."""

from collections.abc import Sequence
from typing import Any

import pandas as pd


def trials_table(
    one_step: Sequence[float],
    rollout: Sequence[float],
    state: str | Sequence[str] = "complete",
    **columns: Any,
) -> pd.DataFrame:
    """Return a row per trial as `trials_frame` does; `columns` replace or add some."""
    count = len(one_step)
    frame = {
        "number": range(count),
        "state": [state] * count if isinstance(state, str) else state,
        "lowest_one_step_error": one_step,
        "loss_rollout_error": rollout,
        "rollout_error": rollout,
        "loss_valid_steps": [100 * (1 - error) for error in rollout],
        "valid_steps": [100 * (1 - error) for error in rollout],
        "regret_last": 0.0,
        "regret_one_step": 0.0,
        "reason": None,
    }
    return pd.DataFrame({**frame, **columns})


def board_table(*rows: tuple[str, str, float]) -> pd.DataFrame:
    """Return a leaderboard of (kind, name, rollout error) rows."""
    frame = pd.DataFrame(rows, columns=["kind", "name", "rollout_error"])
    return frame.assign(exact=frame["rollout_error"] < 1e-9)
