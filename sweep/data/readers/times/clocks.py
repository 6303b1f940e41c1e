"""Time zones and their changes of clocks: local times to UTC, and the zone that makes uneven local times even."""

import difflib
import zoneinfo

import numpy as np
import pandas as pd

from sweep.config.errors import DataError
from sweep.data.readers.times.steps import EVEN, whole_steps
from sweep.data.types import Array

# One zone for each rule of changing clocks in common use; the first that fits is named.
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Europe/London",
    "Europe/Helsinki",
    "Australia/Sydney",
    "Pacific/Auckland",
    "America/Santiago",
    "Asia/Jerusalem",
)
HOUR = 3_600_000_000_000  # nanoseconds, by which these zones change their clocks


def require_zone(time_zone: str) -> None:
    """Refuse a name of a time zone that is not known.

    Raises:
        DataError: there is no such zone.
    """
    if not time_zone:
        return
    try:
        zoneinfo.ZoneInfo(time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = {name.lower(): name for name in sorted(zoneinfo.available_timezones())}
        cities = {name.rsplit("/", 1)[-1]: name for name in reversed(known)}
        word = time_zone.lower().replace(" ", "_")
        close = difflib.get_close_matches(word, known, n=1, cutoff=0.75)
        close = close or [
            cities[one] for one in difflib.get_close_matches(word.rsplit("/", 1)[-1], cities, n=1)
        ]
        hint = f" Did you mean {known[close[0]]!r}?" if close else ""
        raise DataError(
            f"data.time_zone: no zone named {time_zone!r}.{hint} Names are those of the IANA list, such as "
            "Europe/Berlin, or UTC"
        ) from None


def utc_of(local: Array, zone: str) -> Array:
    """Return the UTC of local times, NaT where the clock skips a time.

    Of two equal hours when clocks go back, the first in the order of rows is the earlier one.

    Args:
        local: (row,), datetime64[ns]; rising but for repeated hours, or in any order.
        zone: name in the IANA list.
    """
    first, second = _utc(local, zone, True), _utc(local, zone, False)
    twice = (first != second) & ~np.isnat(first)
    if not twice.any():
        return first
    back = np.flatnonzero(np.diff(local) < np.timedelta64(0))
    if not (twice[back] & twice[back + 1]).all():  # rows in any order: by how often a time came before
        return np.where(twice & (pd.Series(local).groupby(local).cumcount().to_numpy() > 0), second, first)
    utc, step = first.copy(), np.median(np.diff(local).astype(np.int64)) if len(local) > 1 else 0
    for row in np.flatnonzero(twice).tolist():
        if row and (first[row] <= utc[row - 1] or _fits(second, first, row, utc[row - 1], step)):
            utc[row] = second[row]
    if twice[0] and not twice.all():  # the series begins in the hour: if it has it once, in the second one
        end = int(np.argmin(twice))
        if (utc[:end] == first[:end]).all() and not _fits(first, second, end - 1, utc[end], step):
            utc[:end] = second[:end]
    return np.asarray(utc)


def reading_order(local: Array) -> Array:
    """Return the order of rows in which clocks can be followed: rising time.

    Where times are equal, which may be a repeated hour, it is the order of the file, reversed if it is newest first.
    """
    order = np.argsort(local, kind="stable")
    if (np.diff(local[order]) > np.timedelta64(0)).all():
        return order
    steps = np.diff(local)
    newest_first = (steps < np.timedelta64(0)).sum() > (steps > np.timedelta64(0)).sum()
    return np.arange(len(local))[:: -1 if newest_first else 1]


def guessed_zone(local: Array) -> tuple[str, Array] | None:
    """Return the zone whose changes of clocks make local times even, and the times in UTC; None if there is none.

    With it, every distance across a change is exactly one step, and no time is repeated; gaps may remain elsewhere.

    Args:
        local: (row,), datetime64[ns], rising but for repeated hours; of other orders, none is found.
    """
    if not _may_change(local):
        return None
    for zone in ZONES:
        utc = utc_of(local, zone)
        if np.isnat(utc).any():
            continue
        offset = (local - utc)[np.argsort(utc, kind="stable")].astype(np.int64)
        rising = np.sort(utc).astype(np.int64)
        if (np.diff(rising) <= 0).any():
            continue
        even = whole_steps(rising)
        changes = np.flatnonzero(np.diff(offset))
        if even and len(changes) and (np.diff(even[0])[changes] == 1).all():
            return zone, utc
    return None


def _may_change(local: Array) -> bool:
    """Return whether a distance differs from the usual one by an hour near midnight at a weekend, to save time."""
    if len(local) < 3:
        return False
    distances = np.diff(local).astype(np.int64)
    step = np.sort(np.abs(distances))[(len(distances) - 1) // 2]
    odd = np.abs(np.abs(distances - step) - HOUR) <= EVEN * step
    if not odd.any():
        return False
    days = local[1:][odd].astype("datetime64[D]").astype(np.int64)
    return bool(np.isin((days + 3) % 7, (4, 5, 6)).any())  # Friday to Sunday


def _fits(one: Array, other: Array, row: int, beside: np.datetime64, step: float) -> bool:
    """Return whether only the first of two readings of a row is whole steps away from the row beside it."""
    near = [np.abs(times[row] - beside).astype(np.int64) % max(step, 1) for times in (one, other)]
    rest = [min(away, step - away) for away in near]
    return bool(rest[0] <= EVEN * step < rest[1])


def _utc(local: Array, zone: str, summer: bool) -> Array:
    index = pd.DatetimeIndex(local).tz_localize(
        zone, ambiguous=np.full(len(local), summer), nonexistent="NaT"
    )
    return np.asarray(index.tz_convert("UTC").tz_localize(None).as_unit("ns").to_numpy())
