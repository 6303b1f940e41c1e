"""The trainer makes the same updates whether a forecaster is sweep's own or the module of a plug-in."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sweep.config.plugins import using
from sweep.config.sections import ModelConfig
from sweep.config.trial import TrialConfig
from sweep.model import Forecaster, engine, network_of_model
from sweep.train import Trainer
from tests.support.plugin_models import MODELS


@pytest.mark.parametrize("optimizer", ["sgd", "muon", "lbfgs"])
def test_a_module_of_a_plugin_trains_as_the_forecaster(
    optimizer: str, trial: Callable[..., TrialConfig], trainer: Callable[..., Trainer], tmp_path: Path
):
    file = tmp_path / "models.py"
    file.write_text(MODELS)
    config = trial(optimizer, budget=2000, burn_in=2, unroll=3, weight_decay=0.01)
    windows = trainer(optimizer).windows
    own = Forecaster(ModelConfig(cell="gru", hidden=5, layers=2), 1, 1).initialise(3).double()
    with using([file]):
        model = ModelConfig(kind="own", options={"cell": "gru"})
        wrapped = network_of_model(model, 1, 1, engine("torch")).double()
        wrapped.load_state_dict({f"module.{name}": value for name, value in own.state_dict().items()})
        logs = []
        for network in (own, wrapped):
            running = Trainer(config, windows, network)
            running.train(2000, [])
            logs.append(running.log.columns())
    assert logs[0]["loss"] == logs[1]["loss"] and len(logs[0]["loss"]) > 5
    assert logs[0]["gradient_norm"] == logs[1]["gradient_norm"]
