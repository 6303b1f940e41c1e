"""Warm-up sweep, swap tests and precision against naive twins and cases whose answer is known."""

import copy
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from sweep.diagnosis.probes.closed_loop import with_some_starts
from sweep.diagnosis.probes.errors import log_spaced, nrmse_by_step_of
from sweep.diagnosis.probes.precision import precision
from sweep.diagnosis.probes.subject import Subject
from sweep.diagnosis.probes.swap import STARTS as SWAP_STARTS
from sweep.diagnosis.probes.swap import resynchronised, swap_test
from sweep.diagnosis.probes.warmup import ENOUGH, SLACK, _from_which_on, warmup_sweep
from sweep.model import CELLS
from sweep.score import Task, forecasts, scores
from sweep.score.rollout import decoded, decoded_one_step, rollout_error_of, traced
from tests.support.probed import (
    HORIZON,
    SHAPES,
    STARTS,
    WARMUP,
    calendar_task,
    lorenz_task,
    network_of,
    sine_task,
)


def test_errors_are_those_of_the_score():
    task = lorenz_task()
    forecast = forecasts(network_of(3, cell="gru"), task)
    result = scores(forecast.rollout, forecast.one_step, task.starts, task.data.targets, task.data.period)
    assert rollout_error_of(task, forecast.rollout) == result.rollout_error
    assert np.sqrt(np.mean(nrmse_by_step_of(task, forecast.rollout) ** 2)) == pytest.approx(result.nrmse)
    assert (
        log_spaced(60) == (1, 2, 5, 10, 20, 50, 60) and log_spaced(1) == (1,) and log_spaced(5) == (1, 2, 5)
    )


@pytest.mark.parametrize("cell", CELLS)
@torch.no_grad()
def test_warm_ups_of_all_lengths_equal_rollouts_one_by_one(cell: str, tmp_path: Path):
    task = calendar_task(tmp_path)
    network = network_of(2, task.data.inputs, cell=cell, layers=2, scale=2.5)
    result = warmup_sweep(Subject(network, task))
    assert result.lengths == (1, 2, 4, 8, 16, 32, WARMUP)
    inputs = task.inputs()
    for length, error in zip(result.lengths, result.errors, strict=True):
        rollouts = []
        for start in range(STARTS):
            warm, state = network(inputs[start : start + 1, WARMUP - length : WARMUP])
            rows = [warm[:, -1]]
            for step in range(HORIZON - 1):
                known = task.known[start : start + 1, WARMUP + 1 + step]
                next_value, state = network(torch.cat([rows[-1], known], dim=1)[:, None], state)
                rows.append(next_value[:, 0])
            rollouts.append(torch.cat(rows))
        assert error == pytest.approx(rollout_error_of(task, decoded(task, torch.stack(rollouts))), abs=1e-9)
    assert result.errors[-1] == pytest.approx(
        rollout_error_of(task, forecasts(network, task).rollout), abs=1e-9
    )
    assert len({round(error, 6) for error in result.errors}) > 3  # the warm-up matters here


def test_enough_is_from_where_on_it_stays_good():
    lengths = [1, 2, 4, 8]
    assert _from_which_on(lengths, [0.9, 0.3, 0.2, 0.2], ENOUGH) == 4
    assert _from_which_on(lengths, [0.2, 0.9, 0.2, 0.2], ENOUGH) == 4
    assert _from_which_on(lengths, [0.2, 0.1, 0.2, 0.2], ENOUGH) == 1
    assert _from_which_on(lengths, [0.5, 0.5, 0.5, 0.2], ENOUGH) == 8
    assert _from_which_on(lengths, [0.9 * SLACK, 1e-9, 1e-6, 1e-9], ENOUGH) == 1
    assert _from_which_on(lengths, [0.5, 0.23, 0.21, 0.2], 1.2) == 2


@pytest.mark.parametrize("shape", SHAPES)
@torch.no_grad()
def test_own_inputs_with_the_true_state_equal_a_naive_loop(shape: str, tmp_path: Path):
    task = calendar_task(tmp_path)
    network = network_of(2, task.data.inputs, **SHAPES[shape])
    inputs = task.inputs()
    _, state = network(inputs[:, :WARMUP])
    _, forced = network.trace(inputs[:, WARMUP:], state)
    curves = resynchronised(network, task, traced(network, task), forced)
    warm = network(inputs[:, :WARMUP])[0][:, -1]
    rows, own, free_state = [warm], warm, state
    for step in range(1, HORIZON):
        known = task.known[:, WARMUP + step]
        fed = torch.cat([own, known], dim=1)[:, None]
        rows.append(network(fed, state)[0][:, 0])  # own input, state of the truth
        forecast, free_state = network(fed, free_state)
        own = forecast[:, 0]
        _, state = network(inputs[:, WARMUP - 1 + step : WARMUP + step], state)
    wanted = decoded_one_step(task, torch.stack(rows, dim=1))
    assert curves == pytest.approx(wanted, abs=1e-9)
    assert curves[:, 0] == pytest.approx(forecasts(network, task).rollout[:, 0])


