"""Importances of hyperparameters: how well each separates good trials from the rest (PED-ANOVA)."""

import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna

from sweep.config.records import TrialRecord
from sweep.config.space import Axis
from sweep.results.effects import REFIT, CommonRung, is_late, strata
from sweep.results.study import StoredStudy

LEAST_TRIALS = 20  # our choice: the best quarter then holds five, as many as Optuna's documentation advises
TOP_LEAST = 5


@dataclass(frozen=True)
class Importances:
    """The share of each hyperparameter in separating good trials from all, summing to 1; or the reason why not."""

    readout_refit: str | None  # of the trials; None: all
    shares: Mapping[str, float]
    trials: int
    reason: str | None = None


def importances(study: StoredStudy, rung: CommonRung) -> list[Importances]:
    """Return PED-ANOVA importances of the scores at the common rung, for the trials of each `readout_refit`.

    Conditional hyperparameters have importances, too.

    They are computed on an in-memory Optuna study, so that pruned and diverged trials count. The scheduler is left out,
    as it has barely begun at a rung.

    Source: Watanabe et al. (2023), PED-ANOVA; conditional hyperparameters: arXiv 2601.20800, as in Optuna 5.
    """
    return [_of_stratum(study, rung, refit, members) for refit, members in strata(study).items()]


def _of_stratum(
    study: StoredStudy, rung: CommonRung, refit: str | None, members: Collection[int]
) -> Importances:
    axes = {
        name: axis
        for name, axis in study.axes.items()
        if name != REFIT and (rung.at is None or refit == "end" or not is_late(name, axis))
    }
    judged = rung.scores
    if refit == "end":
        judged = {
            record.number: record.rollout_error
            for record in study.records
            if record.state == "complete" and record.rollout_error is not None
        }
    records = [record for record in study.records if record.number in judged and record.number in members]
    axes = {name: axis for name, axis in axes.items() if any(name in record.params for record in records)}
    if len(records) < LEAST_TRIALS:
        reason = f"needs at least {LEAST_TRIALS} scored trials, there are {len(records)}"
        return Importances(refit, {}, len(records), reason)
    scores = np.array([judged[record.number] for record in records])
    if np.ptp(scores) == 0:
        return Importances(refit, {}, len(records), "all trials score the same")
    if not axes:
        return Importances(refit, {}, len(records), "no hyperparameter is judged at the rung")
    quantile = min(0.5, max(0.1, TOP_LEAST / len(records)))
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            inner = optuna.create_study(direction="minimize")
            inner.add_trials([_optuna_trial(record, axes, judged[record.number]) for record in records])
            evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=quantile)
            raw = optuna.importance.get_param_importances(inner, evaluator=evaluator)
    finally:
        optuna.logging.set_verbosity(verbosity)
    names = {axis.span.key(name): name for name, axis in axes.items()}
    ordered = sorted(
        ((names[key], float(share)) for key, share in raw.items()), key=lambda pair: (-pair[1], pair[0])
    )
    return Importances(refit, dict(ordered), len(records))


def _optuna_trial(record: TrialRecord, axes: Mapping[str, Axis], score: float) -> Any:
    params, distributions = {}, {}
    for name, axis in axes.items():
        if name in record.params:
            key = axis.span.key(name)
            params[key] = axis.span.sampled(
                tuple(value) if isinstance(value := record.params[name], list) else value
            )
            distributions[key] = axis.span.distribution()
    return optuna.create_trial(params=params, distributions=distributions, value=score)
