"""What a study says, in sentences with the numbers behind them. Pure functions of the tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from sweep.config.ranges import Choice, OneMinusLog
from sweep.config.space import Axis
from sweep.results.effects import Claim
from sweep.results.selection import FEW_STARTS
from sweep.results.wording.numbers import number_text, param_text
from sweep.stats.bootstrap import LEAST_PAIRS, spearman

COST_FOUND = (
    0.05  # rollout error, of 0..1: what the loss's choice may cost before it is called lying. Our choice
)
EDGE = 0.05  # of a range, on its own scale; our choice
SKILL_LEAST = 0.25  # against the mean: half of its error, over half of the horizon. Our choice

Verdict = Literal["found", "clear", "unknown"]


@dataclass(frozen=True)
class Finding:
    """A question's answer with its numbers. "unknown" is an answer: silence is never taken for health."""

    code: str
    verdict: Verdict
    text: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


def loss_is_lying(
    trials: pd.DataFrame, horizon: int | None, claims: bool, rng: np.random.Generator
) -> Finding:
    """Does the one-step error rank trials as their rollouts do, and what would choosing by it cost?

    Each trial enters with its checkpoint of the lowest one-step error: that error, and the rollout error of
    the same checkpoint. Failed and unfinished trials are left out; a trial that diverged before it could be
    scored ranks worst in the rollout.

    Args:
        trials: from `trials_frame`.
        horizon: steps of a rollout.
        claims: whether there are enough starts to say that one trial beats another.
        rng: draws the bootstrap of the correlation.
    """
    judged = trials[trials["state"].isin(["complete", "pruned", "diverged"])]
    scored = judged[judged["lowest_one_step_error"].notna() & judged["rollout_error"].notna()]
    if len(scored) < 2:
        return Finding(
            "loss_is_lying", "unknown", "Needs at least two scored trials.", {"trials": len(scored)}
        )
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
    if correlation is None:
        ranks = f"A rank correlation needs at least {LEAST_PAIRS} trials that differ."
    else:
        words = (
            "agree"
            if correlation.rho >= 0.7
            else "agree in part"
            if correlation.rho >= 0.3
            else "hardly agree"
        )
        ranks = (
            f"One-step and rollout error {words}: Spearman {correlation.rho:.2f} "
            f"(95 %: {correlation.low:.2f} to {correlation.high:.2f}) over {correlation.pairs} trials."
        )
    valid = _valid(by_loss["loss_valid_steps"], best["valid_steps"], horizon)
    if by_loss["number"] == best["number"]:
        choice = f"The loss would have chosen the same trial, {best['number']}"
        if cost < 1e-12:
            choice += "."
        else:
            choice += (
                f", at another checkpoint: rollout error {number_text(float(by_loss['loss_rollout_error']))} "
                f"instead of {number_text(float(best['rollout_error']))}, {valid}."
            )
    else:
        choice = (
            f"The loss would have chosen trial {by_loss['number']}, whose rollout error is "
            f"{number_text(float(by_loss['loss_rollout_error']))} instead of "
            f"{number_text(float(best['rollout_error']))} (trial {best['number']}): {valid}."
        )
    if correlation is None:
        return Finding("loss_is_lying", "unknown", f"{ranks} {choice}", evidence)
    if not claims:
        return Finding("loss_is_lying", "unknown", f"{ranks} {choice} {_too_few()}", evidence)
    return Finding("loss_is_lying", "found" if cost > COST_FOUND else "clear", f"{ranks} {choice}", evidence)