def test_of_many_starts_some_are_swapped():
    task = sine_task(starts=SWAP_STARTS + 4)
    assert len(task.starts.truth) == SWAP_STARTS + 4
    network = network_of(1, cell="lstm", layers=2, scale=2.0)
    result = asdict(swap_test(Subject(network, task)))
    alone = asdict(swap_test(Subject(network, with_some_starts(task, SWAP_STARTS))))
    fewer = asdict(swap_test(Subject(network, with_some_starts(task, SWAP_STARTS - 1))))
    for curves in (result, alone, fewer):
        curves.update(curves.pop("by_step"))
    assert all(result[name] == pytest.approx(alone[name], rel=1e-9) for name in result)
    assert result["own_input_own_state"] != pytest.approx(fewer["own_input_own_state"], rel=1e-6)


def test_who_is_to_blame():
    task = sine_task()
    network = network_of(1, cell="gru", scale=1.0, readout="value")
    # the readout ignores the state's past: keep = 0 and no recurrence, so all error comes with the input
    weight_ih, weight_hh, bias_ih, _ = network.stack.weights()[0]
    weight_hh.data.zero_()
    bias_ih.data[5:10] = -50.0
    result = swap_test(Subject(network, task))
    assert result.own_input_own_state > result.true_input_true_state
    assert result.true_input_own_state == pytest.approx(result.true_input_true_state)
    assert result.own_input_true_state == pytest.approx(result.own_input_own_state)
    assert result.state_share == pytest.approx(0) and result.input_share == pytest.approx(1)
    # an input that is not looked at: all error comes with the state. Here the rollout is the teacher-forced run
    weight_ih.data.zero_()
    blind = swap_test(Subject(network, task))
    assert blind.state_share is None and blind.input_share is None
    assert set(result.by_step) == {
        name for name in asdict(result) if "input_" in name and name != "input_share"
    }
    assert all(len(curve) == len(result.steps) for curve in result.by_step.values())


def test_the_four_cells_agree_where_they_must():
    task = lorenz_task()
    assert len(task.starts.truth) <= SWAP_STARTS
    result = swap_test(Subject(network_of(3, cell="lstm", layers=2, scale=2.5), task))
    first = [curve[0] for curve in result.by_step.values()]
    assert first == pytest.approx([first[0]] * 4)  # nothing is swapped yet at step 1
    forecast = forecasts(network_of(3, cell="lstm", layers=2, scale=2.5), task)
    assert result.own_input_own_state == pytest.approx(rollout_error_of(task, forecast.rollout), rel=1e-9)
    assert result.true_input_true_state == pytest.approx(rollout_error_of(task, forecast.one_step), rel=1e-9)
    last = [curve[-1] for curve in result.by_step.values()]
    assert len({round(error, 6) for error in last}) == 4


@pytest.mark.parametrize("cell", CELLS)
def test_precision_is_that_of_separate_rollouts(cell: str):
    task = lorenz_task(torch.float32)
    network = network_of(3, cell=cell, scale=2.5).float()
    result = precision(Subject(network, task))
    assert result.float32 == rollout_error_of(task, forecasts(network, task).rollout)
    exact = Task(task.data, task.starts, torch.float64, "cpu")
    double = forecasts(copy.deepcopy(network).double(), exact).rollout
    assert result.float64 == rollout_error_of(task, double)
    assert result.change == result.float64 - result.float32
    assert 0 < result.largest_difference < 0.1 and result.parted_after == HORIZON
    assert next(network.parameters()).dtype == torch.float32


def test_precision_sees_what_rounding_does():
    task = sine_task(dtype=torch.float32)
    network = network_of(1, cell="gru").float()
    for parameter in network.parameters():
        parameter.data.zero_()
    network.linears[0].bias.data.fill_(1e-8)  # of a value of 1, float32 keeps 6e-8: it never moves
    result = precision(Subject(network, task))
    ratio = float(task.data.codec.std[0, 0]) / task.starts.scale.min()
    assert result.largest_difference == pytest.approx(HORIZON * 1e-8 * ratio, rel=0.1)
    broken = copy.deepcopy(network)
    broken.linears[0].bias.data.fill_(torch.nan)
    result = precision(Subject(broken, task))
    assert result.float32 == result.float64 == 1.0 and result.largest_difference == 1e150
    assert result.parted_after == 0
