"""Tables and files of forecasts: their rows become starts, matched with truth and past by series and time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.config.registry import nearest
from sweep.config.text import plural
from sweep.data.readers import READERS, extension_of
from sweep.data.readers.frames import table_of
from sweep.data.readers.layout import recording_of
from sweep.data.readers.table import Table
from sweep.data.recording import Recording, Series
from sweep.data.types import Array
from sweep.doctor.given import Given, Piece

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


def given_tables(
    forecast: Table, truth: Table | None, past: Table | None, one_step: Table | None, column: str = ""
) -> Given:
    """Return forecasts that are given as tables.

    A row is a step. A column of ids tells series apart, a column `cutoff` (or start, window, origin) the starts of a
    series. Rows of forecast and truth belong together by series and time; without times they follow each other.

    Args:
        forecast: of one forecaster.
        truth: of the same steps, or a longer record with times; None: the column `y` of the forecast's table.
        past: the record before the forecasts; None: what a truth with times holds before them, if anything.
        one_step: forecasts of a single step ahead of the same steps.
        column: the column of the forecast, where the table has several that could be.

    Raises:
        DataError: columns or rows do not fit.
    """
    if truth is None:
        forecast, truth = _apart(forecast, column)
    elif column:
        forecast = _only(forecast, column)
    made = _rows(_finite_or_empty(forecast))
    true, before = _rows(truth), None if past is None else _rows(past)
    channels = _same_channels(made, true)
    if before is not None:
        _same_channels(made, before)
    single = None if one_step is None else _rows(_finite_or_empty(one_step))
    starts = [_start(key, block, made, true, before, single) for key, block in made.blocks.items()]
    whole = [start for start in starts if np.isfinite(start.truth).all()]
    notes = list(dict.fromkeys((*made.notes, *true.notes)))
    if len(whole) < len(starts):
        notes.append(f"{plural(len(starts) - len(whole), 'start')} without a complete truth: left out")
    if not whole:
        raise DataError(f"{true.name}: no start has a complete truth: give the values of all steps")
    return _given(channels, whole, notes)


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
    try:
        content = READERS[extension].read(file, DataConfig(path=str(file)))
    except OSError as error:
        raise DataError(f"{name}: {path} cannot be read: {error.strerror or error}") from None
    if isinstance(content, Table):
        return content
    raise DataError(
        f"{name}: {file.name} holds arrays, not a table: load it, and give arrays to sweep.doctor"
    )


def frame_table(frame: Any, name: str) -> Table:
    """Return the table of a DataFrame or Series."""
    return table_of(frame.to_frame(frame.name or "y") if isinstance(frame, pd.Series) else frame, name)


@dataclass(frozen=True)
class _Start:
    series: str
    position: int  # in the record of its series, or its number of past steps
    forecast: Array  # (step, channel)
    truth: Array
    one_step: Array | None
    past: Array | None  # (past step, channel)
    times: Array | None  # (past step + step,)


def _given(channels: tuple[str, ...], starts: Sequence[_Start], notes: list[str]) -> Given:
    lengths = sorted({len(start.forecast) for start in starts})
    if len(lengths) > 1:
        raise DataError(f"the starts have {lengths[0]} to {lengths[-1]} steps: give forecasts of one length")
    names = list(dict.fromkeys(start.series for start in starts))
    starts = sorted(starts, key=lambda start: (names.index(start.series), start.position))
    owner = np.array([names.index(start.series) for start in starts])
    pasts = [start.past for start in starts if start.past is not None and len(start.past)]
    steps = min((len(one) for one in pasts), default=0)
    complete = len(pasts) == len(starts)
    if pasts and not complete:
        notes.append(
            f"{len(starts) - len(pasts)} of {plural(len(starts), 'start')} have no past: none is used"
        )
    pieces = []
    for index, name in enumerate(names):  # the earliest start of a series knows nothing of what came later
        first = min((one for one in starts if one.series == name), key=lambda one: one.position)
        if complete and first.past is not None:
            pieces.append(Piece(first.past, index))
    times = [start.times for start in starts if start.times is not None]
    length = steps + lengths[0]
    return Given(
        channels=channels,
        forecast=np.stack([start.forecast for start in starts]),
        truth=np.stack([start.truth for start in starts]),
        past=np.stack([one[len(one) - steps :] for one in pasts]) if complete else None,
        pieces=tuple(pieces),
        owner=owner,
        position=np.array([start.position for start in starts]),
        series=tuple(names) if all(names) else (),
        one_step=None
        if any(start.one_step is None for start in starts)
        else np.stack([np.asarray(start.one_step) for start in starts]),
        times=np.stack([one[-length:] for one in times])
        if complete and len(times) == len(starts) and all(len(one) >= length for one in times)
        else None,
        notes=tuple(notes),
    )


def _start(
    key: tuple[str, str], block: Series, made: Rows, true: Rows, before: Rows | None, single: Rows | None
) -> _Start:
    truth, record = _matched(key, block, true)
    one_step = None if single is None else _matched(key, block, single)[0]
    past, stamps = record
    if before is not None:
        past, stamps = _before(key, block, before)
    _require_known(before or true, past)
    times = None
    if past is not None and stamps is not None and block.stamps is not None:
        times = np.concatenate([stamps, block.stamps]).astype("datetime64[ns]")
    return _Start(key[0], 0 if past is None else len(past), block.values, truth, one_step, past, times)


def _matched(
    key: tuple[str, str], block: Series, rows: Rows
) -> tuple[Array, tuple[Array | None, Array | None]]:
    """Return the values at a block's steps, and what the same record holds before them with its times."""
    other = _record(key, rows)
    if block.timeline is None or other.timeline is None:
        if len(other.values) != len(block.values):
            raise DataError(
                f"{other.label}: {len(other.values)} rows, but {block.label} has {len(block.values)}: give the same "
                "steps, or a column of times in both"
            )
        return other.values, (None, None)
    wanted, known = block.timeline.keys, other.timeline.keys
    _require_alike(wanted, known, other)
    places = np.searchsorted(known, wanted)
    found = (places < len(known)) & (known[np.minimum(places, len(known) - 1)] == wanted)
    values = np.full((len(wanted), other.values.shape[1]), np.nan)
    values[found] = other.values[places[found]]
    if not found.any():
        raise DataError(f"{other.label}: none of its times is one of {block.label}: check the times of both")
    first = int(places[0])
    stamps = None if other.stamps is None else other.stamps[:first]
    return values, (other.values[:first] if first else None, stamps)


