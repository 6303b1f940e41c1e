"""A tiny trial: four noisy sines, a network of five units, in float64 so that equal means equal."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from sweep.config.data_section import DataConfig
from sweep.config.section import Component
from sweep.config.sections import ModelConfig, ScoreConfig, TrainingConfig
from sweep.config.trial import TrialConfig
from sweep.data.windows import WindowSource
from sweep.model import Forecaster, engine
from sweep.train import Trainer

SERIES, LENGTH = 4, 41


def windows_of(window: int, dtype: type = np.float64, series: int = SERIES) -> WindowSource:
    """Windows of sines with a little noise, one channel."""
    rng = np.random.default_rng(0)
    rows = np.sin(np.arange(LENGTH) / 3 + np.arange(series)[:, None]) + 0.05 * rng.standard_normal(
        (series, LENGTH)
    )
    return WindowSource(
        rows=rows.reshape(-1, 1).astype(dtype),
        first=np.arange(series) * LENGTH,
        lengths=(LENGTH,) * series,
        channels=1,
        window=window or LENGTH - 1,
    )


def config_of(
    optimizer: str | dict[str, Any] = "adam",
    seed: int = 3,
    cell: str = "lstm",
    engine: str = "torch",
    **training: Any,
) -> TrialConfig:
    """The configuration of a trial; `optimizer` and `scheduler` by name or with settings."""
    settings: dict[str, Any] = {
        "window": 10,
        "batch_size": 4,
        "budget": 4000,
        "precision": "float64",
        "burn_in": 0,
        **training,
    }
    settings["optimizer"] = Component.model_validate(optimizer)
    settings["scheduler"] = Component.model_validate(settings.get("scheduler", "none"))
    return TrialConfig(
        data=DataConfig(source="sine"),
        score=ScoreConfig(),
        model=ModelConfig(cell=cell, hidden=5, layers=1),
        training=TrainingConfig(**settings),
        seed=seed,
        engine=engine,
    )


def trainer_of(config: TrialConfig) -> Trainer:
    """A trainer at its start."""
    dtype = torch.float64 if config.training.precision == "float64" else torch.float32
    network = Forecaster(config.model, 1, 1, engine(config.engine)).initialise(config.seed).to(dtype)
    numpy_dtype = np.float64 if dtype == torch.float64 else np.float32
    return Trainer(config, windows_of(config.training.window, numpy_dtype), network)


def through_bytes(state: dict[str, Any]) -> dict[str, Any]:
    """A state as a checkpoint gives it back: nothing but tensors and plain values gets through."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return dict(torch.load(io.BytesIO(buffer.getvalue()), weights_only=True))


@pytest.fixture(scope="session")
def trial() -> Callable[..., TrialConfig]:
    return config_of


@pytest.fixture(scope="session")
def trainer() -> Callable[..., Trainer]:
    """Make a trainer from the words of `config_of`."""

    def make(*args: Any, **settings: Any) -> Trainer:
        return trainer_of(config_of(*args, **settings))

    return make


@pytest.fixture(scope="session")
def reread() -> Callable[[dict[str, Any]], dict[str, Any]]:
    return through_bytes
