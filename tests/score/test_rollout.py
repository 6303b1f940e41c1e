"""Rollouts against naive loops: one start at a time, the whole history run again at every step."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from sweep.config.data_section import DataConfig
from sweep.config.sections import ModelConfig, ScoreConfig
from sweep.data import Data, Starts, load
from sweep.model import Forecaster
from sweep.score import Task, forecasts, swapped, traced
from sweep.trial.process import trial_process

WARMUP, HORIZON, STARTS = 12, 15, 3
SCORE = ScoreConfig(warmup=WARMUP, horizon=HORIZON, starts=STARTS)


@pytest.fixture(scope="module", autouse=True)
def as_in_a_trial() -> Iterator[None]:
    """Compute in the state of torch that trials have."""
    with trial_process():
        yield


@pytest.fixture(scope="module")
def csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two channels, hourly, positive, with a trend and a daily rhythm."""
    time = np.arange(400)
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "ds": pd.date_range("2024-01-01", periods=400, freq="h"),
            "y": 5 + 0.01 * time + np.sin(2 * np.pi * time / 24) + 0.1 * rng.standard_normal(400),
            "z": 9 + np.cos(2 * np.pi * time / 24) + 0.1 * rng.standard_normal(400),
        }
    )
    path = tmp_path_factory.mktemp("rollout") / "hours.csv"
    frame.to_csv(path, index=False)
    return path


CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "difference": {"transforms": ("difference",)},
    "seasonal": {"transforms": ("log", "seasonal_difference", "difference"), "season": 24},
    "calendar": {"calendar": ("time_of_day", "time_of_year")},
    "both": {"transforms": ("difference",), "calendar": ("time_of_day",)},
}


@pytest.fixture(scope="module", params=CASES, ids=str)
def case(request: pytest.FixtureRequest, csv: Path) -> tuple[Data, Starts]:
    data = load(DataConfig(path=str(csv), **CASES[request.param]), SCORE)
    return data, data.validation


def network_for(data: Data, cell: str, readout: str = "increment") -> Forecaster:
    """A network with weights large enough for its state to matter."""
    config = ModelConfig(cell=cell, hidden=6, layers=2, readout=readout)
    network = Forecaster(config, data.inputs, len(data.channels)).initialise(1).double()
    for parameter in network.parameters():
        parameter.data.mul_(1.5)
    return network


def encoded(data: Data, starts: Starts, start: int) -> np.ndarray:
    """Past and truth of one start in model units; row t is time t of the warm-up and horizon."""
    whole = np.concatenate([starts.past[start], starts.truth[start]])[None]
    return data.codec.encode(whole, starts.series[start : start + 1])[0]


def last_forecast(network: Forecaster, history: np.ndarray) -> np.ndarray:
    """What the network says after a history of inputs (time, input), from a state of zeros."""
    with torch.no_grad():
        return network(torch.as_tensor(history)[None])[0][0, -1].numpy()


def naive(network: Forecaster, data: Data, starts: Starts, start: int) -> tuple[np.ndarray, ...]:
    """Rollout, one-step and swapped forecasts of one start, (step, channel), model units."""
    values, known = encoded(data, starts, start), starts.known[start]

    def row(channels: np.ndarray, time: int) -> np.ndarray:
        return np.concatenate([channels, known[time]])  # the values of time - 1, the known inputs of time

    true = [row(values[time - 1], time) for time in range(1, WARMUP + HORIZON)]  # forecasts times 1, 2, ...
    one_step = [last_forecast(network, np.array(true[:time])) for time in range(WARMUP, WARMUP + HORIZON)]
    own, swap, history = [], [], list(true[:WARMUP])
    for time in range(WARMUP, WARMUP + HORIZON):
        if own:
            swap.append(last_forecast(network, np.array([*history, true[time - 1]])))
            history.append(row(own[-1], time))
        own.append(last_forecast(network, np.array(history)))
        if len(own) == 1:
            swap.append(own[0])
    return np.array(own), np.array(one_step), np.array(swap)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_rollouts_equal_naive_loops(cell: str, case: tuple[Data, Starts]):
    data, starts = case
    network = network_for(data, cell)
    task = Task(data, starts, torch.float64, "cpu")
    forecast, swap = forecasts(network, task), swapped(network, task, traced(network, task))
    assert forecast.rollout.shape == starts.truth.shape and len(starts.truth) > 1
    for start in range(len(starts.truth)):
        one = slice(start, start + 1)
        past, truth, series = starts.past[one], starts.truth[one], starts.series[one]
        own, one_step, exchanged = naive(network, data, starts, start)
        decoded = data.codec.decode(own[None], past, series)[0]
        assert np.allclose(forecast.rollout[start], decoded, rtol=0, atol=1e-10)
        decoded = data.codec.decode_one_step(one_step[None], past, truth, series)[0]
        assert np.allclose(forecast.one_step[start], decoded, rtol=0, atol=1e-10)
        decoded = data.codec.decode_one_step(exchanged[None], past, truth, series)[0]
        assert np.allclose(swap[start], decoded, rtol=0, atol=1e-10)
    # the three differ, so each test can fail
    assert not np.allclose(forecast.rollout, forecast.one_step, atol=1e-3)
    assert not np.allclose(swap, forecast.one_step, atol=1e-4)
    assert not np.allclose(swap, forecast.rollout, atol=1e-3)
    assert np.allclose(forecast.rollout[:, 0], forecast.one_step[:, 0]) and np.allclose(
        swap[:, 0], forecast.rollout[:, 0]
    )


