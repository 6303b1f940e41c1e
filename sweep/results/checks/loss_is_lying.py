"""Does the loss choose the right trial?"""

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from sweep.diagnosis.check import CheckSpec
from sweep.diagnosis.finding import Finding
from sweep.results.checks.few_starts import NO_CLAIM
from sweep.results.contest import Contest
from sweep.results.loss_choice import COST_FOUND, LossChoice, loss_choice
from sweep.results.wording.numbers import capital_text, number_text
from sweep.stats.bootstrap import LEAST_PAIRS, spearman


def loss_is_lying(
    trials: pd.DataFrame, contest: Contest, horizon: int | None, enough_starts: bool, rng: np.random.Generator
) -> Finding:
    """Does the one-step error rank trials as their rollouts do, and what would choosing by it cost?

    Each trial enters with its checkpoint of the lowest one-step error: that error, and the rollout error of
    the same checkpoint. Failed and unfinished trials are left out; a trial that diverged before it could be
    scored ranks worst in the rollout. The cost is the rollout error of the loss's choice minus that of the leading
    configuration: on fresh seeds if there are some, else its selected score.

    Args:
        trials: from `trials_frame`.
        contest: on validation.
        horizon: steps of a rollout.
        enough_starts: whether there are enough starts to claim that one trial beats another.
        rng: draws the bootstrap of the correlation.
    """
    judged = trials[trials["state"].isin(["complete", "pruned", "diverged"])]
    chosen = loss_choice(trials, contest.network)
    if chosen is None or contest.network is None:
        return CHECK.finding("not applicable", "Needs at least two scored trials.")
    correlation = spearman(
        judged["lowest_one_step_error"].to_numpy(float), judged["loss_rollout_error"].to_numpy(float), rng
    )
    evidence: dict[str, Any] = {
        "trials": len(judged),
        "spearman": None if correlation is None else correlation.rho,
        "interval": None if correlation is None else [correlation.low, correlation.high],
        **{f"by_loss_{key}": value for key, value in asdict(chosen).items() if key not in ("number", "cost")},
        "by_loss": chosen.number,
        "by_rollout": contest.network.number,
        "by_rollout_rollout_error": contest.network.rollout_error,
        "by_rollout_valid_steps": contest.network.valid_steps,
        "by_rollout_confirmed": contest.seeds > 0,
        "cost": chosen.cost,
        "threshold": COST_FOUND,
    }
    choice = _choice_text(chosen, contest, horizon)
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
    return CHECK.finding("issue" if chosen.costs else "ok", text, evidence)


def _choice_text(chosen: LossChoice, contest: Contest, horizon: int | None) -> str:
    """Return what the loss would have chosen, beside the leading configuration."""
    leader = contest.network
    assert leader is not None
    of = "" if horizon is None else f" of {horizon}"
    error, steps = number_text(chosen.rollout_error), f"{chosen.valid_steps:.0f}{of} valid steps"
    theirs = "" if leader.valid_steps is None else f" and {leader.valid_steps:.0f}{of} valid steps"
    basis = "on fresh seeds" if contest.seeds else "selected"
    same = chosen.number == leader.number
    if same and not contest.seeds and abs(chosen.cost) < 1e-12:
        return f"The loss would have chosen the same trial, {chosen.number}, at the same checkpoint."
    which = f"the same trial, {chosen.number}, at its" if same else f"trial {chosen.number} at its"
    return (
        f"The loss would have chosen {which} lowest one-step error: rollout error {error}, {steps}. "
        f"{capital_text(leader.name)} has {number_text(leader.rollout_error)}{theirs} ({basis})."
    )


CHECK = CheckSpec(
    name="loss_is_lying",
    titles=("Choosing by the loss costs", "Choosing by the loss costs little here"),
    check=lambda tables: loss_is_lying(
        tables.trials,
        tables.contests.validation,
        tables.study.horizon,
        tables.study.enough_starts,
        tables.rng(),
    ),
    source="the question of this project; the threshold is our choice",
)
