"""Probes against naive twins and cases whose answer is known."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from sweep.config.sections import ModelConfig
from sweep.diagnosis.probes import gate_saturation, gradients_by_lag
from sweep.model import CELLS, Forecaster, engine
from sweep.model.native.library import instruction_sets


def made(cell: str, layers: int = 2, scale: float = 1.0, **more) -> Forecaster:
    network = Forecaster(ModelConfig(cell=cell, hidden=6, layers=layers, **more), 1, 1).initialise(0).double()
    for parameter in network.parameters():
        parameter.data.mul_(scale)
    return network


def noise(*shape: int) -> Tensor:
    return torch.as_tensor(np.random.default_rng(0).standard_normal(shape))


def sigmoids(cell: str, gates: Tensor) -> list[Tensor]:
    """The sigmoid gates as torch documents their order: LSTM i, f, g, o; GRU r, z, n."""
    parts = gates.chunk(4 if cell == "lstm" else 3, dim=-1)
    return [parts[0], parts[1], parts[3]] if cell == "lstm" else [parts[0], parts[1]]


@pytest.mark.parametrize("cell", CELLS)
def test_saturation_equals_a_count_step_by_step(cell: str):
    network = made(cell, scale=9.0)
    inputs = noise(3, 20, 1)
    counts, total = [0, 0], 0
    with torch.no_grad():
        state = [
            tuple(torch.zeros(3, 6).double() for _ in range(network.stack.cell.components)) for _ in range(2)
        ]
        for t in range(20):
            below = inputs[:, t]
            for layer, (wih, whh, bih, bhh) in enumerate(network.stack.weights()):
                gates = below @ wih.T + bih + state[layer][0] @ whh.T + bhh
                counts[layer] += sum(int((gate.abs() > 5).sum()) for gate in sigmoids(cell, gates))
                state[layer] = network.stack.cell.step(below, state[layer], (wih, whh, bih, bhh))
                below = state[layer][0]
            total += 3 * 6 * len(sigmoids(cell, gates))
    assert 0.05 < counts[0] / total < 0.95  # the case is one that can tell
    assert gate_saturation(network, inputs) == pytest.approx([count / total for count in counts])


@pytest.mark.parametrize("cell", CELLS)
def test_saturation_by_hand(cell: str):
    network = made(cell)
    inputs = noise(3, 20, 1)
    assert gate_saturation(network, inputs) == [0.0, 0.0]
    network.stack.weights()[1][2].data.fill_(100.0)
    assert gate_saturation(network, inputs) == [0.0, 1.0]
    network.stack.weights()[0][0].data.fill_(math.nan)
    assert gate_saturation(network, inputs) == [1.0, 1.0]


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_by_lag_equal_finite_differences(cell: str):
    network = made(cell, scale=2.0)
    inputs, truth = noise(3, 9, 1), noise(3, 1) + 2.0
    gradients = gradients_by_lag(network, inputs, truth)
    assert list(gradients.forecast) == list(gradients.loss) == [1, 2, 4, 8]
    for lag in gradients.forecast:
        ends = []
        for sign in (1, -1):
            moved = inputs.clone()
            moved[:, -lag] += sign * 1e-5
            ends.append(network(moved)[0][:, -1, 0].detach())
        forecast = (ends[0] - ends[1]) / 2e-5
        loss = ((ends[0] - truth[:, 0]) ** 2 - (ends[1] - truth[:, 0]) ** 2) / 2e-5
        assert gradients.forecast[lag] == pytest.approx(float(forecast.square().mean().sqrt()), rel=1e-5)
        assert gradients.loss[lag] == pytest.approx(float(loss.square().mean().sqrt()), rel=1e-5)


def test_an_exact_forecast_has_no_gradient_of_the_loss():
    network, inputs = made("gru"), noise(3, 9, 1)
    gradients = gradients_by_lag(network, inputs, network(inputs)[0][:, -1].detach())
    assert set(gradients.loss.values()) == {0.0} and min(gradients.forecast.values()) > 0


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_by_lag_are_the_same_on_both_engines(cell: str):
    config = ModelConfig(cell=cell, hidden=6, layers=2)
    inputs, truth = noise(3, 40, 2), noise(3, 2)
    by_engine = []
    for name in ("torch", f"native-{instruction_sets()[-1]}"):
        network = Forecaster(config, 2, 2, engine(name)).initialise(0).double()
        by_engine.append(gradients_by_lag(network, inputs, truth))
    assert by_engine[0].forecast == pytest.approx(by_engine[1].forecast, rel=1e-9)
    assert by_engine[0].loss == pytest.approx(by_engine[1].loss, rel=1e-9)


@pytest.mark.parametrize("cell", CELLS)
def test_a_network_of_zeros_has_no_memory(cell: str):
    inputs, truth = noise(3, 9, 1), noise(3, 1)
    gradients = gradients_by_lag(made(cell, scale=0.0), inputs, truth).forecast
    assert gradients == {1: 1.0, 2: 0.0, 4: 0.0, 8: 0.0}  # only the direct path of the increment
    assert gradients_by_lag(made(cell, scale=0.0, readout="value"), inputs, truth).forecast[1] == 0.0


@pytest.mark.parametrize("cell", CELLS)
def test_probes_leave_the_network_alone(cell: str):
    network = made(cell)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    inputs = noise(3, 9, 1)
    gate_saturation(network, inputs)
    gradients_by_lag(network, inputs, noise(3, 1))
    assert all(parameter.grad is None for parameter in network.parameters())
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert not inputs.requires_grad
