"""The readout in closed form: known solutions, a naive twin, and that it is never worse."""

import copy
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from sweep.config.data_section import DataConfig
from sweep.config.sections import ModelConfig, ScoreConfig
from sweep.data import load
from sweep.model import Forecaster
from sweep.score import BASELINES, Task, forecasts, scores
from sweep.score.baselines import random_readout
from sweep.score.baselines.autoregression import validation_error
from sweep.score.baselines.simple import CannotServe
from sweep.score.ridge_readout import RIDGES, _pieces, refit_readout, refitted, regression

SHAPES = {
    "lstm": {"cell": "lstm", "layers": 2},
    "gru": {"cell": "gru"},
    "lstm, value": {"cell": "lstm", "readout": "value"},
    "gru, value": {"cell": "gru", "layers": 2, "readout": "value"},
    "lstm, head": {"cell": "lstm", "head": (9, 7)},
    "gru, tanh head": {"cell": "gru", "head": (8,), "head_activation": "tanh", "readout": "value"},
}


@pytest.fixture(scope="module", params=["sine", "lorenz", "calendar"])
def task(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Task:
    score = ScoreConfig(warmup=60, horizon=50, starts=4)
    if request.param == "sine":
        data = load(DataConfig(source="sine", options={"T": 3, "length": 300, "series": 6}), score, Path())
    elif request.param == "lorenz":
        options = {"train": 900, "validation": 500, "test": 500}
        data = load(DataConfig(source="lorenz", options=options), score, Path())
    else:
        rng, time = np.random.default_rng(0), np.arange(1000)
        stamps = np.datetime64("2024-01-01T00", "h") + time
        waves = 5 + np.sin(2 * np.pi * time / 24) + 0.1 * rng.standard_normal(1000)
        path = tmp_path_factory.mktemp("refit") / "hours.csv"
        path.write_text("time,y\n" + "\n".join(f"{a},{b}" for a, b in zip(stamps, waves, strict=True)))
        config = DataConfig(path=str(path), time_column="time", calendar=("time_of_day",))
        data = load(config, score, Path())
    return Task(data, data.validation, torch.float64, "cpu")


def network_for(task: Task, seed: int = 0, **config) -> Forecaster:
    made = Forecaster(
        ModelConfig(**{"hidden": 8, "layers": 1, **config}), task.data.inputs, len(task.data.channels)
    )
    return made.initialise(seed).double()


def before_last(network: Forecaster, hidden: torch.Tensor) -> torch.Tensor:
    for linear in network.linears[:-1]:
        hidden = network.activation(linear(hidden))
    return hidden


def naive_rows(network: Forecaster, task: Task) -> tuple[np.ndarray, np.ndarray]:
    """Activations and goals, one training series at a time, one step at a time."""
    rows, goals = [], []
    for washout, inputs, targets in _pieces(task.data, task.warmup, torch.device("cpu")):
        for piece, after in zip(inputs, targets, strict=True):
            state = None
            for step in range(len(piece)):
                _, state = network(piece[None, step : step + 1], state)
                if step >= washout:
                    rows.append(before_last(network, state[0][-1, 0]).numpy())
                    now = piece[step, : network.outputs]
                    goals.append((after[step] - now if network.increment else after[step]).numpy())
    return np.array(rows), np.array(goals)


@pytest.mark.parametrize("shape", SHAPES)
@torch.no_grad()
def test_weights_are_those_of_ridge_regression(shape: str, task: Task):
    network = network_for(task, **SHAPES[shape])
    rows, goals = naive_rows(network, task)
    fit = regression(network, task.data, task.warmup)
    assert fit.rows == len(rows)
    features = np.concatenate([np.ones((len(rows), 1)), rows], axis=1)
    for ridge in (1e-3, 0.1):
        punished = ridge * len(rows) * np.eye(features.shape[1])
        punished[0, 0] = 0
        wanted = np.linalg.solve(features.T @ features + punished, features.T @ goals)
        assert fit.solve(ridge).numpy() == pytest.approx(wanted, rel=1e-6, abs=1e-9)
        made = refitted(network, fit, ridge).linears[-1]
        assert made.bias.numpy() == pytest.approx(wanted[0], rel=1e-6, abs=1e-9)
        assert made.weight.numpy() == pytest.approx(wanted[1:].T, rel=1e-6, abs=1e-9)


def test_pieces_cover_every_step_after_the_wash_out_once(task: Task):
    data, channels = task.data, len(task.data.channels)
    seen = []
    for washout, inputs, targets in _pieces(data, task.warmup, torch.device("cpu")):
        assert inputs.shape[:2] == targets.shape[:2] and washout == 60
        assert torch.equal(inputs[:, 1:, :channels], targets[:, :-1])
        seen += [row.tobytes() for row in targets[:, washout:].flatten(0, 1).numpy()]
        for piece in inputs:  # the known inputs of the time that is forecast
            for series, known in zip(data.train, data.train_known, strict=True):
                where = np.flatnonzero((series[:-1] == piece[0, :channels].numpy()).all(axis=1))
                for first in where:
                    if np.array_equal(series[first : first + len(piece)], piece[:, :channels].numpy()):
                        rows = known[first + 1 : first + 1 + len(piece)]
                        assert np.array_equal(piece[:, channels:].numpy(), rows)
    wanted = [row.tobytes() for series in data.train for row in np.ascontiguousarray(series[61:])]
    assert sorted(seen) == sorted(wanted) and len(wanted) > 500


@pytest.mark.parametrize("shape", SHAPES)
def test_an_exactly_linear_readout_is_recovered(shape: str, task: Task):
    # data made by another readout of the same states cannot be had in closed loop; here the goals are made linear
    network = network_for(task, **SHAPES[shape])
    fit = regression(network, task.data, task.warmup)
    width = len(fit.triangle) - fit.channels
    weights = torch.randn(
        width, fit.channels, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
    )
    fit.triangle[:width, width:] = fit.triangle[:width, :width] @ weights
    fitted = fit.triangle[:width, :width] @ fit.solve(1e-14)
    assert torch.allclose(fitted, fit.triangle[:width, width:], rtol=0, atol=1e-4)
    assert torch.allclose(
        fit.solve(1e9)[1:], torch.zeros(()).double(), atol=1e-4
    )  # all but the bias is punished


@pytest.mark.parametrize("shape", SHAPES)
def test_the_best_candidate_wins_and_raw_is_one_of_them(shape: str, task: Task):
    network = network_for(task, **SHAPES[shape])
    before = {name: value.clone() for name, value in network.state_dict().items()}
    refit = refit_readout(network, task)
    assert refit.error <= refit.raw_error and len(refit.errors) == len(RIDGES)
    assert refit.error == min(refit.raw_error, *refit.errors)

    def error(one: Forecaster) -> float:
        forecast = forecasts(one, task)
        return scores(
            forecast.rollout, forecast.one_step, task.starts, task.data.targets, task.data.period
        ).rollout_error

    assert error(network) == pytest.approx(refit.raw_error, abs=1e-12)
    assert error(refit.network) == pytest.approx(refit.error, abs=1e-6)
    fit = regression(network, task.data, task.warmup)
    for ridge, value in zip(RIDGES[3:], refit.errors[3:], strict=True):
        assert error(refitted(network, fit, ridge)) == pytest.approx(value, abs=1e-4)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert all(  # the recurrent part is kept
        torch.equal(value, before[name])
        for name, value in refit.network.state_dict().items()
        if not name.startswith(f"head.{len(network.head) - 1}")
    )
    again = refit_readout(network, task)
    assert again.errors == refit.errors and again.ridge == refit.ridge


def test_a_sine_is_learnt_without_training():
    data = load(DataConfig(source="sine"), ScoreConfig(warmup=200, horizon=300, starts=4), Path())
    task = Task(data, data.validation, torch.float32, "cpu")
    network = Forecaster(ModelConfig(cell="gru", hidden=24, layers=1), 1, 1).initialise(5)
    refit = refit_readout(network, task)
    assert refit.raw_error > 0.5 and refit.error < 0.01
    assert refit.ridge is not None and next(refit.network.parameters()).dtype == torch.float32
    # a network that is already right keeps its readout unless another is better still
    better = refit_readout(refit.network, task)
    assert better.error <= refit.error


def test_a_readout_that_is_best_is_kept(task: Task):
    network = network_for(task, cell="gru")
    refit = refit_readout(network, task, ridges=(1e12,))  # a constant increment
    kept = refit.raw_error <= refit.errors[0]
    assert (refit.ridge is None) == kept
    good = refit_readout(network, task).network
    same = refit_readout(good, task, ridges=(1e12,))
    assert same.ridge is None and same.error == same.raw_error < same.errors[0]
    assert same.network is not good
    weights = zip(same.network.parameters(), good.parameters(), strict=True)
    assert all(torch.equal(one, two) for one, two in weights)


def test_what_has_no_closed_form_is_refused(task: Task):
    with pytest.raises(CannotServe, match="ReLU"):
        refit_readout(network_for(task, output_activation="relu"), task)
    wide = network_for(task, hidden=450)
    with pytest.raises(CannotServe, match="too few"):
        refit_readout(wide, task)
    broken = copy.deepcopy(network_for(task))
    broken.stack.weights()[0][0].data.fill_(math.nan)
    with pytest.raises(CannotServe, match="not finite"):
        refit_readout(broken, task)


# --- the baseline


@pytest.fixture
def two_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random_readout, "NETWORKS", (("lstm", 0), ("gru", 1)))
    monkeypatch.setattr(random_readout, "HIDDEN", 16)


