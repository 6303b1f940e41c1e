"""Recordings: the series of a source or a file, before they are split, scaled and cut into rollout tasks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sweep.config.errors import DataError
from sweep.config.registry import nearest
from sweep.data.types import Array


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


@dataclass(frozen=True)
class Series:
    """One recorded series.

    Samples [0, ends[0]) are for training, [ends[0], ends[1]) for validation, the rest for test.
    """

    label: str  # for messages, such as "my.csv, series 'a'"
    values: Array  # (time, channel), data units, finite
    ends: tuple[int, int] | None = None  # None: split in time by the shares of the study
    stamps: Array | None = None  # (time,), datetime64[ns]; None if the data have no dates
    lines: Array | None = None  # (time,), 1-based line of the file; None for other sources than text files
    name: str = ""  # such as its id in a file; empty: none

    def place(self, sample: int) -> str:
        """Return the place of a sample for messages: the line of the file, or the index."""
        if self.lines is not None:
            return f"line {int(self.lines[sample])}"
        return f"sample {sample} (from 0)"

    @property
    def parts(self) -> dict[str, tuple[int, int]]:
        """Return the half-open range of samples of each part."""
        if self.ends is None:
            raise ValueError(f"{self.label} has not been split")
        first, second = self.ends
        return {"train": (0, first), "validation": (first, second), "test": (second, len(self.values))}


@dataclass(frozen=True)
class Recording:
    """All series of one source, with the same channels."""

    name: str
    channels: tuple[str, ...]
    series: tuple[Series, ...]


def series_names(recording: Recording) -> tuple[str, ...]:
    """Return the names of the series, all different; empty if one has no name.

    Equal names, such as the same id in two files, are replaced by the labels, which name the file too.
    """
    names = tuple(series.name for series in recording.series)
    if not all(names):
        return ()
    labels = tuple(series.label for series in recording.series)
    return names if len(set(names)) == len(names) else labels if len(set(labels)) == len(labels) else ()


def split_in_time(recording: Recording, shares: tuple[float, float, float]) -> Recording:
    """Return the recording with every series split; series that the source has split are not changed.

    The first share of the samples is for training, the second for validation, the last for test; ends are rounded.
    """
    split = (
        series if series.ends else replace(series, ends=_ends(len(series.values), shares))
        for series in recording.series
    )
    return replace(recording, series=tuple(split))


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


def _ends(length: int, shares: tuple[float, float, float]) -> tuple[int, int]:
    return int(np.rint(length * shares[0])), int(np.rint(length * (shares[0] + shares[1])))
