"""Tables and files of forecasts: their rows by series and start, and which column is the forecast."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.config.registry import nearest
from sweep.data.readers import READERS, extension_of, read_content
from sweep.data.readers.frames import table_of
from sweep.data.readers.layout import recording_of
from sweep.data.readers.roles import roles_of
from sweep.data.readers.table import Table
from sweep.data.recording import Recording, Series

# Names of the column that tells the starts of a series apart, as forecasting libraries write them.
STARTS = ("cutoff", "start", "window", "origin")
IDS = ("unique_id", "series", "series_id", "item_id", "id")
TRUTH = "y"  # the column of the truth beside forecasts, as NeuralForecast's cross_validation writes it
BETWEEN = "\x1f"  # joins the id of a series and its start; no file holds it


@dataclass(frozen=True)
class Rows:
    """The rows of a table by series and start."""

    name: str
    channels: tuple[str, ...]
    blocks: Mapping[tuple[str, str], Series]  # by series, and start; "" where the table does not tell
    has_starts: bool
    notes: tuple[str, ...]


def read_table(path: str | Path, name: str) -> Table:
    """Return the table of a file.

    Raises:
        DataError: the file does not exist, is of unknown type, or has invalid content.
    """
    file = Path(path).expanduser()
    extension = extension_of(file)
    if extension not in READERS:
        raise DataError(
            f"{name}: unknown extension {extension!r} of {file.name}. Known: {', '.join(READERS)}"
        )
    if not file.is_file():
        beside = [one.name for one in file.parent.iterdir()] if file.parent.is_dir() else []
        raise DataError(f"{name}: no file {path}.{nearest(file.name, beside)} Check its path")
    content = read_content(file, str(path), DataConfig(path=str(file)))
    if isinstance(content, Table):
        return content
    raise DataError(
        f"{name}: {file.name} holds arrays, not a table: load it, and give arrays to sweep.doctor"
    )


def frame_table(frame: Any, name: str) -> Table:
    """Return the table of a DataFrame or Series."""
    return table_of(frame.to_frame(frame.name or "y") if isinstance(frame, pd.Series) else frame, name)


@dataclass(frozen=True)
class _Keyed:
    """A table whose columns of ids and starts are joined into one column of ids."""

    table: Table
    config: DataConfig
    has_ids: bool
    has_starts: bool


def _keyed(table: Table) -> _Keyed:
    names = [str(name) for name in table.frame.columns]
    ids = next((name for name in names if name.lower() in IDS), None)
    start = next((name for name in names if name.lower() in STARTS), None)
    keys = [name for name in (ids, start) if name is not None]
    frame = table.frame
    if keys:
        parts = [frame[name].astype(str) for name in keys]
        joined = parts[0] if len(parts) == 1 else parts[0] + BETWEEN + parts[1]
        frame = frame.drop(columns=keys)
        frame.insert(0, "unique_id", joined)
    config = DataConfig(path=table.name, missing="cut")
    return _Keyed(replace(table, frame=frame), config, ids is not None, start is not None)


def rows_of(table: Table) -> Rows:
    """Return the rows of a table by series and start."""
    keyed = _keyed(table)
    recording = recording_of(keyed.table, keyed.config, table.name)
    _require_even(recording)
    blocks = {}
    for one in recording.series:
        series, _, origin = one.name.partition(BETWEEN)
        blocks[("", one.name) if keyed.has_starts and not keyed.has_ids else (series, origin)] = one
    notes = tuple(f"{table.name}: {fact.text}" for fact in recording.facts if fact.name == "left out")
    return Rows(table.name, recording.channels, blocks, keyed.has_starts, notes)


def apart(table: Table, column: str) -> tuple[Table, Table]:
    """Return the forecast's and the truth's table from one that holds both."""
    names = [str(name) for name in table.frame.columns]
    if TRUTH not in names:
        raise DataError(
            f"{table.name}: no truth: give it as a file of its own (--truth), or in a column {TRUTH!r} beside the "
            "forecast"
        )
    return only(table, column, (TRUTH,)), only(table, TRUTH)


def only(table: Table, column: str, dropped: Sequence[str] = ()) -> Table:
    """Return a table with one column of values, whatever tells its rows apart kept."""
    names = [str(name) for name in table.frame.columns]
    keyed = _keyed(finite_or_empty(table))
    channels = roles_of(keyed.table, keyed.config).channels
    if not column:
        candidates = [name for name in channels if name not in dropped]
        if len(candidates) != 1:
            raise DataError(
                f"{table.name}: the forecast could be any of {', '.join(candidates)}: name its column (--column)"
                if candidates
                else f"{table.name}: no column of numbers beside {', '.join(dropped)}: add the forecast"
            )
        (column,) = candidates
    if column not in names:
        raise DataError(
            f"{table.name}: no column {column!r}.{nearest(column, names)} Columns: {', '.join(names)}"
        )
    others = [name for name in channels if name != column]
    return replace(table, frame=table.frame.drop(columns=others))


def finite_or_empty(table: Table) -> Table:
    """Return a table whose infinite values are empty: a forecast may diverge."""
    frame = table.frame.replace([np.inf, -np.inf], np.nan)
    text = [name for name in frame.columns if frame[name].dtype == object]
    if text:
        frame[text] = frame[text].replace(r"^\s*[+-]?inf(inity)?\s*$", "", regex=True)
    return replace(table, frame=frame)


def _require_even(recording: Recording) -> None:
    for one in recording.series:
        if one.steps is not None:
            raise DataError(
                f"{one.label}: rows are missing between its times: add them, with the values of all steps"
            )