def checkpoint_regret(trials: pd.DataFrame) -> Finding:
    """How much worse are the last checkpoint, and the one of the lowest one-step error, than the chosen one?

    Over the trials that trained to the end; regret is a difference of rollout errors, >= 0.
    """
    done = trials[(trials["state"] == "complete") & trials["regret_last"].notna()]
    if not len(done):
        return Finding("checkpoint_regret", "unknown", "No trial has trained to the end yet.", {"trials": 0})
    last, loss = done["regret_last"].to_numpy(float), done["regret_one_step"].dropna().to_numpy(float)
    evidence = {
        "trials": len(done),
        "median_last": float(np.median(last)),
        "worst_last": float(last.max()),
        "share_last": float((last > COST_FOUND).mean()),
        "median_one_step": float(np.median(loss)) if len(loss) else None,
        "worst_one_step": float(loss.max()) if len(loss) else None,
        "share_one_step": float((loss > COST_FOUND).mean()) if len(loss) else None,
        "threshold": COST_FOUND,
    }
    text = (
        f"In {(last > COST_FOUND).sum()} of {len(done)} trials that trained to the end, the last checkpoint "
        f"rolls out worse than the best one by more than {COST_FOUND:g} "
        f"(median {number_text(float(np.median(last)), 2)}, worst {number_text(float(last.max()), 2)})."
    )
    if len(loss):
        text += (
            f" For the checkpoint with the lowest one-step error these are {(loss > COST_FOUND).sum()} "
            f"(median {number_text(float(np.median(loss)), 2)}, worst {number_text(float(loss.max()), 2)})."
        )
    found = bool((last > COST_FOUND).any() or (loss > COST_FOUND).any())
    return Finding("checkpoint_regret", "found" if found else "clear", text, evidence)


def near_bound(params: Mapping[str, Any] | None, axes: Mapping[str, Axis]) -> Finding:
    """Is a hyperparameter of the best trial so near a bound that its range may be too narrow?

    Near is within 5 % of the range, on the range's own scale. A momentum of 0 is the end of what there is, no
    bound of ours.

    Source: Deep Learning Tuning Playbook, "Identifying bad search space boundaries".
    """
    if params is None:
        return Finding("near_bound", "unknown", "There is no best trial yet.")
    sentences, evidence = [], {}
    for name, value in params.items():
        axis = axes.get(name)
        if axis is None or isinstance(axis.span, Choice):
            continue
        span = axis.span
        position = span.to_unit(value)
        lower = position < EDGE and not (isinstance(span, OneMinusLog) and span.low == 0)
        evidence[name] = position
        if lower or position > 1 - EDGE:
            end, where = ("low", "lower") if lower else ("high", "higher")
            sentences.append(
                f"{name} = {param_text(name, value)} is at the {end} end of "
                f"{param_text(name, span.low)} to {param_text(name, span.high)}: search {where}."
            )
    if not evidence:
        return Finding("near_bound", "unknown", "The best trial has no hyperparameter with a range.")
    if sentences:
        return Finding("near_bound", "found", " ".join(sentences), {"position": evidence, "edge": EDGE})
    text = "No hyperparameter of the best trial is near a bound of its range."
    return Finding("near_bound", "clear", text, {"position": evidence, "edge": EDGE})


def horizon_too_long(board: pd.DataFrame) -> Finding:
    """Does anything, trial or baseline, have skill over half of the horizon?

    A forecast with half the mean's error over half of the horizon, and no skill after, has skill 0.25.

    Args:
        board: from `leaderboard`.
    """
    scored = board[board["rollout_error"].notna() & (board["name"] != "mean")]
    if not len(scored):
        return Finding("horizon_too_long", "unknown", "Nothing has been scored yet.")
    means = board.loc[(board["name"] == "mean") & (board["kind"] == "baseline"), "rollout_error"]
    mean = float(means.iloc[0]) if len(means) and means.iloc[0] > 0 else 1.0
    first = scored.sort_values("rollout_error", kind="stable").iloc[0]
    reached = 1 - float(first["rollout_error"]) / mean
    evidence = {"skill": reached, "by": str(first["name"]), "least": SKILL_LEAST}
    if reached < SKILL_LEAST:
        text = (
            f"Neither a trial nor a baseline has skill over half of the horizon (best: {first['name']}, "
            f"skill {number_text(reached, 2)} against the mean): the horizon asks for more than the data "
            "hold, or for more training than the budget allows."
        )
        return Finding("horizon_too_long", "found", text, evidence)
    text = (
        f"The horizon can be forecast: {first['name']} has skill {number_text(reached, 2)} against the mean."
    )
    return Finding("horizon_too_long", "clear", text, evidence)


