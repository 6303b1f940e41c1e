"""Models of plug-ins: a module becomes a network that can be trained, rolled out and probed as sweep's own."""

import copy
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from sweep.config.plugins import PluginError, using
from sweep.config.sections import ModelConfig
from sweep.model import MODELS, Forecaster, Network, engine, network_of_model
from tests.support import plugin_models

NAMES = ("elman", "memoryless", "own")


@pytest.fixture(autouse=True)
def plugin(tmp_path: Path) -> Iterator[None]:
    file = tmp_path / "models.py"
    file.write_text(plugin_models.MODELS)
    with using([file]):
        yield


def made(kind: str, inputs: int = 3, outputs: int = 2, **options) -> Network:
    network = network_of_model(ModelConfig(kind=kind, options=options), inputs, outputs, engine("torch"))
    return network.initialise(3).double()


def noise(*shape: int, seed: int = 5) -> Tensor:
    return torch.as_tensor(np.random.default_rng(seed).standard_normal(shape))


def test_the_table_has_sweep_s_own_model():
    assert list(MODELS) == ["recurrent"] and MODELS.names() == ("recurrent", *NAMES, "faulty")
    assert isinstance(MODELS["recurrent"].build({"cell": "gru", "hidden": 4}, 3, 2), Forecaster)
    assert isinstance(made("recurrent"), Forecaster)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_wrapped_forecaster_is_the_forecaster(cell: str):
    wrapped = made("own", cell=cell)
    own = Forecaster(ModelConfig(cell=cell, hidden=5, layers=2), 3, 2).double()
    own.load_state_dict({name.removeprefix("module."): value for name, value in wrapped.state_dict().items()})
    inputs, targets = noise(4, 9, 3), noise(4, 9, 2, seed=6)
    results = []
    for network in (wrapped, own):
        forecasts, state = network(inputs)
        again, after = network(inputs, state, free=4)
        free, _ = network.run_free(forecasts[:, -1], state, noise(4, 6, 1))
        traced, states = network.trace(inputs, tuple(part.detach() for part in state), 4)
        losses = [
            network.loss_gradient(2, 3)(inputs, targets, 0.3),
            network.loss_gradient()(inputs, targets, 1.0),
        ]
        gradients = [parameter.grad for parameter in network.parameters()]
        results.append(
            [forecasts, *state, again, *after, free, traced, *states, torch.tensor(losses), *gradients]
        )
    for one, other in zip(*results, strict=True):
        assert torch.allclose(one, other, rtol=0, atol=1e-13)
    assert wrapped.parameter_count == own.parameter_count and wrapped.multiply_adds() is None


@pytest.mark.parametrize("kind", NAMES)
def test_a_trace_is_made_of_the_same_steps(kind: str):
    network, inputs = made(kind), noise(4, 9, 3)
    with torch.no_grad():
        whole, end = network(inputs, None, 3)
    traced, states = network.trace(inputs, None, 3)
    assert torch.allclose(traced, whole, rtol=0, atol=1e-13)
    for part, last in zip(states, end, strict=True):
        assert part.shape == (9, *last.shape) and torch.allclose(part[-1], last, rtol=0, atol=1e-13)


@pytest.mark.parametrize("kind", NAMES)
def test_initial_weights_depend_on_the_seed_alone(kind: str):
    before = torch.random.get_rng_state()
    one = made(kind).state_dict()
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.rand(3)
    two, other = made(kind).state_dict(), made(kind).initialise(4).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not any(torch.equal(one[name], other[name]) for name in one)
    assert all(value.dtype == torch.float64 for value in other.values())


def test_a_copy_is_a_network_of_its_own():
    network = made("elman")
    inputs = noise(2, 5, 3)
    copied = copy.deepcopy(network)
    for parameter in copied.parameters():
        parameter.data.zero_()
    assert torch.equal(copied(inputs)[0], inputs[..., :2]) and not torch.equal(
        network(inputs)[0], inputs[..., :2]
    )
    assert copied.float()(inputs.float())[0].dtype == torch.float32


def test_gradients_are_recorded_in_training_mode_alone():
    network, inputs = made("elman"), noise(2, 5, 3)
    network(inputs)
    assert network.module.training
    network.trace(inputs)
    assert not network.module.training


LABEL = r"^plug-in model 'faulty' of models\.py sha256:\w{16}: "


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        ("unbuilt", "RuntimeError: cannot be built"),
        ("function", r"wanted a torch\.nn\.Module from build, got function"),
        ("fixed", "the module has no parameters to train"),
        ("dropout", r"the module contains Dropout\(p=0\.1.*\), whose results depend on more"),
        ("norm", r"the module contains BatchNorm1d\(3.*\), whose results depend on more"),
    ],
)
def test_a_module_that_cannot_be_used_is_one_line_that_names_it(fault: str, line: str):
    with pytest.raises(PluginError, match=LABEL + line):
        made("faulty", fault=fault)


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        ("raises", "IndexError: index 7 is out of bounds for axis 0$"),
        ("alone", r"wanted \(forecasts, state\) from the module, got Tensor"),
        ("flat", r"wanted forecasts \(4, 9, 2\) float64 from the module, got \(4, 9\) float64"),
        ("numpy", r"wanted forecasts \(4, 9, 2\) float64 from the module, got ndarray"),
        (
            "batch first",
            r"wanted a state of tensors whose second axis is the batch of 4, got \(\(4, 1, 2\) float64\)",
        ),
    ],
)
def test_an_answer_that_is_wrong_is_one_line_that_names_it(fault: str, line: str):
    with pytest.raises(PluginError, match=LABEL + line):
        made("faulty", fault=fault)(noise(4, 9, 3))


def test_a_state_that_grows_is_one_line_that_names_it():
    line = r"the state must keep its shapes from step to step, got \(\(1, 4\) float64\), then \(\(2, 4\) float64\)"
    with pytest.raises(PluginError, match=LABEL + line):
        made("faulty", fault="growing").trace(noise(4, 9, 3))


def test_forecasts_without_a_gradient_are_one_line_that_names_the_model():
    with pytest.raises(PluginError, match=LABEL + "RuntimeError: element 0 of tensors does not require grad"):
        made("faulty", fault="detached").loss_gradient()(noise(4, 9, 3), noise(4, 9, 2), 1.0)


def test_settings_are_checked():
    check = MODELS["elman"].settable().check
    assert check is not None
    check({"width": 6})
    with pytest.raises(TypeError, match=r"elman\.width must be of type int, got 6\.0"):
        check({"width": 6.0})
    with pytest.raises(ValueError, match=r"elman\.width must be at least 2, got 1"):
        check({"width": 1})
