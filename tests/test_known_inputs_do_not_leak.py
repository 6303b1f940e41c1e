"""An input from outside acts on the forecast of its own time and of later times, and on no earlier one.

The step that forecasts time t sees the channels up to t - 1 and the inputs up to t. In each test the input of one time
is changed: every forecast before that time keeps its bits, the forecast of that time changes. Networks without
feedback, which see the inputs alone, pass the same tests.
"""

import importlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from sweep.config.data_section import DataConfig
from sweep.config.sections import ModelConfig, ScoreConfig
from sweep.data import Data, load, window_source
from sweep.diagnosis.probes import Subject
from sweep.diagnosis.probes.closed_loop import CannotMeasure, forced_trajectory, free_trajectory
from sweep.diagnosis.probes.known_probes import PROBES
from sweep.diagnosis.probes.swap import resynchronised
from sweep.model import Forecaster, engine
from sweep.model.native.library import instruction_sets
from sweep.score import Task, forecasts, swapped, traced
from sweep.score.baselines.echo_state import echo_state_network
from sweep.score.baselines.random_readout import random_readout
from sweep.score.ridge_readout import regression
from sweep.train.projection import Projection

WARMUP, HORIZON, SAMPLES = 12, 16, 400
ENGINES = ("torch", f"native-{instruction_sets()[-1]}")
FEEDBACK = {"fed back": True, "inputs alone": False}
STEPS = (0, 1, 7, HORIZON - 1)  # of the horizon, whose input is changed
Array = np.ndarray


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    folder = tmp_path_factory.mktemp("driven")
    rng = np.random.default_rng(0)
    u, y = rng.normal(size=SAMPLES), np.zeros(SAMPLES)
    for t in range(1, SAMPLES):
        y[t] = 0.8 * y[t - 1] + u[t] + 0.1 * rng.normal()
    times = pd.date_range("2024-01-01", periods=SAMPLES, freq="h")
    pd.DataFrame({"ds": times, "y": y, "u": u}).to_csv(folder / "driven.csv", index=False)
    config = DataConfig(
        path="driven.csv", known=("u",), calendar=("time_of_day",), transforms=("difference",)
    )
    return load(config, ScoreConfig(warmup=WARMUP, horizon=HORIZON, starts=3), folder)


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=FEEDBACK)
def network(request: pytest.FixtureRequest, engine_name: str, data: Data) -> Forecaster:
    config = ModelConfig(cell="lstm", hidden=5, layers=2, feedback=FEEDBACK[request.param])
    made = Forecaster(config, data.inputs, 1, engine(engine_name)).initialise(1).double()
    for parameter in made.parameters():
        parameter.data.mul_(1.5)
    return made


def validation(data: Data, step: int | None = None) -> Task:
    """Return the validation task; with a step of the horizon, that step's input is another one."""
    known = data.validation.known.copy()
    if step is not None:
        known[:, WARMUP + step, -1] += 2.0
    return Task(data, replace(data.validation, known=known), torch.float64, "cpu")


def assert_acts_from(step: int, before: Any, after: Any) -> None:
    """Fail unless (start, step, channel) arrays agree before a step and differ in every start at that step."""
    before, after = np.asarray(before), np.asarray(after)
    np.testing.assert_array_equal(before[:, :step], after[:, :step])
    assert (before[:, step] != after[:, step]).all()


FORECASTS: dict[str, Callable[[Forecaster, Task], Array]] = {
    "rollout": lambda network, task: forecasts(network, task).rollout,
    "one step": lambda network, task: forecasts(network, task).one_step,
    "traced rollout": lambda network, task: traced(network, task).free.numpy(),
    "swapped": lambda network, task: swapped(network, task, traced(network, task)),
    "resynchronised": lambda network, task: _resynchronised(network, task),
}


def _resynchronised(network: Forecaster, task: Task) -> Array:
    rollout = traced(network, task)
    _, states = network.trace(task.inputs()[:, task.warmup :], rollout.first)
    return resynchronised(network, task, rollout, states)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", FORECASTS)
