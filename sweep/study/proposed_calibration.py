"""The samples that a proposal keeps for calibration, and the starts that the parts of a split hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sweep.data.starts import planned_n_eff
from sweep.data.types import Array
from sweep.stats.conformal import starts_for

Split = tuple[float, float, float]

LEVEL = 90  # percent, of the intervals that the samples are kept for
CALIBRATING = (0.1, 0.15, 0.2)  # shares of the samples, of which the first that holds enough starts is taken
LEAST_TRAINING = 0.5  # share of the samples that stays for training; our choice
LEAST_VALIDATION = 8  # starts that do not overlap; with fewer no claim is made between settings
LEAST_TEST = 4  # starts that do not overlap, where validation has given what it can; our choice


@dataclass(frozen=True)
class Kept:
    """A split with samples for calibration."""

    split: Split  # the share of validation includes the samples for calibration
    share: float  # of the validation part, its latest, that chooses nothing
    calibration: int  # starts that do not overlap
    given_by: tuple[str, ...]  # the parts that gave samples


def kept_samples(lengths: Sequence[int], split: Split, horizon: int, starts: int) -> Kept | None:
    """Return a split with samples for intervals of LEVEL percent, None if the rows have no room for them.

    Training gives them, as long as it keeps half of all samples. Where that is not enough, validation gives what it has
    beyond LEAST_VALIDATION starts that do not overlap, and then test what it has beyond LEAST_TEST.

    Args:
        lengths: rows of each series.
        split: without samples for calibration.
        horizon: steps of a rollout.
        starts: of an evaluation.
    """
    train, validation, test = split
    for part in CALIBRATING:
        if train - part >= LEAST_TRAINING - 1e-9:
            kept = _kept(lengths, (round(train - part, 2), validation, test), horizon)
            if kept is not None:
                return Kept(*kept, ("training",))
    for less_test in _falling(test):
        for less in _falling(validation):
            kept = _kept(lengths, (LEAST_TRAINING, less, less_test), horizon)
            if kept is None:
                continue
            scored = starts_apart(lengths, kept[0], horizon, starts, kept[1])
            if scored[1] < LEAST_TEST:
                return None
            if scored[0] < LEAST_VALIDATION:
                break
            whole = zip(
                ("training", "validation", "test"), split, (LEAST_TRAINING, less, less_test), strict=True
            )
            return Kept(*kept, tuple(word for word, before, after in whole if after < before))
    return None


def starts_apart(
    lengths: Sequence[int], split: Split, horizon: int, starts: int, share: float = 0.0
) -> tuple[int, int]:
    """Return how many starts of validation and of test do not overlap.

    Args:
        lengths: rows of each series.
        split: shares of training, validation and test.
        horizon: steps of a rollout.
        starts: of an evaluation.
        share: of the validation part for calibration.
    """
    first, kept, second, end = _edges(lengths, split, share)
    return (
        planned_n_eff("validation", list(zip(first.tolist(), kept.tolist(), strict=True)), starts, horizon),
        planned_n_eff("test", list(zip(second.tolist(), end.tolist(), strict=True)), starts, horizon),
    )


def smaller_parts(lengths: Sequence[int], split: Split, share: float = 0.0) -> list[int]:
    """Return the samples of each series in the smaller of its validation and test part."""
    first, kept, second, end = _edges(lengths, split, share)
    return [int(samples) for samples in np.minimum(kept - first, end - second)]


def _kept(lengths: Sequence[int], parts: Split, horizon: int) -> tuple[Split, float, int] | None:
    """Return the split with the remaining share for calibration, that share, and its starts; None if they are too few.

    Args:
        lengths: rows of each series.
        parts: shares of training, validation and test, which leave a share of the samples.
        horizon: steps of a rollout.
    """
    train, validation, test = parts
    share_of_all = 1 - train - validation - test
    if share_of_all <= 0:
        return None
    split = (train, round(1 - train - test, 2), test)
    for digits in (100, 1000):  # rounded down: validation keeps its samples
        share = int(digits * share_of_all / split[1] + 1e-9) / digits
        _, kept, second, _ = _edges(lengths, split, share)
        count = int(((second - kept) // horizon).sum())
        if count >= starts_for(LEVEL):
            return split, share, count
    return None


def _edges(lengths: Sequence[int], split: Split, share: float) -> tuple[Array, Array, Array, Array]:
    """Return the ends of training, validation, calibration and test, (series,) each."""
    rows = np.asarray(lengths)
    first, second = (np.rint(rows * part).astype(int) for part in (split[0], split[0] + split[1]))
    return first, second - np.rint((second - first) * share).astype(int), second, rows


def _falling(share: float) -> Iterator[float]:
    """Yield the share and each smaller one, in steps of 0.01."""
    yield from (hundredths / 100 for hundredths in range(round(100 * share), 0, -1))
