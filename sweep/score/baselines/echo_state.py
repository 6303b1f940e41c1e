"""The baseline `echo_state_network`: a random reservoir with a ridge readout, the strongest without gradients.

x[t] = (1 - leak) x[t-1] + leak tanh(W x[t-1] + W_in u[t] + b); the readout is linear in (1, u, x) and forecasts the
channels of t + 1. u[t] holds the channels of t and the known inputs of t + 1, as a network's input does. The
reservoir's matrices come from reservoirpy; states are computed here, for all series or starts at once. Model units.

Source: Lukosevicius (2012), "A practical guide to applying echo state networks".
"""

import contextlib
import importlib.util
import math
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from sweep.data.types import Array, Data, Starts
from sweep.score.baselines.autoregression import validation_error
from sweep.score.baselines.driven import features_of
from sweep.score.baselines.simple import CannotServe, Forecast, Settings

UNITS = 300
RESERVOIRS = 12  # random ones; with 6 ridges each 72 settings, about 20 s with one BLAS thread
RIDGES = (1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2)  # times the number of rows
SEED = 0
POINTS_MOST = 20_000  # most training steps; of more, evenly spaced series and their last steps are used
WASHOUT = 100  # first steps that do not count, at most a quarter of a series


@dataclass(frozen=True)
class Reservoir:
    """A random network. Rows are units."""

    recurrent: csr_array  # (unit, unit), a tenth of it filled: faster than dense, and without BLAS threads
    inputs: Array  # (unit, channel + known input)
    bias: Array  # (unit, 1)
    leak: float

    def advanced(self, state: Array, values: Array) -> Array:
        """Return the state (unit, column) after the input (channel + known input, column)."""
        drive: Array = self.recurrent @ state
        drive += self.inputs @ values
        drive += self.bias
        np.tanh(drive, out=drive)
        drive *= self.leak
        drive += (1 - self.leak) * state
        return drive


def choose_reservoir(data: Data) -> Settings:
    """Return the settings of the reservoir and ridge with the lowest rollout error on validation.

    A random search with a fixed seed: RESERVOIRS reservoirs, each with all RIDGES.

    Raises:
        CannotServe: reservoirpy is not installed, or there is too little training data.
    """
    if importlib.util.find_spec("reservoirpy") is None:
        raise CannotServe("reservoirpy is not installed: pip install 'sweep[baselines]'")
    best: tuple[float, Settings] | None = None
    features = features_of(data)
    for number in range(RESERVOIRS):
        drawn = {**_drawn(number), **({"known": features} if features else {})}
        reservoir = build(drawn, len(data.channels) + features)
        triangle, rows = _regression(reservoir, data)
        readouts = [readout(triangle, rows, ridge, len(data.channels)) for ridge in RIDGES]
        values = rollouts(reservoir, readouts, data, data.validation, data.validation.truth.shape[1])
        for ridge, forecast in zip(RIDGES, values, strict=True):
            error = validation_error(data, forecast)
            if best is None or error < best[0]:
                best = (error, {**drawn, "ridge": ridge})
    assert best is not None
    return best[1]


def echo_state_network(data: Data, settings: Settings) -> Forecast:
    """Return the closed-loop forecast of one echo state network, its readout fitted to the training data."""
    reservoir = build(settings, len(data.channels) + int(settings.get("known", 0)))
    triangle, rows = _regression(reservoir, data)
    weights = readout(triangle, rows, float(settings["ridge"]), len(data.channels))
    return lambda starts, horizon: rollouts(reservoir, [weights], data, starts, horizon)[0]


def _tidy() -> None:
    """Remove the temporary folder that importing reservoirpy creates for data sets, which are not used here."""
    place = Path(getattr(sys.modules["reservoirpy"], "_TEMPDIR", ""))
    if place.name.startswith("reservoirpy-"):
        with contextlib.suppress(OSError):
            place.rmdir()


def build(settings: Settings, inputs: int) -> Reservoir:
    """Return the reservoir of the settings; equal settings give equal matrices."""
    mat_gen = importlib.import_module("reservoirpy.mat_gen")
    nodes = importlib.import_module("reservoirpy.nodes")
    _tidy()
    widest = float(settings["bias"])
    node = nodes.Reservoir(
        int(settings["units"]),
        lr=float(settings["leak"]),
        sr=float(settings["spectral_radius"]),
        input_scaling=float(settings["input_scaling"]),
        input_connectivity=1.0,
        bias=mat_gen.uniform(low=-widest, high=widest),
        input_dim=inputs,
        seed=int(settings["seed"]),
    )
    node.initialize(np.zeros((1, inputs)))
    into, bias = np.asarray(node.Win), np.asarray(node.bias).reshape(-1, 1)
    return Reservoir(csr_array(node.W), into, bias, float(settings["leak"]))


