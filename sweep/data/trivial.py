"""The three trivial forecasts, which need nothing but the past and the training mean. They set the scale of errors.

Source: Hyndman and Athanasopoulos, "Forecasting: Principles and Practice", 3rd ed., section 5.2.
"""

from collections.abc import Callable, Mapping

import numpy as np

from sweep.data.types import Array

DRIFT_NEEDS = 2  # steps of the past; a slope needs two


def training_mean(past: Array, mean: Array, horizon: int) -> Array:
    """Return the forecast that stays at the training mean."""
    return np.repeat(mean[:, None], horizon, axis=1)


def last_value(past: Array, mean: Array, horizon: int) -> Array:
    """Return the forecast that repeats the last value of the past."""
    return np.repeat(past[:, -1:], horizon, axis=1)


def straight_line(past: Array, mean: Array, horizon: int) -> Array:
    """Return the line through the first and the last value of the past, from the last value on."""
    slope = (past[:, -1:] - past[:, :1]) / (past.shape[1] - 1)
    line: Array = past[:, -1:] + slope * np.arange(1, horizon + 1)[None, :, None]
    return line


# (past, mean, horizon) -> (start, step, channel); the names are those of the baselines
TRIVIAL: Mapping[str, Callable[[Array, Array, int], Array]] = {
    "mean": training_mean,
    "persistence": last_value,
    "drift": straight_line,
}
TITLES: Mapping[str, str] = {
    "mean": "the training mean",
    "persistence": "the last value",
    "drift": "the straight line through the past",
}


def trivial_forecasts(past: Array, mean: Array, horizon: int) -> dict[str, Array]:
    """Return the trivial forecasts by name, (start, step, channel); without drift if the past has one step.

    Args:
        past: (start, past step, channel), ending just before the first forecast.
        mean: (start, channel), of the training data.
        horizon: steps to forecast.
    """
    return {
        name: forecast(past, mean, horizon)
        for name, forecast in TRIVIAL.items()
        if name != "drift" or past.shape[1] >= DRIFT_NEEDS
    }
