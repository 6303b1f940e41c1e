"""Inputs of the steps to forecast: from rows of the data whose channels are empty, or from a table of their own."""

from collections.abc import Sequence

import numpy as np

from sweep.config.errors import DataError
from sweep.data.coding import Coding
from sweep.data.recording import Recording, Series, Times
from sweep.data.types import Array

NEAR = 0.01  # of a step: times of two tables that differ by less are the same; our choice, as for even steps


def require_inputs_ahead(recording: Recording, coding: Coding, steps: int, known: Recording | None) -> None:
    """Refuse data without any input of a step to forecast, if no table has them.

    Args:
        recording: of the data.
        coding: whose `known` and `static` name the inputs.
        steps: to forecast.
        known: the table.

    Raises:
        DataError: there is none.
    """
    width = len(recording.channels)
    changing = [index for index, one in enumerate(coding.known) if one not in coding.static]
    if known is not None or not changing:
        return
    for series in recording.series:
        complete = np.flatnonzero(np.isfinite(series.values).all(axis=1))
        ahead = series.values[complete[-1] + 1 :] if len(complete) else series.values
        if np.isfinite(ahead[:, [width + index for index in changing]]).any():
            return
    names = ", ".join(coding.known[index] for index in changing)
    raise DataError(
        f"{recording.name}: the data end without inputs ({names}) of the {steps} steps to forecast: "
        f"{_remedy(None, recording.channels, 0)}"
    )


def inputs_after(
    series: Series,
    last: int,
    times: Times,
    steps: int,
    coding: Coding,
    channels: Sequence[str],
    known: Recording | None,
    name: str,
) -> Array:
    """Return the inputs of the steps after a row, (steps, input), data units; static ones are those of that row.

    Args:
        series: with the inputs in the last columns of its values.
        last: index of its last complete row.
        times: of the past and of the steps to forecast, which come last.
        steps: to forecast.
        coding: whose `known` and `static` name the inputs.
        channels: names of the channels, for messages.
        known: the inputs that change, as channels; None: they are in the series.
        name: of the series.

    Raises:
        DataError: an input of a step is missing, or the table has no rows for the series, or no times.
    """
    now = series.values[last, len(channels) :]
    after = np.tile(now, (steps, 1))
    changing = [index for index, one in enumerate(coding.known) if one not in coding.static]
    if not changing:
        return after
    keys = times.keys[len(times.keys) - steps :]
    if known is None:
        table = np.full((steps, len(changing)), np.nan)
        position = np.arange(len(series.values)) if series.steps is None else series.steps
        ahead = position[last + 1 :] - position[last] - 1
        inside = ahead < steps
        columns = [len(channels) + index for index in changing]
        table[ahead[inside]] = series.values[last + 1 :, columns][inside]
    else:
        table = _of_table(_series_of(known, name), series, keys)
    lacking = np.flatnonzero(~np.isfinite(table).all(axis=1))
    if len(lacking):
        first = int(lacking[0])
        column = [coding.known[index] for index in changing][int(np.argmin(np.isfinite(table[first])))]
        origin = series.label if known is None else known.name
        raise DataError(
            f"{_place(origin, name, known)}: no value of the input {column!r} for {_shown(times, first - steps)}, step "
            f"{first + 1} of {steps} after {_shown(times, -steps - 1)}: {_remedy(known, channels, first)}"
        )
    after[:, changing] = table
    return after


def _series_of(known: Recording, name: str) -> Series:
    """Return the series of a name.

    Raises:
        DataError: there is none.
    """
    if len(known.series) == 1 and not known.series[0].name:
        return known.series[0]
    for one in known.series:
        if one.name == name:
            return one
    raise DataError(f"{known.name}: no rows of the series {name!r}, whose inputs a forecast needs: add them")


def _of_table(table: Series, series: Series, keys: Array) -> Array:
    """Return the values of a table at some times, (step, channel); NaN where it has no row.

    Raises:
        DataError: one of the two has times, and the other has none.
    """
    if (table.timeline is None) != (series.timeline is None):
        having, lacking = (series, table) if table.timeline is None else (table, series)
        raise DataError(
            f"{lacking.label}: no column of times, but {having.label} has one: add it, or drop the other"
        )
    values = np.full((len(keys), table.values.shape[1]), np.nan)
    if table.timeline is None:
        count = min(len(keys), len(table.values))
        values[:count] = table.values[:count]
        return values
    own = table.timeline.keys
    if own.dtype.kind != keys.dtype.kind and "M" in (own.dtype.kind, keys.dtype.kind):
        return values
    place = np.searchsorted(own, keys)
    step = abs(keys[-1] - keys[0]) / (len(keys) - 1) if len(keys) > 1 else own[0] - own[0]
    for near in (np.clip(place - 1, 0, len(own) - 1), np.clip(place, 0, len(own) - 1)):
        same = np.abs(own[near] - keys) <= NEAR * step
        values[same] = table.values[near[same]]
    return values


def _shown(times: Times, index: int) -> str:
    return str(times.shown[index])


def _place(origin: str, name: str, known: Recording | None) -> str:
    return f"{origin}, series {name!r}" if known is not None and name else origin


def _remedy(known: Recording | None, channels: Sequence[str], first: int) -> str:
    fewer = f", or forecast {first} (--steps {first})" if first else ""
    if known is not None:
        return f"add the row{fewer}"
    return (
        "give the inputs of all steps in a table with the ids and times of the data (--known FILE), or as rows at the "
        f"end of the data without values of {', '.join(channels)}{fewer}"
    )
