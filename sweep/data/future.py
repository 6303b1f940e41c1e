"""What comes after the end of recorded series: their last true steps, the times that follow, and inputs known ahead."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.config.text import plural
from sweep.data.coding import Coding
from sweep.data.future_inputs import inputs_after, require_inputs_ahead
from sweep.data.gaps import Count, Rule, pieces_of
from sweep.data.load import require_defined
from sweep.data.recording import Recording, Series, Times, series_names
from sweep.data.transforms import build_transforms
from sweep.data.types import Array

MOST_PROBLEMS = 5  # lines of a message


@dataclass(frozen=True)
class Future:
    """A series that can be forecast: its last true steps and the steps that follow."""

    name: str  # empty: the series has no name
    row: int  # of the statistics in its coding, -1 for those of all series
    past: Array  # (time, channel), data units, finite; at least `Coding.past_steps`
    times: Times  # (time + steps,)
    inputs: Array  # (time + steps, input), data units, in the order of `Coding.known`


@dataclass(frozen=True)
class LeftOut:
    """A series that cannot be forecast."""

    name: str
    reason: str


@dataclass(frozen=True)
class Futures:
    """The series of some data that can be forecast, those that cannot, and what else should be known."""

    series: tuple[Future, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]


def futures_of(
    recording: Recording,
    coding: Coding,
    config: DataConfig,
    steps: int,
    known: Recording | None = None,
    trained: Sequence[int] | None = None,
) -> Futures:
    """Return the steps after the last complete row of each series.

    Rows after it, whose channels are empty, may hold the inputs of the steps to forecast. A gap within the last true
    steps is filled if the settings say so, else the series is left out.

    Args:
        recording: as read, neither split nor cut at gaps, with the channels and inputs of the coding.
        coding: of the networks.
        config: the `[data]` section by which the study was read.
        steps: to forecast, at least 1.
        known: inputs of the steps to forecast, whose channels are the inputs that change; None: in the recording.
        trained: row of statistics of each series; None: by their names.

    Raises:
        DataError: inputs of a step are missing; one line for each series.
    """
    require_inputs_ahead(recording, coding, steps, known)
    names = series_names(recording)
    futures: list[Future] = []
    left_out: list[LeftOut] = []
    notes: dict[str, None] = {}
    problems: list[str] = []
    for number, series in enumerate(recording.series):
        many = len(recording.series) > 1
        name = names[number] if names else str(number) if many else series.name
        row = coding.row_of(name) if trained is None else trained[number]
        try:
            past, last = last_steps(recording, series, coding, config, steps)
            times = times_around(series, last, np.arange(1 - len(past), steps + 1))
        except DataError as error:
            left_out.append(LeftOut(name, str(error).removeprefix(series.label).lstrip(":, ")))
            continue
        behind = len(series.values) - 1 - last
        if behind and np.isfinite(series.values[last + 1 :, : len(recording.channels)]).any():
            notes[f"{series.label}: the last {plural(behind, 'row')} are incomplete and not used"] = None
        width = len(recording.channels)
        try:
            after = inputs_after(series, last, times, steps, coding, recording.channels, known, name)
        except DataError as error:
            problems += error.problems
            continue
        inputs = np.concatenate([past[:, width:], after])
        futures.append(Future(name, row, past[:, :width], times, inputs))
    if problems:
        more = len(problems) - MOST_PROBLEMS
        raise DataError(
            *problems[:MOST_PROBLEMS], *([f"and {plural(more, 'more problem')}"] if more > 0 else [])
        )
    return Futures(tuple(futures), tuple(left_out), tuple(notes))


def last_steps(
    recording: Recording, series: Series, coding: Coding, config: DataConfig, steps: int
) -> tuple[Array, int]:
    """Return the last complete steps of a series (time, channel + input), and its last complete row.

    Args:
        recording: as read, with the channels and inputs of the coding.
        series: of it.
        coding: of the forecaster.
        config: the `[data]` section by which the study was read.
        steps: to forecast; three times as many past steps are returned, or as many as a forecast needs.

    Raises:
        DataError: they are too few for a forecast, or a transform is not defined for one.
    """
    complete = np.flatnonzero(np.isfinite(series.values).all(axis=1))
    if not len(complete):
        raise DataError("no row is complete")
    last = int(complete[-1])
    rule: Rule = "fill" if config.missing == "fill" else "cut"
    whole = replace(series, ends=(len(series.values), len(series.values)))
    piece = pieces_of(_until(whole, last + 1), rule, config.fill_limit, 1, Count())[-1]
    need = coding.past_steps
    if len(piece.values) < need:
        consumed = f" and {coding.codec.lag} that the transforms consume" if coding.codec.lag else ""
        missing = (
            "a gap is too near to its end" if piece.offset > _step(series, int(complete[0])) else "too short"
        )
        raise DataError(
            f"{missing}: {plural(len(piece.values), 'complete step')} at the end, and a forecast needs {need} "
            f"(a warm-up of {coding.warmup}{consumed})"
        )
    shown = max(need, 3 * steps)
    piece = _from(piece, max(0, len(piece.values) - shown))
    width = len(recording.channels)
    checked = replace(piece, values=piece.values[-need:, :width])
    checked = replace(checked, lines=None if piece.lines is None else piece.lines[-need:])
    transforms = build_transforms(coding.transforms, coding.season)
    require_defined(replace(recording, series=(checked,)), transforms, coding.transforms)
    return piece.values, last


def _until(series: Series, end: int) -> Series:
    """Return the first rows of a series."""
    return replace(
        series,
        values=series.values[:end],
        stamps=None if series.stamps is None else series.stamps[:end],
        lines=None if series.lines is None else series.lines[:end],
        steps=None if series.steps is None else series.steps[:end],
    )


def _from(piece: Series, begin: int) -> Series:
    """Return the last samples of a piece."""
    return replace(
        piece,
        values=piece.values[begin:],
        stamps=None if piece.stamps is None else piece.stamps[begin:],
        lines=None if piece.lines is None else piece.lines[begin:],
        offset=piece.offset + begin,
    )


def times_around(series: Series, last: int, offsets: Array) -> Times:
    """Return the times around a row; numbers of samples, from 0, for a series without times."""
    if series.timeline is not None:
        return series.timeline.at(last, offsets)
    keys = _step(series, last) + offsets
    return Times(keys, None, pd.Index(keys))


def _step(series: Series, row: int) -> int:
    return row if series.steps is None else int(series.steps[row])
