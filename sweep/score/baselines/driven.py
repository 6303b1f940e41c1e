"""Regressions on past channels and known inputs, and their simulation: what `arx`, `narx_polynomial` and `fir` share.

A row of a regression holds what the forecast of step t may see: the channels of t - n .. t - 1 and the known inputs
of t - m + 1 .. t, the oldest first. Model units. Known inputs are those from outside and the calendar's.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from sweep.data.types import Array, Data, Starts
from sweep.score.baselines.autoregression import lagged, validation_error
from sweep.score.baselines.simple import CannotServe, Forecast, Settings
from sweep.score.comparisons import EXACT

CELLS_MOST = 4_000_000  # of a regression; of more, evenly spaced rows are used. Our choice, a bound on time


class Lags(NamedTuple):
    """The values that a forecast of step t uses."""

    channels: int  # n, 0 or more: of each channel, t - n .. t - 1
    inputs: int  # m, 1 or more: of each known input, t - m + 1 .. t

    @property
    def skipped(self) -> int:
        """Return the first steps of a series that have no complete row."""
        return max(self.channels, self.inputs - 1)

    def width(self, data: Data) -> int:
        """Return the numbers of a row."""
        return self.channels * len(data.channels) + self.inputs * features_of(data)

    def covered(self, data: Data, width: int | None = None) -> bool:
        """Return whether the past holds a row, and the training data two rows per column (our choice).

        Args:
            data: the study's.
            width: columns of the regression; None: a row and a constant.
        """
        rows = sum(max(0, len(values) - self.skipped) for values in data.train)
        columns = self.width(data) + 1 if width is None else width
        return self.skipped <= data.validation.past.shape[1] - data.codec.lag and rows >= 2 * columns


def features_of(data: Data) -> int:
    """Return the number of known inputs."""
    return data.inputs - len(data.channels)


def require_inputs(data: Data) -> None:
    """Refuse data without known inputs.

    Raises:
        CannotServe: there is neither an input from outside nor a calendar.
    """
    if not features_of(data):
        raise CannotServe("the data have no known inputs")


def training_rows(data: Data, lags: Lags) -> tuple[Array, Array]:
    """Return (row, number) and the values that follow, (row, channel), of all training pieces.

    Raises:
        CannotServe: no piece is long enough.
    """
    pieces = [
        (values, known)
        for values, known in zip(data.train, data.train_known, strict=True)
        if len(values) > lags.skipped
    ]
    if not pieces:
        raise CannotServe(f"no training series is longer than {lags.skipped} steps")
    total = sum(len(values) - lags.skipped for values, _ in pieces)
    stride = -(-total * (lags.width(data) + 1) // CELLS_MOST)
    rows = [_rows(values, known, lags)[::stride] for values, known in pieces]
    goals = [values[lags.skipped :][::stride] for values, _ in pieces]
    return np.concatenate(rows), np.concatenate(goals)


def simulated(data: Data, lags: Lags, step: Callable[[Array], Array]) -> Forecast:
    """Return the forecast whose values are fed back.

    Args:
        data: the study's.
        lags: of a row.
        step: maps rows (start, number) to the next values (start, channel), model units; may give inf and NaN.
    """

    def forecast(starts: Starts, horizon: int) -> Array:
        past = data.codec.encode(starts.past, starts.series)
        count, length, channels = past.shape
        values = np.concatenate([past, np.empty((count, horizon, channels))], axis=1)
        with np.errstate(over="ignore", invalid="ignore"):
            for now in range(length, length + horizon):
                back = values[:, now - lags.channels : now].reshape(count, -1)
                known = starts.known[:, now + 1 - lags.inputs : now + 1].reshape(count, -1)
                values[:, now] = step(np.concatenate([back, known], axis=1))
        return data.codec.decode(values[:, length:], starts.past, starts.series)

    return forecast


def simulated_linear(data: Data, lags: Lags, weights: Array) -> Forecast:
    """Return the simulation of a linear model; an unstable one gives inf and NaN.

    Args:
        data: the study's.
        lags: of a row.
        weights: (1 + number, channel), the constant first.
    """

    def step(row: Array) -> Array:
        after: Array = row @ weights[1:] + weights[0]
        return after

    return simulated(data, lags, step)


def compared(
    data: Data, tried: Sequence[Settings], fit: Callable[[Data, Settings], Forecast], name: str
) -> list[tuple[float, Settings]]:
    """Return (rollout error on the validation starts, settings), the best first; equal ones keep their order.

    Errors below EXACT are rounding and count as EXACT: the simplest of the exact models wins.

    Args:
        data: the study's.
        tried: those that the data cover, the simplest first.
        fit: the baseline.
        name: what cannot be fitted where nothing is tried.

    Raises:
        CannotServe: nothing is tried.
    """
    if not tried:
        raise CannotServe(f"the warm-up or the training series are too short for {name}")
    horizon = data.validation.truth.shape[1]
    errors = [validation_error(data, fit(data, settings)(data.validation, horizon)) for settings in tried]
    pairs = [(max(error, EXACT), settings) for error, settings in zip(errors, tried, strict=True)]
    return sorted(pairs, key=lambda pair: pair[0])


def _rows(values: Array, known: Array, lags: Lags) -> Array:
    """Return (time - skipped, number), the rows of one piece."""
    first, length = lags.skipped, len(values)
    recent: Array = lagged(known[None], lags.inputs)[0][first + 1 - lags.inputs :]
    if not lags.channels:
        return recent
    back = lagged(values[None], lags.channels)[0][first - lags.channels : length - lags.channels]
    return np.concatenate([back, recent], axis=1)