def test_the_baseline_is_an_untrained_network_with_a_refit(task: Task, two_networks: None):
    data, starts = task.data, task.starts
    settings = BASELINES["random_readout"].choose(data)
    made = BASELINES["random_readout"].fit(data, settings)(starts, task.horizon)
    results = {}
    for cell, seed in random_readout.NETWORKS:
        config = ModelConfig(cell=cell, hidden=16, layers=1)
        network = Forecaster(config, data.inputs, len(data.channels)).initialise(seed).double()
        fit = regression(network, data, task.warmup)
        for ridge in RIDGES:
            rollout = forecasts(refitted(network, fit, ridge), task).rollout
            results[(cell, seed, ridge)] = (validation_error(data, rollout), rollout)
    error, rollout = results[(settings["cell"], settings["seed"], settings["ridge"])]
    assert error == pytest.approx(min(value for value, _ in results.values()), abs=1e-6)
    steps = 10  # later, rounding may have grown
    assert made[:, :steps] == pytest.approx(rollout[:, :steps], rel=1e-4, abs=1e-4)
    assert settings["hidden"] == 16 and json.loads(json.dumps(settings)) == settings


def test_the_baseline_leaves_random_state_and_threads_alone(task: Task, two_networks: None):
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    try:
        BASELINES["random_readout"].forecast(task.data, task.starts, 5)
        assert torch.equal(torch.get_rng_state(), before) and torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
