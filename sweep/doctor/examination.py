"""The examination of given forecasts: scores beside baselines on the same starts, and the symptom."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sweep.config.records import Scores
from sweep.data.types import Array, Data
from sweep.diagnosis.symptoms import TrialSymptom, baseline_errors, stored_evidence, symptom_of_trial
from sweep.doctor.data import GivenData, data_of
from sweep.doctor.given import Given
from sweep.score.baselines.simple import CannotServe
from sweep.score.baselines.table import (
    BASELINES,
    best_baseline_forecast,
    score_baselines,
    score_baselines_on_test,
)
from sweep.score.comparisons import skill
from sweep.score.evaluation import scores
from sweep.score.metrics import rmse_by_channel
from sweep.score.rollout_record import rollout_record

# Baselines that choose nothing on validation starts: all that a short past allows.
UNCHOSEN = ("mean", "persistence", "drift", "seasonal_naive", "seasonal_naive_drift")


@dataclass(frozen=True)
class Judged:
    """What a past allows to say about forecasts."""

    data: Data
    scores: Scores
    arrays: Mapping[str, Array]  # as rollout.npz holds them
    baselines: Mapping[str, Mapping[str, Any]]  # their scores on the same starts, as in baselines.json
    best: Mapping[str, Array]  # forecast of the best baseline, as in baseline.npz; empty: none is scored
    symptom: TrialSymptom

    @property
    def best_baseline(self) -> tuple[str, Mapping[str, Any]] | None:
        """Return name and scores of the best baseline."""
        name = str(self.best["name"]) if self.best else None
        return None if name is None else (name, self.baselines[name])

    @property
    def skill(self) -> float | None:
        """Return 1 - rollout error / that of the best baseline; None if there is none, or it is exact."""
        best = self.best_baseline
        return None if best is None else skill(self.scores.rollout_error, float(best[1]["rollout_error"]))


@dataclass(frozen=True)
class Examination:
    """Given forecasts, and what was found."""

    given: Given
    rmse: tuple[float, ...]  # by channel, data units; +inf where a forecast is not finite
    judged: Judged | None  # None without a past, which gives errors their scale
    notes: tuple[str, ...]  # what could not be done, and why


def examine(given: Given) -> Examination:
    """Return what is found about given forecasts; nothing random, and no network is needed.

    Raises:
        DataError: a channel does not change in the past.
    """
    rmse = tuple(rmse_by_channel(given.forecast, given.truth).tolist())
    if given.past is None:
        return Examination(given, rmse, None, given.notes)
    parts = data_of(given)
    baselines, notes = _baselines(parts)
    data, starts = parts.scored, parts.scored.test
    one_step = np.full(given.truth.shape, np.nan) if given.one_step is None else given.one_step
    arrays = rollout_record(data, starts, given.forecast, one_step, np.full(given.truth.shape[1], np.nan))
    if given.one_step is None:
        arrays["one_step_nrmse"] = np.full(given.truth.shape[1], np.nan)
    evidence = stored_evidence(arrays, data.period, baselines=baseline_errors(baselines))
    judged = Judged(
        data,
        scores(given.forecast, one_step, starts, data.targets, data.period),
        arrays,
        baselines,
        best_baseline_forecast(data, baselines),
        symptom_of_trial(evidence),
    )
    return Examination(given, rmse, judged, (*given.notes, *notes))


def _baselines(parts: GivenData) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return the baselines' scores on the given starts, and why some are missing."""
    if parts.chosen is not None:
        return score_baselines_on_test(parts.scored, score_baselines(parts.chosen, quick=True)), []
    chosen: dict[str, dict[str, Any]] = {}
    for name in UNCHOSEN:
        try:
            chosen[name] = {"settings": BASELINES[name].choose(parts.scored)}
        except CannotServe as error:
            chosen[name] = {"reason": str(error)}
    note = (
        "The past is too short to choose an autoregression or analogues on a part of it: only simple baselines are "
        "scored. Two horizons of past, at least, allow more."
    )
    return score_baselines_on_test(parts.scored, chosen), [note]
