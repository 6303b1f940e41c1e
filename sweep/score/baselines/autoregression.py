"""The baseline `ar`: a least-squares autoregression. On a sum of k sines, order 2k is exact.

y[t] = b + sum over i = 1..p of A_i y[t - i], all channels together (a vector autoregression), one set of
coefficients for all training series. Fitted in float64 by an orthogonal factorisation: normal equations
would square the condition number and fail on noise-free data.

Source: Luetkepohl (2005), "New Introduction to Multiple Time Series Analysis", section 3.2.
"""

from collections.abc import Sequence

import numpy as np

from sweep.data.types import Array, Data, Starts
from sweep.score.baselines.simple import CannotServe, Forecast, Settings
from sweep.score.comparisons import EXACT
from sweep.score.metrics import block_length
from sweep.score.objectives import objective_of

ORDERS = (1, 2, 3, 5, 8, 13, 21, 34, 55)  # tried, with the period + 1; our choice
ORDER_MOST = 256  # values per regressor row, over all channels; a bound on time
CELLS_MOST = 4_000_000  # of the regression; of more, evenly spaced rows are used


def choose_order(data: Data) -> Settings:
    """Return {"order", "units"} with the lowest rollout error on the validation starts; the first of equal ones.

    Orders that the past and the training series cover are tried on the raw data and also in model units, if
    transforms or a scaling by series make that a different model.

    Raises:
        CannotServe: the past or the training series are too short for order 1.
    """
    channels = len(data.channels)
    orders = sorted({*ORDERS, *([round(data.period) + 1] if data.period else [])})
    results: list[tuple[float, Settings]] = []
    for units in ("data", "model"):
        for order in orders:
            if order * channels > ORDER_MOST or not _covered(data, order, units):
                continue
            settings = {"order": order, "units": units}
            values = autoregression(data, settings)(data.validation, data.validation.truth.shape[1])
            results.append((validation_error(data, values), settings))
    if not results:
        raise CannotServe("the warm-up or the training series are too short for an autoregression")
    # errors below EXACT are rounding: the shortest of the exact models wins
    return min(results, key=lambda result: max(result[0], EXACT))[1]


def autoregression(data: Data, settings: Settings) -> Forecast:
    """Return the closed-loop forecast of the fitted autoregression; an unstable one gives inf and NaN."""
    order, in_model_units = int(settings["order"]), settings["units"] == "model"
    weights, level = _fitted_from_level(data, order, in_model_units)

    def forecast(starts: Starts, horizon: int) -> Array:
        past = data.codec.encode(starts.past, starts.series) if in_model_units else starts.past
        values = closed_loop(weights, past[:, -order:] - level, horizon) + level
        return data.codec.decode(values, starts.past, starts.series) if in_model_units else values

    return forecast


def _fitted_from_level(data: Data, order: int, in_model_units: bool) -> tuple[Array, Array]:
    """Return the weights of the training data minus their level, and the level (channel,).

    Without that, an offset of 1e9 times the data's spread would cost nine digits.
    """
    train = data.train if in_model_units else data.train_raw
    level = np.concatenate(train).mean(axis=0)
    return fitted([values - level for values in train], order), level


def fitted(train: Sequence[Array], order: int) -> Array:
    """Return (1 + order * channel, channel): the intercept, then the weights, oldest lag first.

    Least squares over all series; if the data do not determine the weights, the smallest ones.

    Args:
        train: per series (time, channel); series no longer than the order are left out.
        order: p, the number of past steps that a forecast uses.

    Raises:
        CannotServe: no series is longer than the order.
    """
    series = [values for values in train if len(values) > order]
    if not series:
        raise CannotServe(f"no training series is longer than {order} steps")
    width = order * series[0].shape[1] + 1
    stride = -(-sum(len(values) - order for values in series) * width // CELLS_MOST)
    rows = np.concatenate([lagged(values[None, :-1], order, stride=stride)[0] for values in series])
    goals = np.concatenate([values[order:][::stride] for values in series])
    design = np.concatenate([np.ones((len(rows), 1)), rows], axis=1)
    weights: Array = np.linalg.lstsq(design, goals, rcond=None)[0]
    return weights


def lagged(values: Array, order: int, first: int = 0, stride: int = 1) -> Array:
    """Return (series, time - order + 1, order * channel): row t holds steps t .. t + order - 1.

    Of these rows it makes every `stride`-th, from `first` on: all rows of long series do not fit in memory.
    """
    windows = np.lib.stride_tricks.sliding_window_view(values, order, axis=1)[:, first::stride]
    return np.moveaxis(windows, -1, 2).reshape(*windows.shape[:2], order * values.shape[2])


def closed_loop(weights: Array, past: Array, horizon: int) -> Array:
    """Return (start, horizon, channel); each forecast is computed from the ones before it.

    Args:
        weights: from `fitted`.
        past: (start, order, channel), the last true steps.
        horizon: steps to forecast.
    """
    starts, order, channels = past.shape
    values = np.concatenate([past, np.empty((starts, horizon, channels))], axis=1)
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(horizon):
            row = values[:, step : step + order].reshape(starts, order * channels)
            values[:, order + step] = row @ weights[1:] + weights[0]
    return values[:, order:]


def validation_error(data: Data, forecast: Array) -> float:
    """Return the rollout error, by the study's objective, of a forecast of the validation starts, targets only."""
    starts, chosen = data.validation, list(data.targets)
    block = block_length(data.period, starts.truth.shape[1])
    objective = objective_of(data.objective)
    return objective(forecast[..., chosen], starts.truth[..., chosen], starts.scale[:, chosen], block)


def _covered(data: Data, order: int, units: str) -> bool:
    """Return whether the past covers the order and there are twice as many training rows as weights (our choice)."""
    if units == "model" and not _model_units_differ(data):
        return False
    lag = data.codec.lag if units == "model" else 0
    train = data.train if units == "model" else data.train_raw
    rows = sum(max(0, len(values) - order) for values in train)
    return order <= data.validation.past.shape[1] - lag and rows >= 2 * (order * len(data.channels) + 1)


def _model_units_differ(data: Data) -> bool:
    """Return whether model units differ from an affine map of data units that is the same for all series."""
    if data.codec.lag:
        return True
    raw, coded = np.concatenate(data.train_raw), np.concatenate(data.train)
    ends = raw.argmin(axis=0), raw.argmax(axis=0)
    columns = np.arange(raw.shape[1])
    low, high = raw[ends[0], columns], raw[ends[1], columns]
    coded_low, coded_high = coded[ends[0], columns], coded[ends[1], columns]
    span = np.where(high > low, high - low, 1.0)
    line = coded_low + (raw - low) / span * (coded_high - coded_low)
    return not np.allclose(line, coded, rtol=0, atol=1e-6 * np.abs(coded).max())
