"""Known inputs from the time stamps: the phase of each sample in the day and in the year."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sweep.config.errors import DataError
from sweep.config.registry import Registry
from sweep.data.recording import Series
from sweep.data.types import Array


@dataclass(frozen=True)
class Calendar:
    """An entry of the table: a phase in [0, 1) of each time stamp."""

    name: str
    phase: Callable[[pd.DatetimeIndex], Array]


def day_phase(stamps: pd.DatetimeIndex) -> Array:
    """Return the elapsed share of the day, (time,)."""
    return np.asarray((stamps - stamps.normalize()) / pd.Timedelta(days=1), dtype=np.float64)


def year_phase(stamps: pd.DatetimeIndex) -> Array:
    """Return the elapsed share of the year, which is longer in leap years, (time,)."""
    days = np.asarray(stamps.day_of_year, dtype=np.float64) - 1 + day_phase(stamps)
    return np.asarray(days / np.where(stamps.is_leap_year, 366.0, 365.0))


CALENDARS: Registry[Calendar] = Registry(
    "calendar", [Calendar("time_of_day", day_phase), Calendar("time_of_year", year_phase)]
)


def calendar_features(names: Sequence[str], series: Series) -> Array:
    """Return sine and cosine of each phase, (time, 2 x names), in [-1, 1].

    Raises:
        UnknownName: no calendar has this name.
        DataError: the series has no time stamps.
    """
    for name in names:
        CALENDARS[name]  # an unknown name is the first thing to tell
    if not names:
        return np.zeros((len(series.values), 0))
    if series.stamps is None:
        raise DataError(
            f"{series.label}: data.calendar = {list(names)} needs a column of dates, and these data have none: "
            "drop data.calendar, or name the column of dates in data.time_column"
        )
    return calendar_of_times(names, pd.DatetimeIndex(series.stamps))


def calendar_of_times(names: Sequence[str], times: pd.DatetimeIndex) -> Array:
    """Return sine and cosine of each phase, (time, 2 x names), in [-1, 1]; at least one name.

    Raises:
        UnknownName: no calendar has this name.
    """
    angles = [2 * np.pi * CALENDARS[name].phase(times) for name in names]
    return np.stack([wave(angle) for angle in angles for wave in (np.sin, np.cos)], axis=1)
