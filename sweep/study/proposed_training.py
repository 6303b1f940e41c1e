"""The size of networks, windows, budgets and the number of trials that fit data and a few minutes of two cores."""

import math
from dataclasses import dataclass

from sweep.data import DataSummary
from sweep.model import CELLS
from sweep.study.proposed_rollouts import Rollouts
from sweep.study.timing import STEP_ADDS

MINUTES, CORES = 7.0, 2  # that a study should take; our choice
# Units of `sweep.study.timing` per second and core in float32, with the compiled engine on a core with AVX-512, rounded
# down. `speed` replaces it where it is measured.
SPEED = 1.8e10
DOUBLE = 2.5  # a training in float64 with full batches takes so many times longer
TRIAL_SECONDS = 1.0  # of a trial beside training: evaluations, diagnosis, checkpoints
OTHER_SECONDS = 60.0  # of a study beside its trials: the baselines
LONGEST_SECONDS = 15.0  # of a full training: 15 of them confirm
CONFIRMED = 15  # full trainings of the confirmation, 3 configurations on 5 seeds
KEPT, UNPRUNED = 0.5, 24  # share of the cost that pruning leaves, after so many trials
TRIALS = (48, 198)  # at least and at most; both are multiples of 6, for turns of two or three
EPOCHS = 500  # at most; our choice, the best checkpoint counts
LEAST_BUDGET = 20_000  # sequence-steps
FULL_BATCH = 15_000  # steps of all windows of a full batch; our choice, more gain little
CLOSURES, FEWEST_CLOSURES = 150, 60  # of a full batch; the recipe's results took 100 to 200


@dataclass(frozen=True)
class Sizes:
    """Sizes of networks, windows, batches and budgets."""

    hidden: tuple[int, ...]
    window: int
    batches: tuple[int, ...]
    budget: int
    epochs: float
    long_windows: tuple[int, ...]  # of full batches
    stride: int
    full_batch: int  # steps of all windows of a full batch
    full_batch_budget: int
    trials: int


def sizes_of(summary: DataSummary, rollouts: Rollouts, lag: int, noisy: bool, speed: float | None) -> Sizes:
    """Return the sizes that fit.

    Args:
        summary: of the data.
        rollouts: of the study.
        lag: steps that the transforms consume.
        noisy: whether noise dominates the data: then networks are smaller and full batches get fewer closures.
        speed: units per second and core; None: SPEED.
    """
    lengths = sorted(max(0, round(length * rollouts.split[0]) - lag) for length in summary.lengths)
    rows, longest = sum(lengths), lengths[-1]
    usual = max(lengths[len(lengths) // 2], longest // 2)
    hidden = _hidden(rows, noisy)
    window = max(4, min(round(min(max(summary.period or 0, 64), 128)), longest // 4))
    windows = max(1, rows // window)
    seconds = _step_seconds(hidden, len(summary.channels), speed)
    budget = min(EPOCHS * rows, LONGEST_SECONDS / seconds)
    wide = min(500, usual - 1 if len(lengths) > 3 else usual // 2)
    wide = max(window, wide, min(round(2 * (summary.period or 0)), 1000, usual // 2))
    stride = max(1, math.ceil(rows / FULL_BATCH))
    full_batch = max(wide, rows // stride)
    closures = FEWEST_CLOSURES if noisy else CLOSURES
    closures = max(FEWEST_CLOSURES, min(closures, int(LONGEST_SECONDS / (DOUBLE * seconds * full_batch))))
    mini = _rounded(max(budget, LEAST_BUDGET))
    full = _rounded(max(closures * full_batch, LEAST_BUDGET))
    return Sizes(
        hidden=hidden,
        window=window,
        batches=_batches(windows),
        budget=mini,
        epochs=mini / rows,
        long_windows=tuple(dict.fromkeys((max(4, wide // 2), wide))),
        stride=stride,
        full_batch=full_batch,
        full_batch_budget=full,
        trials=_trials(mini * seconds, full * DOUBLE * seconds),
    )


def _hidden(rows: int, noisy: bool) -> tuple[int, ...]:
    if rows < 1000:
        return (8, 16)
    if rows < 5000:
        return (12, 24) if noisy else (16, 32)
    return (16, 32) if noisy else (32, 64)


def _step_seconds(hidden: tuple[int, ...], channels: int, speed: float | None) -> float:
    """Return the mean seconds of a sequence-step in float32 over the sizes."""
    adds = [CELLS["lstm"].multiply_adds(channels, size, 1) + STEP_ADDS for size in hidden]
    return sum(adds) / len(adds) / (speed or SPEED)


def _batches(windows: int) -> tuple[int, ...]:
    """Return batch sizes that leave several updates in an epoch."""
    for least, sizes in ((512, (16, 32, 64, 128)), (64, (8, 16, 32)), (16, (4, 8, 16)), (4, (2, 4))):
        if windows >= least:
            return sizes
    return (1, 2)


def _trials(mini_seconds: float, full_seconds: float) -> int:
    """Return how many trials fill the time."""
    mean = (mini_seconds + full_seconds) / 2
    available = MINUTES * 60 * CORES - OTHER_SECONDS - CONFIRMED * max(mini_seconds, full_seconds)
    available -= UNPRUNED * (1 - KEPT) * mean
    each = KEPT * mean + TRIAL_SECONDS
    return int(min(max(available / each, TRIALS[0]), TRIALS[1]) // 6 * 6)


def _rounded(number: float) -> int:
    """Return a whole number with two significant digits."""
    size = int(10 ** max(0, int(math.log10(number)) - 1))
    return round(number / size) * size
