"""Gaps: series with missing samples become pieces without any, or short gaps are interpolated."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from sweep.config.errors import DataError
from sweep.config.text import plural
from sweep.data.facts import Fact
from sweep.data.recording import Recording, Series
from sweep.data.types import Array

SHORTEST = 10  # samples; a shorter piece of a series that was cut is left out. Our choice

Rule = Literal["error", "cut", "fill"]


@dataclass
class Count:
    """The missing samples of a recording."""

    series: int = 0  # with gaps
    gaps: int = 0
    missing: int = 0  # samples within the series' first and last complete one
    longest: int = 0  # gap, in samples
    where: str = ""  # the first gap
    filled: int = 0
    short: int = 0  # samples of pieces that are left out
    trimmed: int = 0  # incomplete samples at the ends


def without_gaps(recording: Recording, rule: Rule, limit: int, lag: int) -> Recording:
    """Return the recording with pieces that have a finite value in every channel at every step.

    A sample is missing if its step is, or if any of its channels or inputs is. Missing samples at the beginning and end
    of a series are left out. A gap between two samples of different parts is never filled: a part must not know
    another. At last, inputs from outside are separated from the channels.

    Args:
        recording: split series, in which NaN and jumps of `steps` mark what is missing.
        rule: "error" refuses gaps; "cut" cuts a series at each; "fill" interpolates up to `limit` samples in a row in
            each channel and cuts at longer gaps.
        limit: samples.
        lag: samples at the beginning of a piece that the transforms consume.

    Raises:
        DataError: there are gaps and the rule is "error", or nothing is left of a series.
    """
    count, shortest = Count(), max(SHORTEST, lag + 2)
    pieces: list[Series] = []
    empty: list[str] = []
    for owner, series in enumerate(recording.series):
        one = replace(series, owner=owner)
        if series.steps is None and np.isfinite(series.values).all():
            pieces.append(one)
            continue
        found = pieces_of(one, rule, limit, shortest, count)
        pieces += found
        if not found:
            empty.append(f"{series.label}: no {shortest} samples in a row are complete: drop the series")
    if count.gaps and rule == "error":
        raise DataError(_refusal(recording, count))
    if not pieces:
        raise DataError(*empty[:3])
    if recording.known:
        pieces = [_separated(piece, len(recording.channels)) for piece in pieces]
    return replace(
        recording,
        lengths=tuple(len(series.values) for series in recording.series),
        gaps=count.gaps,
        series=tuple(pieces),
        facts=(*recording.facts, *_facts(count, rule, len(pieces), len(empty), shortest)),
    )


def pieces_of(series: Series, rule: Rule, limit: int, shortest: int, count: Count) -> list[Series]:
    """Return the pieces of a split series; channels and inputs from outside are not yet apart.

    Args:
        series: in which NaN and jumps of `steps` mark what is missing.
        rule: as in `without_gaps`; "error" cuts, too.
        limit: samples that are filled in a row.
        shortest: samples of a piece; shorter ones are left out.
        count: what is missing, which is added up.
    """
    complete = np.isfinite(series.values).all(axis=1)
    rows = np.flatnonzero(complete)
    if not len(rows):
        return []
    steps = np.arange(len(complete)) if series.steps is None else series.steps
    known = steps[rows]
    holes = np.diff(known) - 1  # (complete row - 1,), missing samples between two complete ones
    count.trimmed += int(rows[0]) + len(complete) - 1 - int(rows[-1])
    if not holes.any():
        return [_cut(series, rows, steps)]
    first = int(np.argmax(holes > 0))
    count.series += 1
    count.gaps += int((holes > 0).sum())
    count.missing += int(holes.sum())
    count.longest = max(count.longest, int(holes.max()))
    count.where = count.where or f"{series.label}: the first after {series.place(int(rows[first]))}"
    part = _part_of(series, rows)
    bridged = (holes <= limit) & (part[1:] == part[:-1]) if rule == "fill" else holes == 0
    edges = [0, *(np.flatnonzero(~bridged & (holes > 0)) + 1).tolist(), len(rows)]
    pieces = []
    for begin, end in pairwise(edges):
        piece = rows[begin:end]
        length = int(known[end - 1] - known[begin]) + 1
        if length < shortest:
            count.short += length
            continue
        filled = int(holes[begin : end - 1].sum())
        count.filled += filled
        pieces.append(_filled(series, piece, steps) if filled else _cut(series, piece, steps))
    return pieces


def _separated(piece: Series, channels: int) -> Series:
    """Return the piece with channels and inputs from outside apart."""
    return replace(piece, values=piece.values[:, :channels], known=piece.values[:, channels:])


def _part_of(series: Series, rows: Array) -> Array:
    """Return the number of the part of each of these samples, (row,); a series may be cut into thousands of pieces."""
    return np.searchsorted(np.asarray(series.edges), rows, side="right")


def _parts_of(series: Series, rows: Array) -> dict[str, Any]:
    """Return the fields of a piece of these samples that divide it into parts."""
    part = _part_of(series, rows)
    first, kept, second = (int((part <= number).sum()) for number in range(3))
    return {"ends": (first, second), "kept": None if series.kept is None else kept}


def _cut(series: Series, rows: Array, steps: Array) -> Series:
    """Return the piece of complete rows in a row."""
    return replace(
        series,
        values=series.values[rows],
        **_parts_of(series, rows),
        stamps=None if series.stamps is None else series.stamps[rows],
        lines=None if series.lines is None else series.lines[rows],
        steps=None,
        offset=int(steps[rows[0]]),
    )


def _filled(series: Series, rows: Array, steps: Array) -> Series:
    """Return the piece from the first to the last of the complete rows, straight lines through what is missing."""
    begin, length = int(steps[rows[0]]), int(steps[rows[-1]] - steps[rows[0]]) + 1
    inside = slice(int(rows[0]), int(rows[-1]) + 1)
    values, at = series.values[inside], steps[inside] - begin
    grid = np.arange(length)
    full = np.empty((length, values.shape[1]))
    for channel in range(values.shape[1]):
        known = np.isfinite(values[:, channel])
        full[:, channel] = np.interp(grid, at[known], values[known, channel])
    filled = np.ones(length, dtype=bool)
    filled[steps[rows] - begin] = False
    before = rows[np.searchsorted(steps[rows] - begin, grid, side="right") - 1]  # last complete row
    stamps = None
    if series.stamps is not None:
        ticks = series.stamps[inside].astype("datetime64[ns]").astype(np.int64)
        # whole nanoseconds around the first one: float64 holds no nanosecond of a date
        stamps = (ticks[0] + np.rint(np.interp(grid, at, ticks - ticks[0])).astype(np.int64)).view(
            "datetime64[ns]"
        )
    return replace(
        series,
        values=full,
        **_parts_of(series, before),
        stamps=stamps,
        lines=None if series.lines is None else series.lines[before],
        steps=None,
        offset=begin,
        filled=filled,
    )


def _refusal(recording: Recording, count: Count) -> str:
    total = sum(len(series.values) for series in recording.series)
    many = "" if len(recording.series) == 1 else f" of {plural(count.series, 'series', 'series')}"
    return (
        f"{count.where}: {plural(count.missing, 'sample')}{many} missing in {plural(count.gaps, 'gap')} (longest "
        f'{count.longest}, beside {total:,} rows): set data.missing = "cut" to cut series at gaps, or data.missing = '
        '"fill" to interpolate up to data.fill_limit samples in a row'
    )


def _facts(count: Count, rule: Rule, pieces: int, empty: int, shortest: int) -> list[Fact]:
    facts = []
    if count.gaps:
        done = f"{count.filled:,} filled, " if rule == "fill" else ""
        text = (
            f"{plural(count.missing, 'sample')} missing in {plural(count.gaps, 'gap')} (longest {count.longest:,}): "
            f"{done}{plural(pieces, 'piece')}"
        )
        if count.short:
            text += f", {plural(count.short, 'sample')} in pieces of fewer than {shortest} left out"
        facts.append(Fact("gaps", text, f'missing = "{rule}"'))
    if count.trimmed:
        facts.append(
            Fact("ends", f"{plural(count.trimmed, 'incomplete sample')} at the beginning or end left out")
        )
    if empty:
        facts.append(
            Fact(
                "left out",
                f"{plural(empty, 'series', 'series')} without {shortest} complete samples in a row",
            )
        )
    return facts
