"""Forecast with the networks of this folder, with NumPy alone.

    python forecast_numpy.py past.csv --steps 100 [--known future.csv] > forecast.csv

README.md describes the tables. From Python, call `forecast`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from forecast_tables import CARD, CODING, LAGS, known_inputs, main, row_of, tensors

MODEL, WIDTH = CARD["model"], len(CODING["channels"])
KINDS = {"F32": "<f4", "F64": "<f8"}
Array = np.ndarray
Step = Callable[
    [Array, Any], tuple[Array, Any]
]  # (input, state) -> (forecast, state); before a first step None


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x)), in a form that does not overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))


def lstm(x: Array, state: Sequence[Array], w_ih: Array, w_hh: Array, b_ih: Array, b_hh: Array) -> list[Array]:
    """Return the state (h, c) of a layer after one step, (series, hidden) each."""
    i, f, g, o = np.split(x @ w_ih.T + b_ih + state[0] @ w_hh.T + b_hh, 4, axis=1)
    c = sigmoid(f) * state[1] + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(c), c]


def gru(x: Array, state: Sequence[Array], w_ih: Array, w_hh: Array, b_ih: Array, b_hh: Array) -> list[Array]:
    """Return the state (h,) of a layer after one step."""
    r_x, z_x, n_x = np.split(x @ w_ih.T + b_ih, 3, axis=1)
    r_h, z_h, n_h = np.split(state[0] @ w_hh.T + b_hh, 3, axis=1)
    z = sigmoid(z_x + z_h)
    return [(1 - z) * np.tanh(n_x + sigmoid(r_x + r_h) * n_h) + z * state[0]]


Cell = Callable[..., list[Array]]
CELLS: dict[str, tuple[Cell, int]] = {
    "lstm": (lstm, 2),
    "gru": (gru, 1),
}  # with the number of arrays in a state
ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "none": lambda x: x,
}


def network(entry: dict[str, Any]) -> Step:
    """Return one step of a network of the card, in model units."""
    w = {
        key: np.frombuffer(content, KINDS[kind]).reshape(shape)
        for key, (kind, shape, content) in tensors(entry["weights"]).items()
    }
    cell, parts = CELLS[MODEL["cell"]]
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    layers = [[w[f"stack.rnn.{name}_l{layer}"] for name in names] for layer in range(MODEL["layers"])]
    between = [MODEL["head_activation"]] * len(MODEL["head"])

    def step(x: Array, state: Any) -> tuple[Array, Any]:
        x = x.astype(CARD["precision"])
        current, after = x[:, :WIDTH], []
        if not MODEL["feedback"]:
            x = np.concatenate([np.zeros_like(current), x[:, WIDTH:]], axis=1)
        zeros = [[np.zeros((len(x), MODEL["hidden"]), x.dtype)] * parts] * len(layers)
        for before, weights in zip(state or zeros, layers, strict=True):
            after.append(cell(x, before, *weights))
            x = after[-1][0]
        for k, activation in enumerate([*between, MODEL["output_activation"]]):
            x = ACTIVATIONS[activation](x @ w[f"head.{k}.weight"].T + w[f"head.{k}.bias"])
        return x + current if MODEL["readout"] == "increment" else x, after

    return step


def encoded(values: Array, name: str) -> Array:
    """Return the values (series, time, channel) after a transform."""
    lag = LAGS.get(name)
    if lag:
        return np.asarray(values[:, lag:] - values[:, :-lag])
    return np.asarray({"log": np.log, "sqrt": np.sqrt}[name](values))


def decoded(values: Array, name: str, before: Array) -> Array:
    """Return the inverse of a transform of a forecast; `before` holds the true values before it."""
    if name in LAGS:
        rows = list(before[:, -LAGS[name] :].swapaxes(0, 1))
        for k in range(values.shape[1]):
            rows.append(rows[k] + values[:, k])
        return np.stack(rows[LAGS[name] :], axis=1)
    inverse = np.exp(values) if name == "log" else np.square(np.maximum(values, 0))
    return np.where(np.isfinite(values), inverse, values)


def forecast(
    past: Any, steps: int, known: Any = None, times: Any = None, names: Any = None, **made: Any
) -> Array:
    """Return the forecast, (series, step, channel), data units: the median of the networks' forecasts.

    Args:
        past: (series, time, channel), data units, without gaps; at least `past_steps` of the card.
        steps: to forecast.
        known: (series, time + steps, input), the inputs from outside of past and future; None without inputs.
        times: (series, time + steps), datetimes; None without a calendar.
        names: of the series, if the networks were trained on several; None: unknown series.
        made: `networks`, other functions like those of `network`.
    """
    levels = [np.asarray(past, dtype=np.float64)[:, -CARD["past_steps"] :]]
    for name in CODING["transforms"]:
        levels.append(encoded(levels[-1], name))
    rows = [row_of(name) for name in names or [""] * len(levels[0])]
    mean, std = np.asarray(CODING["mean"])[rows][:, None], np.asarray(CODING["std"])[rows][:, None]
    true = (levels[-1] - mean) / std
    seen = true.shape[1]
    later = np.asarray(known_inputs(known, times, len(true), seen + steps))
    forecasts = []
    with np.errstate(all="ignore"):
        for step in made.get("networks") or [network(entry) for entry in CARD["networks"]]:
            answers: list[Array] = []
            state = None
            for now in range(seen + steps - 1):
                current = true[:, now] if now < seen else answers[-1]
                answer, state = step(np.concatenate([current, later[:, now + 1]], axis=1), state)
                answers.append(answer)
            values = np.stack(answers[seen - 1 :], axis=1) * std + mean
            for name, before in reversed(list(zip(CODING["transforms"], levels, strict=False))):
                values = decoded(values, name, before)
            forecasts.append(np.where(np.isnan(values), np.inf, values))
        return np.asarray(np.median(forecasts, axis=0))


if __name__ == "__main__":
    main(forecast)