def few_starts(n_eff: int | None) -> Finding:
    """Are there enough starts that do not overlap to say that one setting beats another?"""
    if n_eff is None:
        return Finding("few_starts", "unknown", "The number of starts that do not overlap is not recorded.")
    evidence = {"n_eff": n_eff, "least": FEW_STARTS}
    if n_eff < FEW_STARTS:
        text = (
            f"Only {n_eff} starts do not overlap: with fewer than {FEW_STARTS} no setting is said to beat another. "
            "Shorten the horizon, or give more data."
        )
        return Finding("few_starts", "found", text, evidence)
    return Finding("few_starts", "clear", f"{n_eff} starts do not overlap.", evidence)


def choices_matter(claims: Sequence[Claim], tested: int, enough_starts: bool, rung_words: str) -> Finding:
    """Which choices does the study show to be better, and by how much?

    Args:
        claims: from `effect_claims`.
        tested: choices with enough trials to test.
        enough_starts: whether there are enough starts to say that one setting beats another.
        rung_words: what was compared.
    """
    if not enough_starts:
        text = (
            f"Left open: with fewer than {FEW_STARTS} starts that do not overlap no value of a choice is said to be "
            "better than the others."
        )
        return Finding("choices_matter", "unknown", text)
    if not tested:
        return Finding("choices_matter", "unknown", "Too few trials to compare the values of a choice.")
    if not claims:
        text = (
            "No value of a choice is shown to be better than the others: "
            "the trials are too few, or it does not matter."
        )
        return Finding("choices_matter", "clear", text, {"tested": tested})
    leads = (
        ("rung", f"By {rung_words}, better than the rest:"),
        ("end", "By the final scores of the trials that trained to the end, better than the rest:"),
    )
    parts = [
        " ".join([lead, *(_claim_text(claim) for claim in claims if claim.basis == basis)])
        for basis, lead in leads
        if any(claim.basis == basis for claim in claims)
    ]
    text = " ".join(parts)
    return Finding(
        "choices_matter", "found", text, {"tested": tested, "claims": [vars(claim) for claim in claims]}
    )


def _claim_text(claim: Claim) -> str:
    return (
        f"{claim.param} = {claim.value}: median {number_text(claim.median, 2)} against "
        f"{number_text(claim.others, 2)} for the others "
        f"(difference {number_text(claim.low, 2)} to {number_text(claim.high, 2)})."
    )


def trial_failures(trials: pd.DataFrame) -> Finding:
    """Which trials failed, that is, ended with an error rather than a score? And which have left nothing at all?"""
    failed = trials[trials["state"] == "failed"]
    gone = sorted(set(range(int(trials["number"].max()) + 1)) - set(trials["number"])) if len(trials) else []
    if gone:
        listed = ", ".join(str(number) for number in gone[:5]) + (" and more" if len(gone) > 5 else "")
        text = (
            f"{len(failed)} trials failed, and the folders of {len(gone)} are gone ({listed}): sweep run trains "
            "those again."
        )
        return Finding("trial_failures", "found", text, {"failed": len(failed), "gone": gone})
    if not len(failed):
        return Finding("trial_failures", "clear", "No trial failed.", {"failed": 0})
    reasons = failed["reason"].fillna("no reason recorded").value_counts()
    listed = "; ".join(f"{reason} ({count})" for reason, count in list(reasons.items())[:3])
    text = f"{len(failed)} of {len(trials)} trials failed: {listed}."
    return Finding(
        "trial_failures",
        "found",
        text,
        {"failed": len(failed), "numbers": [int(n) for n in failed["number"]]},
    )


def _valid(by_loss: float, best: float, horizon: int | None) -> str:
    """Return the valid steps of the loss's choice beside the best ones."""
    of = "" if horizon is None else f" of {horizon}"
    if round(by_loss) == round(best):
        return f"both valid for {best:.0f}{of} steps"
    return f"valid for {by_loss:.0f} instead of {best:.0f}{of} steps"


def _too_few() -> str:
    return (
        f"With fewer than {FEW_STARTS} starts that do not overlap, "
        "this is no claim that one setting beats another."
    )
