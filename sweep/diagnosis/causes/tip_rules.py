"""Rules of the causes that were not planted in the calibration; their findings are tips at most.

A rule returns whether the cause was found, or why it cannot decide.
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

FADED = 3.0  # decades by which the input a quarter cycle back may matter less than the latest
SMALL_ONE_STEP = 0.1  # scales; our choice: a forecast that is good for one step
BAD_ROLLOUT = 0.3  # rollout error above which a rule reports its cause; our choice
PRUNED = "the trial was pruned before its training could show it"
WORTH = 0.05  # rollout error above which a better readout is advised; our choice
GAIN = 3.0  # gain of an input error over the first 100 steps above which the loop is at fault; our choice
REGRET = 0.3  # decades between checkpoints, or between readouts, that count; our choice
RICH = 10.0  # weights per training number beyond which a network is large for its data; our choice
KNOWN = 0.3  # decades by which training rollouts must beat validation rollouts for overfitting; our choice


@dataclass(frozen=True)
class RuleResult:
    """The result of a rule. `found` is None if the rule cannot decide; the text then says why."""

    found: bool | None
    text: str
    evidence: Mapping[str, float | int | None] = field(default_factory=dict)


def _error(case: Case) -> float:
    return 1.0 if case.record.rollout_error is None else case.record.rollout_error


def fading_memory(case: Case) -> RuleResult:
    """C08: does the forecast still depend on what lies a quarter of a cycle back?"""
    wanted = cycle(case) / 4
    lags = (
        case.record.evaluations[-1].evidence.get("input_gradient_by_lag", {})
        if case.record.evaluations
        else {}
    )
    if case.record.state == "pruned":
        return RuleResult(None, PRUNED)
    if case.record.diverged_at is not None or _blown_up(case):
        return RuleResult(None, "a forecast that blows up does not show how long the memory is")
    known = sorted(int(lag) for lag in lags if lags[lag] is not None)
    reached = [lag for lag in known if lag <= wanted]
    if len(reached) < 2 or not lags["1"]:
        return RuleResult(
            None, f"the gradients by lag do not reach back a quarter of a cycle, {wanted:.0f} steps"
        )
    ratio = decades(lags["1"]) - decades(lags[str(reached[-1])])
    evidence = {"lag": reached[-1], "decades": ratio}
    text = f"The input {reached[-1]} steps back matters {10**ratio:.3g} times less than the latest input."
    return RuleResult(ratio > FADED and _error(case) > BAD_ROLLOUT, text, evidence)


def _blown_up(case: Case) -> bool:
    best = case.record.best
    return best is not None and case.record.evaluations[best].scores.diverged_fraction > 0.5


def exposure_bias(case: Case) -> RuleResult:
    """C22: is the network good one step ahead, and does its closed loop amplify small errors?"""
    one_step, gain = case.probe("training_fit", "one_step_validation"), case.probe("noise_gain", "largest")
    share = case.probe("swap_test", "input_share")
    if math.isnan(one_step) or math.isnan(gain):
        return RuleResult(None, "the probes of noise gain and training fit were not taken")
    evidence = {"one_step": one_step, "gain": gain, "input_share": None if math.isnan(share) else share}
    found = one_step < SMALL_ONE_STEP and gain > GAIN and _error(case) > BAD_ROLLOUT
    text = f"The one-step error is {one_step:.2g} scales; an input error grows by a factor of {gain:.2g} in the loop."
    return RuleResult(found, text, evidence)


def wrong_checkpoint(case: Case) -> RuleResult:
    """C23: would the last checkpoint, or the one with the best one-step error, have been worse?"""
    record = case.record
    if record.best is None or record.best_one_step is None or len(record.evaluations) < 3:
        return RuleResult(None, "there are fewer than three checkpoints to compare")
    errors = [max(FLOOR, e.scores.rollout_error) for e in record.evaluations]
    last, by_loss = (math.log10(errors[i] / errors[record.best]) for i in (-1, record.best_one_step))
    text = (
        f"The best checkpoint is {record.best + 1} of {len(errors)}. The last one is {10**last:.3g} times worse, "
        f"the one with the lowest one-step error {10**by_loss:.3g} times worse."
    )
    return RuleResult(max(last, by_loss) > REGRET, text, {"last": last, "by_one_step": by_loss})


def batch_order(case: Case) -> RuleResult:
    """C24: are the windows trained in one fixed order?"""
    if case.config.training.shuffle or case.setup.full_batch:
        return RuleResult(False, "Windows are shuffled, or all of them are trained at once.")
    return RuleResult(
        True, "Windows are trained in the same order in every epoch, and neighbours in time share a batch."
    )


def large_capacity(case: Case) -> RuleResult:
    """C25: are there many weights for few numbers, and are rollouts better on training data?"""
    weights, better = case.setup.recurrent_weights, overfit_rollout(case)
    if weights is None:
        return RuleResult(None, "the weights of this model are not counted")
    if math.isnan(better):
        return RuleResult(None, "the probe of training fit was not taken")
    ratio = weights / training_numbers(case)
    text = f"{ratio:.2g} weights per training number; rollouts on training data have {10**better:.2g} times less error."
    return RuleResult(ratio > RICH and better > KNOWN, text, {"weights_by_numbers": ratio, "decades": better})


def rounding(case: Case) -> RuleResult:
    """C26: does the rollout differ in float64?"""
    change = case.probe("precision", "change")
    if math.isnan(change):
        return RuleResult(None, "the costly probe of precision was not taken; sweep diagnose takes it")
    found = change < -0.05 and np.isfinite(change)
    text = f"In float64 the rollout error changes by {change:+.2g}."
    return RuleResult(bool(found), text, {"change": change})


def readout_off(case: Case) -> RuleResult:
    """C27: is the rollout of the same network better with its last layer in closed form?"""
    raw, refit = case.probe("readout_refit", "raw"), case.probe("readout_refit", "refit")
    if math.isnan(raw) or math.isnan(refit):
        why = case.probes.get("readout_refit", {}).get("reason")
        return RuleResult(
            None, str(why or "the costly probe of the readout was not taken; sweep diagnose takes it")
        )
    gain = math.log10(max(FLOOR, raw) / max(FLOOR, refit))
    text = f"With the last layer in closed form the rollout error is {refit:.2g} instead of {raw:.2g}."
    found = gain > REGRET and raw > WORTH
    return RuleResult(found, text, {"raw": raw, "refit": refit, "decades": gain})


TIP_RULES: Mapping[str, Callable[[Case], RuleResult]] = {
    "C08": fading_memory,
    "C22": exposure_bias,
    "C23": wrong_checkpoint,
    "C24": batch_order,
    "C25": large_capacity,
    "C26": rounding,
    "C27": readout_off,
}
