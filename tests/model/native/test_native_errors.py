"""What cannot be computed is refused in Python, in a sentence, before the kernel sees it."""

from dataclasses import replace

import pytest
import torch

from sweep.model.native import call
from sweep.model.native import library as library_module
from sweep.model.native.call import CODES, Mode
from sweep.model.native.library import instruction_sets, library
from sweep.model.native.recurrence import run, trace
from sweep.model.shape import NetworkShape
from tests.support.torch_twin import drawn, noise, states

NETWORK = NetworkShape("lstm", 2, 5, 3, (4, 2), increment=True)


def given(network: NetworkShape = NETWORK):
    """Return what a call needs, to spoil: parameters, inputs, state."""
    return [p.detach() for p in drawn(network)], noise(4, 9, network.inputs), states(network, 4)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (noise(9, 3), r"wanted inputs \(batch, time, 3\), got \(9, 3\)"),
        (noise(4, 9, 2), r"wanted inputs \(batch, time, 3\), got \(4, 9, 2\)"),
        (noise(0, 9, 3), r"at least one sequence and one step, got \(0, 9, 3\)"),
        (noise(4, 0, 3), r"at least one sequence and one step, got \(4, 0, 3\)"),
        (noise(4, 9, 3).half(), "wanted float32 or float64 inputs, got torch.float16"),
        (torch.ones(4, 9, 3, dtype=torch.int64), "wanted float32 or float64 inputs, got torch.int64"),
        (noise(4, 9, 3).to("meta"), "inputs: the native engine computes on the CPU, got a tensor on meta"),
        (noise(9, 4, 3).transpose(0, 1), "inputs: wanted a contiguous tensor"),
        (noise(4, 9, 6)[:, :, ::2], "inputs: wanted a contiguous tensor"),
        (noise(4, 1, 3).expand(4, 9, 3), "inputs: wanted a contiguous tensor"),
        (noise(4, 9, 3).to_sparse(), "inputs: wanted a contiguous tensor"),
        (noise(4, 9, 3, dtype=torch.float32).to_mkldnn(), "inputs: wanted a contiguous tensor"),
        (noise(4, 9, 3).float(), "parameter 0: wanted torch.float32, got torch.float64"),
    ],
)
@pytest.mark.parametrize("compute", [run, trace])
def test_inputs_are_checked(compute, x: torch.Tensor, message: str):
    parameters, _, _ = given()
    with pytest.raises(ValueError, match=message):
        compute(NETWORK, parameters, x)


@pytest.mark.parametrize("which", range(12))
def test_every_parameter_is_checked(which: int):
    parameters, x, state = given()
    good = parameters[which]
    wide = good.unsqueeze(-1).expand(*good.shape, 2)
    for bad, message in [
        (torch.cat([good, good]), "wanted shape"),
        (good.float(), "wanted torch.float64, got torch.float32"),
        (good.to("meta"), "computes on the CPU, got a tensor on meta"),
        (wide.contiguous()[..., 0], "wanted a contiguous tensor"),
    ]:
        parameters[which] = bad
        with pytest.raises(ValueError, match=f"parameter {which}: .*{message}"):
            run(NETWORK, parameters, x, state)


@pytest.mark.parametrize("part", [0, 1])
def test_every_part_of_a_state_is_checked(part: int):
    parameters, x, good = given()
    for bad, message in [
        (good[part][:, :3], r"wanted shape \(2, 4, 5\), got \(2, 3, 5\)"),
        (good[part][:1], r"wanted shape \(2, 4, 5\), got \(1, 4, 5\)"),
        (good[part].float(), "wanted torch.float64, got torch.float32"),
        (good[part].to("meta"), "computes on the CPU, got a tensor on meta"),
        (good[part].transpose(0, 1).contiguous().transpose(0, 1), "wanted a contiguous tensor"),
    ]:
        state = tuple(bad if i == part else good[i] for i in (0, 1))
        with pytest.raises(ValueError, match=f"state {part}: .*{message}"):
            run(NETWORK, parameters, x, state)