def readout(triangle: Array, rows: int, ridge: float, channels: int) -> Array:
    """Return (1 + channel + known input + unit, channel), the ridge regression of the next value on (1, u, x).

    Args:
        triangle: the triangular factor of [features | goals].
        rows: number of rows of the regression.
        ridge: penalty on the squared weights per row, > 0; the constant is not penalised.
        channels: number of goals.
    """
    width = triangle.shape[1] - channels
    penalty = math.sqrt(ridge * rows) * np.eye(width)
    penalty[0, 0] = 0.0
    left = np.concatenate([triangle[:, :width], penalty])
    right = np.concatenate([triangle[:, width:], np.zeros((width, channels))])
    weights: Array = np.linalg.lstsq(left, right, rcond=None)[0]
    return weights


def rollouts(
    reservoir: Reservoir, readouts: list[Array], data: Data, starts: Starts, horizon: int
) -> list[Array]:
    """Return each readout's closed-loop forecast after a warm-up on the past: (start, step, channel), data units."""
    past = data.codec.encode(starts.past, starts.series)
    steps, channels = past.shape[1:]
    known = starts.known[:, 1:, : reservoir.inputs.shape[1] - channels]  # row t: those of the time after t
    state = np.zeros((len(reservoir.bias), len(past)))
    for step in range(steps):
        state = reservoir.advanced(state, np.concatenate([past[:, step], known[:, step]], axis=1).T)
    weights = np.stack(readouts).transpose(0, 2, 1)  # (readout, channel, feature)
    copies = len(readouts)
    value = np.tile(past[:, -1].T, (1, copies))
    state = np.tile(state, (1, copies))
    results = np.empty((horizon, channels, copies, len(past)))
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(horizon):
            ahead = np.tile(known[:, steps - 1 + step].T, (1, copies))
            features = np.concatenate([np.ones((1, value.shape[1])), value, ahead, state])
            columns = features.reshape(len(features), copies, len(past)).transpose(1, 0, 2)
            results[step] = (weights @ columns).transpose(1, 0, 2)
            value = results[step].reshape(channels, -1)
            if step + 1 < horizon:
                ahead = np.tile(known[:, steps + step].T, (1, copies))
                state = reservoir.advanced(state, np.concatenate([value, ahead]))
    made = results.transpose(2, 3, 0, 1)
    return [data.codec.decode(values, starts.past, starts.series) for values in made]


def _drawn(number: int) -> dict[str, int | float]:
    """Return the settings of the n-th random reservoir, without a ridge."""
    rng = np.random.default_rng([SEED, number])

    def log_uniform(low: float, high: float) -> float:
        return float(low * (high / low) ** rng.random())

    return {
        "units": UNITS,
        "spectral_radius": log_uniform(0.3, 1.5),
        "leak": log_uniform(0.1, 1.0),
        "input_scaling": log_uniform(0.05, 1.0),
        "bias": log_uniform(0.05, 1.0),
        "seed": number,
    }


def _regression(reservoir: Reservoir, data: Data) -> tuple[Array, int]:
    """Return the triangular factor of [features | next values] over the training data, and its number of rows."""
    channels, known = len(data.channels), reservoir.inputs.shape[1] - len(data.channels)
    triangle, rows = np.zeros((0, 1 + 2 * channels + known + len(reservoir.bias))), 0
    for group in _by_length(_drives(data, known)):
        block = _features(reservoir, group, channels)
        rows += len(block)
        triangle = np.asarray(np.linalg.qr(np.concatenate([triangle, block]), mode="r"))
    if rows < 2 * triangle.shape[1]:
        raise CannotServe(f"{rows} training steps are too few for a readout of {triangle.shape[1]} weights")
    return triangle, rows


def _drives(data: Data, known: int) -> tuple[Array, ...]:
    """Return (time, channel + known input) of each training piece: in row t the channels of t, the inputs of t + 1."""
    return tuple(
        np.concatenate(
            [values, np.roll(features[:, :known], -1, axis=0)], axis=1
        )  # the last row is only a goal
        for values, features in zip(data.train, data.train_known, strict=True)
    )


def _by_length(train: tuple[Array, ...]) -> list[Array]:
    """Return arrays (series, time, input) of equally long series, POINTS_MOST steps in all."""
    usable = [values[-POINTS_MOST:] for values in train if len(values) >= 8]
    total = sum(len(values) for values in usable)
    if total > POINTS_MOST:
        usable = usable[:: -(-total // POINTS_MOST)]
    lengths = sorted({len(values) for values in usable})
    return [np.stack([values for values in usable if len(values) == length]) for length in lengths]


def _features(reservoir: Reservoir, group: Array, channels: int) -> Array:
    """Return (row, 1 + input + unit + channel): features and next channels after the washout."""
    series, steps, inputs = group.shape
    washout = min(WASHOUT, steps // 4)
    rows = np.ones((steps - 1 - washout, series, 1 + inputs + channels + len(reservoir.bias)))
    state = np.zeros((len(reservoir.bias), series))
    for step in range(steps - 1):
        state = reservoir.advanced(state, group[:, step].T)
        if step >= washout:
            row = rows[step - washout]
            row[:, 1 : 1 + inputs] = group[:, step]
            row[:, 1 + inputs : -channels] = state.T
            row[:, -channels:] = group[:, step + 1, :channels]
    return rows.reshape(-1, rows.shape[2])
