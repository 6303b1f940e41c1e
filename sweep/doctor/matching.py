"""Tables of forecasts, truth and past, matched by series and time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sweep.config.errors import DataError
from sweep.config.registry import nearest
from sweep.config.text import plural
from sweep.data.readers.table import Table
from sweep.data.recording import Series
from sweep.data.types import Array
from sweep.doctor.given import Given, Piece
from sweep.doctor.tables import STARTS, Rows, apart, finite_or_empty, only, rows_of


def given_tables(
    forecast: Table,
    truth: Table | None = None,
    past: Table | None = None,
    one_step: Table | None = None,
    column: str = "",
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
        forecast, truth = apart(forecast, column)
    elif column:
        forecast = only(forecast, column)
    made = rows_of(finite_or_empty(forecast))
    true, before = rows_of(truth), None if past is None else rows_of(past)
    channels = _same_channels(made, true)
    if before is not None:
        _same_channels(made, before)
    single = None if one_step is None else rows_of(finite_or_empty(one_step))
    starts = [_start(key, block, made, true, before, single) for key, block in made.blocks.items()]
    whole = [start for start in starts if np.isfinite(start.truth).all()]
    notes = list(dict.fromkeys((*made.notes, *true.notes)))
    if len(whole) < len(starts):
        notes.append(f"{plural(len(starts) - len(whole), 'start')} without a complete truth: left out")
    if not whole:
        raise DataError(f"{true.name}: no start has a complete truth: give the values of all steps")
    return _given(channels, whole, notes)


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