def test_a_rollout_sees_no_truth(case: tuple[Data, Starts]):
    data, starts = case
    network = network_for(data, "lstm")
    before = forecasts(network, Task(data, starts, torch.float64, "cpu"))
    truth = starts.truth.copy()
    truth[:, 4:] *= 1.1
    changed = Starts(**{**vars(starts), "truth": truth})
    after = forecasts(network, Task(data, changed, torch.float64, "cpu"))
    assert np.array_equal(before.rollout, after.rollout)
    assert np.array_equal(before.one_step[:, :4], after.one_step[:, :4])  # steps before the change
    assert not np.allclose(before.one_step[:, 5], after.one_step[:, 5])


def test_the_warm_up_matters_and_reaches_back_to_its_first_step(csv: Path):
    data = load(DataConfig(path=str(csv)), SCORE)
    network = network_for(data, "lstm")
    before = forecasts(network, Task(data, data.validation, torch.float64, "cpu")).rollout
    past = data.validation.past.copy()
    past[:, 0] += 5.0
    changed = Starts(**{**vars(data.validation), "past": past})
    after = forecasts(network, Task(data, changed, torch.float64, "cpu")).rollout
    assert not np.array_equal(before, after)


def test_persistence_by_hand(csv: Path):
    # a network of zeros with an increment readout repeats the last value; with differences, the last slope
    for transforms, order in (((), 0), (("difference",), 1)):
        data = load(DataConfig(path=str(csv), transforms=transforms), SCORE)
        network = network_for(data, "gru")
        for parameter in network.parameters():
            parameter.data.zero_()
        starts = data.validation
        forecast = forecasts(network, Task(data, starts, torch.float64, "cpu"))
        slope = order * (starts.past[:, -1] - starts.past[:, -2])
        steps = np.arange(1, HORIZON + 1)[None, :, None]
        assert np.allclose(forecast.rollout, starts.past[:, -1:] + steps * slope[:, None], atol=1e-10)
        before = np.concatenate([starts.past[:, -2:], starts.truth], axis=1)
        expected = before[:, 1:-1] + order * (before[:, 1:-1] - before[:, :-2])
        assert np.allclose(forecast.one_step, expected, atol=1e-10)


def test_what_is_not_finite_stays_and_disturbs_no_other_start(csv: Path):
    data = load(DataConfig(path=str(csv), transforms=("difference",)), SCORE)
    network = network_for(data, "lstm", readout="value")
    for parameter in network.parameters():
        parameter.data.fill_(float("nan"))
    forecast = forecasts(network, Task(data, data.validation, torch.float64, "cpu"))
    assert np.isnan(forecast.rollout).all() and np.isnan(forecast.one_step).all()


def test_rolling_out_leaves_the_network_alone(csv: Path):
    data = load(DataConfig(path=str(csv)), SCORE)
    network = network_for(data, "lstm")
    before = {name: value.clone() for name, value in network.state_dict().items()}
    task = Task(data, data.validation, torch.float64, "cpu")
    one, two = forecasts(network, task), forecasts(network, task)
    assert np.array_equal(one.rollout, two.rollout)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
