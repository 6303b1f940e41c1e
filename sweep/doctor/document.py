"""The JSON document of an examination, worded once: terminal, page and picture lay it out."""

from typing import Any

import numpy as np

from sweep.config.records import to_json
from sweep.config.text import plural
from sweep.data.trivial import TITLES, TRIVIAL
from sweep.diagnosis.finding import finding_to_json
from sweep.diagnosis.symptoms import HEALTHY, SYMPTOMS, TrialSymptom, symptom_findings
from sweep.doctor.examination import Examination, Judged
from sweep.results.wording.numbers import number_text, steps_text
from sweep.score.breakdown import breakdown_of
from sweep.score.comparisons import EXACT

FORMAT = 1
NO_SCALE = (
    "Without the past there is no scale, so nothing more can be said: give the values before the forecasts "
    "(--past)."
)


def document_of(examination: Examination) -> dict[str, Any]:
    """Return the document (docs/doctor.md); non-finite numbers are null."""
    given, judged = examination.given, examination.judged
    starts, steps = given.truth.shape[:2]
    sentences = _verdict(examination)
    document: dict[str, Any] = {
        "format": FORMAT,
        "data": {
            "starts": starts,
            "steps": steps,
            "channels": list(given.channels),
            "series": list(given.series),
            "past_steps": 0 if given.past is None else given.past.shape[1],
            "period": None if judged is None else judged.data.period,
            "n_eff": None if judged is None else judged.data.test.n_eff,
        },
        "rmse": dict(zip(given.channels, examination.rmse, strict=True)),
        "verdict": {
            "text": " ".join(sentences),
            "sentences": sentences,
            "severity": _severity(judged),
        },
        "notes": list(examination.notes),
    }
    if judged is None:
        nothing = ("scores", "baselines", "best_baseline", "skill", "symptom", "one_step", "breakdown")
        return document | dict.fromkeys(nothing) | {"findings": [], "starts": []}
    best = judged.best_baseline
    scored = to_json(judged.scores)
    document |= {
        "scores": {name: value for name, value in scored.items() if not name.startswith("one_step")},
        "baselines": {
            name: {key: value for key, value in entry.items() if key != "seconds"}
            for name, entry in judged.baselines.items()
        },
        "best_baseline": None if best is None else best[0],
        "skill": judged.skill,
        "symptom": {**to_json(judged.symptom), "title": judged.symptom.title},
        "findings": [finding_to_json(finding) for finding in symptom_findings(judged.symptom)],
        "one_step": _one_step(examination, judged),
        "breakdown": to_json(breakdown_of(judged.data, judged.data.test, given.forecast)),
        "starts": _starts(examination, judged),
    }
    plain: dict[str, Any] = to_json(document)
    return plain


def _starts(examination: Examination, judged: Judged) -> list[dict[str, Any]]:
    given = examination.given
    steps = np.asarray(judged.arrays["valid_steps"]).tolist()
    return [
        {
            "start": index,
            "series": given.series[owner] if given.series else None,
            "position": int(given.position[index]),
            "valid_steps": steps[index],
            "symptom": judged.symptom.by_start[index],
            "by_channel": list(judged.symptom.by_start_and_channel[index]),
        }
        for index, owner in enumerate(given.owner.tolist())
    ]


def _one_step(examination: Examination, judged: Judged) -> dict[str, Any] | None:
    """Return the error of single steps on true inputs, and how much larger that of the rollout is, by step."""
    if examination.given.one_step is None:
        return None
    rollout, forced = judged.arrays["nrmse"], judged.arrays["one_step_nrmse"]
    with np.errstate(invalid="ignore"):
        gap = rollout - forced
    return {
        "error": judged.scores.one_step_error,
        "nrmse": judged.scores.one_step_nrmse,
        "gap": float(np.mean(gap)),
        "gap_by_step": gap.tolist(),
    }


def _severity(judged: Judged | None) -> str:
    if judged is None:
        return "not applicable"
    if judged.symptom.code in HEALTHY and not judged.symptom.mixture and not _beaten(judged):
        return "ok"
    return "issue"


def _beaten(judged: Judged) -> bool:
    """Return whether a baseline is better, by more than rounding."""
    best = judged.best_baseline
    error = judged.scores.rollout_error
    return best is not None and max(float(best[1]["rollout_error"]), EXACT) < error


def _verdict(examination: Examination) -> list[str]:
    """Return how the forecasts fail and how they compare, a sentence each."""
    given, judged = examination.given, examination.judged
    starts, steps, _ = given.truth.shape
    if judged is None:
        errors = ", ".join(
            f"{name} {number_text(value)}"
            for name, value in zip(given.channels, examination.rmse, strict=True)
        )
        return [
            f"RMSE over {plural(steps, 'step')} of {plural(starts, 'start')}, in data units: {errors}.",
            NO_SCALE,
        ]
    return [_held(judged, steps), _beside_baselines(judged, steps)]


def _held(judged: Judged, steps: int) -> str:
    symptom = judged.symptom
    trivial = symptom.numbers.get("trivial_valid_steps")
    held = f"it holds for {steps_text(judged.scores.valid_steps, steps)} steps"
    beside = ""
    if isinstance(trivial, int | float):
        beside = f" (the best trivial forecast, {symptom.numbers['trivial']}: {trivial:.0f})"
    return f"{_named(symptom)}: {held}{beside}."


def _named(symptom: TrialSymptom) -> str:
    if symptom.mixture:
        return f"A mixture of {symptom.title}"
    title = SYMPTOMS[symptom.code].title
    return f"{title[0].upper()}{title[1:]} ({symptom.code})"


def _beside_baselines(judged: Judged, steps: int) -> str:
    best = judged.best_baseline
    if best is None:
        return "No baseline could be scored."
    name, entry = best
    own, other = number_text(judged.scores.rollout_error), number_text(float(entry["rollout_error"]))
    title = f"{name} ({TITLES[name]})" if name in TRIVIAL else name
    if _beaten(judged):
        held = steps_text(float(entry["valid_steps"]), steps)
        return (
            f"The baseline {title} is better: rollout error {other} against {own}, and {held} valid steps. Use that, "
            "or mend the forecaster."
        )
    return f"It is better than every baseline: rollout error {own}, the best of them, {title}, {other}."
