"""The table of baselines, and their scores on validation and on test.

The settings of a baseline (a lag, an order, a reservoir) are chosen on training and validation data. From these
settings the same baseline is scored on test later. Every choice is deterministic.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sweep.config.errors import SweepError
from sweep.config.plugins import PluginError, PluginOrigin
from sweep.config.records import to_json
from sweep.config.registry import Registry
from sweep.data.types import Array, Data, Starts
from sweep.score.baselines import echo_state as esn
from sweep.score.baselines import simple
from sweep.score.baselines.analogues import analogues, choose_analogues
from sweep.score.baselines.arx import arx, choose_arx
from sweep.score.baselines.autoregression import autoregression, choose_order
from sweep.score.baselines.calendar_naive import choose_season, seasonal_naive_calendar, seasons_of
from sweep.score.baselines.driven import features_of
from sweep.score.baselines.fir import choose_fir, fir
from sweep.score.baselines.narx_polynomial import choose_narx, narx_polynomial
from sweep.score.baselines.random_readout import choose_random_readout, random_readout
from sweep.score.baselines.simple import CannotServe, Forecast, Settings
from sweep.score.breakdown import breakdown_of
from sweep.score.evaluation import scores
from sweep.score.objectives import objective_of


@dataclass(frozen=True)
class BaselineSpec:
    """A forecaster that is fitted without gradients.

    `choose` returns its settings, from training and validation data. `fit` returns its forecast for given settings,
    from training data alone. Both may raise `CannotServe`.
    """

    name: str
    description: str
    choose: Callable[[Data], Settings]
    fit: Callable[[Data, Settings], Forecast]
    needs_inputs: bool = False  # it is made of known inputs; without any it is not scored and not listed
    needs_season: bool = (
        False  # it repeats a season by the dates; the same holds for data whose dates give none
    )
    searches: bool = False  # it tries many networks, which takes up to a minute

    def applies(self, data: Data) -> bool:
        """Return whether the baseline is scored on the data at all."""
        return (not self.needs_inputs or features_of(data) > 0) and (
            not self.needs_season or bool(seasons_of(data))
        )

    def forecast(self, data: Data, starts: Starts, horizon: int) -> Array:
        """Return (start, step, channel), data units; may hold inf and NaN.

        Raises:
            CannotServe: the data do not allow it; the text says why.
        """
        return self.fit(data, self.choose(data))(starts, horizon)


BASELINES: Registry[BaselineSpec] = Registry(
    "baseline",
    [
        BaselineSpec("mean", "the training mean", simple.no_settings, simple.mean),
        BaselineSpec("persistence", "the last value, repeated", simple.no_settings, simple.persistence),
        BaselineSpec(
            "drift", "the line through the past's first and last value", simple.needs_two_steps, simple.drift
        ),
        BaselineSpec(
            "seasonal_naive",
            "the last season, repeated; its lag is the multiple of the period that fits training data best",
            simple.lag_within_past,
            simple.seasonal_naive,
        ),
        BaselineSpec(
            "seasonal_naive_drift",
            "the last season, repeated and raised by the mean change from season to season in the past",
            simple.lag_within_half_past,
            simple.seasonal_naive_drift,
        ),
        BaselineSpec(
            "seasonal_naive_calendar",
            "the same time of the last day, week or year, on days with equal flags; chosen on validation",
            choose_season,
            seasonal_naive_calendar,
            needs_season=True,
        ),
        BaselineSpec(
            "ar",
            "least-squares autoregression of all channels, its order chosen by rollout error on validation",
            choose_order,
            autoregression,
        ),
        BaselineSpec(
            "analogues",
            "what followed the nearest states of the training data, in a delay space chosen on validation",
            choose_analogues,
            analogues,
        ),
        BaselineSpec(
            "echo_state_network",
            "random reservoir with a ridge readout (reservoirpy), chosen by rollout error on validation",
            esn.choose_reservoir,
            esn.echo_state_network,
            searches=True,
        ),
        BaselineSpec(
            "random_readout",
            "an untrained LSTM or GRU with a ridge readout, chosen by rollout error on validation",
            choose_random_readout,
            random_readout,
            searches=True,
        ),
        BaselineSpec(
            "arx",
            "least-squares autoregression with known inputs, its orders chosen by rollout error on validation",
            choose_arx,
            arx,
            needs_inputs=True,
        ),
        BaselineSpec(
            "narx_polynomial",
            "a polynomial of past values and known inputs; lags, degree and terms chosen on validation",
            choose_narx,
            narx_polynomial,
            needs_inputs=True,
        ),
        BaselineSpec(
            "fir",
            "the response to the known inputs alone, its length and ridge chosen by rollout error on validation",
            choose_fir,
            fir,
            needs_inputs=True,
        ),
    ],
    spec=BaselineSpec,
)


def score_baselines(data: Data, extra: Sequence[str] = (), quick: bool = False) -> dict[str, dict[str, Any]]:
    """Return the scores of sweep's baselines and of some plug-ins' on the validation starts, by name.

    A plug-in's baseline that raises an error or returns a forecast of the wrong shape gets a `reason` that names it.

    Args:
        data: the study's.
        extra: names of plug-ins' baselines.
        quick: whether those that try many networks are left out.

    Returns:
        Per baseline `rollout_error` (by the study's objective), `prefix_errors` (over each share of PREFIXES), `nrmse`,
        `rmse` (by target channel, data units), `valid_steps` (median), `diverged_fraction`, `settings` and `seconds`
        (choosing and forecasting), and `breakdown` with several named series or target channels; or only `reason` and
        `seconds`, where the baseline does not apply. Without known inputs, sweep's baselines that are made of these are
        left out.

    Raises:
        UnknownName: no baseline has a name of `extra`.
        PluginError: a plug-in of `extra`, or the objective's, cannot be used.
    """
    own = [name for name, one in BASELINES.items() if one.applies(data) and not (quick and one.searches)]
    return {name: _timed(name, data, data.validation) for name in (*own, *extra)}


def best_baseline_forecast(data: Data, scored: Mapping[str, Mapping[str, Any]]) -> dict[str, Array]:
    """Return the forecasts of the best baseline from the validation starts; empty if none is scored.

    Args:
        data: as given to `score_baselines`.
        scored: what `score_baselines` returned. Of equal errors the first counts.

    Returns:
        Its `name`, `forecast` (start, step, channel) in data units, and `last` (start, channel): the last true values
        before them, by which other starts are told apart.
    """
    errors = {name: entry["rollout_error"] for name, entry in scored.items() if "rollout_error" in entry}
    if not errors:
        return {}
    name = min(errors, key=lambda one: errors[one])
    with BASELINES.running(name):
        forecast = BASELINES[name].fit(data, scored[name]["settings"])
        values = np.asarray(forecast(data.validation, data.validation.truth.shape[1]), dtype=np.float64)
    return {"name": np.asarray(name), "forecast": values, "last": data.validation.past[:, -1]}


def score_baselines_on_test(data: Data, chosen: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the scores of the same baselines on the locked test starts, by name.

    Args:
        data: as given to `score_baselines`.
        chosen: what `score_baselines` returned, also after a trip through JSON.

    Returns:
        As `score_baselines`; a baseline that gave a reason there gives the same here.

    Raises:
        UnknownName: `chosen` names a baseline that does not exist.
        PluginError: as `score_baselines`.
    """
    return {name: _timed(name, data, data.test, entry) for name, entry in chosen.items()}


def _timed(name: str, data: Data, starts: Starts, chosen: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a baseline's scores with the seconds that they took; its settings are chosen where `chosen` is None."""
    baseline, origin = BASELINES[name], BASELINES.origin(name)
    began = time.perf_counter()
    if chosen is not None and "reason" in chosen:
        result = {"reason": chosen["reason"]}
    else:
        try:
            result = _scored(baseline, origin, data, starts, None if chosen is None else chosen["settings"])
        except SweepError as error:
            if origin is None and not isinstance(error, CannotServe):
                raise
            result = {"reason": str(error)}
    return {**result, "seconds": time.perf_counter() - began}


def _scored(
    baseline: BaselineSpec, origin: PluginOrigin | None, data: Data, starts: Starts, settings: Settings | None
) -> dict[str, Any]:
    shape = starts.truth.shape
    with BASELINES.running(baseline.name):
        settings = dict(baseline.choose(data) if settings is None else settings)
        values = np.asarray(baseline.fit(data, settings)(starts, shape[1]))
        if origin is not None:
            values = values.astype(np.float64)
            json.dumps(settings, allow_nan=False)
    if values.shape != shape:
        raise PluginError(
            f"plug-in baseline {baseline.name!r} of {origin}: wanted a forecast of shape {shape} "
            f"(start, step, channel), got {values.shape}"
        )
    return {**_numbers(data, starts, values), "settings": settings}


def _numbers(data: Data, starts: Starts, values: Array) -> dict[str, Any]:
    # `scores` also takes teacher-forced forecasts; the truth replaces them, and their zero errors are left out.
    numbers = scores(values, starts.truth, starts, data.targets, data.period, objective_of(data.objective))
    groups = breakdown_of(data, starts, values)
    return {
        "rollout_error": numbers.rollout_error,
        "prefix_errors": list(numbers.prefix_errors),
        "nrmse": numbers.nrmse,
        "rmse": list(numbers.rmse),
        "valid_steps": numbers.valid_steps,
        "diverged_fraction": numbers.diverged_fraction,
        **({} if groups is None else {"breakdown": to_json(groups)}),
    }
