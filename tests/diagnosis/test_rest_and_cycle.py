"""Fixed points and cycle locking: loops whose rest, multiplier and period are known."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sweep.diagnosis.probes.closed_loop import CannotMeasure, ClosedLoop
from sweep.diagnosis.probes.cycle import cycle, return_distances
from sweep.diagnosis.probes.fixed_points import RESIDUAL, fixed_points, newton
from sweep.diagnosis.probes.subject import Subject
from sweep.model import CELLS
from sweep.score import Task
from tests.support.probed import calendar_task, linear_loop, lorenz_task, network_of, sine_task


def turning(angle: float, factor: float = 1.0, third: float = 0.3) -> np.ndarray:
    """Three channels: the first two turn by an angle per step, the third dies out."""
    matrix = np.diag([0.0, 0.0, third])
    matrix[:2, :2] = [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    matrix[:2, :2] *= factor
    return matrix


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("factor", [0.8, 0.99, 1.02])
def test_the_rest_of_a_linear_loop_and_how_it_is_left(cell: str, factor: float):
    network = linear_loop(cell, turning(2 * math.pi / 25, factor), size=1e-6)
    rest = fixed_points(Subject(network, lorenz_task()))
    assert len(rest.points) == 1 and rest.unfinished == 0
    point = rest.points[0]
    assert point.value == pytest.approx([0, 0, 0], abs=1e-6)
    assert point.radius == pytest.approx(factor, rel=1e-6)
    assert point.period == pytest.approx(25, rel=1e-6)
    assert point.unstable == (2 if factor > 1 else 0)
    assert rest.stable == (0 if factor > 1 else 1)
    assert rest.attracted == (1.0 if factor == 0.8 else 0.0)
    assert point.residual < 1e-9 and point.beyond_data == 0


@pytest.mark.parametrize("cell", CELLS)
def test_a_rest_elsewhere_and_a_real_multiplier(cell: str):
    network = linear_loop(cell, 0.9 * np.eye(1), keep=0.4, size=1e-6)
    network.linears[0].bias.data.fill_(1.5)
    task = sine_task()
    point = fixed_points(Subject(network, task)).points[0]
    # x = w s + b and s (1 - keep) = a x with keep + w a = .9: x = b (1 - keep) / (1 - .9)
    assert point.value == pytest.approx([1.5 * 0.6 / 0.1], rel=1e-6)
    assert point.radius == pytest.approx(0.9, rel=1e-6) and point.period is None
    low, high = (f(np.concatenate(task.data.train)) for f in (np.min, np.max))
    assert point.beyond_data == pytest.approx((9.0 - high) / (high - low), rel=1e-6)


@pytest.mark.parametrize(
    "shape", [{"cell": "lstm", "layers": 2}, {"cell": "gru", "head": (6,), "readout": "value"}]
)
def test_fixed_points_are_where_the_map_stands_still(shape: dict):
    network = network_of(1, scale=1.2, **shape)
    loop = ClosedLoop(network)
    flat = torch.randn(12, loop.size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    ended, residual = newton(network, flat)
    good = residual < RESIDUAL
    assert good.any()
    with torch.no_grad():
        assert torch.allclose(loop(ended[good]), ended[good], rtol=0, atol=1e-8)
        worse = (loop(flat) - flat).norm(dim=1)
    assert (residual <= worse).all()


def test_a_map_without_rest_has_no_fixed_point():
    network = network_of(1, cell="gru")
    for parameter in network.parameters():
        parameter.data.zero_()
    network.linears[0].bias.data.fill_(0.1)  # x[t + 1] = x[t] + .1
    rest = fixed_points(Subject(network, sine_task()))
    assert rest.points == () and rest.unfinished == rest.tried > 0
    assert rest.attracted == 0 and rest.stable == 0


def test_known_inputs_are_refused(tmp_path: Path):
    task = calendar_task(tmp_path)
    network = network_of(2, task.data.inputs, cell="gru")
    for probe in (fixed_points, cycle):
        with pytest.raises(CannotMeasure, match="known inputs"):
            probe(Subject(network, task))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    ("period", "lock", "turns"), [(25.0, 25, 1), (12.5, 25, 2), (25 + 1 / math.pi, None, None)]
)
def test_cycles_of_whole_and_other_periods(cell: str, period: float, lock: int | None, turns: int | None):
    network = linear_loop(cell, turning(2 * math.pi / period), size=1e-7)
    result = cycle(Subject(network, lorenz_task(horizon=150)))
    assert result.period == pytest.approx(period, rel=0.01)
    assert result.locked_steps == lock and result.locked_turns == turns
    assert result.locked == (1.0 if lock else 0.0) and result.resting == 0
    assert result.amplitude > 0.01 and result.steps == 300


def test_a_rollout_that_dies_is_at_rest_and_not_locked():
    result = cycle(Subject(linear_loop("gru", 0.8 * np.eye(1)), sine_task()))
    assert result.resting == 1.0 and result.locked == 0 and result.locked_steps is None
    assert result.period is None and result.return_distance == () and result.amplitude < 1e-4


def test_return_distances_of_a_sine():
    tail = np.sin(2 * np.pi * np.arange(400) / 16)[:, None]
    distances = return_distances(tail)
    assert distances[15] == pytest.approx(0, abs=1e-12) and distances[7] == pytest.approx(2, rel=0.01)
    assert distances[3] == pytest.approx(math.sqrt(2), rel=0.01)  # a quarter of a turn


def test_a_frequency_error_is_measured_against_the_datas_period():
    task = lorenz_task(horizon=150)
    data = replace(task.data, period=26.0)
    known = Task(data, task.starts, torch.float64, "cpu")
    result = cycle(Subject(linear_loop("gru", turning(2 * math.pi / 25), size=1e-7), known))
    assert result.frequency_error == pytest.approx(26 / 25 - 1, abs=0.003)
    # at lags 26 and 52 +- 2 % (25, 50 and more among them), the cycle of 25 steps comes back
    assert result.return_distance[:2] == pytest.approx((0, 0), abs=1e-6)


def test_return_distances_weigh_channels_in_their_own_size():
    tail = np.random.default_rng(0).standard_normal((60, 2)) * [1.0, 1e6]
    distances = return_distances(tail)
    scaled = tail / tail.std(axis=0)
    for lag in (1, 17, 30):
        assert distances[lag - 1] == pytest.approx(
            np.sqrt(np.mean((scaled[lag : lag + 30] - scaled[:30]) ** 2))
        )
    assert len(distances) == 30
