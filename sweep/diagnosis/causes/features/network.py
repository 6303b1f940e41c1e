"""Features of the trained network: its errors, and what the probes measured."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from sweep.config.records import Evaluation
from sweep.diagnosis.causes.case import Case
from sweep.diagnosis.causes.features.feature import Feature, decades
from sweep.stats.paired_effect import FLOOR

PROBED = ("noise_gain", "driven", "swap_test", "training_fit", "units")  # the probes that features read


def _largest(case: Case, probe: str, key: str) -> float:
    values = [value for value in case.probes.get(probe, {}).get(key) or () if value is not None]
    return float(max(values)) if values else math.nan


def _rollout(case: Case) -> float:
    error = case.record.rollout_error
    return decades(max(FLOOR, 1.0 if error is None else error))


def _valid_share(case: Case) -> float:
    scores = case.record.scores
    if scores is None:
        return 0.0
    return scores.valid_steps / case.steps if case.steps else math.nan


def _first_steps(case: Case) -> float:
    scores = case.record.scores
    return decades(max(FLOOR, scores.prefix_errors[0])) if scores else math.nan


def _one_step(case: Case) -> float:
    return decades(case.probe("training_fit", "one_step_validation"))


def _one_step_by_linear(case: Case) -> float:
    return _one_step(case) - decades(max(1e-4, case.facts.linear_validation))


def _overfit_one_step(case: Case) -> float:
    return _one_step(case) - decades(case.probe("training_fit", "one_step_training"))


def overfit_rollout(case: Case) -> float:
    """Return the decades by which rollouts are worse on validation than on training starts; NaN if not probed."""
    known, new = (case.probe("training_fit", f"rollout_{part}") for part in ("training", "validation"))
    return decades(max(FLOOR, new)) - decades(max(FLOOR, known)) if known == known else math.nan


def _rollout_training(case: Case) -> float:
    return decades(max(FLOOR, case.probe("training_fit", "rollout_training")))


def _gate_saturation(case: Case) -> float:
    return _saturation(case.record.evaluations[-1:])


def _gate_saturation_first(case: Case) -> float:
    return _saturation(case.record.evaluations[:1])


def _saturation(chosen: Sequence[Evaluation]) -> float:
    """Return the share of saturated gates of the worst layer at an evaluation; NaN if it is not recorded."""
    shares = [evaluation.evidence.get("gate_saturation") or [math.nan] for evaluation in chosen]
    return float(max(shares[0])) if shares else math.nan


def _keeping(case: Case) -> float:
    gate = _largest(case, "units", "keeping")
    return math.nan if math.isnan(gate) else -decades(max(1e-6, 1 - gate))


def _recurrent_size(case: Case) -> float:
    return decades(_largest(case, "units", "recurrent_size"))


def _input_size(case: Case) -> float:
    return decades(_largest(case, "units", "input_size"))


def _readout_size(case: Case) -> float:
    return decades(case.probe("units", "readout_size"))


def _state_size(case: Case) -> float:
    return decades(case.probe("units", "state_size"))


def _dead_head(case: Case) -> float:
    value = case.probe("units", "dead_head")
    return 0.0 if math.isnan(value) else value


def _silent_output(case: Case) -> float:
    value = case.probe("units", "silent_output")
    return 0.0 if math.isnan(value) else value


def _out_of_reach(case: Case) -> float:
    return case.probe("units", "out_of_reach")


def _washout_steps(case: Case) -> float:
    steps = case.probe("driven", "washout")
    expected = case.probe("driven", "expected_washout")
    if math.isnan(steps):
        steps = expected
    return max(1.0, steps) if steps == steps else math.nan


def _warmup_by_washout(case: Case) -> float:
    return decades(case.config.score.warmup) - decades(_washout_steps(case))


def _washout(case: Case) -> float:
    return decades(_washout_steps(case))


def _forgets(case: Case) -> float:
    value = case.probe("driven", "exponent")
    return math.copysign(math.sqrt(abs(value)), value) if value == value else math.nan


def _noise_gain(case: Case) -> float:
    return decades(case.probe("noise_gain", "largest"))


def _noise_gain_first(case: Case) -> float:
    values = case.probes.get("noise_gain", {}).get("gain") or [None]
    return math.nan if values[0] is None else decades(values[0])


def _state_share(case: Case) -> float:
    value = case.probe("swap_test", "state_share")
    return float(np.clip(value, -1, 2))


def _input_share(case: Case) -> float:
    value = case.probe("swap_test", "input_share")
    return float(np.clip(value, -1, 2))


def _gradient_lag(case: Case) -> float:
    """Return the decades by which the last forecast depends less on the input 16 steps back than on that 2 back."""
    for evaluation in case.record.evaluations[-1:]:
        lags = evaluation.evidence.get("input_gradient_by_lag") or {}
        known = [int(lag) for lag in lags if lags[lag] is not None and 4 <= int(lag) <= 16]
        if known and lags.get("2"):
            return decades(lags["2"]) - decades(lags[str(max(known))])
    return math.nan


def _settling_share(case: Case) -> float:
    """Return the share of the training loss that comes from the first steps after a cold start.

    It is computed from the squared errors by step of the trained network; steps in the burn-in do not count.
    """
    training, fit = case.config.training, case.probes.get("training_fit", {})
    squares, settled = fit.get("settling"), fit.get("settled")
    if not squares or settled is None or any(square is None for square in squares):
        return math.nan
    window = training.window or case.facts.longest
    early = np.asarray(squares[:window], dtype=np.float64)
    burn_in = training.unscored(window)
    counted = early[burn_in:]
    rest = max(0, window - max(len(early), burn_in)) * settled
    total = counted.sum() + rest
    excess = np.maximum(0.0, counted - settled).sum()
    return float(excess / total) if total > 0 and math.isfinite(total) else math.nan


NETWORK: Mapping[str, Feature] = {
    feature.name: feature
    for feature in (
        Feature("rollout", "log10 of rollout error", _rollout),
        Feature("valid_share", "share of the horizon for which the median start is valid", _valid_share),
        Feature("first_steps", "log10 of rollout error over the first 3 % of the horizon", _first_steps),
        Feature("one_step", "log10 of one-step error", _one_step),
        Feature("one_step_by_linear", "decades of the one-step error above a linear forecast's", _one_step_by_linear),
        Feature("overfit_one_step", "decades of the one-step error above that on training data", _overfit_one_step),
        Feature("overfit_rollout", "decades of the rollout error above that on training data", overfit_rollout),
        Feature("rollout_training", "log10 of rollout error on training data", _rollout_training),
        Feature("gate_saturation", "share of saturated gates", _gate_saturation),
        Feature("gate_saturation_first", "share of saturated gates at the first checkpoint", _gate_saturation_first),
        Feature("keeping", "decades by which the gate that keeps the state is near to fully open", _keeping),
        Feature("recurrent_size", "log10 of size of recurrent weights relative to a new network's", _recurrent_size),
        Feature("input_size", "log10 of size of input weights relative to a new network's", _input_size),
        Feature("readout_size", "log10 of size of readout weights relative to a new network's", _readout_size),
        Feature("state_size", "log10 of size of the hidden state", _state_size),
        Feature("dead_head", "share of dead units in the head", _dead_head),
        Feature("silent_output", "share of outputs that a ReLU holds at 0", _silent_output),
        Feature("out_of_reach", "share of true values that the output cannot take", _out_of_reach),
        Feature("washout", "log10 of number of steps until a wrong state is forgotten", _washout),
        Feature("warmup_by_washout", "decades by which the warm-up exceeds the wash-out", _warmup_by_washout),
        Feature("forgets", "growth of a wrong state, below 0 if it is forgotten", _forgets),
        Feature("noise_gain", "log10 of largest gain of an input error", _noise_gain),
        Feature("noise_gain_first", "log10 of gain of an input error after one step", _noise_gain_first),
        Feature("state_share", "share of the rollout's error due to its own state", _state_share),
        Feature("input_share", "share of the rollout's error due to its own inputs", _input_share),
        Feature("gradient_lag", "decades by which old inputs matter less than recent ones", _gradient_lag),
        Feature("settling_share", "share of the loss due to cold starts", _settling_share),
    )
}  # fmt: skip
