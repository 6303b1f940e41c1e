"""The summary of data: what can be seen of them before anything is trained."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sweep.data.codec import flat_channels
from sweep.data.facts import Fact
from sweep.data.noise import noise_shares
from sweep.data.period import dominant_period
from sweep.data.pieces import joined
from sweep.data.recording import Recording, recorded_of
from sweep.data.transforms import Difference
from sweep.data.trend import trend_shares
from sweep.data.types import Array, Data, Recorded

DAY = 86_400.0  # seconds


@dataclass(frozen=True)
class DataSummary:
    """What can be seen of data. Noise, trend, period and spread are those of the scored channels' training parts."""

    name: str
    channels: tuple[str, ...]
    targets: tuple[str, ...]
    lengths: tuple[int, ...]  # samples of each series; of its training part where the rest is not known
    train_lengths: tuple[int, ...]  # samples of each training part above 0
    period: float | None  # steps
    noise: float  # share of the standard deviation, an upper bound; the largest over the channels
    trend: (
        float  # share of the variance that a straight line explains, in [0, 1]; the largest over the channels
    )
    difference: (
        float | None
    )  # as `noise`, of the differenced data; None if a difference leaves nothing of a channel
    spread: (
        float  # the largest over the smallest standard deviation of a series; the largest over the channels
    )
    step_seconds: float | None = None  # None: the data have no dates
    step: str = ""  # in words, such as "30 minutes"; empty if unknown
    first: str = ""  # time
    last: str = ""
    gaps: int | None = None  # None: unknown
    samples: tuple[int, int, int] | None = None  # of training, validation and test, over all series
    starts: tuple[int, int] | None = None  # of validation and test; None without score settings
    n_eff: tuple[int, int] | None = None  # of these, those that do not overlap
    facts: tuple[Fact, ...] = ()  # that were understood of a file
    known: tuple[str, ...] = ()  # inputs from outside, which are no channels
    calibration: tuple[int, int] | None = (
        None  # samples for calibration, and starts in them; None: none are kept
    )

    @property
    def rows(self) -> int:
        """Return the samples of all series."""
        return sum(self.lengths)

    @property
    def series(self) -> int:
        """Return the number of series."""
        return len(self.lengths)

    @property
    def steps_per_day(self) -> float | None:
        """Return the steps of a day if they are more than two, None for slower data and data without dates."""
        if not self.step_seconds or self.step_seconds * 2 >= DAY:
            return None
        return DAY / self.step_seconds

    def document(self) -> dict[str, Any]:
        """Return the summary as plain values for JSON; lengths of series only as the shortest and the longest."""
        values = {**asdict(self), "rows": self.rows, "series": self.series}
        del values["lengths"], values["train_lengths"]
        return {**values, "shortest": min(self.lengths), "longest": max(self.lengths)}


def summary_of_recording(recording: Recording, targets: Sequence[int]) -> DataSummary:
    """Return the summary of series that have been split; it needs no score settings.

    Args:
        recording: split, with at least one training sample.
        targets: indices of the scored channels.
    """
    pieces = [piece for piece in recording.series if piece.parts["train"][1]]
    trained = [piece.values[: piece.parts["train"][1]] for piece in pieces]
    return DataSummary(
        name=recording.name,
        channels=recording.channels,
        targets=tuple(recording.channels[index] for index in targets),
        known=recording.known,
        train_lengths=tuple(len(values) for values in trained),
        period=dominant_period([values[:, list(targets)] for values in trained]),
        **_recorded(recorded_of(recording)),
        **_seen(trained, targets, [piece.owner for piece in pieces]),
    )


def summary_of(data: Data) -> DataSummary:
    """Return the summary of loaded data, with the starts of validation and test."""
    lengths = tuple(len(values) for values in data.train_raw)
    return DataSummary(
        name=data.name,
        channels=data.channels,
        targets=tuple(data.channels[index] for index in data.targets),
        known=data.known,
        train_lengths=lengths,
        starts=(len(data.validation.position), len(data.test.position)),
        n_eff=(data.validation.n_eff, data.test.n_eff),
        calibration=(data.recorded.kept, data.calibration_starts)
        if data.recorded is not None and data.recorded.kept
        else None,
        **({"lengths": lengths} if data.recorded is None else _recorded(data.recorded)),
        period=data.period,
        **_seen(data.train_raw, data.targets, data.train_series),
    )


def _recorded(recorded: Recorded) -> dict[str, Any]:
    first, last = recorded.span or ("", "")
    return {
        "lengths": recorded.lengths,
        "samples": recorded.samples,
        "gaps": recorded.gaps,
        "step": recorded.step,
        "step_seconds": recorded.step_seconds,
        "first": first,
        "last": last,
        "facts": recorded.facts,
    }


def _seen(train: Sequence[Array], targets: Sequence[int], owners: Sequence[int]) -> dict[str, Any]:
    """Return what is seen of the scored channels of the pieces of training series, (time, channel) each."""
    scored = [values[:, list(targets)] for values in train]
    longer = [values for values in scored if len(values) > 2]
    flat = flat_channels(longer, (Difference(1),)) if longer else np.array([True])
    differenced = [np.diff(values, axis=0) for values in longer]
    return {
        "noise": float(noise_shares(scored).max()),
        "trend": float(trend_shares(scored).max()),
        "difference": None if flat.any() else float(noise_shares(differenced).max()),
        "spread": _spread(joined(scored, owners)),
    }


def _spread(scored: Sequence[Array]) -> float:
    """Return the largest over the smallest standard deviation of a series; 1 where a series is constant."""
    spreads = np.stack([values.std(axis=0) for values in scored])
    return float((spreads.max(axis=0) / spreads.min(axis=0)).max()) if (spreads > 0).all() else 1.0
