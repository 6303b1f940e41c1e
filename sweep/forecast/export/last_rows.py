"""last_rows.csv of an export: the latest rows of the data, in the form that the scripts read."""

import csv
import io

import numpy as np

from sweep.data.coding import Coding
from sweep.data.recording import Recording, Series
from sweep.data.types import Array
from sweep.forecast.export.card import Columns

NAME = "last_rows.csv"


def last_rows(recording: Recording, coding: Coding, columns: Columns) -> bytes | None:
    """Return the table: of each series as many rows as the networks need, the last ones in which no value is missing.

    Args:
        recording: the data as recorded, before gaps are cut.
        coding: of the networks.
        columns: the names of the columns of series and times.

    Returns:
        CSV with a header; None if no series has enough rows without a gap.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    named = any(one.name for one in recording.series)
    names = (*coding.channels, *coding.known)
    places = [(*recording.channels, *recording.known).index(name) for name in names]
    writer.writerow([*([columns.series] if named else []), *([columns.time] if columns.time else []), *names])
    written = 0
    for series in recording.series:
        last = _last(series, coding.past_steps)
        if last is None or (columns.time and series.stamps is None):
            continue
        written += 1
        for row in last:
            words = [series.name] if named else []
            if columns.time:
                words.append(_time(np.asarray(series.stamps)[row]))
            writer.writerow([*words, *(repr(float(value)) for value in series.values[row, places])])
    return text.getvalue().encode() if written else None


def _last(series: Series, count: int) -> Array | None:
    """Return the indices of the last `count` rows up to the last complete one; None if one is missing among them."""
    complete = np.flatnonzero(np.isfinite(series.values).all(axis=1))
    rows: Array = complete[-count:]
    steps = rows if series.steps is None else series.steps[rows]
    if len(rows) < count or steps[-1] - steps[0] != count - 1:
        return None
    return rows


def _time(stamp: np.datetime64) -> str:
    """Return a time in ISO 8601, without a clock at midnight."""
    day, _, clock = np.datetime_as_string(stamp, unit="s").partition("T")
    return day if clock == "00:00:00" else f"{day} {clock}"