def _before(key: tuple[str, str], block: Series, rows: Rows) -> tuple[Array | None, Array | None]:
    """Return what a record holds before a block, with its times."""
    other = _record(key, rows)
    if rows.has_starts:
        return other.values, other.stamps
    if block.timeline is None or other.timeline is None:
        if key[1]:
            raise DataError(
                f"{other.label}: its rows cannot be matched with several starts: add a column of times to both, or "
                f"a column {STARTS[0]!r}"
            )
        return other.values, other.stamps
    _require_alike(block.timeline.keys, other.timeline.keys, other)
    first = int(np.searchsorted(other.timeline.keys, block.timeline.keys[0]))
    if not first:
        raise DataError(
            f"{other.label}: no row is before the first step of {block.label}: check the times of both"
        )
    return other.values[:first], None if other.stamps is None else other.stamps[:first]


def _record(key: tuple[str, str], rows: Rows) -> Series:
    """Return the rows of a start, or of its series where the table does not tell starts apart."""
    series, start = key
    for wanted in ((series, start), (series, "")):
        if wanted in rows.blocks:
            return rows.blocks[wanted]
    if (
        not series and not start and len(rows.blocks) == 1
    ):  # one series on both sides, and its name on one alone
        return next(iter(rows.blocks.values()))
    names = list(dict.fromkeys(name for name, _ in rows.blocks))
    what = f"series {series!r}" + (f", start {start}" if rows.has_starts else "")
    raise DataError(f"{rows.name}: no rows of {what}.{nearest(series, names)} Check its ids")


