"""Schedules against values worked by hand and against torch's counterparts."""

import inspect
import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim import lr_scheduler

from sweep.train import SCHEDULERS

# factors at 0, 1/2 and 1 with the defaults, by hand
BY_HAND = {
    "none": (1.0, 1.0, 1.0),
    "step": (1.0, 0.1, 0.01),  # a tenth after each third of the budget, none at its very end
    "exponential": (1.0, 0.1, 0.01),
    "cosine": (1.0, 0.5, 0.0),
    "warmup_cosine": (0.0, (1 + math.cos(math.pi * 0.45 / 0.95)) / 2, 0.0),
    "one_cycle": (0.04, 1 - (1 - 1e-4) * (1 - math.cos(math.pi * 0.2 / 0.7)) / 2, 1e-4),
    "plateau": (1.0, 1.0, 1.0),  # nothing has been evaluated
}
SETTINGS: dict[str, dict[str, Any]] = {
    "step": {"gamma": 0.5, "every": 0.1},
    "exponential": {"final": 0.2},
    "cosine": {"final": 0.1},
    "warmup_cosine": {"warmup": 0.2, "final": 0.1},
    "one_cycle": {"peak": 0.25, "start": 0.1, "final": 0.01},
    "plateau": {"gamma": 0.5, "patience": 1, "threshold": 0.1},
}


def factor(name: str, share: float, errors: tuple[float, ...] = (), **settings: Any) -> float:
    spec = SCHEDULERS[name]
    return spec.factor(share, {**spec.defaults, **settings}, errors)


