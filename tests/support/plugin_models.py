"""A plug-in file with models: an Elman network, one without memory, sweep's own in a wrapper, and faulty ones."""

MODELS = """
import torch
from torch import nn
from sweep.config.ranges import LogUniform
from sweep.config.sections import ModelConfig
from sweep.model import Forecaster, ModelSpec


class Elman(nn.Module):
    def __init__(self, width, inputs, outputs):
        super().__init__()
        self.cell, self.readout, self.outputs = nn.RNNCell(inputs, width), nn.Linear(width, outputs), outputs

    def forward(self, inputs, state=None, free=0):
        h = inputs.new_zeros(len(inputs), self.cell.hidden_size) if state is None else state[0][0]
        forecasts = []
        for step in range(inputs.shape[1]):
            now = inputs[:, step]
            if step >= inputs.shape[1] - free:
                now = torch.cat([forecasts[-1], now[:, self.outputs :]], dim=-1)
            h = self.cell(now, h)
            forecasts.append(now[:, : self.outputs] + self.readout(h))
        return torch.stack(forecasts, dim=1), (h[None],)


class Memoryless(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear, self.outputs = nn.Linear(inputs, outputs), outputs

    def forward(self, inputs, state=None, free=0):
        forecasts = []
        for step in range(inputs.shape[1]):
            now = inputs[:, step]
            if step >= inputs.shape[1] - free:
                now = torch.cat([forecasts[-1], now[:, self.outputs :]], dim=-1)
            forecasts.append(self.linear(now))
        return torch.stack(forecasts, dim=1), ()


class Faulty(Memoryless):
    def __init__(self, fault, inputs, outputs):
        super().__init__(inputs, outputs)
        self.fault = fault
        self.extra = {"dropout": nn.Dropout(0.1), "norm": nn.BatchNorm1d(3)}.get(fault, nn.Identity())

    def forward(self, inputs, state=None, free=0):
        forecasts, after = super().forward(inputs, state, free)
        if self.fault == "raises":
            raise IndexError("index 7 is out of bounds\\nfor axis 0")
        if self.fault == "alone":
            return forecasts
        if self.fault == "flat":
            return forecasts[..., 0], after
        if self.fault == "numpy":
            return forecasts.detach().numpy(), after
        if self.fault == "detached":
            return forecasts.detach(), after
        if self.fault == "nan":
            return forecasts * float("nan"), after
        if self.fault == "batch first":
            return forecasts, (forecasts[:, -1:],)
        if self.fault == "growing":
            seen = 0 if state is None else state[0].shape[0]
            return forecasts, (inputs.new_zeros(seen + 1, len(inputs)),)
        return forecasts, after


def faulty(settings, inputs, outputs):
    if settings["fault"] == "unbuilt":
        raise RuntimeError("cannot be built")
    if settings["fault"] == "function":
        return lambda inputs, state, free: (inputs, ())
    if settings["fault"] == "fixed":
        return nn.Identity()
    return Faulty(settings["fault"], inputs, outputs)


def own(settings, inputs, outputs):
    return Forecaster(ModelConfig(cell=settings["cell"], hidden=5, layers=2), inputs, outputs)


def at_least_two(settings):
    if settings["width"] < 2:
        raise ValueError(f"elman.width must be at least 2, got {settings['width']!r}")


ELMAN = ModelSpec(
    "elman", lambda s, inputs, outputs: Elman(s["width"], inputs, outputs), {"width": 6}, source="Elman (1990)",
    check=at_least_two,
)
MEMORYLESS = ModelSpec("memoryless", lambda s, inputs, outputs: Memoryless(inputs, outputs), {}, source="test")
OWN = ModelSpec("own", own, {"cell": "gru"}, source="test")
FAULTY = ModelSpec("faulty", faulty, {"fault": "none"}, source="test")
"""
