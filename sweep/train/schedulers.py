"""The table of schedulers: pure functions of the used share of the budget.

A schedule spans the whole budget, also for a trial that is stopped early. Momentum is never scheduled, because it is a
hyperparameter of its own.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sweep.config.known_names import Settable
from sweep.config.ranges import Range
from sweep.config.registry import Registry

# (share of the budget in [0, 1], settings, rollout errors of the evaluations so far) -> factor of the rate
Factor = Callable[[float, Mapping[str, Any], Sequence[float]], float]

SHARES = ("warmup", "peak", "threshold")


@dataclass(frozen=True)
class SchedulerSpec:
    """A scheduler: the factor, >= 0, by which it multiplies the learning rate."""

    name: str
    factor: Factor
    defaults: Mapping[str, float]
    source: str
    space: Mapping[str, Range] = field(default_factory=dict)
    falls_to_zero: bool = False  # whether, by default, the rate is next to 0 at the end of any budget

    def check(self, settings: Mapping[str, Any]) -> None:
        """Raise ValueError for settings without a valid schedule."""
        for key, value in settings.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
                raise ValueError(f"{self.name}.{key} must be a number of at least 0, got {value!r}")
            if key in SHARES and value >= 1:
                raise ValueError(f"{self.name}.{key} must be a share below 1, got {value!r}")
        for share in (0.0, 0.5, 1.0):
            factor = self.factor(share, settings, [0.5] * 24)
            if not 0 <= factor < math.inf:
                raise ValueError(f"{self.name} with {dict(settings)} multiplies the rate by {factor}")

    def settable(self) -> Settable:
        """Return the entry as a study file sees it."""
        return Settable(self.defaults, self.space, check=self.check)


def _none(share: float, s: Mapping[str, Any], errors: Sequence[float]) -> float:
    return 1.0


def _step(share: float, s: Mapping[str, Any], errors: Sequence[float]) -> float:
    if s["every"] <= 0:
        raise ValueError(f"step.every must be positive, got {s['every']!r}")
    return float(s["gamma"] ** math.floor(min(share, 1 - 1e-9) / s["every"] + 1e-10))


def _exponential(share: float, s: Mapping[str, Any], errors: Sequence[float]) -> float:
    if s["final"] <= 0:
        raise ValueError(f"exponential.final must be positive, got {s['final']!r}")
    return float(s["final"] ** share)


def _cosine(share: float, s: Mapping[str, Any], errors: Sequence[float]) -> float:
    return float(s["final"] + (1 - s["final"]) * (1 + math.cos(math.pi * share)) / 2)


def _warmup_cosine(share: float, s: Mapping[str, Any], errors: Sequence[float]) -> float:
    if share < s["warmup"]:
        return float(share / s["warmup"])
    return _cosine((share - s["warmup"]) / (1 - s["warmup"]), s, errors)


def _one_cycle(share: float, s: Mapping[str, Any], errors: Sequence[float]) -> float:
    if share < s["peak"]:
        low, high, along = s["start"], 1.0, share / s["peak"]
    else:
        low, high, along = 1.0, s["final"], (share - s["peak"]) / (1 - s["peak"])
    return float(low + (high - low) * (1 - math.cos(math.pi * along)) / 2)


def _plateau(share: float, s: Mapping[str, Any], errors: Sequence[float]) -> float:
    factor, best, waited = 1.0, math.inf, 0
    for error in errors:
        if error < best * (1 - s["threshold"]):
            best, waited = error, 0
            continue
        waited += 1
        if waited > s["patience"]:
            factor, waited = factor * s["gamma"], 0
    return factor


SCHEDULERS: Registry[SchedulerSpec] = Registry(
    "scheduler",
    spec=SchedulerSpec,
    entries=[
        SchedulerSpec("none", _none, {}, "a constant rate"),
        SchedulerSpec("step", _step, {"gamma": 0.1, "every": 1 / 3}, "torch's StepLR, by share of budget"),
        SchedulerSpec("exponential", _exponential, {"final": 0.01}, "torch's ExponentialLR, down to `final`"),
        SchedulerSpec(
            "cosine",
            _cosine,
            {"final": 0.0},
            "Loshchilov & Hutter (2017), equation 5, one cycle",
            falls_to_zero=True,
        ),
        SchedulerSpec(
            "warmup_cosine",
            _warmup_cosine,
            {"warmup": 0.05, "final": 0.0},
            "Goyal et al. (2017), linear warm-up, then cosine",
            falls_to_zero=True,
        ),
        SchedulerSpec(
            "one_cycle",
            _one_cycle,
            {"peak": 0.3, "start": 0.04, "final": 1e-4},
            "Smith & Topin (2019), as in torch's OneCycleLR, without its cycling of momentum",
            falls_to_zero=True,
        ),
        SchedulerSpec(
            "plateau",
            _plateau,
            {"gamma": 0.3, "patience": 2, "threshold": 0.01},
            "torch's ReduceLROnPlateau, on the rollout error of the evaluation points",
        ),
    ],
)
