"""Forecasts from elsewhere, with the truth that came and the past before it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sweep.config.errors import DataError
from sweep.data.types import Array

AXES = "(step,), (step, channel) or (start, step, channel)"


@dataclass(frozen=True)
class Piece:
    """A stretch of a series before its forecasts: what a forecaster could have learnt from."""

    values: Array  # (time, channel), data units
    owner: int  # index of the series


@dataclass(frozen=True)
class Given:
    """Rollouts of one forecaster. All arrays are float64, data units."""

    channels: tuple[str, ...]
    forecast: Array  # (start, step, channel); inf and NaN allowed
    truth: Array  # (start, step, channel), finite
    past: (
        Array | None
    )  # (start, past step, channel), finite, ends just before the first step; None: not given
    pieces: tuple[Piece, ...]  # of the past, of any length; empty without a past
    owner: Array  # (start,), index of each start's series
    position: Array  # (start,), step of its series at which the forecast begins
    series: tuple[str, ...] = ()  # names by index; empty: series have no names
    one_step: Array | None = None  # (start, step, channel), forecasts of a single step ahead; None: not given
    times: Array | None = None  # (start, past step + step), datetime64[ns]; None without dates
    notes: tuple[str, ...] = ()  # what was understood, or left out


def given_arrays(
    forecast: Array,
    truth: Array,
    past: Array | None = None,
    one_step: Array | None = None,
    channels: Sequence[str] = (),
    series: Sequence[str] = (),
) -> Given:
    """Return forecasts that are given as arrays.

    Args:
        forecast: (step,), (step, channel) or (start, step, channel), data units; inf and NaN allowed.
        truth: same shape, finite.
        past: the values before them, likewise, with any number of steps.
        one_step: of the forecast's shape: each step forecast from the true values before it.
        channels: their names.
        series: the name of each start's series, whose starts are taken to follow each other without overlap; empty:
            each start is a series of its own.

    Raises:
        DataError: shapes do not fit, or a value of the truth or the past is not finite.
    """
    values = _array("forecast", forecast)
    true = _array("truth", truth)
    _require_shape("truth", true, values.shape)
    _require_finite("truth", true)
    starts, _, count = values.shape
    names = tuple(str(name) for name in channels) or (
        ("y",) if count == 1 else tuple(f"x{number}" for number in range(count))
    )
    if len(names) != count or len(set(names)) != count:
        raise DataError(f"channels: wanted {count} different names, got {', '.join(names)}")
    if series and len(series) != starts:
        raise DataError(f"series: wanted the name of each of {starts} starts, got {len(series)}")
    if one_step is not None:
        one_step = _array("one_step", one_step)
        _require_shape("one_step", one_step, values.shape)
    owner = np.arange(starts)
    known: tuple[str, ...] = ()
    if series:
        known = tuple(dict.fromkeys(str(name) for name in series))
        owner = np.array([known.index(str(name)) for name in series])
    pieces: tuple[Piece, ...] = ()
    if past is not None:
        past = _array("past", past)
        if (past.shape[0], past.shape[2]) != (starts, count):
            raise DataError(
                f"past: wanted {starts} starts of {count} channels, got an array of shape {past.shape}: its axes are "
                f"{AXES}"
            )
        _require_finite("past", past)
        pieces = tuple(Piece(one, int(index)) for one, index in zip(past, owner, strict=True))
    steps = 0 if past is None else past.shape[1]
    before = np.array([int((owner[:index] == one).sum()) for index, one in enumerate(owner)])
    return Given(names, values, true, past, pieces, owner, steps + before * values.shape[1], known, one_step)


def _array(name: str, values: object) -> Array:
    """Return an array as float64 with its three axes."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiu":
        raise DataError(f"{name}: wanted an array of real numbers, got {array.dtype}")
    if array.ndim not in (1, 2, 3) or 0 in array.shape:
        raise DataError(f"{name}: wanted an array with the axes {AXES}, got shape {array.shape}")
    array = array.astype(np.float64)
    return array.reshape(1, -1, 1) if array.ndim == 1 else array[None] if array.ndim == 2 else array


def _require_shape(name: str, values: Array, shape: tuple[int, ...]) -> None:
    if values.shape != shape:
        raise DataError(
            f"{name}: wanted the forecast's shape {shape} (start, step, channel), got {values.shape}"
        )


def _require_finite(name: str, values: Array) -> None:
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        start, step, channel = bad[0].tolist()
        raise DataError(
            f"{name}: start {start}, step {step}, channel {channel} (from 0) is {values[start, step, channel]}: "
            "leave out starts whose truth or past is not known"
        )
