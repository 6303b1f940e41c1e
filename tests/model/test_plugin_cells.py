"""Cells of plug-ins, which torch computes from their `step` alone."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sweep.config.errors import SweepError
from sweep.config.plugins import PluginError, using
from sweep.config.sections import ModelConfig
from sweep.model import CELLS, Forecaster, kernel_with
from sweep.model.looped import LoopedLayers
from sweep.model.state import by_layer
from tests.support.plugin_cells import MGU

OUTSIDE = ["mgu", "leaky"]


@pytest.fixture(autouse=True)
def plugin(tmp_path: Path) -> Iterator[None]:
    file = tmp_path / "mgu.py"
    file.write_text(MGU)
    with using([file]):
        yield


def made(cell: str, layers: int = 2, **more) -> Forecaster:
    return Forecaster(ModelConfig(cell=cell, hidden=5, layers=layers, **more), 2, 1).initialise(3).double()


def noise(*shape: int) -> Tensor:
    return torch.as_tensor(np.random.default_rng(5).standard_normal(shape))


def naive_mgu(network: Forecaster, inputs: Tensor) -> np.ndarray:
    """The hidden states of the top layer, number by number."""
    state = {name.removeprefix("stack.rnn."): p.numpy() for name, p in network.state_dict().items()}
    below = inputs.numpy()
    for layer in range(2):
        w_ih, w_hh, b_ih, b_hh = (
            state[f"{name}_l{layer}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        outputs = np.zeros((*below.shape[:2], 5))
        for row in range(len(below)):
            h = np.zeros(5)
            for t in range(below.shape[1]):
                x, gates, new = below[row, t], np.zeros(5), np.zeros(5)
                for unit in range(5):
                    z = w_ih[unit] @ x + b_ih[unit] + w_hh[unit] @ h + b_hh[unit]
                    gates[unit] = 1 / (1 + np.exp(-z))
                for unit in range(5):
                    row_ = 5 + unit
                    z = w_ih[row_] @ x + b_ih[row_] + w_hh[row_] @ (gates * h) + b_hh[row_]
                    new[unit] = (1 - gates[unit]) * h[unit] + gates[unit] * np.tanh(z)
                outputs[row, t] = h = new
        below = outputs
    return below


def test_a_minimal_gated_unit_is_its_equations():
    network, inputs = made("mgu"), noise(3, 9, 2)
    with torch.no_grad():
        hidden, after = network.stack(inputs)
    assert np.allclose(hidden.numpy(), naive_mgu(network, inputs), rtol=0, atol=1e-13)
    assert torch.equal(after[0][1], hidden[:, -1])


def test_weights_have_the_names_shapes_and_rule_of_torch_s_modules():
    network = Forecaster(ModelConfig(cell="mgu", hidden=64, layers=2), 2, 1).initialise(0)
    rows = [(name, tuple(p.shape)) for name, p in network.stack.rnn.named_parameters()]
    like = [(name, (shape[0] // 3 * 2, *shape[1:])) for name, shape in gru_shapes()]
    assert rows == like
    for parameter in network.stack.rnn.parameters():
        assert parameter.abs().max() <= 1 / 8
        assert float(parameter.detach().square().mean().sqrt()) == pytest.approx(1 / 8 / 3**0.5, rel=0.2)


def gru_shapes() -> list[tuple[str, tuple[int, ...]]]:
    return [(name, tuple(p.shape)) for name, p in nn.GRU(2, 64, 2).named_parameters()]


@pytest.mark.parametrize("cell", OUTSIDE)
def test_steps_halves_and_free_steps_make_the_whole(cell: str):
    network, inputs = made(cell), noise(3, 12, 2)
    with torch.no_grad():
        whole, end = network(inputs)
        first, middle = network(inputs[:, :5])
        second, last = network(inputs[:, 5:], middle)
        traced, states = network.trace(inputs)
        state = by_layer(network.zero_state(inputs))
        for t in range(12):
            forecast, state = network.step(inputs[:, t], state)
            assert torch.allclose(forecast, whole[:, t], rtol=0, atol=1e-13)
        free, _ = network(inputs, free=3)
        fed = torch.cat([inputs[:, :9], torch.cat([free[:, 8:11], inputs[:, 9:, 1:]], dim=2)], dim=1)
        again, _ = network(fed)
    assert len(end) == CELLS[cell].components
    for one, two in ((torch.cat([first, second], 1), whole), (traced, whole), (again, free)):
        assert torch.allclose(one, two, rtol=0, atol=1e-13)
    for one, two, three in zip(end, last, states, strict=True):
        assert torch.allclose(one, two, rtol=0, atol=1e-13)
        assert torch.allclose(three[-1], one, rtol=0, atol=1e-13)


@pytest.mark.parametrize("cell", OUTSIDE)
def test_the_gradient_is_that_of_differences(cell: str):
    network, inputs, targets = made(cell, layers=1), noise(2, 6, 2), noise(2, 6, 1)
    loss = network.loss_gradient(burn_in=1)
    loss(inputs, targets, 1.0)
    gradients = [parameter.grad.clone() for parameter in network.parameters()]  # later calls add to them
    for parameter, gradient in zip(network.parameters(), gradients, strict=True):
        flat, slopes = parameter.data.view(-1), gradient.view(-1)
        assert slopes.abs().max() > 0
        for number in range(0, len(flat), 7):
            value, values = flat[number].item(), []
            for change in (1e-6, -1e-6):
                flat[number] = value + change
                values.append(loss(inputs, targets, 1.0))
            flat[number] = value
            assert float(slopes[number]) == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-5, abs=1e-9)


def test_a_cell_may_have_weights_of_its_own():
    network = made("leaky", layers=2)
    assert isinstance(network.stack.rnn, LoopedLayers)
    shapes = {name: tuple(p.shape) for name, p in network.stack.rnn.named_parameters()}
    assert shapes["mix_l0"] == (5, 7) and shapes["mix_l1"] == (5, 10) and shapes["leak_l1"] == (1,)
    assert network.multiply_adds() == 5 * 7 + 5 * 10 + 5
    with pytest.raises(
        SweepError, match=r"model.init_gain has no effect on the cell 'leaky': it has no weight_hh"
    ):
        made("leaky", init_gain=2.0)
    with pytest.raises(SweepError, match=r"model.forget_bias has no effect on the cell 'mgu': no gate"):
        made("mgu", forget_bias=1.0)


def test_the_kernel_never_computes_it():
    assert set(kernel_with("avx2").cells).isdisjoint(OUTSIDE)


def test_a_step_that_raises_is_one_line_that_names_it():
    network = made("breaking")
    line = r"^plug-in cell 'breaking' of mgu\.py sha256:\w{16}: ZeroDivisionError: division by zero$"
    with pytest.raises(PluginError, match=line):
        network(noise(3, 4, 2))


def test_a_step_that_changes_the_state_s_shape_is_one_line_that_names_it():
    line = (
        r"^plug-in cell 'narrow' of mgu\.py sha256:\w{16}: wanted the state \(\(3, 5\) float64\) from its step, "
        r"got \(\(3, 4\) float64\)$"
    )
    with pytest.raises(PluginError, match=line):
        made("narrow")(noise(3, 4, 2))
