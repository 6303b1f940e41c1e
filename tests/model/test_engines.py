"""Every engine computes the same forecaster; which one computes a trial is a rule that can be read."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sweep.config.engines import engine_name
from sweep.config.errors import SweepError
from sweep.config.sections import ModelConfig, TrainingConfig
from sweep.model import CELLS, Forecaster, best_kernel, engine, engines, fastest_engine, kernel_with
from sweep.model.native import library
from sweep.model.native.call import CODES
from sweep.model.native.library import INSTRUCTIONS, instruction_sets

NATIVE = [f"native-{instructions}" for instructions in instruction_sets()]
SHAPES = {
    "increment": {"readout": "increment"},
    "value": {"readout": "value"},
    "relu head": {"readout": "value", "head": (6, 3), "output_activation": "relu"},
    "tanh head": {"readout": "increment", "head": (5,), "head_activation": "tanh"},
}


def made(name: str, cell: str, shape: str) -> Forecaster:
    config = ModelConfig(cell=cell, hidden=9, layers=2, **SHAPES[shape])
    return Forecaster(config, 4, 2, engine(name)).initialise(3).double()


def noise(*shape: int) -> Tensor:
    return torch.as_tensor(np.random.default_rng(5).standard_normal(shape))


def close(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one, other, rtol=1e-11, atol=1e-12)


def test_the_kernel_is_there():
    if sys.platform == "win32":
        pytest.skip("the kernel needs vector extensions of gcc and clang")
    assert NATIVE, "the native engine was not built: install a C++17 compiler and pip install again"


@pytest.mark.parametrize("free", [0, 1, 4])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("name", NATIVE)
def test_native_is_torch(name: str, cell: str, shape: str, free: int):
    inputs, state = noise(3, 7, 4), None
    results = []
    for network in (made("torch", cell, shape), made(name, cell, shape)):
        given = inputs.clone().requires_grad_(True)
        first, state = network(given)
        second, after = network(given, state, free=free)
        weights = torch.linspace(-1, 2, second.numel()).view_as(second)
        (first.square().sum() + (second * weights).sum() + after[0].sum()).backward()
        with torch.no_grad():
            traced, states = network.trace(inputs, tuple(part.detach() for part in state), free)
        assert close(traced, second.detach())
        assert all(close(part[-1], last.detach()) for part, last in zip(states, after, strict=True))
        parameters = [parameter.grad for parameter in network.parameters()]
        results.append([first, second, *after, given.grad, traced, *states, *parameters])
    for one, other in zip(*results, strict=True):
        assert close(one.detach(), other.detach())


@pytest.mark.parametrize("free", [0, 4])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("name", NATIVE)
def test_a_batch_s_loss_and_gradient_are_the_same(name: str, cell: str, shape: str, free: int):
    inputs, targets = noise(3, 12, 4)[:, :-1], noise(3, 12, 2)[:, 1:]  # views, as batches are
    results = []
    for network in (made("torch", cell, shape), made(name, cell, shape)):
        first = network.loss_gradient(burn_in=2, free=free)(inputs, targets, 0.3)
        alone = [parameter.grad.clone() for parameter in network.parameters()]
        second = network.loss_gradient(free=free)(inputs, 2 * targets, 1.0)  # gradients add up
        both = [parameter.grad for parameter in network.parameters()]
        results.append([torch.tensor([first, second], dtype=torch.float64), *alone, *both])
    forecasts, _ = made("torch", cell, shape)(inputs, free=free)
    wanted = 0.3 * float((forecasts - targets)[:, 2:].detach().square().mean())
    assert float(results[0][0][0]) == pytest.approx(wanted, rel=1e-12)
    for one, other in zip(*results, strict=True):
        assert close(one, other)


@pytest.mark.parametrize("name", NATIVE)
def test_gradients_that_were_replaced_are_noticed(name: str):
    network = made(name, "gru", "value")
    add = network.loss_gradient()
    add(noise(3, 7, 4), noise(3, 7, 2), 1.0)
    network.zero_grad()
    with pytest.raises(ValueError, match="zero_grad"):
        add(noise(3, 7, 4), noise(3, 7, 2), 1.0)


@pytest.mark.parametrize("name", ["torch", *NATIVE])
@pytest.mark.parametrize("burn_in", [-1, 7])
def test_a_loss_of_no_step_is_refused(name: str, burn_in: int):
    with pytest.raises(ValueError, match=f"at least one scored step, got a burn-in of {burn_in} of 7"):
        made(name, "gru", "value").loss_gradient(burn_in)(noise(3, 7, 4), noise(3, 7, 2), 1.0)


def test_the_fastest_engine_is_the_kernel_where_it_is_built(monkeypatch: pytest.MonkeyPatch):
    assert fastest_engine().name == NATIVE[-1]
    monkeypatch.setattr(engines, "instruction_sets", lambda: ())
    assert fastest_engine().name == "torch"


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("name", NATIVE)
def test_what_native_trained_plain_torch_loads(name: str, cell: str):
    network = made(name, cell, "value")
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    network(noise(3, 7, 4))[0].square().sum().backward()
    optimizer.step()
    state = network.state_dict()
    plain = {"lstm": nn.LSTM, "gru": nn.GRU}[cell](4, 9, 2, batch_first=True).double()
    plain.load_state_dict({k.removeprefix("stack.rnn."): v for k, v in state.items() if "rnn" in k})
    linear = nn.Linear(9, 2).double()
    linear.load_state_dict({k.removeprefix("head.0."): v for k, v in state.items() if "head" in k})
    inputs = noise(2, 5, 4)
    assert close(linear(plain(inputs)[0]).detach(), network(inputs)[0].detach())
    back = made(name, cell, "value")
    back.load_state_dict(state)
    assert torch.equal(back(inputs)[0], network(inputs)[0])


@pytest.mark.parametrize("name", NATIVE)
def test_threads_change_no_bit(name: str):
    config = ModelConfig(cell="gru", hidden=9, layers=2)
    inputs = noise(70, 7, 4)
    results = []
    for threads in (1, 3):
        network = Forecaster(config, 4, 2, engine(name, threads)).initialise(3).double()
        forecasts, _ = network(inputs)
        forecasts.square().sum().backward()
        results.append(torch.cat([forecasts.flatten(), *(p.grad.flatten() for p in network.parameters())]))
    assert torch.equal(*results)


def test_an_engine_that_is_not_there_is_refused():
    with pytest.raises(SweepError, match=r"the engine 'native-sve' is not available here.*torch"):
        engine("native-sve")


LSTM, GRU = ModelConfig(cell="lstm"), ModelConfig(cell="gru")
F32, F64 = TrainingConfig(), TrainingConfig(precision="float64")


AVX2, AVX512 = kernel_with("avx2"), kernel_with("avx512")


def test_the_rule_for_engines():
    assert engine_name("auto", AVX2, "cpu", GRU, F32) == "native-avx2"
    assert engine_name("auto", None, "cpu", GRU, F32) == "torch"
    assert engine_name("auto", AVX2, "cuda:0", GRU, F32) == "torch"
    assert engine_name("torch", AVX2, "cpu", GRU, F32) == "torch"
    large = LSTM.model_copy(update={"hidden": 256})
    assert engine_name("auto", AVX512, "cpu", large, F32) == "torch"
    assert engine_name("native", AVX512, "cpu", large, F32) == "native-avx512"
    assert engine_name("auto", AVX512, "cpu", large, F64) == "native-avx512"
    assert engine_name("auto", AVX512, "cpu", large.model_copy(update={"hidden": 255}), F32) != "torch"
    assert engine_name("auto", AVX512, "cpu", large.model_copy(update={"cell": "gru"}), F32) != "torch"


@pytest.mark.parametrize("wanted", ["auto", "native"])
def test_torch_computes_what_the_kernel_cannot(wanted: str):
    assert engine_name(wanted, AVX2, "cpu", ModelConfig(cell="mgu"), F32) == "torch"
    assert engine_name(wanted, AVX2, "cpu", ModelConfig(kind="echo"), F32) == "torch"


def test_the_entries_say_what_the_kernel_computes():
    assert set(AVX2.cells) == {"lstm", "gru"} == set(CODES)
    header = (Path(library.__file__).parent / "kernel/engine.h").read_text()
    assert [CODES[name] for name in ("lstm", "gru")] == [0, 1] and "0: LSTM, 1: GRU" in header


def test_the_best_kernel_has_the_best_instructions(monkeypatch: pytest.MonkeyPatch):
    assert best_kernel() == kernel_with(instruction_sets()[-1])
    monkeypatch.setattr(engines, "instruction_sets", lambda: ())
    assert best_kernel() is None


def test_instruction_sets_are_named_in_the_order_of_the_kernel():
    assert instruction_sets() == INSTRUCTIONS[: len(instruction_sets())]
