"""Tasks and networks for tests of probes; some networks' closed loops are known in closed form."""

import functools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from sweep.config.data_section import DataConfig
from sweep.config.sections import ModelConfig, ScoreConfig
from sweep.data import Data, load
from sweep.model import Forecaster
from sweep.score import Task

WARMUP, HORIZON, STARTS = 40, 60, 5

SHAPES: dict[str, dict[str, Any]] = {
    "lstm": {"cell": "lstm"},
    "gru": {"cell": "gru"},
    "deep lstm, value": {"cell": "lstm", "layers": 2, "readout": "value"},
    "deep gru, value": {"cell": "gru", "layers": 2, "readout": "value"},
    "lstm, head": {"cell": "lstm", "layers": 2, "head": (7, 4)},
    "gru, tanh head": {"cell": "gru", "head": (7,), "head_activation": "tanh", "readout": "value"},
    "lstm, relu output": {"cell": "lstm", "output_activation": "relu", "readout": "value"},
}


def network_of(channels: int, inputs: int | None = None, scale: float = 1.7, **config: Any) -> Forecaster:
    """A small network in float64 whose weights are large enough for its state to matter."""
    made = Forecaster(ModelConfig(**{"hidden": 5, "layers": 1, **config}), inputs or channels, channels)
    made.initialise(3).double()
    for parameter in made.parameters():
        parameter.data.mul_(scale)
    return made


@functools.cache
def loaded(source: str, options: tuple[tuple[str, int], ...], score: tuple[tuple[str, int], ...]) -> Data:
    return load(DataConfig(source=source, options=dict(options)), ScoreConfig(**dict(score)), Path())


def sine_task(period: float = 12.0, dtype: torch.dtype = torch.float64, **score: int) -> Task:
    """A sine of another period than the source's own: T is an integer there, this one need not be."""
    settings = {"warmup": WARMUP, "horizon": HORIZON, "starts": STARTS, **score}
    options = {"T": max(1, round(period / (2 * math.pi))), "length": 400, "series": 7}
    data = loaded("sine", tuple(options.items()), tuple(settings.items()))
    return Task(data, data.validation, dtype, "cpu")


def lorenz_task(dtype: torch.dtype = torch.float64, **score: int) -> Task:
    """Three channels, chaotic."""
    settings = {"warmup": WARMUP, "horizon": HORIZON, "starts": STARTS, **score}
    options = {"train": 900, "validation": 600, "test": 600}
    data = loaded("lorenz", tuple(options.items()), tuple(settings.items()))
    return Task(data, data.validation, dtype, "cpu")


def calendar_task(folder: Path, dtype: torch.dtype = torch.float64) -> Task:
    """Two channels that know the time of day and of the year."""
    time = np.arange(900)
    rng = np.random.default_rng(0)
    columns = {
        "time": pd.date_range("2024-01-01", periods=900, freq="h"),
        "a": 5 + np.sin(2 * np.pi * time / 24) + 0.1 * rng.standard_normal(900),
        "b": 7 + np.cos(2 * np.pi * time / 24) + 0.1 * rng.standard_normal(900),
    }
    path = folder / "hours.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    config = DataConfig(
        path=str(path),
        time_column="time",
        calendar=("time_of_day", "time_of_year"),
        transforms=("difference",),
    )
    data = load(config, ScoreConfig(warmup=WARMUP, horizon=HORIZON, starts=STARTS), folder)
    return Task(data, data.validation, dtype, "cpu")


def linear_loop(cell: str, matrix: np.ndarray, keep: float = 0.5, size: float = 1e-4) -> Forecaster:
    """A network whose closed loop is x[t + 1] = matrix x[t] near 0, its fixed point, and forgets otherwise.

    Value readout, one unit per channel. The state is s[t + 1] = keep s[t] + a x[t], `size` keeps tanh linear,
    and x = w s with keep + w a = matrix.
    """
    channels = len(matrix)
    config = ModelConfig(cell=cell, hidden=channels, layers=1, readout="value")
    network = Forecaster(config, channels, channels).double()
    for parameter in network.parameters():
        parameter.data.zero_()
    weight_ih, _, bias_ih, _ = network.stack.weights()[0]
    bias = math.log(keep / (1 - keep))
    gain = torch.as_tensor(matrix - keep * np.eye(channels))
    drive = size * torch.eye(channels, dtype=torch.float64)
    if cell == "gru":  # r, z, n: h' = (1 - z) tanh(drive x) + z h
        bias_ih.data[channels : 2 * channels] = bias
        weight_ih.data[2 * channels :] = drive
        network.linears[0].weight.data = gain / ((1 - keep) * size)
    else:  # i, f, g, o: c' = f c + tanh(drive x) / 2, h' = c' / 2
        bias_ih.data[channels : 2 * channels] = bias
        weight_ih.data[2 * channels : 3 * channels] = drive
        network.linears[0].weight.data = gain / (0.25 * size)
    return network
