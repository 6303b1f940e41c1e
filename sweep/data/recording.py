"""Recordings: the series of a source or a file, before they are scaled and cut into rollout tasks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

import numpy as np
import pandas as pd

from sweep.config.errors import DataError
from sweep.config.registry import nearest
from sweep.data.facts import Fact
from sweep.data.types import Array, Recorded


@dataclass(frozen=True)
class Need:
    """The size of the validation and test series that a source makes: each must hold a rollout."""

    past: int  # true steps before a rollout: the warm-up and the steps that the transforms consume
    horizon: int
    starts: int

    @property
    def length(self) -> int:
        """Return the number of samples of a series that holds exactly one rollout."""
        return self.past + self.horizon


class Times(NamedTuple):
    """Times of steps of a series, (step,) each."""

    keys: Array  # by which the times of two files are compared: datetime64[ns], UTC where it is known; or numbers
    local: Array | None  # datetime64[ns], the local clock, for calendars; None for numbers
    shown: pd.Index  # for people: dates, with their zone where it is known; or numbers


class Timeline(Protocol):
    """The times of a recorded series, and the rule by which they continue."""

    @property
    def keys(self) -> Array:
        """Return the times of its rows, rising, as in `Times.keys`."""

    def at(self, row: int, offsets: Array) -> Times:
        """Return the times that are whole steps away from that of a row, before it (< 0) or after it."""

    def in_steps_of(self, other: Self) -> Self | None:
        """Return this timeline with the steps of another one; None if its own steps differ from them."""


@dataclass(frozen=True)
class Series:
    """One recorded series, or after `sweep.data.gaps.without_gaps` one piece of it, without a gap.

    Samples [0, ends[0]) are for training, [ends[0], ends[1]) for validation, the rest for test. The validation samples
    from `kept` on choose nothing: intervals are calibrated on them.
    """

    label: str  # for messages, such as "my.csv, series 'a'"
    values: Array  # (time, channel), data units; finite, but in a file's series NaN marks what is missing
    ends: tuple[int, int] | None = None  # None: split by the shares of the study
    stamps: Array | None = None  # (time,), datetime64[ns]; None if the data have no dates
    lines: Array | None = None  # (time,), 1-based line of the file; None for other sources than text files
    name: str = ""  # the id in the file; empty: the series has no name
    steps: Array | None = (
        None  # (time,), rising number of each sample's step; None: 0, 1, 2, ..., without a gap
    )
    owner: int = 0  # index of the recorded series that a piece belongs to
    offset: int = 0  # steps of the recorded series before the piece
    known: Array | None = None  # (time, input), data units; until gaps are cut, the last columns of `values`
    filled: Array | None = None  # (time,), whether a sample was interpolated; None: none was
    kept: int | None = None  # first validation sample for calibration; None: all of them are for validation
    timeline: Timeline | None = None  # of the whole recorded series; None: it has no times

    def place(self, sample: int) -> str:
        """Return the place of a sample for messages: the line of the file, or the index."""
        if self.lines is not None:
            return f"line {int(self.lines[sample])}"
        return f"sample {sample + self.offset} (from 0)"

    @property
    def parts(self) -> dict[str, tuple[int, int]]:
        """Return the half-open range of samples of each part."""
        first, kept, second = self.edges
        return {
            "train": (0, first),
            "validation": (first, kept),
            "calibration": (kept, second),
            "test": (second, len(self.values)),
        }

    @property
    def edges(self) -> tuple[int, int, int]:
        """Return the ends of training, validation and calibration."""
        if self.ends is None:
            raise ValueError(f"{self.label} has not been split")
        return self.ends[0], self.ends[1] if self.kept is None else self.kept, self.ends[1]

    def unfilled(self, part: str) -> list[tuple[int, int]]:
        """Return the half-open stretches of a part, at least one, in which no sample was interpolated."""
        begin, end = self.parts[part]
        if self.filled is None or not self.filled[begin:end].any():
            return [(begin, end)]
        edges = np.flatnonzero(np.diff(np.concatenate([[True], self.filled[begin:end], [True]]).astype(int)))
        return [(begin + int(first), begin + int(last)) for first, last in edges.reshape(-1, 2)] or [
            (begin, begin)
        ]


@dataclass(frozen=True)
class Recording:
    """All series of one source, with the same channels."""

    name: str
    channels: tuple[str, ...]
    series: tuple[Series, ...]
    known: tuple[str, ...] = ()  # names of the inputs from outside
    step: str = ""  # distance of two samples with its unit, such as "15 minutes"; empty: unknown
    span: tuple[str, str] | None = None  # first and last time, as text; None: the data have no times
    facts: tuple[Fact, ...] = ()  # what was understood of a file
    lengths: tuple[int, ...] = ()  # rows of each recorded series, once its gaps are cut; empty: not cut yet
    gaps: int = 0  # that were cut or filled


def series_names(recording: Recording) -> tuple[str, ...]:
    """Return the names of the series, all different; empty if one has no name.

    Equal names, such as the same id in two files, are replaced by the labels, which name the file too.

    Args:
        recording: before gaps are cut.
    """
    names = tuple(series.name for series in recording.series)
    if not all(names):
        return ()
    labels = tuple(series.label for series in recording.series)
    return names if len(set(names)) == len(names) else labels if len(set(labels)) == len(labels) else ()


def recorded_of(recording: Recording) -> Recorded:
    """Return the facts of a recording whose gaps have been cut."""
    parts = [series.parts for series in recording.series]
    train, validation, test, kept = (
        sum(part[word][1] - part[word][0] for part in parts)
        for word in ("train", "validation", "test", "calibration")
    )
    return Recorded(
        recording.lengths,
        (train, validation, test),
        recording.gaps,
        recording.step,
        step_seconds_of(recording.series),
        recording.span,
        recording.facts,
        kept,
    )


def step_seconds_of(series: Sequence[Series]) -> float | None:
    """Return the median distance of two samples of the first series with dates, None if there is none."""
    stamps = next((one.stamps for one in series if one.stamps is not None and len(one.stamps) > 1), None)
    return None if stamps is None else float(np.median(np.diff(stamps)) / np.timedelta64(1, "ns")) * 1e-9


def target_indices(channels: Sequence[str], names: Sequence[str]) -> tuple[int, ...]:
    """Return the indices of the scored channels; all channels if no name is given.

    Raises:
        DataError: a name is unknown or repeated.
    """
    for name in names:
        if name not in channels:
            raise DataError(
                f"data.target: no channel named {name!r}.{nearest(name, channels)} "
                f"Known: {', '.join(channels)}"
            )
    if len(set(names)) < len(names):
        raise DataError(f"data.target names a channel twice: {', '.join(names)}; name each once")
    return tuple(list(channels).index(name) for name in names) or tuple(range(len(channels)))
