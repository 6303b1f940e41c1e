"""Variable projection against naive twins: solution, gradient, cost, and the solved layer of every state."""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from sweep.config.errors import DataError
from sweep.config.sections import ModelConfig
from sweep.data.windows import WindowSource
from sweep.model import Forecaster, engine
from sweep.model.native.library import instruction_sets
from sweep.train import Trainer, projection
from sweep.train.full_batch import OutOfBudget
from sweep.train.projection import FLOOR, Projection, evaluation_cost, windows_at_once

Made = Any
ALWAYS = {"readout_refit": "always"}
ENGINES = ["torch", *(f"native-{name}" for name in instruction_sets()[-1:])]


@pytest.fixture(params=ENGINES)
def projecting(request: pytest.FixtureRequest, trainer: Made) -> Made:
    """Make a trainer that projects, on each engine."""
    return functools.partial(trainer, engine=request.param, **ALWAYS)


def source(kind: str, channels: int, features: int) -> WindowSource:
    """Six series of 30 steps: noisy sines, or straight lines, which increments forecast exactly."""
    rng = np.random.default_rng(4)
    time = np.arange(30)[:, None]
    if kind == "lines":
        series = [0.02 * time * np.ones(channels) for _ in range(6)]
    else:
        phases = rng.uniform(0, 6, (6, channels))
        series = [np.sin(time / 3 + phase) + 0.1 * rng.standard_normal((30, channels)) for phase in phases]
    rows = [np.concatenate([values, rng.standard_normal((30, features))], axis=1) for values in series]
    return WindowSource(np.concatenate(rows), np.arange(6) * 30, (30,) * 6, channels, 14)


def projected(
    windows: WindowSource, features: int, burn_in: int, ridge: float, name: str, **model: Any
) -> tuple[Projection, Callable[[], float]]:
    """A projection of a small network and its loss over all windows."""
    config = ModelConfig(**{"cell": "gru", "hidden": 5, "layers": 1, **model})
    network = Forecaster(config, windows.channels + features, windows.channels, engine(name))
    network.initialise(3).double()
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    made = Projection(network, burn_in, ridge)
    inputs, targets = (torch.as_tensor(part) for part in windows.batch(windows.offsets(None)))

    def loss() -> float:
        def batches(size: int) -> Any:
            return zip(inputs.split(size), targets.split(size), strict=True)

        return made.loss(batches, len(inputs), windows.window)

    return made, loss


def recurrent(network: Forecaster) -> list[Tensor]:
    last = {id(parameter) for parameter in network.linears[-1].parameters()}
    return [parameter for parameter in network.parameters() if id(parameter) not in last]


def twin(network: Forecaster, windows: WindowSource, burn_in: int, ridge: float) -> Tensor:
    """The projected loss by normal equations and torch's own gradient through their solution."""
    inputs, targets = (torch.as_tensor(part) for part in windows.batch(windows.offsets(None)))
    activations = network.activations(inputs)[:, burn_in:].flatten(0, 1)
    goals = network.goals(inputs, targets)[:, burn_in:].flatten(0, 1)
    design = torch.cat([torch.ones_like(activations[:, :1]), activations], dim=1)
    ridge = ridge * float(goals.square().mean())
    penalty = ridge * len(design) * torch.eye(design.shape[1], dtype=design.dtype)
    penalty[0, 0] = 0
    weights = torch.linalg.solve(design.T @ design + penalty, design.T @ goals)
    squares = (design @ weights - goals).square().sum(1).mean() + ridge * weights[1:].square().sum()
    return torch.log(squares / goals.shape[1] + FLOOR)


CASES = {
    "gru": {},
    "lstm of two layers": {"cell": "lstm", "layers": 2},
    "values": {"readout": "value"},
    "head": {"head": (4, 3), "head_activation": "tanh"},
}


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("channels", "features"), [(1, 0), (2, 2)])
def test_the_gradient_is_that_of_the_whole_problem(case: str, channels: int, features: int, name: str):
    windows = source("sines", channels, features)
    made, loss = projected(windows, features, 3, 1e-2, name, **CASES[case])
    value = loss()
    expected = twin(made.network, windows, 3, 1e-2)
    assert value == pytest.approx(float(expected.detach()), abs=1e-12)
    parts = torch.autograd.grad(expected, recurrent(made.network))
    for parameter, part in zip(recurrent(made.network), parts, strict=True):
        assert torch.allclose(parameter.grad, part, rtol=1e-7, atol=1e-9)
    assert all(not parameter.grad.any() for parameter in made.solved)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("ridge", [1e-14, 1e-2])
