"""Does the loss choose the right trial?"""

from typing import Any

import numpy as np
import pandas as pd

from sweep.diagnosis.check import CheckSpec
from sweep.diagnosis.finding import Finding
from sweep.results.checks.few_starts import NO_CLAIM
from sweep.results.wording.numbers import number_text
from sweep.stats.bootstrap import LEAST_PAIRS, spearman

COST_FOUND = (
    0.05  # rollout error, in [0, 1], that the loss's choice may cost before it is an issue. Our choice
)


def loss_is_lying(
    trials: pd.DataFrame, horizon: int | None, enough_starts: bool, rng: np.random.Generator
) -> Finding:
    """Does the one-step error rank trials as their rollouts do, and what would choosing by it cost?

    Each trial enters with its checkpoint of the lowest one-step error: that error, and the rollout error of
    the same checkpoint. Failed and unfinished trials are left out; a trial that diverged before it could be
    scored ranks worst in the rollout.

    Args:
        trials: from `trials_frame`.
        horizon: steps of a rollout.
        enough_starts: whether there are enough starts to claim that one trial beats another.
        rng: draws the bootstrap of the correlation.
    """
    judged = trials[trials["state"].isin(["complete", "pruned", "diverged"])]
    scored = judged[judged["lowest_one_step_error"].notna() & judged["rollout_error"].notna()]
    if len(scored) < 2:
        return CHECK.finding("not applicable", "Needs at least two scored trials.", {"trials": len(scored)})
    correlation = spearman(
        judged["lowest_one_step_error"].to_numpy(float), judged["loss_rollout_error"].to_numpy(float), rng
    )
    by_loss = scored.sort_values("lowest_one_step_error", kind="stable").iloc[0]
    best = scored.sort_values("rollout_error", kind="stable").iloc[0]
    cost = float(by_loss["loss_rollout_error"] - best["rollout_error"])
    evidence: dict[str, Any] = {
        "trials": len(judged),
        "spearman": None if correlation is None else correlation.rho,
        "interval": None if correlation is None else [correlation.low, correlation.high],
        "by_loss": int(by_loss["number"]),
        "by_loss_one_step_error": float(by_loss["lowest_one_step_error"]),
        "by_loss_rollout_error": float(by_loss["loss_rollout_error"]),
        "by_loss_valid_steps": float(by_loss["loss_valid_steps"]),
        "by_rollout": int(best["number"]),
        "by_rollout_rollout_error": float(best["rollout_error"]),
        "by_rollout_valid_steps": float(best["valid_steps"]),
        "cost": cost,
        "cost_valid_steps": float(best["valid_steps"] - by_loss["loss_valid_steps"]),
    }
    choice = _choice_text(by_loss, best, cost, horizon)
    if correlation is None:
        text = f"A rank correlation needs at least {LEAST_PAIRS} trials that differ. {choice}"
        return CHECK.finding("not applicable", text, evidence)
    rho = correlation.rho
    words = "agree" if rho >= 0.7 else "agree in part" if rho >= 0.3 else "hardly agree"
    text = (
        f"One-step and rollout error {words}: Spearman {rho:.2f} "
        f"(95 %: {correlation.low:.2f} to {correlation.high:.2f}) over {correlation.pairs} trials. {choice}"
    )
    if not enough_starts:
        return CHECK.finding(
            "not applicable",
            f"{text} {NO_CLAIM} this is not a claim that one setting beats another.",
            evidence,
        )
    return CHECK.finding("issue" if cost > COST_FOUND else "ok", text, evidence)


def _choice_text(by_loss: pd.Series, best: pd.Series, cost: float, horizon: int | None) -> str:
    low, high = float(best["rollout_error"]), float(by_loss["loss_rollout_error"])
    errors = f"{number_text(high)} instead of {number_text(low)}"
    of = "" if horizon is None else f" of {horizon}"
    if round(by_loss["loss_valid_steps"]) == round(best["valid_steps"]):
        valid = f"both valid for {best['valid_steps']:.0f}{of} steps"
    else:
        valid = f"valid for {by_loss['loss_valid_steps']:.0f} instead of {best['valid_steps']:.0f}{of} steps"
    if by_loss["number"] != best["number"]:
        return (
            f"The loss would have chosen trial {by_loss['number']}, whose rollout error is {errors} "
            f"(trial {best['number']}): {valid}."
        )
    same = f"The loss would have chosen the same trial, {best['number']}"
    return f"{same}." if cost < 1e-12 else f"{same}, at another checkpoint: rollout error {errors}, {valid}."


CHECK = CheckSpec(
    name="loss_is_lying",
    titles=("Choosing by the loss costs", "The loss is a fair guide here"),
    check=lambda tables: loss_is_lying(
        tables.trials, tables.study.horizon, tables.study.enough_starts, tables.rng()
    ),
    source="the question of this project; the threshold is our choice",
)
