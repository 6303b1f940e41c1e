"""Contracts of optimizers and schedulers."""

import math
from typing import ClassVar

import numpy as np
import torch

from sweep.config.ranges import LogUniform
from sweep.config.section import Component
from sweep.config.trial import TrialConfig
from sweep.testing.contract import tiny_trial
from sweep.testing.trial_contract import TrialContract
from sweep.train import OPTIMIZERS, SCHEDULERS
from sweep.train.optimizers import OptimizerSpec
from sweep.train.schedulers import SchedulerSpec


class OptimizerContract(TrialContract):
    """Contract of an `OptimizerSpec`."""

    spec: ClassVar[OptimizerSpec]
    table = OPTIMIZERS

    def config(self) -> TrialConfig:
        """Return a tiny trial with the optimizer at its defaults."""
        training = tiny_trial().training.model_copy(update={"optimizer": Component(name=self.spec.name)})
        return tiny_trial(training=training)

    def test_it_has_a_rate(self) -> None:
        """Schedulers change the setting `lr`; it must be positive."""
        assert self.spec.defaults["lr"] > 0

    def test_it_lowers_a_quadratic(self) -> None:
        """Some rate of its range halves the loss in 300 updates."""
        span = self.spec.space.get("lr", LogUniform(1e-4, 1.0))
        losses = [self._after(float(span.from_unit(u)), 300) for u in np.linspace(0.1, 0.9, 9)]  # type: ignore[arg-type]
        assert min(losses) < 0.5 * self._after(1e-3, 0)

    def _after(self, lr: float, updates: int) -> float:
        curvature = torch.tensor([[4.0, 1.0], [1.0, 2.0]], dtype=torch.float64)
        point = torch.nn.Parameter(torch.tensor([[1.0, -2.0], [0.5, 3.0]], dtype=torch.float64))
        point.grad = torch.zeros_like(point)

        def closure() -> float:
            point.grad = (point.detach() @ curvature).clone()
            return float(0.5 * (point.detach() @ curvature * point.detach()).sum())

        with self.known():
            optimizer = self.spec.build([point], {**self.spec.defaults, "lr": lr}, 0.0)
            for _ in range(updates):
                if self.spec.full_batch:
                    optimizer.step(closure)
                else:
                    closure()
                    optimizer.step()
        loss = closure()
        return loss if math.isfinite(loss) else math.inf


class SchedulerContract(TrialContract):
    """Contract of a `SchedulerSpec`."""

    spec: ClassVar[SchedulerSpec]
    table = SCHEDULERS

    def config(self) -> TrialConfig:
        """Return a tiny trial with the scheduler at its defaults."""
        training = tiny_trial().training.model_copy(update={"scheduler": Component(name=self.spec.name)})
        return tiny_trial(training=training)

    def test_factors_are_finite_and_not_negative(self) -> None:
        """At every share of the budget, whatever the evaluations say."""
        for share in np.linspace(0, 1, 101):
            for errors in ((), (0.5,) * 24, tuple(np.linspace(1, 0, 24))):
                factor = self.spec.factor(float(share), dict(self.spec.defaults), errors)
                assert 0 <= factor < math.inf

    def test_it_falls_to_zero_if_it_says_so(self) -> None:
        """`falls_to_zero`: at the end of the budget the factor is below 1 % of its largest."""
        factors = [self.spec.factor(float(u), dict(self.spec.defaults), ()) for u in np.linspace(0, 1, 201)]
        assert (factors[-1] < 0.01 * max(factors)) == self.spec.falls_to_zero
