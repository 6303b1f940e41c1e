"""Features of the training: the course of the loss, the updates, the budget and the learning rate."""

from collections.abc import Mapping

import numpy as np

from sweep.data.types import Array
from sweep.diagnosis.causes.case import Case
from sweep.diagnosis.causes.features.feature import Feature, decades
from sweep.stats.paired_effect import FLOOR

SMOOTH = 9  # bins of the running mean that is subtracted from a loss curve; our choice
RATE_GONE = 0.02  # share of its largest value below which a rate counts as near 0; our choice


def _part(values: Array, begin: float, end: float) -> Array:
    """Return the finite values between two shares of a curve."""
    chosen = values[int(begin * len(values)) : max(int(begin * len(values)) + 1, round(end * len(values)))]
    return np.asarray(chosen[np.isfinite(chosen)])


def _median(values: Array) -> float:
    return float(np.median(values)) if len(values) else np.nan


def _log_loss(case: Case) -> Array:
    loss = case.curve("loss")
    return np.asarray(np.log10(np.maximum(loss[np.isfinite(loss)], 1e-12)))


def _detrended(case: Case) -> Array:
    """Return the log loss of the last half, minus its running mean."""
    values = _part(_log_loss(case), 0.5, 1.0)
    if len(values) < 2 * SMOOTH:
        return np.empty(0)
    padded = np.pad(values, SMOOTH // 2, mode="edge")
    smooth = np.lib.stride_tricks.sliding_window_view(padded, SMOOTH).mean(axis=1)
    return np.asarray(values - smooth)


def _loss_fall(case: Case) -> float:
    loss = _log_loss(case)
    return _median(_part(loss, 0, 0.03)) - _median(_part(loss, 0.95, 1.0))


def _loss_slope_end(case: Case) -> float:
    loss = _log_loss(case)
    return _median(_part(loss, 0.7, 0.8)) - _median(_part(loss, 0.93, 1.0))


def _loss_slope_early(case: Case) -> float:
    loss = _log_loss(case)
    return _median(_part(loss, 0.0, 0.05)) - _median(_part(loss, 0.2, 0.3))


def _loss_left(case: Case) -> float:
    return _median(_part(_log_loss(case), 0.95, 1.0)) - 2 * decades(case.facts.input_spread)


def _roughness(case: Case) -> float:
    rest = _detrended(case)
    return decades(float(np.std(rest))) if len(rest) else np.nan


def _ringing(case: Case) -> float:
    rest = _detrended(case)
    if len(rest) < 8 or np.std(rest) < 1e-9:
        return np.nan
    centred = rest - rest.mean()
    return float(centred[1:] @ centred[:-1] / (centred @ centred))


def _spikes(case: Case) -> float:
    ratio = case.curve("loss_max") / np.maximum(case.curve("loss"), 1e-30)
    return decades(_median(_part(ratio, 0.3, 1.0)))


def _loss_rises(case: Case) -> float:
    loss = _log_loss(case)
    return float(_median(_part(loss, 0.95, 1.0)) - loss.min()) if len(loss) else np.nan


def _gradient_peak(case: Case) -> float:
    norms = case.curve("gradient_norm")
    middle = _median(_part(norms, 0, 1))
    top = case.curve("gradient_norm_max")
    return decades(float(np.nanmax(top)) / middle) if len(top) and middle > 0 else np.nan


def _gradient_size(case: Case) -> float:
    return decades(_median(_part(case.curve("gradient_norm"), 0.5, 1.0)))


def _gradient_fall(case: Case) -> float:
    norms = case.curve("gradient_norm")
    return decades(_median(_part(norms, 0, 0.05))) - decades(_median(_part(norms, 0.9, 1.0)))


def _update_ratio_early(case: Case) -> float:
    return decades(_median(_part(case.curve("update_ratio"), 0.0, 0.1)))


def _update_ratio(case: Case) -> float:
    return decades(_median(_part(case.curve("update_ratio"), 0.3, 0.7)))


def _update_ratio_most(case: Case) -> float:
    values = _part(case.curve("update_ratio"), 0.0, 1.0)
    return decades(float(values.max())) if len(values) else np.nan


def _travel(case: Case) -> float:
    counts = np.diff(case.curve("updates"), prepend=0.0)
    ratios = case.curve("update_ratio")
    return decades(float(np.nansum(counts * ratios))) if len(ratios) else np.nan


def _cosine_early(case: Case) -> float:
    return _median(_part(case.curve("gradient_cosine"), 0.0, 0.2))


def _cosine_late(case: Case) -> float:
    return _median(_part(case.curve("gradient_cosine"), 0.5, 1.0))


def _clipped(case: Case) -> float:
    values = _part(case.curve("clip_fraction"), 0.0, 1.0)
    return float(values.mean()) if len(values) else np.nan


def _clip_depth(case: Case) -> float:
    clip, norms = case.config.training.clip, _part(case.curve("gradient_norm"), 0.0, 0.5)
    if clip <= 0:
        return 0.0
    return max(0.0, decades(_median(norms) / clip)) if len(norms) else np.nan


def _rate_spent(case: Case) -> float:
    rate = case.curve("lr")
    return float(np.mean(rate < RATE_GONE * rate.max())) if len(rate) else np.nan


def _rate_area(case: Case) -> float:
    rate = case.curve("lr")
    return decades(float(np.mean(rate)) / float(rate.max())) if len(rate) and rate.max() > 0 else np.nan


def _updates(case: Case) -> float:
    return decades(case.record.updates)


def _averaging(case: Case) -> float:
    """Return log10 of the updates that momentum averages over, 1 / (1 - momentum)."""
    return -decades(1 - case.setting("momentum", 0.0))


def _averaging_share(case: Case) -> float:
    """Return log10 of the share of all updates that momentum averages over."""
    return _averaging(case) - _updates(case)


def _evaluations(case: Case) -> float:
    """Return log10 of the number of checkpoints; of a pruned trial the number that its whole budget would have had."""
    pruned = case.record.state == "pruned"
    return decades(len(case.config.points if pruned else case.record.evaluations))


def _rollouts(case: Case) -> Array:
    return np.log10(np.maximum([e.scores.rollout_error for e in case.record.evaluations], FLOOR))


def _rollout_jumps(case: Case) -> float:
    errors = _rollouts(case)
    late = errors[len(errors) // 2 :]
    return float(np.std(np.diff(late))) if len(late) > 2 else np.nan


def _rollout_slope_end(case: Case) -> float:
    errors = _rollouts(case)
    if len(errors) < 4:
        return np.nan
    return (
        float(np.median(errors[len(errors) // 2 : -2]) - np.min(errors[-2:])) if len(errors) > 5 else np.nan
    )


def _last_regret(case: Case) -> float:
    errors = _rollouts(case)
    return float(errors[-1] - errors.min()) if len(errors) else np.nan


def _diverged(case: Case) -> float:
    return float(case.record.state == "diverged")


TRAINING: Mapping[str, Feature] = {
    feature.name: feature
    for feature in (
        Feature("loss_fall", "decades by which the loss fell", _loss_fall),
        Feature("loss_slope_end", "decades by which the loss still falls in the last fifth", _loss_slope_end),
        Feature(
            "loss_slope_early", "decades by which the loss falls in the first quarter", _loss_slope_early
        ),
        Feature("loss_left", "log10 of final loss, in variances of the data", _loss_left),
        Feature("loss_rises", "decades by which the last loss is above the lowest", _loss_rises),
        Feature("roughness", "log10 of scatter of the log loss around its trend", _roughness),
        Feature("ringing", "correlation of the loss's scatter from one bin to the next", _ringing),
        Feature("spikes", "log10 of ratio of a bin's largest loss to its mean", _spikes),
        Feature("gradient_peak", "log10 of ratio of the largest gradient norm to the median", _gradient_peak),
        Feature("gradient_size", "log10 of gradient norm in the second half", _gradient_size),
        Feature("gradient_fall", "decades by which the gradient norm fell", _gradient_fall),
        Feature(
            "update_ratio_early",
            "log10 of ratio of update to weights in the first tenth",
            _update_ratio_early,
        ),
        Feature("update_ratio", "log10 of ratio of update to weights in mid-training", _update_ratio),
        Feature("update_ratio_most", "log10 of largest ratio of update to weights", _update_ratio_most),
        Feature("travel", "log10 of length of the path of the weights, in sizes of the weights", _travel),
        Feature("cosine_early", "cosine between successive gradients, first fifth", _cosine_early),
        Feature("cosine_late", "cosine between successive gradients, second half", _cosine_late),
        Feature("clipped", "share of updates whose gradient was clipped", _clipped),
        Feature("clip_depth", "decades by which the median gradient exceeds the clip", _clip_depth),
        Feature("rate_spent", "share of the budget at under 2 % of the largest rate", _rate_spent),
        Feature("rate_area", "log10 of ratio of mean to largest rate", _rate_area),
        Feature("updates", "log10 of number of updates", _updates),
        Feature("averaging", "log10 of number of updates that momentum averages over", _averaging),
        Feature(
            "averaging_share",
            "log10 of share of all updates that momentum averages over",
            _averaging_share,
        ),
        Feature("evaluations", "log10 of number of checkpoints to choose from", _evaluations),
        Feature(
            "rollout_jumps",
            "decades by which the rollout error jumps between late checkpoints",
            _rollout_jumps,
        ),
        Feature(
            "rollout_slope_end",
            "decades by which the rollout error still falls at the end",
            _rollout_slope_end,
        ),
        Feature(
            "last_regret",
            "decades by which the last checkpoint's rollout is worse than the best",
            _last_regret,
        ),
        Feature("diverged", "1 if training diverged", _diverged),
    )
}
