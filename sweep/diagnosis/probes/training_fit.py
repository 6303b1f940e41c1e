"""The probe `training_fit`: errors on training data and on validation data."""

from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from sweep.data import Data, Starts
from sweep.data.scale import scales_of
from sweep.data.starts import level_of
from sweep.diagnosis.probes.closed_loop import CannotMeasure
from sweep.diagnosis.probes.errors import Array
from sweep.diagnosis.probes.subject import Subject
from sweep.score import Task, forecasts
from sweep.score.rollout import decoded_forecasts, rollout_error_of, warm_and_free

STARTS = 8  # our choice
FEWEST = 12  # fewest samples of a training series with a start; our choice
SETTLING = 64  # first steps from a zero state whose errors are kept; our choice


@dataclass(frozen=True)
class TrainingFit:
    """Errors on starts within the training data and on validation starts, of the same warm-up and horizon.

    One-step errors are RMS over starts, steps and target channels in scales of the data, uncapped; the one on
    validation may be inf.
    """

    warmup: int  # true steps before each rollout; fewer than the study's if the training series are short
    horizon: int
    one_step_training: float
    one_step_validation: float
    rollout_training: float  # rollout error in [0, 1]
    rollout_validation: float
    settling: tuple[
        float, ...
    ]  # mean square one-step error, model units, of steps 1, 2, ... from a zero state
    settled: float  # the same over the last half of the training stretch


def training_fit(subject: Subject) -> TrainingFit:
    """Return one-step and rollout errors on training and validation starts, and the error after a cold start.

    Args:
        subject: its task gives the validation starts and the data; the training starts are spread evenly.

    Raises:
        CannotMeasure: the training series are too short to hold a start, or the forecasts are not finite.
    """
    network, task = subject.network, subject.task
    data = task.data
    warmup, horizon = _lengths(data, task)
    dtype, device = task.channels.dtype, str(task.channels.device)
    known = Task(data, training_starts(data, warmup, horizon), dtype, device)
    new = Task(data, _shortened(task.starts, warmup + data.codec.lag, horizon), dtype, device)
    forced, free = warm_and_free(network, known)
    on_known, on_new = decoded_forecasts(known, forced, free), forecasts(network, new)
    squares = _squares_from_zero(known, forced)
    late = squares[len(squares) // 2 :]
    if not (np.isfinite(on_known.one_step).all() and np.isfinite(squares).all()):
        raise CannotMeasure("the network's forecasts of its training data are not finite")
    return TrainingFit(
        warmup=warmup,
        horizon=horizon,
        one_step_training=_rms(known, on_known.one_step),
        one_step_validation=_rms(new, on_new.one_step),
        rollout_training=rollout_error_of(known, on_known.rollout),
        rollout_validation=rollout_error_of(new, on_new.rollout),
        settling=tuple(float(square) for square in squares[:SETTLING]),
        settled=float(late.mean()),
    )


def training_starts(data: Data, warmup: int, horizon: int) -> Starts:
    """Return at most STARTS rollout tasks within the training series, the longest series first.

    Raises:
        CannotMeasure: no start fits into a training series.
    """
    past, level = warmup + data.codec.lag, level_of(data.train_raw, data.train_series)
    room = [max(0, len(raw) - past - horizon + 1) for raw in data.train_raw]
    if not any(room):
        raise CannotMeasure(f"no training series holds {past} steps and a horizon of {horizon}")
    places = np.linspace(0, sum(room) - 1, min(STARTS, sum(room))).round().astype(int)
    ends = np.cumsum(room)
    piece = np.searchsorted(ends, places, side="right")
    begin = places - (ends - room)[piece]
    owner = np.asarray(data.train_series, dtype=np.int64)[piece]
    raw, known = data.train_raw, data.train_known
    pairs = list(zip(piece.tolist(), begin.tolist(), strict=True))
    truth = np.stack([raw[i][b + past : b + past + horizon] for i, b in pairs])
    before = np.stack([raw[i][b : b + past] for i, b in pairs])
    mean, std = level.mean[owner], level.std[owner]
    scales = scales_of(before, truth, mean, std, owner)
    return Starts(
        past=before,
        truth=truth,
        mean=mean,
        std=std,
        scale=scales.scale,
        scale_from=scales.source,
        exact=scales.exact,
        series=owner,
        owner=owner,
        position=begin + past,
        known=np.stack([known[i][b : b + warmup + horizon] for i, b in pairs]),
        n_eff=len(pairs),
    )


def _lengths(data: Data, task: Task) -> tuple[int, int]:
    """Return the longest warm-up and horizon, at most the task's, that fit into a training series."""
    longest = max(len(raw) for raw in data.train_raw) - data.codec.lag
    if longest < FEWEST:
        raise CannotMeasure(f"the longest training series has {longest} samples, fewer than {FEWEST}")
    warmup = min(task.warmup, longest // 3)
    return warmup, min(task.horizon, longest - warmup)


def _shortened(starts: Starts, past: int, horizon: int) -> Starts:
    few = slice(0, STARTS)
    lag = starts.past.shape[1] + starts.truth.shape[1] - starts.known.shape[1]
    before = starts.past.shape[1] - past
    return replace(
        starts,
        past=starts.past[few, before:],
        truth=starts.truth[few, :horizon],
        mean=starts.mean[few],
        std=starts.std[few],
        scale=starts.scale[few],
        scale_from=starts.scale_from[few],
        exact=starts.exact[few],
        series=starts.series[few],
        owner=starts.owner[few],
        position=starts.position[few],
        known=starts.known[few, before : before + past - lag + horizon],
        inputs=None,
        times=None,
    )


def _rms(task: Task, forecast: Array) -> float:
    chosen, starts = list(task.data.targets), task.starts
    errors = (forecast - starts.truth)[..., chosen] / starts.scale[:, None, chosen]
    with np.errstate(over="ignore"):
        rms = float(np.sqrt(np.mean(np.square(errors))))
    return rms if np.isfinite(rms) else float("inf")


def _squares_from_zero(task: Task, forced: Tensor) -> Array:
    """Return (step,), the mean square error in model units of teacher-forced forecasts from a zero state."""
    errors = (forced - task.channels[:, 1:]).double().square().mean(dim=(0, 2))
    return np.asarray(np.nan_to_num(errors.cpu().numpy(), nan=np.inf))
