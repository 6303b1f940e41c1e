"""Rollouts over whole records: one from the beginning of each record of a part, as system identification scores models.

The warm-up lies within the part, so that no sample of another part is used; the horizon is the rest of the record.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sweep.config.errors import DataError
from sweep.data.positions import Places
from sweep.data.recording import Series

LEAST = 10  # steps of a horizon, as score.horizon; a record with fewer after its warm-up is not scored


@dataclass(frozen=True)
class Record:
    """The samples of a piece in a part that a rollout can forecast."""

    piece: int  # index
    begin: int  # first sample after the warm-up
    end: int  # half-open

    @property
    def steps(self) -> int:
        """Return their number, which may be 0."""
        return max(0, self.end - self.begin)


def records_of(part: str, series: Sequence[Series], warmup: int, lag: int) -> list[Record]:
    """Return what each piece with samples in a part leaves to forecast after a warm-up within the part.

    Of several stretches without an interpolated sample it is the longest.

    Args:
        part: "validation" or "test".
        series: all pieces, split.
        warmup: true steps before the rollout.
        lag: steps that the transforms consume before the warm-up; they may lie in an earlier part.
    """
    records = []
    for index, piece in enumerate(series):
        begin, end = piece.parts[part]
        if end == begin:
            continue
        first = max(begin, lag) + warmup
        stretches = [Record(index, max(b, first), e) for b, e in piece.unfilled(part)]
        records.append(max(stretches, key=lambda record: record.steps))
    return records


def places_from_start(
    part: str, series: Sequence[Series], warmup: int, lag: int, most: int | None = None
) -> Places:
    """Return one rollout for each record, all as long as the shortest one allows.

    Args:
        part: "validation" or "test".
        series: all pieces, split.
        warmup: true steps before the rollout.
        lag: steps that the transforms consume.
        most: steps of the horizon at most; None: no limit.

    Raises:
        DataError: no record is long enough.
    """
    records = records_of(part, series, warmup, lag)
    long = [record for record in records if record.steps >= LEAST]
    if not long:
        raise DataError(_too_short(part, series, records, warmup, lag))
    horizon = min(record.steps for record in long)
    return Places(
        piece=np.array([record.piece for record in long]),
        position=np.array([record.begin for record in long]),
        horizon=horizon if most is None else min(horizon, most),
    )


def from_start_warnings(
    part: str, series: Sequence[Series], warmup: int, lag: int, horizon: int
) -> tuple[str, ...]:
    """Return a warning if rollouts end before their records do, and one if records are too short to be scored.

    Args:
        part: "validation" or "test".
        series: all pieces, split.
        warmup: true steps before a rollout.
        lag: steps that the transforms consume.
        horizon: steps of its rollouts.
    """
    records = records_of(part, series, warmup, lag)
    steps = [record.steps for record in records if record.steps >= LEAST]
    short = len(records) - len(steps)
    texts = []
    if horizon == min(steps) < max(steps):
        texts.append(
            f"{part}: the rollouts of {len(steps)} records have {horizon} steps, as many as the shortest one allows "
            f"(the longest: {max(steps)})"
        )
    if short:
        texts.append(
            f"{part}: {short} of {len(records)} records {'is' if short == 1 else 'are'} too short for a rollout and "
            f"not scored (warm-up {warmup}, at least {LEAST} steps after it)"
        )
    return tuple(texts)


def _too_short(part: str, series: Sequence[Series], records: Sequence[Record], warmup: int, lag: int) -> str:
    """Return a message with the warm-up that would fit, for the longest record."""
    if not records:
        return f"the {part} part holds no samples: give more data, or a larger {part} share in data.split"
    longest = max(records, key=lambda record: record.steps)
    piece = series[longest.piece]
    begin, end = piece.parts[part]
    text = (
        f"{piece.label}: the {part} part holds {end - begin} of {len(piece.values)} samples, too few for a warm-up of "
        f"score.warmup = {warmup} and {LEAST} steps after it"
    )
    fitting = end - max(begin, lag) - LEAST
    more = f"give more data, or a larger {part} share in data.split"
    return f"{text}: " + (f"score.warmup = {fitting} or less would fit, or {more}" if fitting >= 1 else more)
