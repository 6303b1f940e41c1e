"""Loading: the data of a trial from the `[data]` and `[score]` sections."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.config.sections import HORIZON, ScoreConfig
from sweep.data.beginning import beginning_of, rows_of
from sweep.data.calendar import calendar_features
from sweep.data.calibration import MOST_STARTS, with_kept_samples, with_more_series
from sweep.data.codec import fit_codec
from sweep.data.coding import Coding, require_shape
from sweep.data.from_start import from_start_warnings, places_from_start
from sweep.data.gaps import without_gaps
from sweep.data.known_inputs import constant_warnings, fit_input_scaling, inputs_of, require_static
from sweep.data.period import dominant_period
from sweep.data.pieces import joined
from sweep.data.positions import Places
from sweep.data.readers import read_recording
from sweep.data.recording import Need, Recording, Series, recorded_of, series_names, target_indices
from sweep.data.scale import exact_warnings
from sweep.data.sources import SOURCES, generated
from sweep.data.split import all_for_training, split
from sweep.data.spread import spread_warnings
from sweep.data.starts import build_starts, level_of, no_starts, places_apart, places_spread, start_warnings
from sweep.data.transforms import Transform, build_transforms
from sweep.data.trend import trend_warnings
from sweep.data.types import Array, Data, Rows, Starts

LARGEST = 1e140  # squares of larger values, added up, may exceed float64; our choice


def load(
    config: DataConfig,
    score: ScoreConfig,
    base: Path | None = None,
    calibrated: bool = False,
    whole: bool = False,
    coding: Coding | None = None,
    beginning: Rows | None = None,
) -> Data:
    """Return training, validation and test data, a pure function of the settings and the file's content.

    Args:
        config: the `[data]` section.
        score: the `[score]` section.
        base: folder of a relative `path`; None: the current directory.
        calibrated: whether the calibration starts are wanted, which training and scores do not need.
        whole: whether every sample is for training: validation and test have no starts, and nothing is warned of.
        coding: of other data, whose scaling is used; only with `whole`. None: the data's own.
        beginning: the rows to load; later ones are left out. None: all rows.

    Raises:
        DataError: the data do not fit the settings or the coding; the text says where and what to do.
        UnknownName: no source, transform or calendar has this name.
    """
    transforms = build_transforms(config.transforms, config.season)
    lag = sum(transform.lag for transform in transforms)
    need = Need(past=score.warmup + lag, horizon=score.horizon or HORIZON, starts=score.starts)
    recording, lyapunov_time = recorded(config, need, base, calibrated)
    if beginning is not None:
        recording = beginning_of(recording, beginning)
    had = rows_of(recording)
    targets = target_indices(recording.channels, config.target)
    names = series_names(recording)
    recording = (
        all_for_training(recording)
        if whole
        else with_kept_samples(split(recording, config), config.calibration)
    )
    recording = without_gaps(recording, config.missing, config.fill_limit, lag)
    require_defined(recording, transforms, config.transforms)
    if coding is None:
        _require_changing(recording)
    else:
        require_shape(coding, recording, recorded_of(recording).step_seconds)

    pieces = recording.series
    places = _training_places(pieces, lag)
    owners = list(dict.fromkeys(pieces[place].owner for place in places))
    row = {
        owner: index if coding is None else coding.row_of(names[owner] if names else "")
        for index, owner in enumerate(owners)
    }
    trained = [row.get(piece.owner, -1) for piece in pieces]
    rows = tuple(trained[place] for place in places)
    raw = tuple(pieces[place].values[: pieces[place].parts["train"][1]] for place in places)
    labels = [pieces[place].label for place in places]
    codec = (
        fit_codec(transforms, raw, recording.channels, config.scaling, labels, rows)
        if coding is None
        else coding.codec
    )
    require_static(recording, config.static)
    scaling = fit_input_scaling(pieces, places) if coding is None else coding.inputs
    known = [
        np.concatenate([calendar_features(config.calendar, piece), scaling.scaled(inputs_of(piece))], axis=1)
        for piece in pieces
    ]
    level = level_of(raw, rows)

    def starts_at(places: Places) -> Starts:
        return build_starts(places, pieces, trained, need.past, lag, known, level)

    most = score.horizon if score.from_start is True else None  # of the test alone there is no limit
    validation, test = (
        no_starts(need, lag, len(recording.channels), known[0].shape[1])
        if whole
        else starts_at(
            places_from_start(part, pieces, score.warmup, lag, most)
            if score.scores_whole_records(part)
            else places_spread(part, pieces, need, lag)
        )
        for part in ("validation", "test")
    )
    apart = _calibration_places(pieces, score, need, lag)
    train = tuple(
        codec.encode(values[None], np.array([index]))[0] for values, index in zip(raw, rows, strict=True)
    )
    train_known = tuple(known[place][lag : len(values)] for place, values in zip(places, raw, strict=True))
    scored = [values[:, list(targets)] for values in raw]
    arrays = [*train, *raw, *train_known, codec.mean, codec.std, *_arrays(validation), *_arrays(test)]
    if config.calibration:
        arrays += [one.values[slice(*one.parts["calibration"])] for one in pieces]
    return Data(
        name=recording.name,
        channels=recording.channels,
        targets=targets,
        train=train,
        train_raw=raw,
        train_series=rows,
        train_known=train_known,
        validation=validation,
        test=test,
        codec=codec,
        period=dominant_period(scored),
        lyapunov_time=lyapunov_time,
        fingerprint=_fingerprint(
            (recording.channels, targets, config.transforms, config.season, *recording.known), arrays
        ),
        warnings=()
        if whole
        else (
            *constant_warnings(pieces, places, recording.known),
            *trend_warnings(raw, recording.channels, config.transforms, transforms),
            *(
                spread_warnings(
                    joined(raw, rows), transforms, recording.channels, list(dict.fromkeys(labels))
                )
                if config.scaling == "global"
                else ()
            ),
            *(
                text
                for part, starts in (("validation", validation), ("test", test))
                for text in (
                    from_start_warnings(part, pieces, score.warmup, lag, starts.truth.shape[1])
                    if score.scores_whole_records(part)
                    else start_warnings(part, starts, pieces, need)
                )
            ),
            *exact_warnings("validation", validation, recording.channels, targets),
            *exact_warnings("test", test, recording.channels, targets),
        ),
        objective=score.objective,
        recorded=recorded_of(recording),
        series_names=names,
        known=recording.known,
        input_scaling=scaling,
        trained_series=coding.series if coding else tuple(names[owner] for owner in owners if names),
        calibration=starts_at(apart) if calibrated and apart is not None else None,
        rows=had,
        calibration_starts=0 if apart is None else len(apart.position),
    )


def load_recording(config: DataConfig, base: Path | None = None) -> Recording:
    """Return the series of a file, split and without gaps; no horizon or warm-up is needed.

    Raises:
        DataError, UnknownName: as in `load`.
    """
    if config.path is None:
        raise DataError("data.path is missing: a source makes its series for a horizon and a warm-up")
    lag = sum(transform.lag for transform in build_transforms(config.transforms, config.season))
    whole, _ = recorded(config, Need(past=0, horizon=1, starts=1), base)
    recording = with_kept_samples(split(whole, config), config.calibration)
    recording = without_gaps(recording, config.missing, config.fill_limit, lag)
    _require_changing(recording)
    _require_squares(recording)
    return recording


def _training_places(pieces: Sequence[Series], lag: int) -> list[int]:
    """Return the indices of the pieces with training samples; a remainder of a cut series needs enough to scale."""
    whole = Counter(piece.owner for piece in pieces)
    return [
        place
        for place, piece in enumerate(pieces)
        if piece.parts["train"][1] > (lag + 1 if whole[piece.owner] > 1 else 0)
    ]


def _calibration_places(pieces: Sequence[Series], score: ScoreConfig, need: Need, lag: int) -> Places | None:
    """Return the places of rollouts for calibration, None if none fits."""
    if not any(one.parts["calibration"][1] > one.parts["calibration"][0] for one in pieces):
        return None
    if score.scores_whole_records("calibration"):
        try:
            return places_from_start("calibration", pieces, score.warmup, lag, score.horizon)
        except DataError:
            return None
    places = places_apart("calibration", pieces, replace(need, starts=MOST_STARTS))
    return places if len(places.position) else None


def recorded(
    config: DataConfig, need: Need, base: Path | None = None, calibrated: bool = False
) -> tuple[Recording, float | None]:
    """Return the recorded series of a study, before they are split, and the Lyapunov time of a source, in steps.

    Args:
        config: the `[data]` section.
        need: what the score requires; of a source alone.
        base: folder of a relative `path`; None: the current directory.
        calibrated: whether a source makes series for calibration, too.

    Raises:
        DataError: the data cannot be read or made.
    """
    if config.path is not None:
        if config.options:
            raise DataError(
                f"data.options ({', '.join(config.options)}) are for a source; a file has none: drop them"
            )
        return read_recording(config, base), None
    source = SOURCES[str(config.source)]
    if source.makes_parts and config.split != DataConfig.model_fields["split"].default:
        raise DataError(
            f"data.split has no effect on source {source.name!r}, which makes its own validation and test "
            "data: drop data.split"
        )
    origin = SOURCES.origin(source.name)
    recording, lyapunov_time = generated(source, config.options, need, origin)
    if calibrated and source.makes_parts and not config.calibration:
        recording = with_more_series(
            recording, need, lambda more: generated(source, config.options, more, origin)[0]
        )
    return recording, lyapunov_time


def require_defined(recording: Recording, transforms: tuple[Transform, ...], names: Sequence[str]) -> None:
    """Refuse values that a transform does not accept, such as 0 for the logarithm, in any part.

    Raises:
        DataError: there is one; the text names its place, or a series is too short for a transform.
    """
    for series in recording.series:
        values, consumed = series.values, 0
        for name, transform in zip(names, transforms, strict=True):
            bad = np.argwhere(~transform.allowed(values))
            if len(bad):
                row, channel = bad[0]
                raise DataError(
                    f"{series.label}, column {recording.channels[channel]!r}, "
                    f"{series.place(int(row) + consumed)}: {name} needs {transform.needs}, got "
                    f"{values[row, channel]:g}: drop the transform, put it before any difference, or add a "
                    "constant to the data"
                )
            if len(values) <= transform.lag:
                raise DataError(
                    f"{series.label}: {len(series.values)} samples are too few for transform {name} with a lag "
                    f"of {transform.lag}: give more data or lower data.season"
                )
            values, consumed = transform.encode(values), consumed + transform.lag


def _require_squares(recording: Recording) -> None:
    """Refuse a channel whose values cannot be squared and added up."""
    largest = np.max([np.abs(series.values).max(axis=0) for series in recording.series], axis=0)
    for channel in np.flatnonzero(largest > LARGEST):
        raise DataError(
            f"channel {recording.channels[channel]!r}: the values are too large to be squared: use a larger unit"
        )


def _require_changing(recording: Recording) -> None:
    """Refuse a channel that is constant in all the training data."""
    ends = [(series, series.parts["train"][1]) for series in recording.series]
    trained = [(series, series.values[:end]) for series, end in ends if end]
    if not trained:
        raise DataError(
            f"{recording.series[0].label}: no training samples: give more data or a larger first share in data.split"
        )
    pooled = np.concatenate([values for _, values in trained])
    for channel in np.flatnonzero(np.ptp(pooled, axis=0) == 0) if len(pooled) > 1 else ():
        series, values = trained[0]
        raise DataError(
            f"{series.label}, column {recording.channels[channel]!r}, {series.place(0)} to "
            f"{series.place(len(values) - 1)}: constant {pooled[0, channel]:g} throughout the training part: "
            "drop the column, or name the columns to forecast in data.channels"
        )


def _arrays(part: Starts) -> tuple[Array, ...]:
    return part.past, part.truth, part.mean, part.scale, part.series, part.position, part.known


def _fingerprint(words: tuple[object, ...], arrays: Sequence[Array]) -> str:
    """Return the SHA-256 over names, shapes, types and bytes."""
    digest = hashlib.sha256(repr(words).encode())
    for array in arrays:
        digest.update(repr((array.shape, array.dtype.str)).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
