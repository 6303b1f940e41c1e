"""Causes that were not planted, or are no intervention: each has a rule of its own, and is never more than a tip.

They say what else was seen. A rule returns a verdict, or why it cannot judge.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from sweep.diagnosis.causes.case import Case
from sweep.diagnosis.causes.features.feature import decades
from sweep.diagnosis.causes.features.network import overfit_rollout
from sweep.diagnosis.causes.features.setting import cycle, training_numbers
from sweep.stats.paired_effect import FLOOR

FADED = 3.0  # decades by which a quarter cycle's input may matter less than the latest; facts: D13, 1e-3
SMALL_ONE_STEP = 0.1  # scales; our choice: a forecast that is good for one step
BAD_ROLLOUT = 0.3  # rollout error from which on something is worth saying; our choice
PRUNED = "the trial was pruned before its training could show it"
WORTH = 0.05  # rollout error from which on a better readout is advised; our choice
GAIN = 3.0  # of an input error over the first 100 steps, from which on the loop spoils it; our choice
REGRET = 0.3  # decades; facts: D17, and for a better readout
RICH = 10.0  # weights per training number beyond which a network is large for its data; our choice
KNOWN = (
    0.3  # decades by which training rollouts are better than new ones, to speak of overfitting; our choice
)


@dataclass(frozen=True)
class Verdict:
    """What a rule says. `found` None: it cannot judge, and the text says why."""

    found: bool | None
    text: str
    evidence: Mapping[str, float | int | None] = field(default_factory=dict)


def _error(case: Case) -> float:
    return 1.0 if case.record.rollout_error is None else case.record.rollout_error


def fading_memory(case: Case) -> Verdict:
    """C08: does the forecast still depend on what lies a quarter of a cycle back?"""
    wanted = cycle(case) / 4
    lags = (
        case.record.evaluations[-1].evidence.get("input_gradient_by_lag", {})
        if case.record.evaluations
        else {}
    )
    if case.record.state == "pruned":
        return Verdict(None, PRUNED)
    if case.record.diverged_at is not None or _blown_up(case):
        return Verdict(None, "what blows up says nothing about memory")
    known = sorted(int(lag) for lag in lags if lags[lag] is not None)
    reached = [lag for lag in known if lag <= wanted]
    if len(reached) < 2 or not lags["1"]:
        return Verdict(None, f"the gradients by lag do not reach a quarter of a cycle, {wanted:.0f} steps")
    ratio = decades(lags["1"]) - decades(lags[str(reached[-1])])
    evidence = {"lag": reached[-1], "decades": ratio}
    said = f"The input {reached[-1]} steps back matters {10**ratio:.3g} times less than the latest."
    return Verdict(ratio > FADED and _error(case) > BAD_ROLLOUT, said, evidence)


def _blown_up(case: Case) -> bool:
    best = case.record.best
    return best is not None and case.record.evaluations[best].scores.diverged_fraction > 0.5


def exposure_bias(case: Case) -> Verdict:
    """C22: good one step ahead, and a loop that blows up its own small errors."""
    one_step, gain = case.probe("training_fit", "one_step_validation"), case.probe("noise_gain", "largest")
    share = case.probe("swap_test", "input_share")
    if math.isnan(one_step) or math.isnan(gain):
        return Verdict(None, "the probes of noise gain and training fit were not taken")
    evidence = {"one_step": one_step, "gain": gain, "input_share": None if math.isnan(share) else share}
    found = one_step < SMALL_ONE_STEP and gain > GAIN and _error(case) > BAD_ROLLOUT
    said = f"One step ahead it errs by {one_step:.2g} scales; an error of an input grows {gain:.2g}-fold in the loop."
    return Verdict(found, said, evidence)


def wrong_checkpoint(case: Case) -> Verdict:
    """C23: would the last checkpoint, or the one with the best one-step error, have been worse?"""
    record = case.record
    if record.best is None or record.best_one_step is None or len(record.evaluations) < 3:
        return Verdict(None, "there are fewer than three checkpoints to compare")
    errors = [max(FLOOR, e.scores.rollout_error) for e in record.evaluations]
    last, by_loss = (math.log10(errors[i] / errors[record.best]) for i in (-1, record.best_one_step))
    said = (
        f"The best checkpoint is {record.best + 1} of {len(errors)}. The last one rolls out {10**last:.3g} times "
        f"worse, the one with the lowest one-step error {10**by_loss:.3g} times."
    )
    return Verdict(max(last, by_loss) > REGRET, said, {"last": last, "by_one_step": by_loss})


def batch_order(case: Case) -> Verdict:
    """C24: are the windows trained in one fixed order?"""
    if case.config.training.shuffle or case.setup.full_batch:
        return Verdict(False, "Windows are shuffled, or all trained at once.")
    return Verdict(
        True, "Windows are trained in the same order in every epoch: neighbours in time share a batch."
    )


def large_capacity(case: Case) -> Verdict:
    """C25: many weights for few numbers, and rollouts that are better on training data?"""
    weights, better = case.setup.recurrent_weights, overfit_rollout(case)
    if weights is None:
        return Verdict(None, "the weights of this model are not counted")
    if math.isnan(better):
        return Verdict(None, "the probe of training fit was not taken")
    ratio = weights / training_numbers(case)
    said = (
        f"{ratio:.2g} weights per training number; rollouts on training data err {10**better:.2g} times less."
    )
    return Verdict(ratio > RICH and better > KNOWN, said, {"weights_by_numbers": ratio, "decades": better})


def rounding(case: Case) -> Verdict:
    """C26: does the rollout differ in float64?"""
    change = case.probe("precision", "change")
    if math.isnan(change):
        return Verdict(None, "the probe of precision is costly: sweep diagnose takes it")
    found = change < -0.05 and np.isfinite(change)
    said = f"In float64 the rollout error changes by {change:+.2g}."
    return Verdict(bool(found), said, {"change": change})


def readout_off(case: Case) -> Verdict:
    """C27: does the same network roll out better with its last layer in closed form?"""
    raw, refit = case.probe("readout_refit", "raw"), case.probe("readout_refit", "refit")
    if math.isnan(raw) or math.isnan(refit):
        why = case.probes.get("readout_refit", {}).get("reason")
        return Verdict(None, str(why or "the probe of the readout is costly: sweep diagnose takes it"))
    gain = math.log10(max(FLOOR, raw) / max(FLOOR, refit))
    said = (
        f"With its last layer in closed form it rolls out with an error of {refit:.2g} instead of {raw:.2g}."
    )
    found = gain > REGRET and raw > WORTH
    return Verdict(found, said, {"raw": raw, "refit": refit, "decades": gain})


TIP_RULES: Mapping[str, Callable[[Case], Verdict]] = {
    "C08": fading_memory,
    "C22": exposure_bias,
    "C23": wrong_checkpoint,
    "C24": batch_order,
    "C25": large_capacity,
    "C26": rounding,
    "C27": readout_off,
}
