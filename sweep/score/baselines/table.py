"""The table of baselines, and their scores on validation and on test.

A baseline is chosen on training and validation data (a lag, an order, a reservoir); its settings then fix it,
so that the same baseline is scored on test later, from the settings alone. Every choice is deterministic.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sweep.config.registry import Registry
from sweep.data.types import Array, Data, Starts
from sweep.score.baselines import echo_state as esn
from sweep.score.baselines import simple
from sweep.score.baselines.autoregression import autoregression, choose_order
from sweep.score.baselines.random_readout import choose_random_readout, random_readout
from sweep.score.baselines.simple import CannotServe, Forecast, Settings
from sweep.score.metrics import scores


@dataclass(frozen=True)
class Baseline:
    """A forecaster that is fitted without gradients.

    `choose` returns its settings, looking at training and validation data; `fit` returns its forecast for
    given settings, from training data alone. Both may raise `CannotServe`.
    """

    name: str
    description: str
    choose: Callable[[Data], Settings]
    fit: Callable[[Data, Settings], Forecast]

    def forecast(self, data: Data, starts: Starts, horizon: int) -> Array:
        """Return (start, step, channel), data units; may hold inf and NaN.

        Raises:
            CannotServe: the data do not allow it; the text says why.
        """
        return self.fit(data, self.choose(data))(starts, horizon)


BASELINES: Registry[Baseline] = Registry(
    "baseline",
    [
        Baseline("mean", "the training mean", simple.no_settings, simple.mean),
        Baseline("persistence", "the last value, repeated", simple.no_settings, simple.persistence),
        Baseline(
            "drift", "the line through the past's first and last value", simple.needs_two_steps, simple.drift
        ),
        Baseline(
            "seasonal_naive",
            "the last season, repeated; its lag is the multiple of the period that fits training data best",
            simple.lag_within_past,
            simple.seasonal_naive,
        ),
        Baseline(
            "seasonal_naive_drift",
            "the last season, repeated and raised by the mean change from season to season in the past",
            simple.lag_within_half_past,
            simple.seasonal_naive_drift,
        ),
        Baseline(
            "ar",
            "least-squares autoregression of all channels, its order chosen by rollout error on validation",
            choose_order,
            autoregression,
        ),
        Baseline(
            "echo_state_network",
            "random reservoir with a ridge readout (reservoirpy), chosen by rollout error on validation",
            esn.choose_reservoir,
            esn.echo_state_network,
        ),
        Baseline(
            "random_readout",
            "an untrained LSTM or GRU with a ridge readout, chosen by rollout error on validation",
            choose_random_readout,
            random_readout,
        ),
    ],
)


def score_baselines(data: Data) -> dict[str, dict[str, Any]]:
    """Return the scores of every baseline on the validation starts, by name.

    Returns:
        Per baseline `rollout_error`, `prefix_errors` (over each share of PREFIXES), `nrmse`, `valid_steps`
        (median), `diverged_fraction`, `settings` and `seconds` (choosing and forecasting); or only `reason` and
        `seconds`, where it cannot serve.
    """
    results = {}
    for name, baseline in BASELINES.items():
        began = time.perf_counter()
        try:
            settings = baseline.choose(data)
            values = baseline.fit(data, settings)(data.validation, data.validation.truth.shape[1])
            result = {**_numbers(data, data.validation, values), "settings": dict(settings)}
        except CannotServe as error:
            result = {"reason": str(error)}
        results[name] = {**result, "seconds": time.perf_counter() - began}
    return results


def score_baselines_on_test(data: Data, chosen: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the scores of the same baselines on the locked test starts, by name.

    Args:
        data: as given to `score_baselines`.
        chosen: what `score_baselines` returned, also after a trip through JSON.

    Returns:
        As `score_baselines`; a baseline that gave a reason there gives the same here.

    Raises:
        UnknownName: `chosen` names a baseline that does not exist.
    """
    results = {}
    for name, entry in chosen.items():
        baseline, began = BASELINES[name], time.perf_counter()
        if "reason" in entry:
            result = {"reason": entry["reason"]}
        else:
            values = baseline.fit(data, entry["settings"])(data.test, data.test.truth.shape[1])
            result = {**_numbers(data, data.test, values), "settings": dict(entry["settings"])}
        results[name] = {**result, "seconds": time.perf_counter() - began}
    return results


def _numbers(data: Data, starts: Starts, values: Array) -> dict[str, Any]:
    # `scores` wants teacher-forced forecasts too; the truth stands in for them and its zeros are dropped.
    found = scores(np.asarray(values), starts.truth, starts, data.targets, data.period)
    return {
        "rollout_error": found.rollout_error,
        "prefix_errors": list(found.prefix_errors),
        "nrmse": found.nrmse,
        "valid_steps": found.valid_steps,
        "diverged_fraction": found.diverged_fraction,
    }