def test_the_gradient_is_that_of_finite_differences(ridge: float, name: str):
    windows = source("sines", 2, 1)
    made, loss = projected(windows, 1, 2, ridge, name, cell="lstm")
    loss()
    rng = np.random.default_rng(0)
    for parameter in recurrent(made.network):
        direction = torch.as_tensor(rng.standard_normal(parameter.shape))
        slope = float((parameter.grad * direction).sum())
        ends, kept = [], parameter.detach().clone()
        for step in (-1e-5, 1e-5):
            parameter.data.copy_(kept + step * direction)
            ends.append(loss())
        parameter.data.copy_(kept)
        for other in made.network.parameters():
            other.grad.zero_()
        loss()
        assert (ends[1] - ends[0]) / 2e-5 == pytest.approx(slope, rel=1e-4, abs=1e-6)
        assert abs(slope) > 1e-3


def test_that_test_can_fail():
    """Control: without the penalty in the loss, a ridge of the noise's size gives another gradient."""
    windows = source("sines", 1, 0)
    made, loss = projected(windows, 0, 3, 1e-2, "torch")
    loss()
    inputs, targets = (torch.as_tensor(part) for part in windows.batch(windows.offsets(None)))
    plain = ((made.network(inputs)[0] - targets)[:, 3:] ** 2).mean().log()
    parts = torch.autograd.grad(plain, recurrent(made.network))
    pairs = zip(recurrent(made.network), parts, strict=True)
    assert any(not torch.allclose(parameter.grad, part, rtol=1e-2) for parameter, part in pairs)


@pytest.mark.parametrize("name", ENGINES)
def test_exactly_predictable_data_end_at_the_floor(name: str):
    made, loss = projected(source("lines", 1, 0), 0, 2, 1e-14, name)
    assert loss() == pytest.approx(math.log(FLOOR), abs=0.1)
    norm = math.sqrt(sum(float(parameter.grad.square().sum()) for parameter in recurrent(made.network)))
    assert norm < 1e-2  # rounding has no direction to follow


@pytest.mark.parametrize("name", ENGINES)
def test_states_that_are_not_kept_are_computed_twice(name: str, monkeypatch: pytest.MonkeyPatch):
    windows = source("sines", 1, 0)
    made, loss = projected(windows, 0, 3, 1e-6, name)
    value = loss()
    kept = [parameter.grad.clone() for parameter in recurrent(made.network)]
    model = made.network.config
    assert evaluation_cost(model, 12, 14) == 12 * 14
    each = 8 * 10 * 5 * 14
    monkeypatch.setattr(projection, "KEPT_BYTES", 11 * each)
    monkeypatch.setattr(projection, "BATCH_BYTES", 5 * each)  # five windows: 5, 5, 2
    lean, lean_loss = projected(windows, 0, 3, 1e-6, name)
    assert lean_loss() == pytest.approx(value, abs=1e-10)
    for parameter, part in zip(recurrent(lean.network), kept, strict=True):
        assert torch.allclose(parameter.grad, part, rtol=1e-6, atol=1e-10)
    assert windows_at_once(model, 12, 14) == 5
    assert evaluation_cost(model, 12, 14) == 12 * 14 + 56


def test_a_network_without_finite_states_has_no_loss():
    made, loss = projected(source("sines", 1, 0), 0, 3, 1e-6, "torch")
    recurrent(made.network)[0].data.fill_(math.nan)
    assert math.isnan(loss())


# --- the trainer -------------------------------------------------------------------------------------


def solved_for_current_weights(running: Trainer) -> bool:
    """Whether the last layer is, bit for bit, that of the current weights, noise included."""
    now = running.flat.snapshot()
    running._evaluate_projection()
    same = torch.equal(running.flat.values, now)
    running.flat.restore(now)
    return same


