"""Forecast with the networks of this folder, with torch alone.

    python forecast_torch.py past.csv --steps 100 [--known future.csv] > forecast.csv

README.md describes the tables. From Python, call `forecast`.
"""

from itertools import pairwise
from typing import Any

import torch
from forecast_tables import CARD, CODING, LAGS, known_inputs, main, row_of, tensors
from torch import Tensor, nn

MODEL, WIDTH = CARD["model"], len(CODING["channels"])
KINDS = {"F32": torch.float32, "F64": torch.float64}
ACTIVATIONS: dict[str, Any] = {"relu": torch.relu, "tanh": torch.tanh, "none": lambda x: x}
LAYERS = [*[MODEL["head_activation"]] * len(MODEL["head"]), MODEL["output_activation"]]  # of the readout


class Network(nn.Module):
    """A recurrent network of the card, in model units."""

    def __init__(self, entry: dict[str, Any]) -> None:
        super().__init__()
        cell = {"lstm": nn.LSTM, "gru": nn.GRU}[MODEL["cell"]]
        rnn = cell(CARD["inputs"], MODEL["hidden"], MODEL["layers"], batch_first=True)
        self.stack = nn.ModuleDict({"rnn": rnn})
        sizes = [MODEL["hidden"], *MODEL["head"], WIDTH]
        self.head = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.to(getattr(torch, CARD["precision"]))
        weights = {
            key: torch.frombuffer(bytearray(content), dtype=KINDS[kind]).reshape(shape)
            for key, (kind, shape, content) in tensors(entry["weights"]).items()
        }
        self.load_state_dict(weights)

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Return the forecasts (series, time, channel) that follow each input, and the state after the last."""
        x = x.to(getattr(torch, CARD["precision"]))
        current = x[..., :WIDTH]
        if not MODEL["feedback"]:
            x = torch.cat([torch.zeros_like(current), x[..., WIDTH:]], dim=-1)
        out, state = self.stack["rnn"](x, state)
        for layer, activation in zip(self.head, LAYERS, strict=True):
            out = ACTIVATIONS[activation](layer(out))
        return out + current if MODEL["readout"] == "increment" else out, state


def encoded(values: Tensor, name: str) -> Tensor:
    """Return the values (series, time, channel) after a transform."""
    lag = LAGS.get(name)
    return values[:, lag:] - values[:, :-lag] if lag else {"log": torch.log, "sqrt": torch.sqrt}[name](values)


def decoded(values: Tensor, name: str, before: Tensor) -> Tensor:
    """Return the inverse of a transform of a forecast; `before` holds the true values before it."""
    if name in LAGS:
        rows = list(before[:, -LAGS[name] :].unbind(dim=1))
        for row, value in enumerate(values.unbind(dim=1)):
            rows.append(rows[row] + value)
        return torch.stack(rows[LAGS[name] :], dim=1)
    inverse = values.exp() if name == "log" else values.clamp(min=0).square()
    return torch.where(values.isfinite(), inverse, values)


@torch.no_grad()
def forecast(past: Any, steps: int, known: Any = None, times: Any = None, names: Any = None) -> Tensor:
    """Return the median of the networks' forecasts, (series, step, channel), data units.

    Arguments as in forecast_numpy.py: past (series, time, channel), known (series, time + steps, input), datetimes
    (series, time + steps), and names of the series.
    """
    levels = [torch.as_tensor(past, dtype=torch.float64)[:, -CARD["past_steps"] :]]
    for name in CODING["transforms"]:
        levels.append(encoded(levels[-1], name))
    rows = [row_of(name) for name in names or [""] * len(levels[0])]
    mean, std = (torch.tensor(CODING[key], dtype=torch.float64)[rows][:, None] for key in ("mean", "std"))
    true, seen, forecasts = (levels[-1] - mean) / std, levels[-1].shape[1], []
    later = torch.tensor(known_inputs(known, times, len(true), seen + steps), dtype=torch.float64)
    for network in map(Network, CARD["networks"]):
        answer, state = network(torch.cat([true, later[:, 1 : seen + 1]], dim=-1))
        answers = [answer[:, -1:]]
        for now in range(seen + 1, seen + steps):
            answer, state = network(torch.cat([answers[-1], later[:, now : now + 1]], dim=-1), state)
            answers.append(answer)
        values = torch.cat(answers, dim=1).double() * std + mean
        for name, before in reversed(list(zip(CODING["transforms"], levels, strict=False))):
            values = decoded(values, name, before)
        forecasts.append(torch.where(values.isnan(), torch.inf, values))
    ordered = torch.stack(forecasts).sort(dim=0).values
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


if __name__ == "__main__":
    main(forecast)