def test_forecasts(kind: str, step: int, network: Forecaster, data: Data):
    with torch.no_grad():
        results = [FORECASTS[kind](network, validation(data, changed)) for changed in (None, step)]
    assert_acts_from(step, *results)


@pytest.mark.parametrize("step", STEPS[1:])
def test_trajectories_of_probes(step: int, network: Forecaster, data: Data):
    tasks = validation(data), validation(data, step)
    free = [free_trajectory(network, task, HORIZON - 1).forecasts.transpose(0, 1) for task in tasks]
    assert_acts_from(step - 1, *free)  # the first forecast is that of step 1
    forced = [forced_trajectory(network, task).forecasts.transpose(0, 1) for task in tasks]
    assert_acts_from(WARMUP + step - 1, *forced)  # the first forecast is that of time 1


SCORED = {  # what a probe scores, by the module in which it does
    "swap_test": "sweep.diagnosis.probes.swap",
    "warmup_sweep": "sweep.diagnosis.probes.warmup",
    "training_fit": "sweep.diagnosis.probes.training_fit",
    "precision": "sweep.diagnosis.probes.precision",
    "readout_refit": "sweep.score.ridge_readout",
}


@pytest.mark.parametrize("probe", SCORED)
def test_rollouts_of_probes(probe: str, network: Forecaster, data: Data, monkeypatch: pytest.MonkeyPatch):
    step, module = 7, importlib.import_module(SCORED[probe])
    score, seen = module.rollout_error_of, []

    def recorded(task: Task, forecast: Array) -> float:
        seen.append((task.starts.position[0], forecast.copy()))
        return float(score(task, forecast))

    monkeypatch.setattr(module, "rollout_error_of", recorded)
    if probe == "swap_test" and not network.feedback:
        with pytest.raises(CannotMeasure, match="without feedback"):
            PROBES[probe].measure(Subject(network, validation(data)))
        return
    PROBES[probe].measure(Subject(network, validation(data)))
    before, seen[:] = seen.copy(), []
    PROBES[probe].measure(Subject(network, validation(data, step)))
    assert len(before) == len(seen) >= 2
    changed = 0
    for (position, first), (_, second) in zip(before, seen, strict=True):
        if position in data.validation.position:
            assert_acts_from(step, first, second)
            changed += 1
        else:  # starts within the training data
            np.testing.assert_array_equal(first, second)
    assert changed >= 1 and (probe == "training_fit") == (changed < len(seen))


def with_training_input(data: Data, time: int | None) -> Data:
    """Return data whose input at a time of the training series is another one."""
    (known,) = data.train_known
    known = known.copy()
    if time is not None:
        known[time, -1] += 2.0
    return replace(data, train_known=(known,))


WINDOW, COUNTED = 9, 5  # steps of a window, and the first of them whose errors count below
BEGINS = (30, 35, 40)  # of windows; their first steps forecast times 31 ... 45
FIRST, LAST = BEGINS[0] + 1, BEGINS[-1] + COUNTED


def window(data: Data, time: int | None, steps: int = WINDOW) -> tuple[torch.Tensor, torch.Tensor]:
    source = window_source(with_training_input(data, time), steps)
    inputs, targets = source.batch(np.array([[0, begin] for begin in BEGINS]))
    return torch.tensor(inputs), torch.tensor(targets)


def gradients(network: Forecaster) -> list[torch.Tensor]:
    return [parameter.grad.clone() for parameter in network.parameters()]


def first_loss(network: Forecaster, data: Data, time: int | None) -> list[torch.Tensor]:
    """Return the loss of the first steps of a window and its gradient."""
    network.zero_grad()
    inputs, targets = window(data, time)
    loss = (network(inputs)[0] - targets)[:, :COUNTED].square().mean()
    loss.backward()
    return [loss.detach(), *gradients(network)]


def window_loss(free: int) -> Callable[[Forecaster, Data, int | None], list[torch.Tensor]]:
    """Return the function of a whole short window's loss and gradient, as training computes them."""

    def loss(network: Forecaster, data: Data, time: int | None) -> list[torch.Tensor]:
        for parameter in network.parameters():
            parameter.grad = torch.zeros_like(parameter)
        value = network.loss_gradient(0, free)(*window(data, time, COUNTED), 1.0)
        return [torch.tensor(value), *gradients(network)]

    return loss


