"""The arrays of a rollout that pictures and diagnoses read: its forecasts and truth, with their errors by step."""

import numpy as np

from sweep.data.types import Array, Data, Starts
from sweep.score.metrics import block_length, nrmse_by_step, valid_steps
from sweep.score.objectives import objective_of
from sweep.score.trivial import best_trivial

SHOWN_ONE_STEP = 4  # starts whose teacher-forced forecasts are stored for plots
SHOWN_PERIODS, SHOWN_SHARE = 2, 0.25  # stored tail of the warm-up: periods, at most this share of the horizon


def rollout_record(
    data: Data, starts: Starts, rollout: Array, one_step: Array, gap: Array
) -> dict[str, Array]:
    """Return the arrays by name, as rollout.npz stores them (docs/results.md).

    Values are float64, so that whoever reads them sees the errors that were scored: at a large level float32 holds
    none.

    Args:
        data: that hold the starts.
        starts: what was forecast.
        rollout: (start, step, channel), data units; inf and NaN allowed.
        one_step: (start, step, channel), teacher-forced forecasts; NaN where there are none.
        gap: (step,), the exposure gap; NaN where it does not apply.
    """
    chosen = list(data.targets)
    truth, scale = starts.truth[..., chosen], starts.scale[:, chosen]
    targets, forced = rollout[..., chosen], one_step[..., chosen]
    block = block_length(data.period, truth.shape[1])
    tail = _tail(data.period, starts)
    arrays = {
        "forecast": rollout,
        "truth": starts.truth,
        "past": starts.past[:, -tail:],
        "one_step": one_step[:SHOWN_ONE_STEP],
        "nrmse": nrmse_by_step(targets, truth, scale),
        "one_step_nrmse": nrmse_by_step(forced, truth, scale),
        "exposure_gap": gap,
        "scale": starts.scale,
        "mean": starts.mean,
        "std": starts.std,
    }
    # float64, so that whoever reads the file sees the errors that were scored: at a large level float32 holds none
    stored = {name: np.asarray(values, dtype=np.float64) for name, values in arrays.items()}
    stored["valid_steps"] = np.asarray(valid_steps(targets, truth, scale, block))
    stored["block"] = np.asarray(block)
    stored["targets"] = np.asarray(chosen)
    stored["scale_from"], stored["exact"] = starts.scale_from, starts.exact
    trivial = best_trivial(starts, data.targets, data.period, objective_of(data.objective))
    stored["trivial"] = np.asarray(trivial.name)
    stored["trivial_error"] = np.asarray(trivial.rollout_error)
    stored["trivial_noise"] = np.asarray(trivial.noise)
    stored["trivial_exact"] = np.asarray(trivial.exact)
    stored["trivial_valid_steps"] = trivial.valid_steps
    stored["series"], stored["position"] = starts.series, starts.position
    if starts.inputs is not None:
        stored["inputs"] = starts.inputs[:, -(tail + truth.shape[1]) :]
        stored["input_names"] = np.asarray(data.known)
    if starts.times is not None:
        stored["times"] = starts.times[:, -(tail + truth.shape[1]) :]
    if data.series_names:
        stored["series_names"] = np.asarray(data.series_names)[starts.owner]
    return stored


def _tail(period: float | None, starts: Starts) -> int:
    horizon = starts.truth.shape[1]
    wanted = SHOWN_PERIODS * period if period else SHOWN_SHARE * horizon
    return int(max(1, min(wanted, SHOWN_SHARE * horizon, starts.past.shape[1])))