def torch_factors(make: Any, steps: int = 100) -> list[float]:
    """The factors that a torch scheduler applies to a rate of 1 in steps 0, 1, ..."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = make(optimizer)
    factors = []
    for _ in range(steps):
        factors.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return factors


def test_every_schedule_is_worked_by_hand():
    assert set(BY_HAND) == set(SCHEDULERS)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_beginning_middle_and_end(name: str):
    assert [factor(name, share) for share in (0.0, 0.5, 1.0)] == pytest.approx(BY_HAND[name], abs=1e-12)


@pytest.mark.parametrize("name", SCHEDULERS)
@given(share=st.floats(0, 1), errors=st.lists(st.floats(0, 1), max_size=30))
def test_factors_lie_between_0_and_1(name: str, share: float, errors: list[float]):
    for settings in ({}, SETTINGS.get(name, {})):
        assert 0 <= factor(name, share, tuple(errors), **settings) <= 1 + 1e-12


@pytest.mark.parametrize(
    ("name", "settings", "make"),
    [
        ("step", {"gamma": 0.5, "every": 0.1}, lambda o: lr_scheduler.StepLR(o, 10, 0.5)),
        ("exponential", {"final": 0.2}, lambda o: lr_scheduler.ExponentialLR(o, 0.2**0.01)),
        ("cosine", {"final": 0.1}, lambda o: lr_scheduler.CosineAnnealingLR(o, 100, 0.1)),
        (
            "warmup_cosine",
            {"warmup": 0.2, "final": 0.1},
            lambda o: lr_scheduler.SequentialLR(
                o,
                [
                    lr_scheduler.LambdaLR(o, lambda step: step / 20),
                    lr_scheduler.CosineAnnealingLR(o, 80, 0.1),
                ],
                [20],
            ),
        ),
        (
            "one_cycle",
            {"peak": 0.25, "start": 0.1, "final": 0.01},
            # torch counts its last step as the end: 101 steps are 100 intervals; the peak lies at 25 of them
            lambda o: lr_scheduler.OneCycleLR(
                o,
                1.0,
                total_steps=101,
                pct_start=26 / 101,
                div_factor=10,
                final_div_factor=10,
                cycle_momentum=False,
            ),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_as_torch_s_counterpart(name: str, settings: dict[str, Any], make: Any):
    mine = [factor(name, step / 100, **settings) for step in range(100)]
    assert mine == pytest.approx(torch_factors(make), rel=1e-9, abs=1e-12)


def test_steps_do_not_come_late_by_rounding():
    # 0.3 / 0.1 is 2.9999999999999996
    assert factor("step", 0.3, gamma=0.5, every=0.1) == 0.125
    assert factor("step", 1 / 3) == pytest.approx(0.1) and factor("step", 0.3333) == 1.0


def test_plateau_by_hand():
    settings = {"gamma": 0.5, "patience": 1, "threshold": 0.1}

    def after(*errors: float) -> float:
        return factor("plateau", 0.5, errors, **settings)

    assert after(0.8) == after(0.8, 0.7) == after(0.8, 0.75) == 1.0  # .75 > .72 waits once
    assert after(0.8, 0.75, 0.73) == 0.5  # twice: more than the patience
    assert after(0.8, 0.75, 0.71) == 1.0  # below .8 * .9: an improvement
    assert after(0.8, 0.75, 0.73, 0.9) == 0.5  # the wait begins again
    assert after(0.8, 0.75, 0.73, 0.9, 0.9) == 0.25
    assert after(0.8, 0.75, 0.73, 0.1, 0.9) == 0.5


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=30), st.integers(0, 3))
def test_plateau_as_torch(errors: list[float], patience: int):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=patience, threshold=0.1, eps=0)
    for error in errors:
        theirs.step(error)
    mine = factor("plateau", 0.5, tuple(errors), gamma=0.5, patience=patience, threshold=0.1)
    assert mine == pytest.approx(optimizer.param_groups[0]["lr"])


@pytest.mark.parametrize("name", SCHEDULERS)
def test_settings_are_checked(name: str):
    spec = SCHEDULERS[name]
    spec.check(spec.defaults)
    spec.check({**spec.defaults, **SETTINGS.get(name, {})})
    for key in spec.defaults:
        for value in (-0.1, math.nan, math.inf, "1", True):
            with pytest.raises(ValueError, match=rf"{name}\.{key} must be a number of at least 0"):
                spec.check({**spec.defaults, key: value})


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("step", "every", 0),
        ("exponential", "final", 0),
        ("warmup_cosine", "warmup", 1.0),
        ("one_cycle", "peak", 1.0),
        ("plateau", "threshold", 1),
    ],
)
def test_settings_that_give_no_schedule(name: str, key: str, value: float):
    with pytest.raises(ValueError, match=rf"{name}\.{key} must be"):
        SCHEDULERS[name].check({**SCHEDULERS[name].defaults, key: value})


@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_schedule_is_a_pure_function(name: str):
    spec = SCHEDULERS[name]
    assert list(inspect.signature(spec.factor).parameters) == ["share", "s", "errors"]
    errors = [0.5, 0.6]
    assert spec.factor(0.4, spec.defaults, errors) == spec.factor(0.4, spec.defaults, errors)
    assert errors == [0.5, 0.6] and spec.source


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop", "muon"])
def test_one_cycle_leaves_momentum_alone(optimizer: str, trainer):
    # torch's OneCycleLR would cycle it between .85 and .95
    running = trainer({"name": optimizer, "momentum": 0.3}, scheduler="one_cycle")
    seen, rates = set(), set()
    for until in (400, 1200, 2400, 4000):
        running.train(until, [])
        group = running.optimizer.param_groups[0]
        seen.add(group["betas"][0] if "betas" in group else group["momentum"])
        rates.add(running.lr)
    assert seen == {0.3} and len(rates) == 4


def test_every_schedule_drives_l_bfgs(trainer):
    for name in SCHEDULERS:
        running = trainer("lbfgs", scheduler=name, budget=1600)
        first = running.train(400, [])
        assert running.train(1600, [0.5] * 9) < first


@pytest.mark.parametrize("name", SCHEDULERS)
def test_the_entry_says_whether_the_rate_falls_to_zero(name: str):
    assert SCHEDULERS[name].falls_to_zero is (factor(name, 1.0) <= 1e-3)
