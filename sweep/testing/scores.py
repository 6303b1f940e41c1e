"""Contracts of objectives and baselines."""

import json
from dataclasses import replace
from typing import ClassVar

import numpy as np

from sweep.config.data_section import DataConfig
from sweep.config.trial import TrialConfig
from sweep.data import Data
from sweep.score import BASELINES, OBJECTIVES
from sweep.score.baselines.simple import CannotServe
from sweep.score.baselines.table import BaselineSpec
from sweep.score.objectives import ObjectiveSpec
from sweep.testing.contract import HORIZON, Contract, tiny_trial
from sweep.testing.trial_contract import TrialContract
from sweep.trial.inputs import load_data


class ObjectiveContract(TrialContract):
    """Contract of an `ObjectiveSpec`."""

    spec: ClassVar[ObjectiveSpec]
    table = OBJECTIVES

    def config(self) -> TrialConfig:
        """Return a tiny trial that is scored by the objective."""
        return tiny_trial(score=tiny_trial().score.model_copy(update={"objective": self.spec.name}))

    def test_the_truth_is_best_and_nothing_leaves_the_range(self) -> None:
        """In [0, 1] for every forecast, also one with inf and NaN; no forecast is better than the truth."""
        rng = np.random.default_rng(0)
        truth = np.sin(np.arange(60) / 5 + rng.uniform(0, 6, (4, 1)))[..., None]
        scale = np.full((4, 1), 0.7)
        exact = self.spec.function(truth.copy(), truth, scale, 10)
        lost = truth.copy()
        lost[0, 30:] = np.nan
        lost[1, 10:] = np.inf
        for forecast in (truth + 0.1, np.zeros_like(truth), -truth, 1e200 * truth, lost):
            error = self.spec.function(forecast, truth, scale, 10)
            assert 0 <= exact <= error <= 1

    def test_it_is_a_pure_function(self) -> None:
        """Its arguments stay as they are, and equal arguments give equal numbers."""
        truth = np.cos(np.arange(40) / 4)[None, :, None]
        forecast, scale = 0.5 * truth, np.ones((1, 1))
        kept = forecast.copy(), truth.copy()
        first, again = (self.spec.function(forecast, truth, scale, 8) for _ in range(2))
        assert first == again
        assert np.array_equal(forecast, kept[0]) and np.array_equal(truth, kept[1])


class BaselineContract(Contract):
    """Contract of a `BaselineSpec`."""

    spec: ClassVar[BaselineSpec]
    table = BASELINES

    def test_its_forecasts_have_the_shape_of_the_truth(self) -> None:
        """(start, step, channel), from settings that survive JSON; equal settings give equal forecasts."""
        data = _tiny_data(self.spec.needs_inputs)
        try:
            settings = json.loads(json.dumps(self.spec.choose(data)))
            first, again = (self.spec.fit(data, settings)(data.validation, HORIZON) for _ in range(2))
        except CannotServe as error:
            assert str(error)
            return
        assert np.shape(first) == data.validation.truth.shape and np.array_equal(first, again)

    def test_it_does_not_see_the_truth(self) -> None:
        """With given settings, another truth leaves the forecasts as they are."""
        data = _tiny_data(self.spec.needs_inputs)
        try:
            settings = self.spec.choose(data)
            first = self.spec.fit(data, settings)(data.validation, HORIZON)
        except CannotServe:
            return
        other = replace(data.validation, truth=data.validation.truth[::-1] + 1.0)
        again = self.spec.fit(replace(data, validation=other), settings)(other, HORIZON)
        assert np.array_equal(first, again)


def _tiny_data(with_inputs: bool) -> Data:
    config = tiny_trial()
    driven = DataConfig(source="duffing", options={"length": 300})
    return load_data(driven if with_inputs else config.data, config.score)
