"""The baseline `random_readout`: an untrained network with a closed-form readout, which training has to beat.

LSTMs and GRUs of one layer with torch's random initial weights and an increment readout. Only the last layer is
fitted, see `sweep.score.ridge_readout`. Model units, with known inputs, float64.
"""

import math

import numpy as np
import torch
from torch import Tensor

from sweep.config.sections import ModelConfig
from sweep.data.types import Array, Data, Starts
from sweep.model import Forecaster, fastest_engine
from sweep.model.state import HiddenState
from sweep.model.torch_state import fresh_torch_state
from sweep.score.baselines.autoregression import validation_error
from sweep.score.baselines.simple import CannotServe, Forecast, Settings
from sweep.score.ridge_readout import RIDGES, refitted, regression

HIDDEN = 64  # our choice, near the default study's 51
NETWORKS = (("lstm", 0), ("gru", 0), ("lstm", 1), ("gru", 1))  # cell and seed; our choice, a bound on time


def choose_random_readout(data: Data) -> Settings:
    """Return {"cell", "hidden", "seed", "ridge"} with the lowest rollout error on the validation starts.

    Raises:
        CannotServe: there is too little training data.
    """
    best: tuple[float, Settings] = (math.inf, {})
    starts = data.validation
    with fresh_torch_state():
        for cell, seed in NETWORKS:
            drawn = {"cell": cell, "hidden": HIDDEN, "seed": seed}
            network = _drawn(data, drawn)
            fit = regression(network, data, starts.past.shape[1] - data.codec.lag)
            before = _before(network, data, starts)
            for ridge in RIDGES:
                made = _rollout(refitted(network, fit, ridge), data, starts, starts.truth.shape[1], before)
                error = validation_error(data, made)
                if error < best[0]:
                    best = (error, {**drawn, "ridge": ridge})
    if not best[1]:
        raise CannotServe("no random network gives a finite rollout")
    return best[1]


def random_readout(data: Data, settings: Settings) -> Forecast:
    """Return the closed-loop forecast of one untrained network, its readout fitted to the training data."""
    with fresh_torch_state():
        network = _drawn(data, settings)
        fit = regression(network, data, data.validation.past.shape[1] - data.codec.lag)
        network = refitted(network, fit, float(settings["ridge"]))

    def forecast(starts: Starts, horizon: int) -> Array:
        with fresh_torch_state():
            return _rollout(network, data, starts, horizon, _before(network, data, starts))

    return forecast


def _drawn(data: Data, settings: Settings) -> Forecaster:
    config = ModelConfig(cell=settings["cell"], hidden=int(settings["hidden"]), layers=1)
    with torch.random.fork_rng(devices=[]):  # torch's modules draw weights when they are created
        network = Forecaster(config, data.inputs, len(data.channels), fastest_engine())
    # drawn in float32, as a trial's weights are
    return network.float().initialise(int(settings["seed"])).double()


@torch.no_grad()
def _before(network: Forecaster, data: Data, starts: Starts) -> tuple[HiddenState, Tensor]:
    """Return the state before the last true step, and that step, in model units."""
    past = torch.as_tensor(np.asarray(data.codec.encode(starts.past, starts.series), dtype=np.float64))
    steps = past.shape[1]
    inputs = torch.cat([past[:, :-1], torch.as_tensor(starts.known[:, 1:steps])], dim=-1)
    state = network.zero_state(past) if steps < 2 else network(inputs)[1]
    return state, past[:, -1]


@torch.no_grad()
def _rollout(
    network: Forecaster, data: Data, starts: Starts, horizon: int, before: tuple[HiddenState, Tensor]
) -> Array:
    """Return (start, step, channel), data units."""
    state, last = before
    steps = starts.past.shape[1] - data.codec.lag
    known = torch.as_tensor(starts.known[:, steps : steps + horizon])
    free, _ = network.run_free(last, state, known)
    return data.codec.decode(free.numpy(), starts.past, starts.series)
