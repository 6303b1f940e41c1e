"""The data of a named source, checked before they are used: a plug-in may raise or return anything."""

import math
from collections.abc import Callable, Sequence
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
    return replace(recording, series=tuple(_as_read(one) for one in recording.series)), time


def _as_read(series: Series) -> Series:
    """Return the series as a reader gives it: float64, inputs from outside in the last columns of its values."""
    columns = [series.values] if series.known is None else [series.values, series.known]
    return replace(series, values=np.concatenate(columns, axis=1, dtype=np.float64), known=None)


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
    inputs = recording.known
    if not all(isinstance(name, str) and name for name in inputs) or len({*names, *inputs}) < len(
        names
    ) + len(inputs):
        return f"wanted names of inputs that differ from each other and from the channels, got {inputs!r}"
    if not recording.series or not all(isinstance(series, Series) for series in recording.series):
        return (
            "generate returned no series" if not recording.series else "series holds other things than Series"
        )
    return None


def _series_fault(series: Series, recording: Recording, source: SourceSpec) -> str | None:
    """Return what is wrong with one series, None if nothing is."""
    values, label = series.values, series.label
    fault = _table_fault("channel", recording.channels, values)
    if fault is None and (recording.known or series.known is not None):
        known = series.known
        fault = _table_fault("input", recording.known, known)
        if fault is None and known is not None and len(known) != len(values):
            fault = f": wanted known of {len(values)} samples, as values, got {len(known)}"
    if fault is not None:
        return f"{label}{fault}"
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


def _table_fault(word: str, names: Sequence[str], table: object) -> str | None:
    """Return what is wrong with an array (time, column), None if nothing is; the text follows the label."""
    place = "values" if word == "channel" else "known"
    if not isinstance(table, np.ndarray) or table.dtype.kind not in "fiu":
        kind = table.dtype if isinstance(table, np.ndarray) else type(table).__name__
        return f": wanted {place} as an array of real numbers, got {kind}"
    if table.ndim != 2 or table.shape[1] != len(names) or not len(table):
        return f": wanted {place} of the shape (time, {len(names)} {word}s), got {table.shape}"
    bad = np.argwhere(~np.isfinite(table))
    if len(bad):
        sample, column = (int(index) for index in bad[0])
        return f", {word} {names[column]!r}, sample {sample} (from 0): {table[sample, column]} is not a finite number"
    return None


def _are_ends(ends: object, length: int) -> bool:
    if not isinstance(ends, tuple) or len(ends) != 2 or not all(isinstance(end, int) for end in ends):
        return False
    return bool(0 <= ends[0] <= ends[1] <= length)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
