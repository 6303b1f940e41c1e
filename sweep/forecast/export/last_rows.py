"""last_rows.csv of an export: the latest rows of the data, in the form that the scripts read."""

import csv
import io

import numpy as np

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.data.coding import Coding
from sweep.data.future import last_steps, times_around
from sweep.data.recording import Recording
from sweep.forecast.export.card import Columns

NAME = "last_rows.csv"


def last_rows(recording: Recording, coding: Coding, config: DataConfig, columns: Columns) -> bytes | None:
    """Return the table: of each series the last steps that the networks need, as `sweep forecast` would take them.

    Args:
        recording: the data as recorded, before gaps are cut.
        coding: of the networks.
        config: the `[data]` section by which they were read.
        columns: the names of the columns of series and times.

    Returns:
        CSV with a header; None if no series can be forecast.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    named = any(one.name for one in recording.series)
    names = (*coding.channels, *coding.known)
    places = [(*recording.channels, *recording.known).index(name) for name in names]
    writer.writerow([*([columns.series] if named else []), *([columns.time] if columns.time else []), *names])
    written = 0
    for series in recording.series:
        try:
            values, last = last_steps(recording, series, coding, config, 0)
        except DataError:
            continue
        local = times_around(series, last, np.arange(1 - len(values), 1)).local
        if columns.time and local is None:
            continue
        written += 1
        for step, row in enumerate(values):
            words = [series.name] if named else []
            if columns.time and local is not None:
                words.append(_time(local[step]))
            writer.writerow([*words, *(repr(float(value)) for value in row[places])])
    return text.getvalue().encode() if written else None


def _time(stamp: np.datetime64) -> str:
    """Return a time in ISO 8601, without a clock at midnight."""
    day, _, clock = np.datetime_as_string(stamp, unit="s").partition("T")
    return day if clock == "00:00:00" else f"{day} {clock}"
