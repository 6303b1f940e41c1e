"""Training without feedback: the weights on the channels stay zero, and a driven system is learnt."""

import io
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
from sweep.model.native.library import instruction_sets
from sweep.train import OPTIMIZERS, Trainer

ENGINES = ["torch", *(f"native-{name}" for name in instruction_sets()[-1:])]
LENGTH = 400


def driven() -> WindowSource:
    """A lag of first order, x[t] = 0.8 x[t - 1] + 0.5 u[t], driven by noise."""
    rng = np.random.default_rng(0)
    u, x = rng.standard_normal(LENGTH), np.zeros(LENGTH)
    for t in range(1, LENGTH):
        x[t] = 0.8 * x[t - 1] + 0.5 * u[t]
    rows = np.stack([x, np.roll(u, -1)], axis=1)  # a row holds the input of the next time
    return WindowSource(rows=rows, first=np.array([0]), lengths=(LENGTH - 1,), channels=1, window=40)


def config_of(optimizer: Any, name: str, **training: Any) -> TrialConfig:
    settings = {"window": 40, "batch_size": 16, "budget": 12_000, "precision": "float64", "burn_in": 10}
    return TrialConfig(
        data=DataConfig(source="sine"),
        score=ScoreConfig(),
        model=ModelConfig(cell="gru", hidden=6, layers=1, feedback=False),
        training=TrainingConfig(**{**settings, **training, "optimizer": Component.model_validate(optimizer)}),
        seed=1,
        engine=name,
    )


def trainer_of(config: TrialConfig) -> Trainer:
    network = Forecaster(config.model, 2, 1, engine(config.engine)).initialise(config.seed).double()
    return Trainer(config, driven(), network)


def on_channels(trainer: Trainer) -> torch.Tensor:
    return trainer.network.stack.weights()[0][0].detach()[:, :1]


@pytest.mark.parametrize("more", [{}, {"weight_decay": 1e-3, "input_noise": 0.1, "clip": 0.5}])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", ENGINES)
def test_weights_on_channels_stay_zero(name: str, optimizer: str, more: dict[str, Any]):
    trainer = trainer_of(config_of(optimizer, name, **more))
    before = trainer.flat.snapshot()
    trainer.train(6_000, [])
    buffer = io.BytesIO()
    torch.save(trainer.state(), buffer)
    again = trainer_of(config_of(optimizer, name, **more))
    again.restore(torch.load(io.BytesIO(buffer.getvalue()), weights_only=True))
    again.train(12_000, [])
    assert again.updates > 0 and not torch.equal(again.flat.values, before)
    assert (on_channels(trainer) == 0).all()
    assert (on_channels(again) == 0).all()


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize(
    ("training", "enough"),
    [
        ({"optimizer": {"name": "adam", "lr": 0.02}, "budget": 150_000}, 1e-2),
        ({"optimizer": "lbfgs", "readout_refit": "always", "budget": 250_000}, 1e-3),
    ],
)
def test_a_driven_system_is_learnt(name: str, training: dict[str, Any], enough: float):
    rest = {key: value for key, value in training.items() if key != "optimizer"}
    trainer = trainer_of(config_of(training["optimizer"], name, **rest))
    trainer.train(training["budget"], [])
    windows = driven()
    inputs, targets = (torch.as_tensor(part) for part in windows.batch(windows.offsets(None)))
    with torch.no_grad():
        errors = (trainer.network(inputs)[0] - targets)[:, 30:].square().mean()
    assert errors < enough * targets.var()
    assert (on_channels(trainer) == 0).all()
