"""What a source or a file delivers, before it is split, scaled and cut into rollout tasks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sweep.config.errors import DataError
from sweep.config.registry import nearest
from sweep.data.types import Array


@dataclass(frozen=True)
class Need:
    """What the score asks of a source that makes its own validation and test series."""

    past: int  # true steps before a rollout: warm-up and what the transforms consume
    horizon: int
    starts: int

    @property
    def length(self) -> int:
        """Return the samples of a series that holds exactly one rollout."""
        return self.past + self.horizon


@dataclass(frozen=True)
class Series:
    """One recorded series. Samples [0, ends[0]) train, [ends[0], ends[1]) validate, the rest test."""

    label: str  # for messages, such as "my.csv, series 'a'"
    values: Array  # (time, channel), data units, finite
    ends: tuple[int, int] | None = None  # None: split in time by the shares of the study
    stamps: Array | None = None  # (time,), datetime64[ns]; None where time is only counted
    lines: Array | None = None  # (time,), 1-based line of the file; None where there is no text file

    def place(self, sample: int) -> str:
        """Return where a sample stands, for messages: the line of the file or the index."""
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


def split_in_time(recording: Recording, shares: tuple[float, float, float]) -> Recording:
    """Return the recording with every series split; those that the source has split stay as they are.

    The first share of the samples trains, the second validates, the last tests; ends are rounded.
    """
    return replace(
        recording,
        series=tuple(
            one if one.ends else replace(one, ends=_ends(len(one.values), shares)) for one in recording.series
        ),
    )


def target_indices(channels: Sequence[str], names: Sequence[str]) -> tuple[int, ...]:
    """Return the indices of the scored channels, all if no name is given.

    Raises:
        DataError: an unknown or repeated name.
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
