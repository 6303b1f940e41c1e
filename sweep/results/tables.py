"""Tidy tables of a study: a row per trial, per evaluation, per rollout step; trials beside baselines.

Scores are on validation: selected, not results. Infinite errors stay +inf; missing values are NaN or None.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sweep.config.records import PREFIXES, TrialRecord
from sweep.diagnosis.trial_diagnosis import Diagnosis
from sweep.results.rmse import rmse_columns
from sweep.results.study import StoredStudy, read_study
from sweep.results.wording.numbers import config_words, value_text
from sweep.score.comparisons import EXACT, skill
from sweep.store.folder import StudyFolder

TRIAL_COLUMNS = (
    "number",
    "state",
    "origin",
    "symptom",
    "rollout_error",
    "nrmse",
    "valid_steps",
    "valid_steps_low",
    "valid_steps_high",
    "one_step_error",
    "diverged_fraction",
    "trivial_skill",
    "exposure_gap",
    "regret_last",
    "regret_one_step",
    "best_at",
    "lowest_one_step_error",
    "loss_rollout_error",
    "loss_valid_steps",
    "last_rollout_error",
    "sequence_steps",
    "updates",
    "seconds",
    "evaluations",
    "diverged_at",
    "reason",
)
TEXTS = ("state", "origin", "symptom", "reason")


def trials_frame(folder: StudyFolder | StoredStudy) -> pd.DataFrame:
    """Return a row per trial, by number, running and failed ones too; one column per hyperparameter.

    Scores are those of the chosen checkpoint, the one with the lowest rollout error. Of the checkpoint with
    the lowest one-step error, which a loss would choose: `lowest_one_step_error`, `loss_rollout_error`,
    `loss_valid_steps`. Checkpoint regret, rollout error minus that of the chosen one, >= 0:
    `regret_one_step`, `regret_last`. `best_at` is in sequence-steps. Hyperparameters carry their flat names,
    such as `sgd.lr`, and are NaN or None for trials without them; `frame.attrs["params"]` lists them.

    Raises:
        StoreError: there is no study, or a record is damaged.
    """
    study = folder if isinstance(folder, StoredStudy) else read_study(folder)
    names = param_names(study.records, list(study.axes))
    rows: list[dict[str, Any]] = []
    for record in study.records:
        values = {name: _plain(record.params.get(name)) for name in names}
        rows.append({**trial_row(record, study.diagnoses.get(record.number)), **values})
    frame = pd.DataFrame(rows, columns=[*TRIAL_COLUMNS, *names])
    counts = ("number", "sequence_steps", "updates", "evaluations")
    sometimes = [name for name in names if _whole(study.records, name)] + ["best_at", "diverged_at"]
    floats = [n for n in TRIAL_COLUMNS if n not in (*TEXTS, *counts, *sometimes)]
    frame = frame.astype(
        {**dict.fromkeys(counts, int), **dict.fromkeys(sometimes, "Int64"), **dict.fromkeys(floats, float)}
    )
    frame.attrs["params"] = names
    return frame


def trial_row(record: TrialRecord, diagnosis: Diagnosis | None) -> dict[str, Any]:
    """Return the columns of `trials_frame` for one trial, without its hyperparameters.

    `symptom` is the code of the main symptom, None if the trial was not diagnosed.
    """
    row: dict[str, Any] = dict.fromkeys(TRIAL_COLUMNS)
    row |= {
        "number": record.number,
        "state": record.state,
        "origin": record.origin,
        "symptom": None if diagnosis is None else diagnosis.code,
        "rollout_error": record.rollout_error,
        "exposure_gap": record.exposure_gap,
        "sequence_steps": record.sequence_steps,
        "updates": record.updates,
        "seconds": record.seconds,
        "evaluations": len(record.evaluations),
        "diverged_at": record.diverged_at,
        "reason": record.reason,
    }
    scores = record.scores
    if scores is None or not record.evaluations:
        return row
    last = record.evaluations[-1].scores
    row |= {
        "nrmse": scores.nrmse,
        "valid_steps": scores.valid_steps,
        "valid_steps_low": scores.valid_steps_low,
        "valid_steps_high": scores.valid_steps_high,
        "one_step_error": scores.one_step_error,
        "diverged_fraction": scores.diverged_fraction,
        "trivial_skill": scores.trivial_skill,
        "last_rollout_error": last.rollout_error,
        "regret_last": last.rollout_error - scores.rollout_error,
        "best_at": record.evaluations[record.best or 0].sequence_steps,
    }
    if record.best_one_step is not None:
        loss = record.evaluations[record.best_one_step].scores
        row |= {
            "lowest_one_step_error": loss.one_step_error,
            "loss_rollout_error": loss.rollout_error,
            "loss_valid_steps": loss.valid_steps,
            "regret_one_step": loss.rollout_error - scores.rollout_error,
        }
    return row


def steps_frame(folder: StudyFolder | StoredStudy) -> pd.DataFrame:
    """Return a row per trial and evaluation point, with the scores at that moment of training.

    `share` is the share of the budget; `error_03`, `error_10`, `error_30` are rollout errors over the first
    3, 10 and 30 % of the horizon.

    Raises:
        StoreError: there is no study, or a record is damaged.
    """
    study = folder if isinstance(folder, StoredStudy) else read_study(folder)
    prefixes = {f"error_{round(100 * share):02d}": k for k, share in enumerate(PREFIXES) if share < 1}
    rows = []
    for record in study.records:
        budget = study.budget_of(record)
        for entry in record.evaluations:
            scores = entry.scores
            rows.append(
                {
                    "number": record.number,
                    "state": record.state,
                    "point": entry.point,
                    "sequence_steps": entry.sequence_steps,
                    "share": entry.sequence_steps / budget if budget else math.nan,
                    "updates": entry.updates,
                    "rollout_error": scores.rollout_error,
                    **{name: scores.prefix_errors[k] for name, k in prefixes.items()},
                    "nrmse": scores.nrmse,
                    "valid_steps": scores.valid_steps,
                    "one_step_error": scores.one_step_error,
                    "diverged_fraction": scores.diverged_fraction,
                    "trivial_skill": scores.trivial_skill,
                    "train_loss": entry.train_loss,
                    "lr": entry.lr,
                }
            )
    columns = [
        "number",
        "state",
        "point",
        "sequence_steps",
        "share",
        "updates",
        "rollout_error",
        *prefixes,
        "nrmse",
        "valid_steps",
        "one_step_error",
        "diverged_fraction",
        "train_loss",
        "lr",
    ]
    return pd.DataFrame(rows, columns=columns)


def errors_frame(folder: StudyFolder | StoredStudy) -> pd.DataFrame:
    """Return a row per trial, evaluation point and step 1, 2, 5, 10, ... of the horizon: how the error grew.

    `nrmse` is of the rollout at that step, `one_step_nrmse` on true inputs; +inf if not finite.

    Raises:
        StoreError: there is no study, or a record is damaged.
    """
    study = folder if isinstance(folder, StoredStudy) else read_study(folder)
    rows = []
    for record in study.records:
        for entry in record.evaluations:
            on_truth = entry.evidence.get("one_step_nrmse_by_step", {})
            for step, error in entry.evidence.get("nrmse_by_step", {}).items():
                place = (record.number, entry.point, entry.sequence_steps)
                rows.append((*place, int(step), error, on_truth.get(step)))
    columns = ["number", "point", "sequence_steps", "step", "nrmse", "one_step_nrmse"]
    frame = pd.DataFrame(rows, columns=columns)
    errors = frame[columns[4:]].astype(float).fillna(math.inf)
    return frame.assign(**errors)


def rollout_frame(folder: StudyFolder, numbers: Sequence[int] | None = None) -> pd.DataFrame:
    """Return a row per trial and rollout step: nrmse free-running and on true inputs, and the exposure gap.

    Args:
        folder: of the study.
        numbers: trials to read; None: all. Trials without a rollout are left out.

    Raises:
        StoreError: there is no study, or a rollout is damaged.
    """
    chosen = [record.number for record in folder.records()] if numbers is None else list(numbers)
    parts = []
    for number in chosen:
        if not (folder.trial(number) / "rollout.npz").is_file():
            continue
        arrays = folder.rollout(number)
        curves = {key: np.asarray(arrays[key], float) for key in ("nrmse", "one_step_nrmse", "exposure_gap")}
        horizon = len(curves["nrmse"])
        parts.append(pd.DataFrame({"number": number, "step": np.arange(1, horizon + 1), **curves}))
    if not parts:
        return pd.DataFrame(columns=["number", "step", "nrmse", "one_step_nrmse", "exposure_gap"])
    return pd.concat(parts, ignore_index=True)


def leaderboard(folder: StudyFolder | StoredStudy) -> pd.DataFrame:
    """Return trials and baselines in one table, lowest rollout error first, those without a score last.

    `kind` is "trial" or "baseline"; `name` says which; `number` is NaN for baselines. `skill.<baseline>` is
    1 - rollout error / that baseline's: 1 is perfect, 0 no better, NaN where that baseline is `exact` (an
    error below 1e-9), since nothing can beat it. `rmse` is in data units, `rmse.<channel>` with
    several target channels.

    Raises:
        StoreError: there is no study, or a record is damaged.
    """
    study = folder if isinstance(folder, StoredStudy) else read_study(folder)
    rows: list[dict[str, Any]] = []
    for record in study.records:
        diagnosis = study.diagnoses.get(record.number)
        row = trial_row(record, diagnosis)
        kept = (
            "number",
            "state",
            "rollout_error",
            "nrmse",
            "valid_steps",
            "one_step_error",
            "diverged_fraction",
            "symptom",
        )
        words = " · ".join(config_words(record.config, record.params))
        rows.append(
            {
                "kind": "trial",
                "name": f"trial {record.number}",
                **{k: row[k] for k in kept},
                **rmse_columns(study.facts, record.scores.rmse if record.scores else None),
                "symptom_title": None if diagnosis is None else diagnosis.symptom["title"],
                "what": words,
            }
        )
    for name, entry in study.baselines.items():
        settings = ", ".join(
            f"{key} {value_text(value)}" for key, value in (entry.get("settings") or {}).items()
        )
        rows.append(
            {
                "kind": "baseline",
                "name": name,
                **{
                    key: math.inf if entry.get(key, 0) is None else entry.get(key)
                    for key in ("rollout_error", "nrmse", "valid_steps", "diverged_fraction")
                },
                **rmse_columns(study.facts, entry.get("rmse")),
                "what": settings,
            }
        )
    columns = [
        "kind",
        "name",
        "number",
        "state",
        "rollout_error",
        "nrmse",
        "valid_steps",
        "one_step_error",
        "diverged_fraction",
        "symptom",
        "symptom_title",
        "what",
    ]
    rmse = list(dict.fromkeys(key for row in rows for key in row if key.partition(".")[0] == "rmse"))
    frame = pd.DataFrame(rows, columns=[*columns, *rmse])
    numbers = ["number", *columns[4:9], *rmse]
    frame = frame.astype(dict.fromkeys(numbers, float))
    frame["exact"] = frame["rollout_error"] < EXACT
    for name, entry in study.baselines.items():
        frame[f"skill.{name}"] = [
            skill_or_nan(error, entry["rollout_error"]) for error in frame["rollout_error"]
        ]
    return frame.sort_values("rollout_error", kind="stable", na_position="last", ignore_index=True)


def skill_or_nan(error: float | None, baseline_error: float) -> float:
    """Return 1 - error / baseline error; NaN without an error or if the baseline is exact."""
    if error is None or not math.isfinite(error):
        return math.nan
    value = skill(error, baseline_error)
    return math.nan if value is None else value


def param_names(records: Sequence[TrialRecord], known: Sequence[str]) -> list[str]:
    """Return the hyperparameters that some trial has: in the space's order, then by first appearance."""
    seen = dict.fromkeys(name for record in records for name in record.params)
    names = [name for name in known if name in seen] + [name for name in seen if name not in known]
    return [name for name in names if name not in TRIAL_COLUMNS]


def _plain(value: Any) -> Any:
    return tuple(_plain(entry) for entry in value) if isinstance(value, list) else value


def _whole(records: Sequence[TrialRecord], name: str) -> bool:
    """Return whether a hyperparameter is an integer in every trial: then 16 stays 16 beside gaps."""
    values = [record.params[name] for record in records if name in record.params]
    return all(isinstance(value, int) and not isinstance(value, bool) for value in values)
