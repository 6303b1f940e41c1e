"""The leaderboard as texts: trials and baselines in one table, lowest rollout error first."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sweep.results.rmse import rmse_text
from sweep.results.wording.diagnosis import MUTED, symptom_text
from sweep.results.wording.numbers import config_words, number_text, value_text


@dataclass(frozen=True)
class BoardRow:
    """A trial or a baseline: its values, and their texts."""

    name: str
    number: int | None  # of a trial; None: a baseline
    best: bool  # whether it is the best network
    used: bool  # whether the verdict is to use it
    state: str
    values: Mapping[
        str, float | None
    ]  # rollout_error, valid_steps, nrmse, one_step_error, rmse (of the first channel); inf where not finite
    texts: Mapping[str, str]  # of the same
    code: str  # of the symptom, or "muted"; "" for a baseline
    symptom: str  # the same with its title
    what: str  # configuration or settings
    reason: str  # why it failed or was stopped
    exact: bool


def board_rows(document: Mapping[str, Any], words: Mapping[int, str] | None = None) -> list[BoardRow]:
    """Return the rows, those without a score last.

    Args:
        document: of the report.
        words: configuration by trial number; None: the sampled hyperparameters alone.
    """
    verdict = document["verdict"]
    use = verdict["use"]["name"] if verdict["kind"] in ("configuration", "baseline") else None
    symptoms = {entry["number"]: entry["symptom"] for entry in document["diagnoses"]["trials"]}
    rows = [
        _trial_row(trial, document["best"], use, symptoms.get(trial["number"]), words)
        for trial in document["trials"]
    ]
    rows += [_baseline_row(name, name == use, entry) for name, entry in document["baselines"].items()]
    return sorted(rows, key=lambda row: math.inf if (error := row.values["rollout_error"]) is None else error)


def _trial_row(
    trial: Mapping[str, Any],
    best: int | None,
    use: str | None,
    symptom: Mapping[str, Any] | None,
    words: Mapping[int, str] | None,
) -> BoardRow:
    number = trial["number"]
    keys = ("rollout_error", "valid_steps", "nrmse", "one_step_error")
    scored = trial["valid_steps"] is not None
    values = {key: math.inf if scored and trial[key] is None else trial[key] for key in keys}
    code = "–" if symptom is None else MUTED if symptom["muted"] else symptom["code"]
    values["rmse"] = _first(trial["rmse"])
    sampled = " · ".join(config_words({}, trial["params"]))
    return BoardRow(
        name=f"trial {number}",
        number=number,
        best=number == best,
        used=f"trial {number}" == use,
        state=trial["state"],
        values=values,
        texts={**_texts(values), "rmse": rmse_text(trial["rmse"])},
        code=code,
        symptom=symptom_text(symptom),
        what=sampled if words is None else words[number],
        reason=trial["reason"] or "",
        exact=False,
    )


def _baseline_row(name: str, used: bool, entry: Mapping[str, Any]) -> BoardRow:
    values = {
        key: math.inf if entry[key] is None else entry[key]
        for key in ("rollout_error", "valid_steps", "nrmse")
    }
    values["rmse"] = _first(entry["rmse"])
    texts = {**_texts({**values, "one_step_error": None}), "rmse": rmse_text(entry["rmse"])}
    return BoardRow(
        name=name,
        number=None,
        best=False,
        used=used,
        state="baseline",
        values={**values, "one_step_error": None},
        texts={**texts, "rollout_error": "exact"} if entry["exact"] else texts,
        code="",
        symptom="",
        what=", ".join(f"{key} {value_text(value)}" for key, value in (entry["settings"] or {}).items()),
        reason="",
        exact=entry["exact"],
    )


def _first(values: Sequence[float | None] | None) -> float | None:
    """Return the number of the first target channel, which rows are sorted by."""
    if not values:
        return None
    return math.inf if values[0] is None else values[0]


def _texts(values: Mapping[str, float | None]) -> dict[str, str]:
    texts = {key: number_text(value) for key, value in values.items()}
    valid = values["valid_steps"]
    return texts if valid is None else {**texts, "valid_steps": f"{valid:.0f}"}
