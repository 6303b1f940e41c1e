"""The forecaster: single steps and whole sequences are the same network; it begins by torch's rules."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sweep.config.sections import ModelConfig
from sweep.model import CELLS, Forecaster
from sweep.model.stack import Stack
from sweep.model.state import by_layer

TORCH = {"lstm": nn.LSTM, "gru": nn.GRU}


def made(
    cell: str = "lstm", layers: int = 2, inputs: int = 1, outputs: int = 1, seed: int = 0, **more
) -> Forecaster:
    config = ModelConfig(cell=cell, hidden=7, layers=layers, **more)
    return Forecaster(config, inputs, outputs).initialise(seed).double()


def noise(*shape: int, seed: int = 1) -> Tensor:
    return torch.as_tensor(np.random.default_rng(seed).standard_normal(shape))


def zeros(network: Forecaster, batch: int) -> tuple[Tensor, ...]:
    stack = network.stack
    return tuple(torch.zeros(stack.layers, batch, 7).double() for _ in range(stack.cell.components))


def test_every_cell_is_tested():
    assert set(CELLS) == set(TORCH)


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_steps_equal_the_whole_sequence(cell: str, layers: int):
    network = made(cell, layers, inputs=3, outputs=2, head=(5,))
    inputs = noise(4, 20, 3)
    with torch.no_grad():
        whole, after = network(inputs)
        state = by_layer(zeros(network, 4))
        for t in range(20):
            forecast, state = network.step(inputs[:, t], state)
            assert torch.allclose(forecast, whole[:, t], rtol=0, atol=1e-12)
    for layer in range(layers):
        for part, component in enumerate(after):
            assert torch.allclose(state[layer][part], component[layer], rtol=0, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_a_sequence_is_torch_s(cell: str):
    network = made(cell)
    own = TORCH[cell](1, 7, 2, batch_first=True).double()
    own.load_state_dict(network.stack.rnn.state_dict())
    inputs = noise(3, 11, 1)
    hidden, _ = network.stack(inputs)
    assert torch.equal(hidden, own(inputs)[0])
    (linear,) = network.linears
    assert torch.allclose(network(inputs)[0], hidden @ linear.weight.T + linear.bias + inputs, atol=1e-14)


@pytest.mark.parametrize("cell", CELLS)
def test_weights_have_torch_s_names_and_shapes(cell: str):
    own = {f"stack.rnn.{name}": p.shape for name, p in TORCH[cell](2, 7, 3).state_dict().items()}
    network = made(cell, layers=3, inputs=2)
    mine = {name: p.shape for name, p in network.state_dict().items() if not name.startswith("head")}
    assert mine == own
    stack = network.stack
    assert isinstance(stack, Stack)
    for layer, (ih, hh, bih, bhh) in enumerate(stack.weights()):
        for name, weight in (("weight_ih", ih), ("weight_hh", hh), ("bias_ih", bih), ("bias_hh", bhh)):
            assert weight is getattr(stack.rnn, f"{name}_l{layer}")


@pytest.mark.parametrize("cell", CELLS)
def test_gain_and_forget_bias_change_their_weights_alone(cell: str):
    plain, changed = made(cell), made(cell, init_gain=3.0, forget_bias=-5.0)
    for (ih, hh, bih, bhh), new in zip(plain.stack.weights(), changed.stack.weights(), strict=True):
        assert torch.equal(new[0], ih) and torch.equal(new[3], bhh)
        assert torch.allclose(new[1], 3 * hh)
        moved = (new[2] - bih).round(decimals=5).tolist()
        assert moved == [0.0] * 7 + [-5.0] * 7 + [0.0] * (len(moved) - 14)
    for one, two in zip(plain.linears, changed.linears, strict=True):
        assert torch.equal(one.weight, two.weight) and torch.equal(one.bias, two.bias)


@pytest.mark.parametrize("cell", CELLS)
def test_an_open_keeping_gate_remembers(cell: str):
    def memory(bias: float) -> float:
        """How much the last forecast depends on the first of 30 inputs."""
        inputs = noise(1, 30, 1).requires_grad_(True)
        made(cell, forget_bias=bias, readout="value")(inputs)[0][0, -1].sum().backward()
        return float(inputs.grad[0, 0].abs())

    assert memory(-5.0) < 1e-3 * memory(0.0) < 1e-3 * memory(5.0)


@pytest.mark.parametrize("cell", CELLS)
def test_two_halves_make_a_whole(cell: str):
    network = made(cell)
    inputs = noise(4, 20, 1)
    with torch.no_grad():
        whole, end = network(inputs)
        first, middle = network(inputs[:, :9])
        second, last = network(inputs[:, 9:], middle)
    assert torch.allclose(torch.cat([first, second], dim=1), whole, rtol=0, atol=1e-13)
    for one, two in zip(last, end, strict=True):
        assert torch.allclose(one, two, rtol=0, atol=1e-13)
    assert not torch.allclose(network(inputs[:, 9:])[0], whole[:, 9:], atol=1e-3)  # the state does matter


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("features", [0, 2])
def test_running_free_is_feeding_back(cell: str, features: int):
    network = made(cell, inputs=2 + features, outputs=2)
    warm = noise(3, 8, 2 + features)
    known = noise(3, 6, features, seed=2)
    with torch.no_grad():
        forecasts, state = network(warm)
        free, after = network.run_free(forecasts[:, -1], state, known)
        history, current = warm, forecasts[:, -1]  # the twin runs the whole history at every step
        for t in range(6):
            history = torch.cat([history, torch.cat([current, known[:, t]], dim=-1)[:, None]], dim=1)
            every, end = network(history)
            current = every[:, -1]
            assert torch.allclose(free[:, t], current, rtol=0, atol=1e-12)
    assert torch.allclose(after[0], end[0], rtol=0, atol=1e-12)


def test_known_inputs_are_inputs_but_no_forecasts():
    network = made(inputs=3, outputs=1)
    inputs = noise(2, 5, 3)
    moved = inputs.clone()
    moved[..., 2] += 1
    assert network(inputs)[0].shape == (2, 5, 1)
    assert not torch.allclose(network(inputs)[0], network(moved)[0])


@pytest.mark.parametrize("cell", CELLS)
def test_an_increment_of_zero_is_persistence(cell: str):
    network = made(cell, inputs=3, outputs=2)
    for parameter in network.parameters():
        parameter.data.zero_()
    inputs = noise(2, 5, 3)
    assert torch.equal(network(inputs)[0], inputs[..., :2])
    value = made(cell, readout="value")
    for parameter in value.parameters():
        parameter.data.zero_()
    assert torch.equal(value(inputs[..., :1])[0], torch.zeros(2, 5, 1).double())


def test_the_head_by_hand():
    network = made(head=(4, 3), readout="value")
    relu = made(head=(4, 3), readout="value", output_activation="relu")
    for one in (network, relu):
        one.linears[-1].bias.data -= 0.444  # the outputs lie on both sides of 0
    inputs = noise(2, 5, 1)
    with torch.no_grad():
        hidden = network.stack(inputs)[0]
        for number, linear in enumerate(network.linears):
            hidden = hidden @ linear.weight.T + linear.bias
            hidden = hidden.clamp(min=0) if number < 2 else hidden
        assert torch.allclose(network(inputs)[0], hidden, atol=1e-14)
        assert (hidden < 0).any() and (hidden > 0).any()
    assert torch.allclose(relu(inputs)[0], hidden.clamp(min=0), atol=1e-14)
    tanh = made(head=(4,), readout="value", head_activation="tanh")
    one, two = tanh.linears
    twin = torch.tanh(tanh.stack(inputs)[0] @ one.weight.T + one.bias) @ two.weight.T + two.bias
    assert torch.allclose(tanh(inputs)[0], twin, atol=1e-14)
    assert [(layer.in_features, layer.out_features) for layer in network.linears] == [(7, 4), (4, 3), (3, 1)]


@pytest.mark.parametrize("cell", CELLS)
def test_initial_weights_are_uniform_within_torch_s_bounds(cell: str):
    network = Forecaster(ModelConfig(cell=cell, hidden=64, layers=1, head=(9,)), 1, 1).initialise(3)
    weights = torch.cat([p.detach().reshape(-1) for p in network.stack.parameters()])
    bound = 1 / math.sqrt(64)
    assert weights.abs().max() <= bound and weights.abs().max() > 0.99 * bound
    assert float(weights.mean()) == pytest.approx(0, abs=0.02 * bound)
    assert float(weights.std()) == pytest.approx(bound / math.sqrt(3), rel=0.02)  # of a uniform distribution
    for linear in network.linears:
        assert linear.weight.abs().max() <= 1 / math.sqrt(linear.in_features)
        assert linear.bias.abs().max() <= 1 / math.sqrt(linear.in_features)


def test_initial_weights_depend_on_the_seed_alone():
    torch.manual_seed(1)
    one = Forecaster(ModelConfig(), 1, 1).initialise(5).state_dict()
    before = torch.random.get_rng_state()
    torch.manual_seed(2)
    two = Forecaster(ModelConfig(), 1, 1).initialise(5).state_dict()
    other = Forecaster(ModelConfig(), 1, 1).initialise(6).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not any(torch.equal(one[name], other[name]) for name in one)
    torch.random.set_rng_state(before)
    network = Forecaster(ModelConfig(), 1, 1)
    state = torch.random.get_rng_state()
    network.initialise(5)
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize(("cell", "adds"), [("lstm", 31467), ("gru", 23613)])
def test_multiply_adds_of_two_layers_of_51(cell: str, adds: int):
    # by hand for the LSTM: 4*51*(1+51) + 4*51*(51+51) + 51
    network = Forecaster(ModelConfig(cell=cell, hidden=51, layers=2), 1, 1)
    assert network.multiply_adds() == adds
    assert network.parameter_count == sum(p.numel() for p in network.parameters())


def test_a_cell_that_is_unknown():
    with pytest.raises(KeyError, match=r"no cell named 'gur'\. Did you mean 'gru'\?"):
        Forecaster(ModelConfig(cell="gur"), 1, 1)
