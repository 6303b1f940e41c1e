"""The data of given forecasts, as baselines need them: their past for training, the given starts as the test.

What a baseline chooses (a lag, an order) it chooses on the last part of the past, never on the given truth.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sweep.config.errors import DataError
from sweep.data.codec import fit_codec
from sweep.data.period import dominant_period
from sweep.data.positions import Places, n_apart
from sweep.data.recording import Need, Series
from sweep.data.starts import Level, build_starts, level_of, places_spread
from sweep.data.types import Array, Data, Starts
from sweep.doctor.given import Given

CHOSEN_SHARE = (
    4  # a baseline chooses on the last quarter of the past, or on one horizon if that is more; our choice
)
CHOSEN_STARTS = 8  # of the past, on which a baseline chooses; a bound on time


@dataclass(frozen=True)
class GivenData:
    """What baselines learn from and where they are scored."""

    scored: Data  # all of the past for training; validation and test are the given starts
    chosen: Data | None  # the past alone, its last part as validation; None: the past is too short for that


def data_of(given: Given) -> GivenData:
    """Return the data of given forecasts that have a past.

    Raises:
        DataError: a channel does not change in the past, so that there is no scale.
    """
    assert given.past is not None
    pieces = [piece.values for piece in given.pieces]
    owners = [piece.owner for piece in given.pieces]
    _require_changing(given, pieces)
    rows = list(dict.fromkeys(owners))
    index = [rows.index(owner) for owner in owners]
    level = level_of(pieces, index)
    starts = _given_starts(given, np.array([rows.index(owner) for owner in given.owner]), level)
    scored = _data(given, pieces, index, starts, starts)
    horizon = given.truth.shape[1]
    part = max(horizon, max(len(values) for values in pieces) // CHOSEN_SHARE)
    warmup = min(given.past.shape[1], max(len(values) for values in pieces) - part)
    cut = [
        Series(
            "past",
            values,
            (max(0, len(values) - part), len(values)),
            owner=owner,
            known=np.zeros((len(values), 0)),
        )
        for values, owner in zip(pieces, index, strict=True)
    ]
    early = [
        (one.values[: one.edges[0]], owner) for one, owner in zip(cut, index, strict=True) if one.edges[0] > 1
    ]
    if warmup < 1 or not early or min(np.ptp(np.concatenate([values for values, _ in early]), axis=0)) == 0:
        return GivenData(scored, None)
    try:
        places = places_spread("validation", cut, Need(warmup, horizon, CHOSEN_STARTS), 0)
    except DataError:
        return GivenData(scored, None)
    return GivenData(scored, _chosen(given, cut, early, places, warmup))


def _chosen(
    given: Given, cut: Sequence[Series], early: Sequence[tuple[Array, int]], places: Places, warmup: int
) -> Data:
    """Return the past alone: its first part for training, places in its last part as validation."""
    rows = list(dict.fromkeys(owner for _, owner in early))
    index = [rows.index(owner) for _, owner in early]
    trained = [rows.index(one.owner) if one.owner in rows else -1 for one in cut]
    training = [values for values, _ in early]
    known = [np.zeros((len(one.values), 0)) for one in cut]
    starts = build_starts(places, cut, trained, warmup, 0, known, level_of(training, index))
    return _data(given, training, index, starts, starts)


def _data(
    given: Given, pieces: Sequence[Array], index: Sequence[int], validation: Starts, test: Starts
) -> Data:
    codec = fit_codec((), pieces, given.channels, "global", [""] * len(pieces), index)
    return Data(
        name="given",
        channels=given.channels,
        targets=tuple(range(len(given.channels))),
        train=tuple(
            codec.encode(values[None], np.array([row]))[0] for values, row in zip(pieces, index, strict=True)
        ),
        train_raw=tuple(pieces),
        train_series=tuple(index),
        train_known=tuple(np.zeros((len(values), 0)) for values in pieces),
        validation=validation,
        test=test,
        codec=codec,
        period=dominant_period(pieces),
        lyapunov_time=None,
        fingerprint="",
        series_names=given.series,
    )


def _given_starts(given: Given, index: Array, level: Level) -> Starts:
    """Return the given forecasts as rollout tasks.

    Args:
        given: with a past.
        index: (start,), of each start's training statistics.
        level: of the past, by that index.
    """
    assert given.past is not None
    steps, horizon = given.past.shape[1], given.truth.shape[1]
    wholes = [
        Series(
            "given",
            values,
            owner=int(given.owner[start]),
            offset=int(given.position[start]) - steps,
            known=np.zeros((len(values), 0)),
            stamps=None if given.times is None else given.times[start],
        )
        for start, values in enumerate(np.concatenate([given.past, given.truth], axis=1))
    ]
    places = Places(np.arange(len(wholes)), np.full(len(wholes), steps), horizon)
    known = [np.zeros((steps + horizon, 0))] * len(wholes)
    starts = build_starts(places, wholes, index.tolist(), steps, 0, known, level)
    return replace(starts, n_eff=n_apart(given.position, given.owner, horizon))


def _require_changing(given: Given, pieces: Sequence[Array]) -> None:
    """Refuse a channel that does not change in the past."""
    still = np.flatnonzero(np.ptp(np.concatenate(pieces), axis=0) == 0)
    if len(still):
        raise DataError(
            f"channel {given.channels[still[0]]!r} does not change in the past, so there is no scale: give a longer "
            "past"
        )
