"""Lyapunov and conditional exponents, wash-out and noise gain: known loops and naive twins."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from sweep.diagnosis.probes.closed_loop import (
    ClosedLoop,
    forced_trajectory,
    free_trajectory,
    with_some_starts,
)
from sweep.diagnosis.probes.driven import driven, washout_steps
from sweep.diagnosis.probes.exponents import growth_exponents
from sweep.diagnosis.probes.lyapunov import lyapunov
from sweep.diagnosis.probes.noise_gain import noise_gain
from sweep.diagnosis.probes.subject import FEW, Subject
from sweep.diagnosis.probes.tangents import jacobians
from sweep.model import CELLS
from tests.support.probed import SHAPES, calendar_task, linear_loop, lorenz_task, network_of, sine_task

ROTATION = np.array([[math.cos(0.3), -math.sin(0.3)], [math.sin(0.3), math.cos(0.3)]])


def matrices(network, path) -> np.ndarray:
    """Jacobians (step, start, D, D) of a path, as full matrices."""
    loop = ClosedLoop(network)
    by_step = []
    for step in range(path.steps):
        flat = loop.flat(tuple(part[step] for part in path.states), path.inputs[step])
        by_step.append(jacobians(network, flat)[1].numpy())
    return np.array(by_step)


def first_tangents(count: int, size: int, seed: int) -> np.ndarray:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, size, generator=generator, dtype=torch.float64).numpy().T


@pytest.mark.parametrize("shape", SHAPES)
def test_exponents_equal_those_of_full_matrices_orthogonalised_at_every_step(shape: str):
    network = network_of(1, **SHAPES[shape])
    path = free_trajectory(network, sine_task(), 203)
    exponents = growth_exponents(network, path, 3, 50, 4, fed=True)
    every = matrices(network, path)
    for start in range(every.shape[1]):
        q = np.linalg.qr(first_tangents(3, every.shape[-1], 4))[0]
        total = np.zeros(3)
        for step in range(203):
            q, r = np.linalg.qr(every[step, start] @ q)
            if step >= 50:
                total += np.log(np.maximum(np.abs(np.diag(r)), 1e-20))
        mean = np.sort(total / 153)[::-1]
        known = mean > -9  # below, a direction is lost within the steps between orthogonalisations
        assert known[0] or "relu" in shape
        assert exponents[start][known] == pytest.approx(mean[known], rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("cell", CELLS)
def test_the_largest_exponent_is_the_growth_of_the_whole_product(cell: str):
    network = network_of(1, cell=cell)
    path = free_trajectory(network, sine_task(), 40)
    largest = growth_exponents(network, path, 1, 0, 4, fed=True)[:, 0]
    for start, steps in enumerate(matrices(network, path).swapaxes(0, 1)):
        first = first_tangents(1, steps.shape[-1], 4)
        grown = np.linalg.multi_dot([*steps[::-1], first]) if len(steps) > 1 else steps[0] @ first
        wanted = math.log(np.linalg.norm(grown) / np.linalg.norm(first)) / 40
        assert float(largest[start]) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("factor", [0.9, 0.97, 1.0, 1.01])
def test_a_linear_loop_has_the_exponents_of_its_eigenvalues(cell: str, factor: float):
    matrix = factor * ROTATION
    network = linear_loop(cell, matrix, size=1e-7)
    task = lorenz_task()
    two = network_of(3, cell=cell)  # only for the width of the data: three channels
    assert two.outputs == 3
    block = np.zeros((3, 3))
    block[:2, :2], block[2, 2] = matrix, 0.6
    result = lyapunov(Subject(linear_loop(cell, block, size=1e-7), task, 1), steps=300)
    assert result.exponents[:3] == pytest.approx([math.log(factor)] * 2 + [math.log(0.6)], abs=2e-3)
    assert max(result.spread[:2]) < 2e-3
    assert result.resolution == pytest.approx(2 / result.steps)
    assert network.outputs == 2


def test_a_loop_of_two_numbers_has_two_exponents():
    result = lyapunov(Subject(network_of(1, cell="gru", hidden=1), sine_task(), 1), steps=200)
    assert len(result.exponents) == len(result.spread) == 2


def test_exponents_per_lyapunov_time():
    task = lorenz_task()
    result = lyapunov(Subject(linear_loop("gru", 0.9 * np.eye(3), size=1e-7), task, 1), steps=200)
    assert task.data.lyapunov_time == pytest.approx(1 / (0.9056 * 0.02), rel=1e-3)
    assert result.per_lyapunov_time is not None
    assert result.per_lyapunov_time[0] == pytest.approx(math.log(0.9) * task.data.lyapunov_time, rel=1e-3)


def test_periods_are_measured_whole_and_a_calendar_limits_the_steps(tmp_path: Path):
    task = sine_task()
    period = task.data.period
    assert period is not None
    result = lyapunov(Subject(network_of(1, cell="lstm"), task), steps=500)
    assert result.steps / period == pytest.approx(round(result.steps / period), abs=0.5 / period)
    assert lyapunov(Subject(network_of(1, cell="lstm"), task), steps=500) == result
    hours = calendar_task(tmp_path)
    limited = lyapunov(Subject(network_of(2, hours.data.inputs, cell="gru"), hours))
    assert limited.steps + limited.burn_in <= hours.horizon - 1
    assert len(limited.exponents) == 3


@pytest.mark.parametrize("cell", CELLS)
def test_a_driven_linear_network_forgets_at_the_rate_it_keeps(cell: str):
    network = linear_loop(cell, 0.9 * np.eye(1), keep=0.8, size=1e-4)
    result = driven(Subject(network, sine_task(warmup=60)))
    assert result.exponent == pytest.approx(math.log(0.8), rel=1e-6)
    assert result.expected_washout == pytest.approx(math.log(1000) / -math.log(0.8), rel=1e-6)
    # the states differ by about their own size at first, so they merge after about ln(1000) / ln(1 / .8) = 31
    assert result.washout is not None and 24 <= result.washout <= 45
    assert result.agreed == 1.0 and result.washout_longest is not None


@pytest.mark.parametrize("cell", CELLS)
@torch.no_grad()
def test_wash_out_equals_two_runs_side_by_side(cell: str):
    task = sine_task()
    network = network_of(1, cell=cell, layers=2, scale=1.2)
    path = forced_trajectory(network, task)
    steps = washout_steps(network, task, path)
    inputs = task.inputs()
    for start in range(len(steps)):
        other = (start - 1) % len(steps)
        _, late = network(inputs[other : other + 1, : task.warmup])
        merged = None
        for step in range(inputs.shape[1], 0, -1):
            one = network(inputs[start : start + 1, :step])[1]
            two = network(inputs[start : start + 1, :step], late)[1]
            apart = math.sqrt(sum(float((a - b).square().sum()) for a, b in zip(one, two, strict=True)))
            if apart > 1e-3 * math.sqrt(sum(float(a.square().sum()) for a in one)):
                break
            merged = step
        assert steps[start] == merged


def test_a_state_that_is_kept_for_ever_never_washes_out():
    network = linear_loop("gru", 0.9 * np.eye(1), keep=1 - 1e-9, size=1e-4)
    result = driven(Subject(network, sine_task()))
    assert result.exponent == pytest.approx(0, abs=1e-6)
    assert result.washout is None and result.washout_longest is None and result.agreed == 0


@pytest.mark.parametrize("cell", CELLS)
def test_gain_of_persistence_and_of_a_linear_loop(cell: str):
    task = sine_task(horizon=150)
    network = network_of(1, cell=cell)
    for parameter in network.parameters():
        parameter.data.zero_()
    assert noise_gain(Subject(network, task)).gain == (1.0, 1.0, 1.0)
    # x' = w s', s' = keep s + a x: the input alone enters by w a = .5, then all decays by .9
    damped = noise_gain(Subject(linear_loop(cell, 0.9 * np.eye(1), keep=0.4, size=1e-6), task))
    assert damped.after == (1, 10, 100)
    assert damped.gain == pytest.approx([0.5 * 0.9**n for n in (0, 9, 99)], rel=1e-5)
    assert damped.largest == pytest.approx(0.5) and damped.largest_after == 1


def test_gain_equals_a_finite_difference(tmp_path: Path):
    task = calendar_task(tmp_path)
    network = network_of(2, task.data.inputs, cell="lstm", layers=2, scale=2.5)
    gain = noise_gain(Subject(network, task))
    assert gain.after == (1, 10)  # the calendar ends before 100
    task = with_some_starts(task, FEW)
    inputs, steps = task.inputs(), 10
    with torch.no_grad():
        warm, state = network(inputs[:, : task.warmup])
        first, known = warm[:, -1], task.known[:, task.warmup + 1 :][:, :steps]
        squares = []
        for channel in range(2):
            push = torch.zeros(2, dtype=torch.float64)
            push[channel] = 1e-6
            up, _ = network.run_free(first + push, state, known)
            down, _ = network.run_free(first - push, state, known)
            squares.append(((up - down) / 2e-6)[:, -1].square().sum(dim=1))
    assert gain.gain[1] == pytest.approx(math.sqrt(float(torch.cat(squares).mean())), rel=1e-6)
