"""A training step in one call finds what the differentiable function finds, bit for bit, in less memory."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from sweep.model.native import workspace
from sweep.model.native.call import CODES, PLAIN, Mode
from sweep.model.native.library import instruction_sets
from sweep.model.native.recurrence import run
from sweep.model.native.training import LossGradient
from sweep.model.shape import NetworkShape
from tests.support.torch_twin import drawn, noise

READOUTS = {
    "increment": {"readout": (2,), "increment": True},
    "tanh head": {"readout": (6, 2), "tanh_between": True},
    "relu output": {"readout": (5, 2), "relu_output": True},
    "states": {"readout": ()},
}


def case(
    network: NetworkShape, batch: int, steps: int = 21, dtype: torch.dtype = torch.float32
) -> tuple[list[Tensor], Tensor, Tensor]:
    """Return parameters, inputs and targets."""
    parameters = [p.detach() for p in drawn(network, dtype)]
    targets = noise(batch, steps, network.outputs, dtype=dtype, seed=3)
    return parameters, noise(batch, steps, network.inputs, dtype=dtype), targets


def by_graph(
    network: NetworkShape,
    parameters: Sequence[Tensor],
    x: Tensor,
    targets: Tensor,
    burn_in: int = 0,
    weight: float = 1.0,
    mode: Mode = PLAIN,
) -> tuple[float, list[Tensor]]:
    """Return loss and gradients by torch's loss and automatic differentiation of `run`."""
    leaves = [p.clone().requires_grad_() for p in parameters]
    outputs, _ = run(network, leaves, x, None, mode)
    loss = weight * torch.nn.functional.mse_loss(outputs[:, burn_in:], targets[:, burn_in:])
    return float(loss.detach()), list(torch.autograd.grad(loss, leaves))


def at_once(
    network: NetworkShape,
    parameters: Sequence[Tensor],
    x: Tensor,
    targets: Tensor,
    burn_in: int = 0,
    weight: float = 1.0,
    mode: Mode = PLAIN,
) -> tuple[float, list[Tensor]]:
    gradients = [torch.zeros_like(p) for p in parameters]
    return LossGradient(network, parameters, gradients, burn_in, mode).add(x, targets, weight), gradients


