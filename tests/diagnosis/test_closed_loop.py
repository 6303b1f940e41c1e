"""The closed-loop map and its derivatives, against the network's own rollout and finite differences."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.autograd import forward_ad

from sweep.diagnosis.probes.closed_loop import (
    CannotMeasure,
    ClosedLoop,
    forced_trajectory,
    free_trajectory,
    in_float64,
    some_starts,
)
from sweep.diagnosis.probes.subject import FEW, Subject
from sweep.diagnosis.probes.tangents import Linearised, jacobians
from sweep.model import CELLS
from sweep.model.state import by_layer
from sweep.score import forecasts
from sweep.score.rollout import decoded, decoded_one_step
from tests.support.probed import SHAPES, STARTS, calendar_task, lorenz_task, network_of, sine_task


def random_flat(loop: ClosedLoop, count: int = 4) -> torch.Tensor:
    return (
        torch.randn(count, loop.size, dtype=torch.float64, generator=torch.Generator().manual_seed(5)) * 0.7
    )


def test_every_cell_has_a_tangent():
    assert all(cell.tangent is not None for cell in CELLS.values()) and len(CELLS) > 0


@pytest.mark.parametrize("shape", SHAPES)
def test_flat_vectors_come_back(shape: str):
    loop = ClosedLoop(network_of(2, **SHAPES[shape]))
    flat = random_flat(loop)
    state, current = loop.split(flat)
    assert len(state) == loop.components and current.shape == (4, 2)
    assert torch.equal(loop.flat(state, current), flat)


@pytest.mark.parametrize("shape", SHAPES)
@torch.no_grad()
def test_jacobians_equal_finite_differences(shape: str):
    network = network_of(2, **SHAPES[shape])
    loop = ClosedLoop(network)
    flat = random_flat(loop)
    after, jacobian = jacobians(network, flat)
    assert torch.equal(after, loop(flat))
    assert jacobian.shape == (4, loop.size, loop.size) and jacobian.abs().max() > 0.1
    for column in range(loop.size):
        step = torch.zeros(loop.size, dtype=torch.float64)
        step[column] = 1e-6
        wanted = (loop(flat + step) - loop(flat - step)) / 2e-6
        assert torch.allclose(jacobian[:, :, column], wanted, rtol=0, atol=1e-8)


@pytest.mark.filterwarnings("ignore:.*jit.script.*deprecated:DeprecationWarning")  # torch's own use of it
@pytest.mark.parametrize("fed", [True, False])
@pytest.mark.parametrize("cell", CELLS)
def test_tangents_along_a_rollout_equal_forward_differentiation(cell: str, fed: bool, tmp_path: Path):
    task = calendar_task(tmp_path)
    network = network_of(2, task.data.inputs, cell=cell, layers=2)
    loop = ClosedLoop(network)
    path = free_trajectory(network, task, 9)
    tangents = torch.randn(STARTS, 3, loop.size, dtype=torch.float64)
    now, linear = tangents.numpy(), Linearised(network, path)
    for begin, end in ((0, 1), (1, 4), (4, 9)):
        now = linear.advance(begin, end, now, fed)
    for number in range(3):
        with forward_ad.dual_level():
            flat = loop.flat(tuple(part[0] for part in path.states), path.inputs[0, :, :2])
            flat = forward_ad.make_dual(flat, tangents[:, number])
            for step in range(9):
                if not fed:  # the input of this step is held
                    held = path.inputs[step, :, :2]
                    flat = torch.cat([flat[:, : loop.state_size], held], dim=1)
                flat = loop(flat, path.inputs[step, :, 2:])
            wanted = forward_ad.unpack_dual(flat).tangent
        assert torch.allclose(torch.from_numpy(now[:, number]), wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("fed", [True, False])
@pytest.mark.parametrize("cell", CELLS)
def test_without_a_closed_form_a_cell_is_differentiated(cell: str, fed: bool, tmp_path: Path):
    task = calendar_task(tmp_path)
    network = network_of(2, task.data.inputs, cell=cell, layers=2)
    path = free_trajectory(network, task, 9)
    tangents = torch.randn(STARTS, 3, ClosedLoop(network).size, dtype=torch.float64).numpy()
    wanted = Linearised(network, path).advance(0, 9, tangents, fed)
    network.stack.cell = replace(network.stack.cell, tangent=None)
    assert Linearised(network, path).advance(0, 9, tangents, fed) == pytest.approx(
        wanted, rel=1e-9, abs=1e-12
    )
    assert abs(wanted).max() > 0.1


@pytest.mark.parametrize("cell", CELLS)
def test_trajectories_are_those_that_are_scored(cell: str, tmp_path: Path):
    task = calendar_task(tmp_path)
    network = network_of(2, task.data.inputs, cell=cell, layers=2)
    scored = forecasts(network, task)
    free = free_trajectory(network, task, 1000)
    assert free.steps == task.horizon - 1  # a calendar is known no further
    rollout = torch.cat([free.inputs[:1, :, :2], free.forecasts]).transpose(0, 1)
    assert decoded(task, rollout) == pytest.approx(scored.rollout, abs=1e-9)
    forced = forced_trajectory(network, task)
    after = forced.forecasts[task.warmup - 1 :].transpose(0, 1)
    assert decoded_one_step(task, after) == pytest.approx(scored.one_step, abs=1e-9)
    for path in (free, forced):  # states[t] and inputs[t] give states[t + 1] and forecasts[t]
        for step in (0, 3, path.steps - 1):
            before = by_layer(tuple(part[step] for part in path.states))
            forecast, state = network.step(path.inputs[step], before)
            assert torch.allclose(forecast, path.forecasts[step], atol=1e-12)
            later = by_layer(tuple(part[step + 1] for part in path.states))
            for layer, layer_later in zip(state, later, strict=True):
                assert all(torch.allclose(a, b, atol=1e-12) for a, b in zip(layer, layer_later, strict=True))


@pytest.mark.parametrize("cell", CELLS)
def test_a_subject_s_rollout_goes_on_from_its_forced_path(cell: str, tmp_path: Path):
    task = calendar_task(tmp_path)
    network = network_of(2, task.data.inputs, cell=cell, layers=2)
    precise, few = in_float64(network, task, FEW)
    wanted, path = free_trajectory(precise, few, 12), Subject(network, task).free(12)
    assert torch.allclose(path.inputs, wanted.inputs, atol=1e-12)
    assert torch.allclose(path.forecasts, wanted.forecasts, atol=1e-12)
    assert all(torch.allclose(a, b, atol=1e-12) for a, b in zip(path.states, wanted.states, strict=True))


def test_without_a_calendar_a_rollout_goes_on_beyond_the_horizon():
    task = sine_task()
    assert free_trajectory(network_of(1, cell="gru"), task, 200).steps == 200


def test_starts_that_are_not_finite_are_left_out():
    network = network_of(3, cell="gru")
    path = free_trajectory(network, lorenz_task(), 20)
    assert path.finite().inputs.shape == (20, STARTS, 3)
    path.states[0][7, 0, 1, 2] = torch.inf
    path.forecasts[3, 2, 0] = torch.nan
    assert path.finite().inputs.shape[1] == STARTS - 2
    path.forecasts[:] = torch.nan
    with pytest.raises(CannotMeasure, match="no start stays finite"):
        path.finite()


def test_a_copy_in_float64_leaves_the_network_alone():
    task = lorenz_task(torch.float32)
    network = network_of(3, cell="lstm").float()
    precise, few = in_float64(network, task, 3)
    assert next(precise.parameters()).dtype == few.channels.dtype == torch.float64
    assert next(network.parameters()).dtype == torch.float32
    assert len(few.starts.truth) == 3 and few.starts.n_eff <= 3
    assert [list(row) for row in few.starts.truth[:, 0]] == [
        list(row) for row in task.starts.truth[[0, 2, 4], 0]
    ]
    assert len(some_starts(task.starts, 99).truth) == STARTS