def _rows(table: Table) -> Rows:
    """Return the rows of a table by series and start."""
    names = [str(name) for name in table.frame.columns]
    ids = next((name for name in names if name.lower() in IDS), None)
    start = next((name for name in names if name.lower() in STARTS), None)
    frame = table.frame
    if start is not None or ids is not None:
        parts = [frame[name].astype(str) for name in (ids, start) if name is not None]
        joined = parts[0] if len(parts) == 1 else parts[0] + BETWEEN + parts[1]
        frame = frame.drop(columns=[name for name in (ids, start) if name is not None])
        frame.insert(0, "unique_id", joined)
    config = DataConfig(path=table.name, missing="cut")
    moved = Table(table.name, frame, table.lines, table.decimal, table.thousands, table.facts)
    recording = recording_of(moved, config, table.name)
    _require_even(recording)
    blocks = {}
    for one in recording.series:
        series, _, origin = one.name.partition(BETWEEN)
        blocks[("", one.name) if ids is None and start is not None else (series, origin)] = one
    notes = tuple(f"{table.name}: {fact.text}" for fact in recording.facts if fact.name == "left out")
    return Rows(table.name, recording.channels, blocks, start is not None, notes)


def _same_channels(made: Rows, other: Rows) -> tuple[str, ...]:
    """Return the names of the channels; those of a single one may differ, and the truth's is the better name."""
    if len(made.channels) == len(other.channels) == 1:
        return other.channels
    if set(made.channels) != set(other.channels):
        raise DataError(
            f"{other.name}: the columns are {', '.join(other.channels)}, but those of {made.name} are "
            f"{', '.join(made.channels)}: give the same columns, or name the one of the forecast"
        )
    if made.channels != other.channels:
        raise DataError(
            f"{other.name}: the columns are those of {made.name} in another order: put them in the same one"
        )
    return made.channels


def _apart(table: Table, column: str) -> tuple[Table, Table]:
    """Return the forecast's and the truth's table from one that holds both."""
    names = [str(name) for name in table.frame.columns]
    if TRUTH not in names:
        raise DataError(
            f"{table.name}: no truth: give it as a file of its own (--truth), or in a column {TRUTH!r} beside the "
            "forecast"
        )
    return _only(table, column, (TRUTH,)), _only(table, TRUTH)


def _only(table: Table, column: str, dropped: Sequence[str] = ()) -> Table:
    """Return a table with one column of values, whatever tells its rows apart kept."""
    names = [str(name) for name in table.frame.columns]
    if not column:
        frame = table.frame.drop(columns=list(dropped))
        made = Table(table.name, frame, table.lines, table.decimal, table.thousands, table.facts)
        channels = _rows(_finite_or_empty(made)).channels
        if len(channels) > 1:
            raise DataError(
                f"{table.name}: the forecast could be any of {', '.join(channels)}: name its column (--column)"
            )
        column = channels[0]
    if column not in names:
        raise DataError(
            f"{table.name}: no column {column!r}.{nearest(column, names)} Columns: {', '.join(names)}"
        )
    others = _rows(_finite_or_empty(table)).channels
    frame = table.frame.drop(columns=[name for name in others if name != column])
    return Table(table.name, frame, table.lines, table.decimal, table.thousands, table.facts)


def _finite_or_empty(table: Table) -> Table:
    """Return a table whose infinite values are empty: a forecast may diverge."""
    frame = table.frame.replace([np.inf, -np.inf], np.nan)
    text = [name for name in frame.columns if frame[name].dtype == object]
    if text:
        frame[text] = frame[text].replace(r"^\s*[+-]?inf(inity)?\s*$", "", regex=True)
    return Table(table.name, frame, table.lines, table.decimal, table.thousands, table.facts)


def _require_even(recording: Recording) -> None:
    for one in recording.series:
        if one.steps is not None:
            raise DataError(
                f"{one.label}: rows are missing between its times: add them, with the values of all steps"
            )


def _require_alike(wanted: Array, known: Array, other: Series) -> None:
    if wanted.dtype.kind != known.dtype.kind:
        raise DataError(
            f"{other.label}: its times are of another kind than the forecast's: use dates in both, or steps"
        )


def _require_known(rows: Rows, past: Array | None) -> None:
    if past is not None and not np.isfinite(past).all():
        raise DataError(
            f"{rows.name}: values are missing before the forecasts: fill them in, or drop the rows before"
        )
