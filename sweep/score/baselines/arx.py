"""The baseline `arx`: a least-squares autoregression with known inputs, simulated.

y[t] = b + sum over i = 1..n of A_i y[t - i] + sum over j = 0..m-1 of B_j u[t - j], all channels together. Model units,
float64.

Source: Ljung (1999), "System Identification", section 4.2.
"""

import numpy as np

from sweep.data.types import Data
from sweep.score.baselines.driven import Lags, compared, require_inputs, simulated_linear, training_rows
from sweep.score.baselines.simple import Forecast, Settings

ORDERS = (1, 2, 3, 5, 8, 13, 21)  # tried, with the period + 1; our choice
INPUT_ORDERS = (1, 2, 3, 5, 8, 13, 21)
WIDTH_MOST = 128  # numbers of a row; our choice, a bound on time


def choose_arx(data: Data) -> Settings:
    """Return {"order", "input_order"} with the lowest rollout error on the validation starts.

    Raises:
        CannotServe: there are no known inputs, or the past or the training series are too short.
    """
    require_inputs(data)
    orders = sorted({*ORDERS, *([round(data.period) + 1] if data.period else [])})
    lags = sorted((Lags(n, m) for n in orders for m in INPUT_ORDERS), key=lambda one: (one.width(data), one))
    tried = [
        {"order": one.channels, "input_order": one.inputs}
        for one in lags
        if one.width(data) <= WIDTH_MOST and one.covered(data)
    ]
    return compared(data, tried, arx, "an autoregression with inputs")[0][1]


def arx(data: Data, settings: Settings) -> Forecast:
    """Return the simulation of the fitted model; an unstable one gives inf and NaN."""
    lags = Lags(int(settings["order"]), int(settings["input_order"]))
    rows, goals = training_rows(data, lags)
    design = np.concatenate([np.ones((len(rows), 1)), rows], axis=1)
    weights = np.linalg.lstsq(design, goals, rcond=None)[0]
    return simulated_linear(data, lags, weights)