def projected_loss(network: Forecaster, data: Data, time: int | None) -> list[torch.Tensor]:
    """Return the loss of variable projection over a window, and its gradient."""
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    inputs, targets = window(data, time, COUNTED)
    value = Projection(network, 0, 1e-3).loss(lambda _: iter([(inputs, targets)]), len(BEGINS), COUNTED)
    return [torch.tensor(value), *gradients(network)]


LOSSES = {
    "first steps": first_loss,
    "teacher-forced": window_loss(0),
    "free-running": window_loss(3),
    "variable projection": projected_loss,
}


@pytest.mark.parametrize("kind", LOSSES)
def test_training_losses(kind: str, network: Forecaster, data: Data):
    plain, own, later, earlier = (LOSSES[kind](network, data, t) for t in (None, LAST, LAST + 1, FIRST - 1))
    assert all(map(torch.equal, plain, later))
    assert all(map(torch.equal, plain, earlier))
    assert not torch.equal(plain[0], own[0])
    assert not torch.equal(
        torch.cat([g.flatten() for g in plain[1:]]), torch.cat([g.flatten() for g in own[1:]])
    )


@pytest.mark.parametrize("time", [0, 1, 50, -1])
def test_the_regression_of_a_closed_form_readout(
    time: int, network: Forecaster, data: Data, monkeypatch: pytest.MonkeyPatch
):
    compute, seen = Forecaster.activations, []

    def recorded(self: Forecaster, inputs: torch.Tensor) -> torch.Tensor:
        seen.append(inputs)
        return compute(self, inputs)

    monkeypatch.setattr(Forecaster, "activations", recorded)
    time %= len(data.train[0])
    plain, changed = (
        regression(network, with_training_input(data, one), WARMUP).triangle for one in (None, time)
    )
    before, after = seen  # (1, time, input): the row that forecasts time t is row t - 1
    rows = torch.nonzero((before != after).any(dim=2)[0]).flatten().tolist()
    assert rows == ([time - 1] if time else [])
    assert torch.equal(plain, changed) == (not time)


@pytest.mark.parametrize("step", STEPS)
def test_the_baseline_of_an_echo_state_network(step: int, data: Data):
    settings = {
        "units": 20,
        "spectral_radius": 0.9,
        "leak": 0.6,
        "input_scaling": 0.3,
        "bias": 0.2,
        "seed": 1,
    }
    forecast = echo_state_network(data, {**settings, "ridge": 1e-6, "known": data.inputs - 1})
    before, after = (forecast(validation(data, changed).starts, HORIZON) for changed in (None, step))
    assert_acts_from(step, before, after)


@pytest.mark.parametrize("step", STEPS)
def test_the_baseline_of_a_random_readout(step: int, data: Data):
    forecast = random_readout(data, {"cell": "lstm", "hidden": 8, "seed": 0, "ridge": 1e-6})
    before, after = (forecast(validation(data, changed).starts, HORIZON) for changed in (None, step))
    assert_acts_from(step, before, after)


@pytest.mark.parametrize("feedback", FEEDBACK)
def test_a_leak_would_be_seen(feedback: str, data: Data):
    # control: a network whose inputs are one step ahead of what it may see
    class Leaking(Task):
        def inputs(self) -> torch.Tensor:
            ahead = torch.cat([self.known[:, 2:], self.known[:, -1:]], dim=1)
            return torch.cat([self.channels[:, :-1], ahead], dim=-1)

    config = ModelConfig(cell="gru", hidden=5, layers=1, feedback=FEEDBACK[feedback])
    made = Forecaster(config, data.inputs, 1, engine("torch"))
    made.initialise(1).double()
    with pytest.raises(AssertionError, match="Arrays are not equal"):
        tasks = [Leaking(data, validation(data, step).starts, torch.float64, "cpu") for step in (None, 7)]
        assert_acts_from(7, *(forecasts(made, task).one_step for task in tasks))
