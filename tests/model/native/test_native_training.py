"""A training step in one call finds what the differentiable function finds, bit for bit, in less memory."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor
from torch_twin import drawn, noise

from sweep.model.native import workspace
from sweep.model.native.library import instruction_sets
from sweep.model.native.recurrence import CELLS, PLAIN, Mode, Network, add_gradient, run

READOUTS = {
    "increment": {"readout": (2,), "increment": True},
    "tanh head": {"readout": (6, 2), "tanh_between": True},
    "relu output": {"readout": (5, 2), "relu_output": True},
    "states": {"readout": ()},
}


def case(
    network: Network, batch: int, steps: int = 21, dtype: torch.dtype = torch.float32
) -> tuple[list[Tensor], Tensor, Tensor]:
    """Return parameters, inputs and targets."""
    parameters = [p.detach() for p in drawn(network, dtype)]
    targets = noise(batch, steps, network.outputs, dtype=dtype, seed=3)
    return parameters, noise(batch, steps, network.inputs, dtype=dtype), targets


def by_graph(
    network: Network,
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
    network: Network, parameters: Sequence[Tensor], x: Tensor, targets: Tensor, *how
) -> tuple[float, list[Tensor]]:
    gradients = [torch.zeros_like(p) for p in parameters]
    return add_gradient(network, parameters, gradients, x, targets, *how), gradients


def same(one: Sequence[Tensor], other: Sequence[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("free", [0, 7])
@pytest.mark.parametrize("batch", [1, 16, 41])
@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_have_the_bits_of_the_graph_s(cell: str, readout: str, batch: int, free: int):
    inputs = 19 if readout == "states" else 3
    network = Network(cell, 2, 19, inputs, **READOUTS[readout])
    for instructions in instruction_sets():
        for dtype, close in ((torch.float32, 1e-5), (torch.float64, 1e-13)):
            arguments = case(network, batch, dtype=dtype)
            mode = Mode(free=free, instructions=instructions)
            wanted, by_torch = by_graph(network, *arguments, 4, 0.25, mode)
            loss, gradients = at_once(network, *arguments, 4, 0.25, mode)
            assert loss == pytest.approx(wanted, rel=close)
            assert same(gradients, by_torch), (instructions, dtype)
            assert all(gradient.any() for gradient in gradients) or readout == "states"


@pytest.mark.parametrize("cell", CELLS)
def test_threads_do_not_show(cell: str):
    network = Network(cell, 2, 19, 3, (2,), increment=True)
    arguments = case(network, 70, 3000)  # tiles take longer than a thread takes to begin
    loss, gradients = at_once(network, *arguments)
    for threads in (2, 3, 64):
        again, others = at_once(network, *arguments, 0, 1.0, Mode(threads=threads))
        assert again == loss
        assert same(gradients, others), threads


@pytest.mark.parametrize("burn_in", [1, 20])
def test_what_burns_in_does_not_count(burn_in: int):
    network = Network("gru", 1, 5, 3, (2,))
    parameters, x, targets = case(network, 3)
    whole, _ = at_once(network, parameters, x, targets)
    found = at_once(network, parameters, x, targets, burn_in)
    targets[:, :burn_in] = torch.nan
    again = at_once(network, parameters, x, targets, burn_in)
    assert found[0] == again[0] != whole
    assert same(found[1], again[1])


def test_gradients_are_added_to_what_is_there():
    network = Network("lstm", 2, 7, 3, (2,))
    parameters, x, targets = case(network, 5, dtype=torch.float64)
    _, found = at_once(network, parameters, x, targets)
    gradients = [torch.full_like(p, 3.0) for p in parameters]
    half = add_gradient(network, parameters, gradients, x, targets, weight=0.5)
    assert half == pytest.approx(add_gradient(network, parameters, gradients, x, targets, weight=0.5))
    for came, wanted in zip(gradients, found, strict=True):
        torch.testing.assert_close(came, wanted + 3.0, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
@pytest.mark.parametrize("where", ["inputs", "targets"])
def test_what_is_not_finite_comes_out_as_by_the_graph(where: str, bad: float):
    network = Network("lstm", 2, 17, 3, (2,), increment=True)
    parameters, x, targets = case(network, 41)
    (x if where == "inputs" else targets)[20, 9, 1] = bad
    wanted, by_torch = by_graph(network, parameters, x, targets)
    loss, gradients = at_once(network, parameters, x, targets)
    assert str(loss) == str(wanted)
    for one, other in zip(gradients, by_torch, strict=True):
        assert torch.equal(one.isnan(), other.isnan())
        assert torch.equal(one.isinf(), other.isinf())


def test_a_loss_beyond_the_numbers_is_infinite_as_it_is_in_torch():
    network = Network("gru", 1, 5, 3, (2,))
    parameters, x, targets = case(network, 3)
    targets[0, 4, 0] = 3e20
    wanted, _ = by_graph(network, parameters, x, targets)
    loss, gradients = at_once(network, parameters, x, targets)
    assert wanted == loss == torch.inf and all(gradient.isfinite().all() for gradient in gradients)
    exact = case(network, 3, dtype=torch.float64)
    exact[2][0, 4, 0] = 3e20
    assert at_once(network, *exact)[0] == pytest.approx(3e20**2 / targets.numel())


@pytest.mark.parametrize("byte", [0xFF, 0x7E, 0x01])
@pytest.mark.parametrize("cell", CELLS)
def test_what_the_workspace_held_does_not_show(cell: str, byte: int, monkeypatch: pytest.MonkeyPatch):
    network = Network(cell, 2, 17, 3, (4, 2), increment=True)
    arguments = case(network, 35)
    wanted = at_once(network, *arguments)
    monkeypatch.setattr(workspace, "_take", lambda size: torch.full((size,), byte, dtype=torch.uint8))
    found = at_once(network, *arguments)
    assert found[0] == wanted[0]
    assert same(found[1], wanted[1])


def test_tiles_share_the_memory_of_one(monkeypatch: pytest.MonkeyPatch):
    # without a graph nothing of a tile is needed once it went back: the eighth of 128 sequences serves all
    asked: list[int] = []
    take = workspace._take

    def noting(size: int) -> Tensor:
        asked.append(size)
        return take(size)

    monkeypatch.setattr(workspace, "_take", noting)
    network = Network("lstm", 2, 51, 1, (1,), increment=True)
    for batch in (16, 128):
        at_once(network, *case(network, batch, 500))
    at_once(network, *case(network, 128, 500), 0, 1.0, Mode(threads=2))
    one, eight, by_two = asked
    assert eight < 1.3 * one
    assert 1.5 * one < by_two < 2.3 * one


def test_what_cannot_be_computed_is_refused():
    network = Network("lstm", 2, 5, 3, (2,))
    parameters, x, targets = case(network, 4, 9)
    gradients = [torch.zeros_like(p) for p in parameters]
    wide = torch.zeros(*gradients[3].shape, 2)
    for changed, message in [
        ({"targets": targets[:, :8]}, r"targets: wanted shape \(4, 9, 2\), got \(4, 8, 2\)"),
        ({"targets": targets.double()}, "targets: wanted torch.float32"),
        ({"targets": targets.transpose(0, 1).contiguous().transpose(0, 1)}, "targets: wanted a contiguous"),
        ({"burn_in": 9}, "wanted at least one scored step, got a burn-in of 9 of 9"),
        ({"burn_in": -1}, "wanted at least one scored step"),
        ({"gradients": gradients[1:]}, "wanted 10 gradients, got 9"),
        ({"gradients": [*gradients[:3], wide[:, 0], *gradients[4:]]}, "gradient 3: wanted a contiguous"),
        ({"gradients": [gradients[1], *gradients[1:]]}, "gradient 0: wanted shape"),
        ({"x": x[:, :, :2].contiguous()}, r"wanted inputs \(batch, time, 3\)"),
        ({"mode": Mode(free=9)}, "wanted at least one forced step"),
    ]:
        given = {"parameters": parameters, "gradients": gradients, "x": x, "targets": targets, **changed}
        with pytest.raises(ValueError, match=message):
            add_gradient(network, **given)
    assert not any(gradient.any() for gradient in gradients)
