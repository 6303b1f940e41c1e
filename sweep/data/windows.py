"""Training windows: the windows of an epoch, and fast batches of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from sweep.config.errors import DataError
from sweep.data.types import Array, Data


def window_offsets(lengths: Sequence[int], window: int, rng: np.random.Generator | None) -> Array:
    """Return the non-overlapping windows of one epoch: (n, 2) of series and first input step, in order.

    A window takes window + 1 samples: inputs, and targets one step later; neighbours share the sample between them.
    With an rng the grid of each series is shifted by a random offset of less than a window, so that every sample
    comes early and late in a window; without one the grid begins at step 0.

    Args:
        lengths: samples of each training series. A series with fewer than window + 1 samples gives no window.
        window: steps per window; 0 takes whole series, which must have the same length.
        rng: source of the shifts, or None.

    Raises:
        DataError: no series is long enough, or whole series differ in length.
    """
    counts = np.asarray(lengths, dtype=np.int64)
    if window == 0:
        if len(set(lengths)) > 1:
            raise DataError(
                f"training.window = 0 takes whole series, which must be equally long, but they have "
                f"{counts.min()} to {counts.max()} samples: set training.window to {max(counts.min() - 1, 1)} or less"
            )
        window = int(counts[0]) - 1
    if window < 1 or counts.max() <= window:
        raise DataError(
            f"training.window = {window} needs {window + 1} samples in a row, but the longest training "
            f"series has {counts.max()}: set training.window to {max(counts.max() - 1, 1)} or less"
        )
    room = np.clip(counts - 1 - window, 0, window - 1)  # a larger shift would only drop a whole window
    shifts = np.zeros_like(counts) if rng is None else rng.integers(0, room + 1)
    fitting = np.maximum(counts - 1 - shifts, 0) // window
    series = np.repeat(np.arange(len(counts)), fitting)
    number = np.arange(len(series)) - np.repeat(np.cumsum(fitting) - fitting, fitting)
    return np.stack([series, shifts[series] + number * window], axis=1)


def window_warnings(data: Data, windows: Sequence[int]) -> tuple[str, ...]:
    """Return warnings about windows that do not fit, and about series too short for the longest that fits.

    Args:
        data: with the training series.
        windows: steps of the windows that trials may have; at least one.

    Raises:
        DataError: no window fits, as in `window_offsets`.
    """
    lengths = [len(values) for values in data.train]
    fitting, refused = [], []
    for window in windows:
        try:
            window_offsets(lengths, window, None)
            fitting.append(window)
        except DataError as error:
            refused.append(error)
    if not fitting:
        raise refused[0]
    texts = [f"{error}; trials with this window fail" for error in refused]
    longest = max(fitting)
    whole = len(set(data.train_series)) == len(data.train_series)
    noun = "training series" if whole else "pieces of training series"
    short = sum(length <= longest for length in lengths)
    if longest and short:
        texts.append(
            f"{short} of {len(lengths)} {noun} {'has' if short == 1 else 'have'} fewer than the "
            f"{longest + 1} samples of a window (training.window = {longest}): not used for training"
        )
    return tuple(texts)


@dataclass(frozen=True)
class WindowSource:
    """All training series end to end, so that a batch of windows is one gather of rows.

    The row of time t holds the network's input for predicting the values at t + 1: the values at t and the known
    inputs of t + 1.
    """

    rows: Array  # (time of all series, inputs)
    first: Array  # (series,), row of each series' first sample
    lengths: tuple[int, ...]  # samples of each series
    channels: int
    window: int  # steps, > 0
    stride: int = 1  # of the windows in a row, every n-th is used

    def batch(self, picks: Array) -> tuple[Array, Array]:
        """Return inputs (batch, window, inputs) and targets (batch, window, channel), views of one array.

        Args:
            picks: (batch, 2) of series and first input step, from `window_offsets`.
        """
        begin = self.first[picks[:, 0]] + picks[:, 1]
        taken = self.rows.take(begin[:, None] + np.arange(self.window + 1), axis=0)
        return taken[:, :-1], taken[:, 1:, : self.channels]

    def offsets(self, rng: np.random.Generator | None) -> Array:
        """Return the windows of one epoch: every `stride`-th of `window_offsets`."""
        return window_offsets(self.lengths, self.window, rng)[:: self.stride]


def window_source(data: Data, window: int, dtype: DTypeLike = np.float64, stride: int = 1) -> WindowSource:
    """Return the training windows of a trial.

    Args:
        data: with the training series.
        window: steps; 0: whole series.
        dtype: the trial's precision.
        stride: of the windows in a row, every n-th is used, the first one included.

    Raises:
        DataError: no window fits, as in `window_offsets`.
    """
    lengths = tuple(len(values) for values in data.train)
    window_offsets(lengths, window, None)
    parts = []
    for values, known in zip(data.train, data.train_known, strict=True):
        ahead = np.concatenate([known[1:], known[-1:]])  # the last row is only a target
        parts.append(np.concatenate([values, ahead], axis=1))
    return WindowSource(
        rows=np.ascontiguousarray(np.concatenate(parts), dtype=dtype),
        first=np.cumsum((0, *lengths[:-1])),
        lengths=lengths,
        channels=len(data.channels),
        window=window or lengths[0] - 1,
        stride=stride,
    )


def batch_arrays(data: Data, picks: Array, window: int) -> tuple[Array, Array]:
    """Return inputs and targets of a few windows in float64; for many batches, keep a `window_source`."""
    return window_source(data, window).batch(picks)