def test_numbers_of_tensors_are_checked():
    parameters, x, state = given()
    with pytest.raises(ValueError, match="wanted 12 parameters, got 11"):
        run(NETWORK, parameters[:-1], x)
    with pytest.raises(ValueError, match="wanted 12 parameters, got 0"):
        run(NETWORK, [], x)
    with pytest.raises(ValueError, match="wanted a state of 2 tensors, got 1"):
        run(NETWORK, parameters, x, state[:1])
    with pytest.raises(ValueError, match="wanted a state of 1 tensors, got 2"):
        run(NetworkShape("gru", 1, 5, 3, ()), drawn(NetworkShape("gru", 1, 5, 3, ())), x, state)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (replace(NETWORK, cell="rnn"), "wanted a cell of lstm, gru, got 'rnn'"),
        (replace(NETWORK, layers=0), "layers, hidden, inputs and readout of at least 1"),
        (replace(NETWORK, hidden=0), "layers, hidden, inputs and readout of at least 1"),
        (replace(NETWORK, inputs=0), "layers, hidden, inputs and readout of at least 1"),
        (replace(NETWORK, readout=(4, 0)), "layers, hidden, inputs and readout of at least 1"),
        (replace(NETWORK, readout=(4, 7)), "increments need a readout with as many inputs as outputs"),
        (replace(NETWORK, readout=()), "increments need a readout with as many inputs as outputs"),
    ],
)
def test_impossible_networks_are_refused(network: NetworkShape, message: str):
    parameters, x, _ = given()
    with pytest.raises(ValueError, match=message):
        run(network, parameters, x)


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        (Mode(free=9), "wanted at least one forced step, got 9 free of 9"),
        (Mode(free=-1), "wanted at least one forced step, got -1 free of 9"),
        (Mode(threads=0), "wanted at least one thread, got 0"),
        (Mode(instructions="avx1024"), "instruction set 'avx1024' is not available here: baseline"),
    ],
)
def test_impossible_modes_are_refused(mode: Mode, message: str):
    parameters, x, state = given()
    with pytest.raises(ValueError, match=message):
        run(NETWORK, parameters, x, state, mode)


def test_more_outputs_than_inputs_cannot_be_fed_back():
    network = NetworkShape("gru", 1, 5, 3, (4,))
    parameters = drawn(network)
    with pytest.raises(ValueError, match="4 outputs cannot be fed back into 3 inputs"):
        run(network, parameters, noise(2, 9, 3), mode=Mode(free=2))
    assert run(network, parameters, noise(2, 9, 3))[0].shape == (2, 9, 4)


@pytest.mark.parametrize("cell", CODES)
def test_weights_changed_between_forward_and_backward_are_noticed(cell: str):
    network = replace(NETWORK, cell=cell)
    for which in range(len(network.shapes())):
        parameters, x = drawn(network), noise(4, 9, 3)
        value = run(network, parameters, x)[0].sum()
        with torch.no_grad():
            parameters[which].mul_(2)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            value.backward()


def test_weights_replaced_between_forward_and_backward_are_not_read_after_they_are_gone():
    parameters, x = drawn(NETWORK), noise(4, 9, 3)
    wanted = torch.autograd.grad(run(NETWORK, parameters, x)[0].sum(), parameters)
    value = run(NETWORK, parameters, x)[0].sum()
    for parameter in parameters:
        parameter.data = torch.full_like(parameter, torch.nan)
    came = torch.autograd.grad(value, parameters)
    assert all(map(torch.equal, came, wanted))


def test_a_second_derivative_is_refused():
    parameters, x = drawn(NETWORK), noise(4, 9, 3)
    value = run(NETWORK, parameters, x)[0].square().sum()
    gradients = torch.autograd.grad(value, parameters, create_graph=True)
    with pytest.raises(RuntimeError, match=r"differentiate twice.*once_differentiable"):
        gradients[0].sum().backward()


def test_a_second_backward_pass_without_its_graph_is_refused():
    parameters, x = drawn(NETWORK), noise(4, 9, 3)
    value = run(NETWORK, parameters, x)[0].square().sum()
    value.backward()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        value.backward()


def test_a_missing_kernel_is_a_clear_error(monkeypatch: pytest.MonkeyPatch):
    parameters, x, state = given()
    monkeypatch.setattr(call, "library", lambda: None)
    with pytest.raises(RuntimeError, match="the native engine was not built"):
        run(NETWORK, parameters, x, state)


def test_without_a_kernel_there_are_no_instruction_sets(monkeypatch: pytest.MonkeyPatch):
    assert library() is not None
    monkeypatch.setattr(library_module, "library", lambda: None)
    assert instruction_sets.__wrapped__() == ()


def test_no_gradient_is_kept_where_none_is_wanted():
    parameters, x = drawn(NETWORK), noise(4, 9, 3)
    with torch.no_grad():
        assert not run(NETWORK, parameters, x)[0].requires_grad
    with torch.inference_mode():
        assert not run(NETWORK, parameters, x)[0].requires_grad
    assert not run(NETWORK, [p.detach() for p in parameters], x)[0].requires_grad
    assert run(NETWORK, parameters, x)[0].requires_grad
    assert run(NETWORK, [p.detach() for p in parameters], x.requires_grad_())[0].requires_grad
