"""The rollout tasks of one part: the steps to forecast, the past before them, and the scale of errors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sweep.config.errors import DataError
from sweep.data.known_inputs import inputs_of
from sweep.data.pieces import joined
from sweep.data.positions import JITTER_SEED, Places, apart, jittered, n_apart, spread_apart
from sweep.data.recording import Need, Series
from sweep.data.scale import scales_of
from sweep.data.types import Array, Starts

STREAM = {"validation": 1, "test": 2, "calibration": 3}


@dataclass(frozen=True)
class Level:
    """Mean and spread of the training data in data units; the last row is for all series together."""

    mean: Array  # (training series + 1, channel)
    std: Array  # same shape, > 0


def level_of(train: Sequence[Array], owners: Sequence[int] | None = None) -> Level:
    """Return mean and standard deviation of each training series, and of all series together.

    Args:
        train: pieces of training data, (time, channel).
        owners: index of each piece's training series, 0, 1, ...; None: each piece is a series.
    """
    pooled = np.concatenate(train)
    rows = [*joined(train, owners), pooled]
    overall = pooled.std(axis=0)
    std = np.stack([values.std(axis=0) for values in rows])
    return Level(np.stack([values.mean(axis=0) for values in rows]), np.where(std > 0, std, overall))


def places_spread(part: str, series: Sequence[Series], need: Need, lag: int) -> Places:
    """Return at most `need.starts` places of rollouts in a part; fewer if fewer different ones fit.

    A horizon lies within the part and holds no interpolated sample; the past may reach back into earlier parts of the
    same piece.

    Args:
        part: "validation" or "test".
        series: all pieces, split.
        need: past, horizon and wanted starts.
        lag: steps of the past that the transforms consume.

    Raises:
        DataError: the part holds no rollout; the text says which numbers would fit.
    """
    piece, firsts, lasts = [], [], []
    for index, one_series in enumerate(series):
        for begin, end in one_series.unfilled(part):
            piece.append(index)
            firsts.append(max(begin, need.past))
            lasts.append(end - need.horizon)
    counts = spread_apart(need.starts, firsts, lasts, need.horizon)
    if not counts.sum():
        raise DataError(_too_short(part, series, need, lag))
    return Places(np.repeat(piece, counts), _positions(part, firsts, lasts, counts), need.horizon)


def places_apart(part: str, series: Sequence[Series], need: Need) -> Places:
    """Return the places of as many rollouts in a part as do not overlap, at most `need.starts`, possibly none.

    Args:
        part: as in `places_spread`.
        series: all pieces, split.
        need: past, horizon and the most starts.
    """
    piece: list[int] = []
    position: list[int] = []
    for index, one_series in enumerate(series):
        rng = np.random.default_rng([JITTER_SEED, STREAM[part], index])
        for begin, end in one_series.unfilled(part):
            found = apart(max(begin, need.past), end - need.horizon, need.horizon, rng).tolist()
            position += found
            piece += [index] * len(found)
    rows = np.linspace(0, len(position) - 1, min(len(position), need.starts)).astype(np.int64)
    return Places(np.asarray(piece, np.int64)[rows], np.asarray(position, np.int64)[rows], need.horizon)


def build_starts(
    places: Places,
    series: Sequence[Series],
    trained: Sequence[int],
    past_steps: int,
    lag: int,
    known: Sequence[Array],
    level: Level,
) -> Starts:
    """Return the rollout tasks at some places.

    Args:
        places: where they begin, and their horizon.
        series: all pieces, split.
        trained: index of each piece's training statistics, -1 for a recorded series without a training part.
        past_steps: true steps before a rollout: the warm-up and what the transforms consume.
        lag: steps of the past that the transforms consume.
        known: per piece (time, feature), the inputs from outside and of the calendar, scaled.
        level: of the training data.
    """
    pieces, position, horizon = places.piece, places.position, places.horizon
    spans = list(zip(pieces.tolist(), position.tolist(), strict=True))
    past = np.stack([series[i].values[p - past_steps : p] for i, p in spans])
    truth = np.stack([series[i].values[p : p + horizon] for i, p in spans])
    index = np.asarray(trained, dtype=np.int64)[pieces]
    owner = np.array([series[i].owner for i, _ in spans])  # index of each start's recorded series
    mean, std = level.mean[index], level.std[index]
    scales = scales_of(past, truth, mean, std, owner)
    inputs = np.stack([inputs_of(series[i])[p - past_steps : p + horizon] for i, p in spans])
    stamps = [(series[i].stamps, slice(p - past_steps, p + horizon)) for i, p in spans]
    times = [np.asarray(all_stamps)[steps] for all_stamps, steps in stamps if all_stamps is not None]
    return Starts(
        past=past,
        truth=truth,
        mean=mean,
        std=std,
        scale=scales.scale,
        scale_from=scales.source,
        exact=scales.exact,
        series=index,
        owner=owner,
        position=position + np.array([series[i].offset for i, _ in spans]),
        known=np.stack([known[i][p - past_steps + lag : p + horizon] for i, p in spans]),
        n_eff=n_apart(position, pieces, horizon),
        inputs=inputs if inputs.shape[2] else None,
        times=np.stack(times).astype("datetime64[ns]") if len(times) == len(spans) else None,
    )


def no_starts(need: Need, lag: int, channels: int, features: int) -> Starts:
    """Return the rollout tasks of a part without samples.

    Args:
        need: past and horizon that a rollout would have.
        lag: steps of the past that the transforms consume.
        channels: of the data.
        features: known inputs of the network.
    """
    by_channel, index = np.zeros((0, channels)), np.zeros(0, dtype=np.int64)
    return Starts(
        past=np.zeros((0, need.past, channels)),
        truth=np.zeros((0, need.horizon, channels)),
        mean=by_channel,
        std=by_channel,
        scale=by_channel,
        scale_from=by_channel.astype(str),
        exact=by_channel.astype(bool),
        series=index,
        owner=index,
        position=index,
        known=np.zeros((0, need.length - lag, features)),
        n_eff=0,
    )


def planned_n_eff(part: str, spans: Sequence[tuple[int, int]], starts: int, horizon: int) -> int:
    """Return the starts of a part that would not overlap, before there are rollouts; 0 if none fits.

    Args:
        part: "validation" or "test".
        spans: of the part in each series, half-open; the past fits before them.
        starts: that are wanted.
        horizon: steps of a rollout.
    """
    firsts = [begin for begin, _ in spans]
    lasts = [end - horizon for _, end in spans]
    counts = spread_apart(starts, firsts, lasts, horizon)
    if not counts.sum():
        return 0
    owner = np.repeat(np.arange(len(spans)), counts)
    return n_apart(_positions(part, firsts, lasts, counts), owner, horizon)


def _positions(part: str, firsts: Sequence[int], lasts: Sequence[int], counts: Array) -> Array:
    """Return the first steps of the rollouts of each series, in the order of the series."""
    return np.concatenate(
        [
            jittered(first, last, count, np.random.default_rng([JITTER_SEED, STREAM[part], index]))
            for index, (first, last, count) in enumerate(zip(firsts, lasts, counts, strict=True))
            if count
        ]
    )


def start_warnings(part: str, starts: Starts, series: Sequence[Series], need: Need) -> tuple[str, ...]:
    """Return a warning if fewer starts fit than are wanted, and one if some series hold no start."""
    spans = [one_series.parts[part] for one_series in series]
    spans = [(begin, end) for begin, end in spans if end > begin]
    short = sum(end - max(begin, need.past) < need.horizon for begin, end in spans)
    noun = "series" if len({one_series.owner for one_series in series}) == len(series) else "pieces of series"
    texts = []
    if len(starts.position) < need.starts:
        texts.append(f"{part}: only {len(starts.position)} of {need.starts} wanted starts fit")
    if short:
        texts.append(
            f"{part}: {short} of {len(spans)} {noun} {'is' if short == 1 else 'are'} too short for a rollout and "
            f"not scored (past {need.past}, horizon {need.horizon})"
        )
    return tuple(texts)


def _too_short(part: str, series: Sequence[Series], need: Need, lag: int) -> str:
    """Return a message with the numbers that would fit, for the series that holds most of the part."""
    longest = max(series, key=lambda one_series: one_series.parts[part][1] - one_series.parts[part][0])
    begin, end = longest.parts[part]
    warmup = need.past - lag
    text = (
        f"{longest.label}: the {part} part holds {end - begin} of {len(longest.values)} samples, too few for "
        f"score.horizon = {need.horizon} after score.warmup = {warmup}"
        + (f" and {lag} samples that the transforms consume" if lag else "")
    )
    horizon = end - max(begin, need.past)
    ways = []
    if horizon >= 10:
        ways.append(f"score.horizon = {horizon} or less would fit")
    if need.horizon <= end - begin and end - need.horizon - lag >= 1:
        ways.append(f"score.warmup = {end - need.horizon - lag} or less would fit")
    more = f"give more data, or a larger {part} share in data.split"
    return f"{text}: {', '.join([*ways, f'or {more}']) if ways else more}"
