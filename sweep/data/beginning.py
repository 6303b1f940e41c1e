"""The rows of recorded series, by which the beginning of a file that has grown is recognised."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from sweep.config.errors import StudyChanged
from sweep.data.recording import Recording, Series, series_names
from sweep.data.types import Array, Rows, SeriesRows


def rows_of(recording: Recording) -> Rows:
    """Return the rows of a recording, before it is split and its gaps are cut."""
    names = series_names(recording) or [""] * len(recording.series)
    digest = hashlib.sha256()
    series = []
    for name, one in zip(names, recording.series, strict=True):
        missing = np.isnan(one.values)
        incomplete = missing[::-1].any(axis=1)  # the last row first
        complete = 0 if incomplete.all() else len(incomplete) - int(np.argmin(incomplete))
        digest.update(np.where(missing, np.inf, one.values)[:complete].tobytes())
        if one.steps is not None:
            digest.update(one.steps[:complete].astype(np.int64).tobytes())
        if one.stamps is not None:
            digest.update(one.stamps[:complete].astype("datetime64[ns]").tobytes())
        series.append(SeriesRows(name, len(one.values), complete))
    return Rows(tuple(series), digest.hexdigest())


def rows_document(rows: Rows) -> dict[str, Any]:
    """Return rows as plain values for JSON."""
    return {"sha256": rows.digest, "series": [asdict(one) for one in rows.series]}


def rows_from_document(document: Mapping[str, Any]) -> Rows:
    """Return the rows that `rows_document` described."""
    series = (SeriesRows(one["name"], one["rows"], one["complete"]) for one in document["series"])
    return Rows(tuple(series), document["sha256"])


def beginning_of(recording: Recording, rows: Rows) -> Recording:
    """Return the recording as it was when it had these rows; later rows and other series are left out.

    Rows that awaited their values then have none.

    Args:
        recording: before it is split.
        rows: that it had.

    Raises:
        StudyChanged: a series is missing, or has fewer rows.
    """
    names = series_names(recording)
    series = []
    for index, one in enumerate(rows.series):
        place = index
        if one.name:
            place = names.index(one.name) if one.name in names else len(recording.series)
        if place >= len(recording.series):
            raise StudyChanged(f"the series {one.name or index + 1} is missing")
        whole = recording.series[place]
        if len(whole.values) < one.rows:
            raise StudyChanged(
                f"{whole.label} has {len(whole.values):,} rows instead of {one.rows:,} or more"
            )
        series.append(_first(whole, one))
    return replace(recording, series=tuple(series))


def _first(series: Series, rows: SeriesRows) -> Series:
    values = series.values[: rows.rows].copy()
    values[rows.complete :] = np.nan

    def first(array: Array | None) -> Array | None:
        return None if array is None else array[: rows.rows]

    ends = series.ends
    return replace(
        series,
        values=values,
        ends=None if ends is None else (min(ends[0], rows.rows), min(ends[1], rows.rows)),
        stamps=first(series.stamps),
        lines=first(series.lines),
        steps=first(series.steps),
    )