def same(one: Sequence[Tensor], other: Sequence[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("free", [0, 7])
@pytest.mark.parametrize("batch", [1, 16, 41])
@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("cell", CODES)
def test_gradients_have_the_bits_of_the_graph_s(cell: str, readout: str, batch: int, free: int):
    inputs = 19 if readout == "states" else 3
    network = NetworkShape(cell, 2, 19, inputs, **READOUTS[readout])
    for instructions in instruction_sets():
        for dtype, close in ((torch.float32, 1e-5), (torch.float64, 1e-13)):
            arguments = case(network, batch, dtype=dtype)
            mode = Mode(free=free, instructions=instructions)
            wanted, by_torch = by_graph(network, *arguments, 4, 0.25, mode)
            loss, gradients = at_once(network, *arguments, 4, 0.25, mode)
            assert loss == pytest.approx(wanted, rel=close)
            assert same(gradients, by_torch), (instructions, dtype)
            assert all(gradient.any() for gradient in gradients) or readout == "states"


@pytest.mark.parametrize("cell", CODES)
def test_threads_do_not_show(cell: str):
    network = NetworkShape(cell, 2, 19, 3, (2,), increment=True)
    arguments = case(network, 70, 3000)  # tiles take longer than a thread takes to begin
    loss, gradients = at_once(network, *arguments)
    for threads in (2, 3, 64):
        again, others = at_once(network, *arguments, 0, 1.0, Mode(threads=threads))
        assert again == loss
        assert same(gradients, others), threads


@pytest.mark.parametrize("burn_in", [1, 20])
def test_what_burns_in_does_not_count(burn_in: int):
    network = NetworkShape("gru", 1, 5, 3, (2,))
    parameters, x, targets = case(network, 3)
    whole, _ = at_once(network, parameters, x, targets)
    once = at_once(network, parameters, x, targets, burn_in)
    targets[:, :burn_in] = torch.nan
    again = at_once(network, parameters, x, targets, burn_in)
    assert once[0] == again[0] != whole
    assert same(once[1], again[1])


def test_gradients_are_added_to_what_is_there():
    network = NetworkShape("lstm", 2, 7, 3, (2,))
    parameters, x, targets = case(network, 5, dtype=torch.float64)
    _, expected = at_once(network, parameters, x, targets)
    gradients = [torch.full_like(p, 3.0) for p in parameters]
    gradient = LossGradient(network, parameters, gradients)
    assert gradient.add(x, targets, 0.5) == pytest.approx(gradient.add(x, targets, 0.5))
    for came, wanted in zip(gradients, expected, strict=True):
        torch.testing.assert_close(came, wanted + 3.0, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
@pytest.mark.parametrize("where", ["inputs", "targets"])
def test_what_is_not_finite_comes_out_as_by_the_graph(where: str, bad: float):
    network = NetworkShape("lstm", 2, 17, 3, (2,), increment=True)
    parameters, x, targets = case(network, 41)
    (x if where == "inputs" else targets)[20, 9, 1] = bad
    wanted, by_torch = by_graph(network, parameters, x, targets)
    loss, gradients = at_once(network, parameters, x, targets)
    assert str(loss) == str(wanted)
    for one, other in zip(gradients, by_torch, strict=True):
        assert torch.equal(one.isnan(), other.isnan())
        assert torch.equal(one.isinf(), other.isinf())


def test_a_loss_beyond_the_numbers_is_infinite_as_it_is_in_torch():
    network = NetworkShape("gru", 1, 5, 3, (2,))
    parameters, x, targets = case(network, 3)
    targets[0, 4, 0] = 3e20
    wanted, _ = by_graph(network, parameters, x, targets)
    loss, gradients = at_once(network, parameters, x, targets)
    assert wanted == loss == torch.inf and all(gradient.isfinite().all() for gradient in gradients)
    exact = case(network, 3, dtype=torch.float64)
    exact[2][0, 4, 0] = 3e20
    assert at_once(network, *exact)[0] == pytest.approx(3e20**2 / targets.numel())


@pytest.mark.parametrize("byte", [0xFF, 0x7E, 0x01])
@pytest.mark.parametrize("cell", CODES)
def test_what_the_workspace_held_does_not_show(cell: str, byte: int, monkeypatch: pytest.MonkeyPatch):
    network = NetworkShape(cell, 2, 17, 3, (4, 2), increment=True)
    arguments = case(network, 35)
    wanted = at_once(network, *arguments)
    monkeypatch.setattr(workspace, "_take", lambda size: torch.full((size,), byte, dtype=torch.uint8))
    trained = at_once(network, *arguments)
    assert trained[0] == wanted[0]
    assert same(trained[1], wanted[1])


def test_tiles_share_the_memory_of_one(monkeypatch: pytest.MonkeyPatch):
    # without a graph nothing of a tile is needed once it went back: the eighth of 128 sequences serves all
    asked: list[int] = []
    take = workspace._take

    def noting(size: int) -> Tensor:
        asked.append(size)
        return take(size)

    monkeypatch.setattr(workspace, "_take", noting)
    network = NetworkShape("lstm", 2, 51, 1, (1,), increment=True)
    for batch in (16, 128):
        at_once(network, *case(network, batch, 500))
    at_once(network, *case(network, 128, 500), 0, 1.0, Mode(threads=2))
    one, eight, by_two = asked
    assert eight < 1.3 * one
    assert 1.5 * one < by_two < 2.3 * one


def test_one_gradient_serves_batches_of_every_shape():
    network = NetworkShape("gru", 2, 19, 3, (2,), increment=True)
    parameters = case(network, 1)[0]
    gradients = [torch.zeros_like(p) for p in parameters]
    gradient = LossGradient(network, parameters, gradients, 4)
    for batch, steps, weight in [(16, 21, 1.0), (3, 21, 0.5), (16, 9, 2.0), (16, 21, 1.0), (41, 33, 1.0)]:
        _, x, targets = case(network, batch, steps)
        for one in gradients:
            one.zero_()
        loss = gradient.add(x, targets, weight)
        wanted, by_torch = at_once(network, parameters, x, targets, 4, weight)
        assert loss == wanted
        assert same(gradients, by_torch), (batch, steps)


def test_parameters_and_gradients_may_move():
    network = NetworkShape("lstm", 1, 7, 3, (2,))
    parameters, x, targets = case(network, 5)
    gradients = [torch.zeros_like(p) for p in parameters]
    gradient = LossGradient(network, parameters, gradients)
    gradient.add(x, targets)
    for parameter, summed in zip(parameters, gradients, strict=True):
        parameter.data, summed.data = torch.rand_like(parameter), torch.zeros_like(summed)
    loss = gradient.add(x, targets)
    wanted, expected = at_once(network, parameters, x, targets)
    assert loss == wanted
    assert same(gradients, expected)
    for moved, name in ((parameters[1], "parameter 1"), (gradients[2], "gradient 2")):
        right = moved.data
        for wrong in (right[:1].clone(), right.double(), torch.stack([right, right], dim=-1)[..., 0]):
            moved.data = wrong
            with pytest.raises(ValueError, match=f"{name}: wanted"):
                gradient.add(x, targets)
        moved.data = right
    assert gradient.add(x, targets) == wanted


def test_memory_that_was_checked_is_not_mistaken_for_what_came_after_it():
    network = NetworkShape("lstm", 1, 40, 3, (2,))
    parameters, x, targets = case(network, 4, 9)
    gradients = [torch.zeros_like(p) for p in parameters]
    gradient = LossGradient(network, parameters, gradients)
    for tensor, name in ((gradients[0], "gradient 0"), (parameters[1], "parameter 1")):
        right = tensor.data
        address, size = tensor.data_ptr(), tensor.numel()
        del right
        tensor.data = torch.empty(0)
        for _ in range(20):  # malloc hands out the same block where it was given back
            tensor.data = torch.empty(size // 2)
            with pytest.raises(ValueError, match=f"{name}: wanted shape"):
                gradient.add(x, targets)
            assert tensor.data_ptr() != address
        tensor.data = torch.zeros(size).view(network.shapes()[int(name.split()[1])])
    gradients[1].untyped_storage().resize_(0)
    with pytest.raises(ValueError, match="gradient 1: its memory was freed"):
        gradient.add(x, targets)


def test_what_cannot_be_computed_is_refused():
    network = NetworkShape("lstm", 2, 5, 3, (2,))
    parameters, x, targets = case(network, 4, 9)
    gradients = [torch.zeros_like(p) for p in parameters]
    wide = torch.zeros(*gradients[3].shape, 2)
    for changed, message in [
        ({"gradients": gradients[1:]}, "wanted 10 gradients, got 9"),
        ({"gradients": [*gradients[:3], wide[:, 0], *gradients[4:]]}, "gradient 3: wanted a contiguous"),
        ({"gradients": [gradients[1], *gradients[1:]]}, "gradient 0: wanted shape"),
        ({"parameters": parameters[1:]}, "wanted 10 parameters, got 9"),
        ({"parameters": []}, "wanted 10 parameters, got 0"),
        (
            {"parameters": [*parameters[:4], parameters[4].double(), *parameters[5:]]},
            "parameter 4: wanted torch",
        ),
        (
            {"parameters": [p.half() for p in parameters]},
            "wanted float32 or float64 parameters, got torch.float16",
        ),
        ({"network": NetworkShape("rnn", 2, 5, 3, (2,))}, "wanted a cell of lstm, gru, got 'rnn'"),
        ({"mode": Mode(threads=0)}, "wanted at least one thread, got 0"),
    ]:
        given = {"network": network, "parameters": parameters, "gradients": gradients, **changed}
        with pytest.raises(ValueError, match=message):
            LossGradient(**given)
    for changed, message in [
        ({"targets": targets[:, :8]}, r"targets: wanted shape \(4, 9, 2\), got \(4, 8, 2\)"),
        ({"targets": targets.double()}, "targets: wanted torch.float32"),
        ({"targets": targets.transpose(0, 1).contiguous().transpose(0, 1)}, "targets: wanted a contiguous"),
        ({"burn_in": 9}, "wanted at least one scored step, got a burn-in of 9 of 9"),
        ({"burn_in": -1}, "wanted at least one scored step"),
        ({"x": x[:, :, :2].contiguous()}, r"wanted inputs \(batch, time, 3\)"),
        ({"x": x.double()}, "inputs: wanted torch.float32, got torch.float64"),
        ({"x": x.half()}, "wanted .*float32.*, got torch.float16"),
        ({"x": x[:0]}, r"at least one sequence and one step, got \(0, 9, 3\)"),
        ({"x": x.to("meta")}, "inputs: the native engine computes on the CPU, got a tensor on meta"),
        ({"x": x.to_mkldnn()}, "inputs: wanted a contiguous"),
        ({"x": x.transpose(0, 1).contiguous().transpose(0, 1)}, "inputs: wanted a contiguous"),
        ({"mode": Mode(free=9)}, "wanted at least one forced step"),
    ]:
        given = {"x": x, "targets": targets, **changed}
        how = {key: given.pop(key) for key in ("burn_in", "mode") if key in given}
        for warm in (False, True):  # a shape seen before is looked at less
            gradient = LossGradient(network, parameters, gradients, **how)
            if warm and not how:
                gradient.add(x, targets, 0.0)
            with pytest.raises(ValueError, match=message):
                gradient.add(**given)
    assert not any(gradient.any() for gradient in gradients)
