"""The data of a named source, checked before they are used: a plug-in may raise or return anything."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from sweep.config.errors import DataError, SweepError
from sweep.config.plugins import PluginOrigin
from sweep.data.recording import Need, Recording, Series
from sweep.data.sources.source import Options, SourceSpec

T = TypeVar("T")


def generated(
    source: SourceSpec, options: Options, need: Need, origin: PluginOrigin | None
) -> tuple[Recording, float | None]:
    """Return the recording of a source and its Lyapunov time in steps, None where it is unknown.

    Args:
        source: the entry of the table.
        options: those that the study gives; the others have their defaults.
        need: what the score requires.
        origin: of a plug-in; None for sweep's own sources, whose errors are bugs and pass through.

    Raises:
        DataError: invalid options, or a plug-in that raises or returns invalid data; the text names both.
    """
    where = f"source {source.name!r}" + (f" of plug-in {origin}" if origin else "")
    complete = source.complete(options)
    recording = _called(where, "generate", lambda: source.generate(complete, need), origin)
    time = _called(where, "lyapunov_time", lambda: source.lyapunov_time(complete), origin)
    fault = _fault(recording) or next(
        filter(None, (_series_fault(series, recording, source) for series in recording.series)), None
    )
    if fault is None and not (time is None or (_is_number(time) and 0 < time < math.inf)):
        fault = f"lyapunov_time returned {time!r}, wanted a number of steps above 0, or None"
    if fault is not None:
        raise DataError(f"{where}: {fault}")
    series = tuple(
        one if one.values.dtype == np.float64 else replace(one, values=one.values.astype(np.float64))
        for one in recording.series
    )
    return replace(recording, series=series), time


def _called(where: str, function: str, call: Callable[[], T], origin: PluginOrigin | None) -> T:
    try:
        return call()
    except SweepError:
        raise
    except Exception as error:
        if origin is None:
            raise
        text = " ".join(str(error).split())  # one line
        raise DataError(f"{where}: {function} raised {type(error).__name__}: {text}") from error


def _fault(recording: object) -> str | None:
    """Return what is wrong with a recording as a whole, None if nothing is."""
    if not isinstance(recording, Recording):
        return f"generate returned a {type(recording).__name__}, wanted a Recording"
    names = recording.channels
    if not names or not all(isinstance(name, str) and name for name in names) or len(set(names)) < len(names):
        return f"wanted different names of one or more channels, got {names!r}"
    if not recording.series or not all(isinstance(series, Series) for series in recording.series):
        return (
            "generate returned no series" if not recording.series else "series holds other things than Series"
        )
    return None


def _series_fault(series: Series, recording: Recording, source: SourceSpec) -> str | None:
    """Return what is wrong with one series, None if nothing is."""
    values, width, label = series.values, len(recording.channels), series.label
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu":
        kind = values.dtype if isinstance(values, np.ndarray) else type(values).__name__
        return f"{label}: wanted values as an array of real numbers, got {kind}"
    if values.ndim != 2 or values.shape[1] != width or not len(values):
        return f"{label}: wanted values of the shape (time, {width} channels), got {values.shape}"
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        sample, channel = (int(index) for index in bad[0])
        return (
            f"{label}, channel {recording.channels[channel]!r}, sample {sample} (from 0): "
            f"{values[sample, channel]} is not a finite number"
        )
    if source.makes_parts != (series.ends is not None):
        return f"{label}: ends must be set if makes_parts is True, and only then; got {series.ends!r}"
    if series.ends is not None and not _are_ends(series.ends, len(values)):
        return (
            f"{label}: wanted ends as two rising sample numbers from 0 to {len(values)}, got {series.ends!r}"
        )
    for name, array in (("stamps", series.stamps), ("lines", series.lines)):
        if array is not None and np.shape(array) != (len(values),):
            return f"{label}: wanted {name} of the shape ({len(values)},), got {np.shape(array)}"
    return None


def _are_ends(ends: object, length: int) -> bool:
    if not isinstance(ends, tuple) or len(ends) != 2 or not all(isinstance(end, int) for end in ends):
        return False
    return bool(0 <= ends[0] <= ends[1] <= length)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
