"""The baseline `seasonal_naive_calendar`: the values at the same time of the last day, week or year, data units.

A season is a fixed number of steps, by the dates: 48 half-hours, 7 days, 12 months. No period has to be found in the
training data. With known inputs of few values, such as a workday flag, the same time is that of the last season whose
flags are those of the time that is forecast: a Saturday repeats the last free day. The flags of the horizon are known.
"""

import numpy as np

from sweep.data.types import Array, Data, Starts
from sweep.score.baselines.autoregression import validation_error
from sweep.score.baselines.simple import CannotServe, Forecast, Settings

DAY = 86_400.0  # seconds
SEASONS = {"day": DAY, "week": 7 * DAY, "year": 365.2425 * DAY}
MONTHS = {"month": 1, "quarter": 3, "year": 12}  # units of a step that are not a number of seconds
NEAR = 0.001  # share of a season that its whole number of steps may be off: 365 days are a year; our choice
FLAG_MOST = 10  # most values of a known input that is a flag; our choice


def seasons_of(data: Data) -> dict[str, int]:
    """Return by name the steps of each season that the dates give, at least 2; without dates none."""
    recorded = data.recorded
    if recorded is None or not recorded.step_seconds:
        return {}
    number, _, unit = recorded.step.partition(" ")
    unit = unit.removesuffix("s")
    if unit in MONTHS:
        lengths = {"year": 12 / (float(number) * MONTHS[unit])}
    elif unit == "weekday":
        lengths = {"week": 5 / float(number)}
    else:
        lengths = {name: season / recorded.step_seconds for name, season in SEASONS.items()}
    return {
        name: round(length)
        for name, length in lengths.items()
        if length >= 1.5 and abs(length - round(length)) <= NEAR * length
    }


def flags_of(data: Data) -> list[int]:
    """Return the columns of the known inputs that are flags: recorded inputs with 2 to FLAG_MOST training values."""
    known = np.concatenate(data.train_known)
    first = known.shape[1] - len(data.known)  # after the features of the calendar
    return [
        column
        for column in range(first, known.shape[1])
        if 2 <= len(np.unique(known[:, column])) <= FLAG_MOST
    ]


def choose_season(data: Data) -> Settings:
    """Return {"lag", "season", "flags"} with the lowest rollout error on validation, the first of equal ones.

    Raises:
        CannotServe: the dates give no season, or none lies within the past.
    """
    seasons, flags = seasons_of(data), flags_of(data)
    if not seasons:
        raise CannotServe("the data have no dates that give a day, a week or a year in whole steps")
    past = data.validation.past.shape[1] - data.codec.lag
    tried = [
        {"lag": lag, "season": name, "flags": chosen}
        for name, lag in seasons.items()
        if lag <= past
        for chosen in ([], flags)[: 2 if flags else 1]
    ]
    if not tried:
        text = ", ".join(f"{lag} (a {name})" for name, lag in seasons.items())
        raise CannotServe(f"the warm-up of {past} steps holds no season of {text} steps")
    horizon = data.validation.truth.shape[1]
    errors = [
        validation_error(data, seasonal_naive_calendar(data, settings)(data.validation, horizon))
        for settings in tried
    ]
    return tried[int(np.argmin(errors))]


def seasonal_naive_calendar(data: Data, settings: Settings) -> Forecast:
    """Return the forecast that repeats the same time of the last season with equal flags, or of the last season."""
    lag, flags = int(settings["lag"]), [int(column) for column in settings["flags"]]

    def forecast(starts: Starts, horizon: int) -> Array:
        past = starts.past[:, data.codec.lag :]  # the times of `known`
        count, steps, channels = past.shape
        known = starts.known[:, :, flags]
        rows, made = np.arange(count), np.empty((count, horizon, channels))
        for step in range(horizon):
            times = np.arange((steps + step) % lag, steps, lag)[::-1]  # of the past, the latest first
            equal = (known[:, times] == known[:, steps + step, None]).all(axis=2)
            made[:, step] = past[rows, times[equal.argmax(axis=1)]]  # the latest where none is equal
        return made

    return forecast
