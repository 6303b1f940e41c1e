"""Baselines that need no regression: mean, persistence, drift, seasonal naive.

Each function returns a `Forecast`, which maps starts and a horizon to (start, step, channel) in data units.

Source: Hyndman and Athanasopoulos, "Forecasting: Principles and Practice", 3rd ed., section 5.2.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sweep.config.errors import SweepError
from sweep.data.trivial import DRIFT_NEEDS, TRIVIAL
from sweep.data.types import Array, Data, Starts

Settings = Mapping[str, Any]
Forecast = Callable[[Starts, int], Array]

NEAR = 0.01  # of a lag: tolerance around a multiple of the period, which is an estimate; our choice
LAGS_MOST = 400  # most lags to try; our choice, a bound on time


class CannotServe(SweepError):
    """A baseline or a readout does not apply to these data; the text says why."""


def no_settings(data: Data) -> Settings:
    """Return no settings."""
    return {}


def mean(data: Data, settings: Settings) -> Forecast:
    """Return the forecast that stays at the training mean."""
    return _trivial("mean")


def persistence(data: Data, settings: Settings) -> Forecast:
    """Return the forecast that repeats the last value."""
    return _trivial("persistence")


def needs_two_steps(data: Data) -> Settings:
    """Return no settings; a slope needs a past of two steps.

    Raises:
        CannotServe: the past has one step.
    """
    if data.validation.past.shape[1] < DRIFT_NEEDS:
        raise CannotServe("a slope needs a warm-up of two steps or more")
    return {}


def drift(data: Data, settings: Settings) -> Forecast:
    """Return the line through the first and the last value of the past, from the last value on."""
    return _trivial("drift")


def _trivial(name: str) -> Forecast:
    """Return a trivial forecast, by the formula that also sets the scale of errors."""
    return lambda starts, horizon: TRIVIAL[name](starts.past, starts.mean, horizon)


def lag_within_past(data: Data) -> Settings:
    """Return {"lag"} of the seasonal naive forecast; the past must cover the lag once."""
    return {"lag": best_lag(data, data.validation.past.shape[1])}


def lag_within_half_past(data: Data) -> Settings:
    """Return {"lag"} of the seasonal naive forecast with drift; the past must cover the lag twice."""
    return {"lag": best_lag(data, data.validation.past.shape[1] // 2)}


def seasonal_naive(data: Data, settings: Settings) -> Forecast:
    """Return the forecast that repeats the last `lag` values."""
    lag = int(settings["lag"])

    def forecast(starts: Starts, horizon: int) -> Array:
        repeated: Array = starts.past[:, -lag:][:, np.arange(horizon) % lag]
        return repeated

    return forecast


def seasonal_naive_drift(data: Data, settings: Settings) -> Forecast:
    """Return the forecast that repeats the last `lag` values, raised each time by the past's mean change per lag."""
    lag = int(settings["lag"])

    def forecast(starts: Starts, horizon: int) -> Array:
        past = starts.past
        change = (past[:, lag:] - past[:, :-lag]).mean(axis=1, keepdims=True)
        repetition = 1 + np.arange(horizon) // lag
        raised: Array = past[:, -lag:][:, np.arange(horizon) % lag] + change * repetition[None, :, None]
        return raised

    return forecast


def best_lag(data: Data, longest: int) -> int:
    """Return the lag at which the training data repeat themselves best, among multiples of the period.

    A multiple can fit far better than the period itself: 3 periods of 125.66 steps are 376.99, nearly an
    integer. The period is an estimate, so lags within 1 % of a multiple (and the next integers) are
    tried. The error of a lag is the RMS of y[t] - y[t - lag] over the target channels, in standard deviations
    of each series.

    Args:
        data: its training series and period.
        longest: largest lag allowed, in steps.

    Raises:
        CannotServe: there is no period, or none of its multiples is short enough.
    """
    if data.period is None:
        raise CannotServe("the training data have no dominant period")
    # a tenth of a training series must remain to measure a lag's error
    longest = min(longest, int(0.9 * max(len(series) for series in data.train_raw)))
    lags = _lags(data.period, longest)
    if not lags:
        raise CannotServe(
            f"the period of {data.period:.4g} steps is longer than the {longest} steps that can be used"
        )
    return min(lags, key=lambda lag: (_repetition_error(data, lag), lag))


def _lags(period: float, longest: int) -> list[int]:
    lags: list[int] = []
    for multiple in range(1, int(longest / period) + 2):
        reach = max(1, math.ceil(NEAR * multiple * period))
        centre = round(multiple * period)
        lags += range(max(1, centre - reach), centre + reach + 1)
        if len(lags) > LAGS_MOST:
            break
    return sorted({lag for lag in lags if lag <= longest})


def _repetition_error(data: Data, lag: int) -> float:
    chosen = list(data.targets)
    total, count = 0.0, 0
    for series in data.train_raw:
        values = series[:, chosen]
        spread = values.std(axis=0)
        if len(values) > lag and (spread > 0).all():
            total += float((((values[lag:] - values[:-lag]) / spread) ** 2).sum())
            count += (len(values) - lag) * len(chosen)
    return math.sqrt(total / count) if count else math.inf
