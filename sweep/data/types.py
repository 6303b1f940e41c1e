"""The data of a trial, for training and for scoring."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sweep.data.facts import Fact

Array = np.ndarray


class Codec(Protocol):
    """The conversion of data units to model units and back: transforms, then scaling with training statistics only."""

    @property
    def lag(self) -> int:
        """The steps at the beginning of a series that the transforms consume (differences), 0 or more."""

    def encode(self, values: Array, series: Array) -> Array:
        """Return model units.

        Args:
            values: (series, time, channel), data units.
            series: (series,), index of each row's training series, -1 for a series without a training part.

        Returns:
            (series, time - lag, channel).
        """

    def decode(self, forecast: Array, past: Array, series: Array) -> Array:
        """Return a rollout in data units; differences are inverted from the last `lag` steps of the past.

        Args:
            forecast: (start, step, channel), model units; may hold inf and NaN, which stay.
            past: (start, time >= lag, channel), data units, ending just before the first forecast.
            series: (start,), as in `encode`.

        Returns:
            (start, step, channel), data units.
        """

    def decode_one_step(self, forecast: Array, past: Array, truth: Array, series: Array) -> Array:
        """Return teacher-forced forecasts in data units; each step is inverted from the true steps before it.

        Args:
            forecast: (start, step, channel), model units.
            past: as in `decode`.
            truth: (start, step, channel), data units.
            series: as in `decode`.

        Returns:
            (start, step, channel), data units.
        """


@dataclass(frozen=True)
class SeriesRows:
    """The rows of one recorded series."""

    name: str  # empty: the series have no names
    rows: int
    complete: int  # up to the last one with a value in every column; those after it await their values


@dataclass(frozen=True)
class Rows:
    """The rows of all recorded series, before they are split."""

    series: tuple[SeriesRows, ...]
    digest: str  # SHA-256 of the values and times up to the last complete row of each series

    @property
    def complete(self) -> int:
        """Return the rows up to the last complete one of each series, over all series."""
        return sum(one.complete for one in self.series)


@dataclass(frozen=True)
class Recorded:
    """The data as recorded, before gaps are cut: in numbers and words."""

    lengths: tuple[int, ...]  # rows of each series
    samples: tuple[
        int, int, int
    ]  # of training, validation and test, over all series, without what is missing
    gaps: int
    step: str  # with its unit, such as "30 minutes"; empty: unknown
    step_seconds: float | None  # None: the data have no dates
    span: tuple[str, str] | None  # first and last time, as text
    facts: tuple[Fact, ...]  # what was understood of a file
    kept: int = 0  # validation samples for calibration, which `samples` does not count


@dataclass(frozen=True, eq=False)  # equal if they are the same object, so that results can be cached by them
class Starts:
    """Rollout tasks: a true past and the truth that follows it. All arrays are float64, data units.

    Starts are jittered; a horizon never crosses a split, a past may reach back into an earlier one.
    """

    past: Array  # (start, warmup + codec.lag, channel)
    truth: Array  # (start, horizon, channel)
    mean: Array  # (start, channel): mean of the training data; of the same series if it has a training part
    std: Array  # (start, channel): standard deviation of the same training data, > 0
    scale: Array  # (start, channel): smallest RMS error of the trivial forecasts, by series, > 0 (`sweep.data.scale`)
    scale_from: Array  # (start, channel): name of the trivial forecast that has this error
    exact: Array  # (start, channel): whether that forecast is right to rounding
    series: (
        Array  # (start,): index of its series' training statistics, -1 for a series without a training part
    )
    owner: Array  # (start,): index of the recorded series
    position: Array  # (start,): step of its series at which the forecast begins
    known: Array  # (start, warmup + horizon, feature): known inputs for the same times, feature may be 0
    n_eff: int  # largest number of starts that do not overlap
    # (start, warmup + codec.lag + horizon, input), data units: the inputs from outside as recorded, for pictures; None
    # without inputs. Networks read `known`.
    inputs: Array | None = None
    # (start, warmup + codec.lag + horizon), datetime64[ns]: the times of these steps, for pictures; None without dates
    times: Array | None = None


@dataclass(frozen=True)
class InputScaling:
    """Mean and standard deviation of each input in the training parts; 1 for an input that is constant there."""

    mean: Array  # (input,), data units
    scale: Array  # (input,), > 0

    def scaled(self, values: Array) -> Array:
        """Return inputs (..., input) for the network."""
        return np.asarray((values - self.mean) / self.scale)


@dataclass(frozen=True)
class Data:
    """Disjoint training, validation and test data of one source.

    Training data are pieces: whole series, or what is left of them between gaps.
    """

    name: str
    channels: tuple[str, ...]
    targets: tuple[int, ...]  # indices of the scored channels
    train: tuple[Array, ...]  # per piece (time, channel), model units, float64
    train_raw: tuple[Array, ...]  # per piece (time + codec.lag, channel), data units
    train_series: tuple[int, ...]  # per piece: the index of its series' training statistics
    train_known: tuple[Array, ...]  # per piece (time, feature), aligned with `train`
    validation: Starts
    test: Starts
    codec: Codec
    period: float | None  # dominant period of the training data in steps, None if there is none
    lyapunov_time: float | None  # steps, None if unknown
    fingerprint: str  # SHA-256 of all arrays above
    warnings: tuple[str, ...] = ()  # such as a strong trend without a transform
    objective: str = "rollout_error"  # name of what ranks rollouts of its starts
    series_names: tuple[
        str, ...
    ] = ()  # of the recorded series, all different; empty where series have no names
    known: tuple[
        str, ...
    ] = ()  # names of the inputs from outside; `train_known` holds them after the calendar
    recorded: Recorded | None = None  # as its source recorded them; None: made by hand
    input_scaling: InputScaling | None = None  # of the inputs from outside; None: made by hand
    trained_series: tuple[str, ...] = ()  # names by index of training statistics; empty: series have no names
    calibration: Starts | None = (
        None  # that choose nothing and do not overlap; None: not loaded, or none fits
    )
    calibration_starts: int = 0  # of these, known also where they are not loaded, if the recording holds them
    rows: Rows | None = None  # of the recorded series; None: made by hand

    @property
    def inputs(self) -> int:
        """Return the width of the network's input: channels and known inputs."""
        return len(self.channels) + int(self.train_known[0].shape[1])
