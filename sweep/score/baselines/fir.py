"""The baseline `fir`: a finite response to the known inputs, without feedback of the channels.

y[t] = b + sum over j = 0..m-1 of B_j u[t - j], by ridge regression. Model units, float64.

Source: Ljung (1999), "System Identification", section 4.2; the ridge: Chen, Ohlsson and Ljung (2012), Automatica 48,
1525.
"""

import numpy as np

from sweep.data.types import Data
from sweep.score.baselines.driven import Lags, compared, require_inputs, simulated_linear, training_rows
from sweep.score.baselines.echo_state import readout
from sweep.score.baselines.simple import Forecast, Settings

LENGTHS = (1, 2, 4, 8, 16, 32, 64, 128, 256)  # tried, with the longest that the warm-up covers; our choice
RIDGES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-12)  # times the number of rows, inputs have a spread of about 1
WIDTH_MOST = 512  # numbers of a row; our choice, a bound on time


def choose_fir(data: Data) -> Settings:
    """Return {"length", "ridge"} with the lowest rollout error on the validation starts.

    Raises:
        CannotServe: there are no known inputs, or the training series are too short.
    """
    require_inputs(data)
    longest = data.validation.past.shape[1] - data.codec.lag + 1
    lags = [Lags(0, length) for length in sorted({*LENGTHS, longest})]
    tried = [
        {"length": one.inputs, "ridge": ridge}
        for one in lags
        if one.width(data) <= WIDTH_MOST and one.covered(data)
        for ridge in RIDGES
    ]
    return compared(data, tried, fir, "a response to the inputs")[0][1]


def fir(data: Data, settings: Settings) -> Forecast:
    """Return the response to the known inputs."""
    lags = Lags(0, int(settings["length"]))
    rows, goals = training_rows(data, lags)
    table = np.concatenate([np.ones((len(rows), 1)), rows, goals], axis=1)
    triangle = np.asarray(np.linalg.qr(table, mode="r"))
    weights = readout(triangle, len(rows), float(settings["ridge"]), goals.shape[1])
    return simulated_linear(data, lags, weights)
