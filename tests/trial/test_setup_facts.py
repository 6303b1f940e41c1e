"""The facts of a configuration are those of its optimizer's entry and of the network that it describes."""

import pytest

from sweep.config.sections import ModelConfig
from sweep.model import Forecaster, fastest_engine
from sweep.model.cells import CELLS
from sweep.train.optimizers import OPTIMIZERS
from sweep.trial import setup_facts

CHANNELS = 3


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 3])
def test_the_weights_are_those_of_the_network(trial, cell: str, layers: int):
    model = ModelConfig(cell=cell, hidden=5, layers=layers)
    network = Forecaster(model, CHANNELS, CHANNELS, fastest_engine())
    weights = sum(part.numel() for layer in network.stack.weights() for part in layer[:2])
    assert setup_facts(trial().model_copy(update={"model": model}), CHANNELS).recurrent_weights == weights


def test_a_model_of_a_plugin_has_no_recurrent_weights_to_count(trial):
    model = ModelConfig().model_copy(update={"kind": "mlp"})
    assert setup_facts(trial().model_copy(update={"model": model}), CHANNELS).recurrent_weights is None


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_optimizer_says_whether_it_is_full_batch_and_has_momentum(trial, name: str):
    facts = setup_facts(trial(name), CHANNELS)
    assert facts.full_batch == (name == "lbfgs")
    assert facts.has_momentum == (name not in ("lbfgs", "adagrad"))