def test_training_goes_far_below_what_the_first_solution_leaves(projecting: Made):
    running = projecting("lbfgs", budget=16000, burn_in=2)
    losses = [running.train(until, []) for until in (1, 16000)]
    assert running.updates > 20
    assert losses[1] < 0.5 * losses[0]
    assert losses[0] == pytest.approx(running.log.columns()["loss"][0])


def test_the_last_layer_is_always_that_of_the_current_weights(projecting: Made, reread: Made):
    running = projecting("lbfgs", budget=4000, input_noise=0.1)
    for until in range(160, 4001, 480):
        running.train(until, [])
        assert solved_for_current_weights(running)
    again = projecting("lbfgs", budget=4000, input_noise=0.1)
    again.restore(reread(running.state()))
    assert solved_for_current_weights(again)


def test_a_step_that_the_budget_ends_leaves_its_best_point_solved(projecting: Made):
    whole = projecting("lbfgs", budget=10**6)
    whole.train(1600, [])
    ends = 0
    for budget in range(160, 1601, 160):  # each number of evaluations, so that some end within a line search
        running = projecting("lbfgs", budget=budget)
        running.train(budget, [])
        assert running.consumed <= budget and solved_for_current_weights(running)
        with pytest.raises(OutOfBudget):
            running._projected_loss()
        ends += 1
    assert ends == 10


def test_a_step_without_a_line_search_ends_solved(projecting: Made):
    running = projecting({"name": "lbfgs", "lr": 0.01, "line_search": "none"}, budget=4000)
    for until in (1, 161, 1001):
        running.train(until, [])
        assert solved_for_current_weights(running)
    evaluations = running.updates  # each step evaluates once, and solves once more where it ends
    assert running.consumed == evaluations * (160 + 54)


def test_a_restart_returns_to_the_best_point_with_its_last_layer(
    projecting: Made, monkeypatch: pytest.MonkeyPatch
):
    running = projecting("lbfgs", budget=16000)
    running.train(1600, [])
    whole = Projection.loss
    monkeypatch.setattr(Projection, "loss", lambda *given: whole(*given) * math.nan)
    running.train(running.consumed + 1, [])
    monkeypatch.setattr(Projection, "loss", whole)
    assert (running.restarts, running.noise_draws, running.diverged) == (1, 1, None)
    assert solved_for_current_weights(running)


def test_a_first_evaluation_that_is_not_finite_ends_training(projecting: Made):
    running = projecting("lbfgs")
    running.flat.values.fill_(math.nan)
    running.train(1000, [])
    assert running.diverged == "lbfgs had no finite loss" and running.updates == 0


def test_a_resumed_training_has_the_same_bits(projecting: Made, reread: Made):
    straight = projecting("lbfgs", budget=8000, input_noise=0.05, weight_decay=1e-3)
    straight.train(4000, [])
    straight.train(8000, [])
    parts = projecting("lbfgs", budget=8000, input_noise=0.05, weight_decay=1e-3)
    parts.train(4000, [])
    resumed = projecting("lbfgs", budget=8000, input_noise=0.05, weight_decay=1e-3)
    resumed.restore(reread(parts.state()))
    resumed.train(8000, [])
    assert torch.equal(straight.flat.values, resumed.flat.values)
    assert straight.log.columns() == resumed.log.columns()


def test_noise_is_one_draw_until_a_restart(projecting: Made):
    running = projecting("lbfgs", input_noise=0.2)
    first, again = running._evaluate_projection(), running._evaluate_projection()
    running._forget(running.optimizer)
    assert first == again != running._evaluate_projection()


def test_weight_decay_leaves_the_last_layer_alone(projecting: Made):
    plain, decayed = projecting("lbfgs"), projecting("lbfgs", weight_decay=0.5)
    loss = plain._projected_loss()
    trained = plain.flat.trained
    assert decayed._projected_loss() == pytest.approx(loss + 0.25 * float(trained @ trained), rel=1e-12)
    assert torch.allclose(decayed.flat.gradient, plain.flat.gradient + 0.5 * trained, atol=1e-12)
    assert torch.equal(decayed.flat.values, plain.flat.values)
    assert plain.flat.vector.numel() == plain.flat.values.numel() - 6


def test_mini_batches_cannot_project(trainer: Made):
    with pytest.raises(DataError, match="needs an optimizer that takes all windows at once, not adam"):
        trainer("adam", **ALWAYS)
