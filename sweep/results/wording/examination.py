"""An examination of forecasts from elsewhere in words: the failure, the baselines, and what was scored.

The document is that of `sweep doctor` (docs/doctor.md).
"""

from collections.abc import Mapping
from typing import Any

from sweep.config.text import plural
from sweep.data.trivial import TITLES
from sweep.diagnosis.symptoms import SYMPTOMS
from sweep.results.wording.numbers import list_text, number_text, steps_text
from sweep.results.wording.text_table import TextTable

SURE, LIKELY = 0.8, 0.5  # confidence; our choice
OWN = "this forecast"
SHOWN_STARTS = 40


def symptom_lines(document: Mapping[str, Any]) -> list[str]:
    """Return what else the document says about the failure, in sentences."""
    symptom = document["symptom"]
    if symptom is None:
        return []
    lines = [symptom["text"], f"The diagnosis is {_sure(symptom['confidence'])}."]
    one_step = document["one_step"]
    if one_step is not None:
        lines.append(
            f"Single steps on true inputs have an error (nrmse) of {number_text(one_step['nrmse'])}; the rollout's is "
            f"larger by {number_text(one_step['gap'])}, mean over steps."
        )
    lines += [
        f"Also: {finding['title']}, {finding['text'][0].lower()}{finding['text'][1:]}"
        for finding in document["findings"]
        if finding["severity"] == "issue" and finding["code"] != symptom["code"]
    ]
    return lines


def _sure(confidence: float) -> str:
    """Return a confidence in words, with its number."""
    word = "sure" if confidence >= SURE else "likely" if confidence >= LIKELY else "unsure"
    return f"{word} (confidence {confidence:.2f})"


def baseline_table(document: Mapping[str, Any]) -> TextTable:
    """Return the forecast among the baselines, the lowest error first; those that were not scored last."""
    steps = document["data"]["steps"]
    scored = {name: one for name, one in document["baselines"].items() if "rollout_error" in one}
    entries = [*scored.items(), (OWN, document["scores"])]
    rows = [
        (
            name,
            number_text(entry["rollout_error"]),
            steps_text(entry["valid_steps"], steps),
            number_text(entry["nrmse"]),
        )
        for name, entry in sorted(entries, key=lambda one: one[1]["rollout_error"])
    ]
    missing = [
        (name, "–", one["reason"], "–") for name, one in document["baselines"].items() if name not in scored
    ]
    return TextTable(("", "rollout error", "valid steps", "nrmse"), (*rows, *missing))


def starts_table(document: Mapping[str, Any]) -> TextTable:
    """Return the starts, those that hold longest last; of many, the first SHOWN_STARTS."""
    steps = document["data"]["steps"]
    named = bool(document["data"]["series"])
    rows = [
        (
            f"start {one['start']}" + (f" of {one['series']}" if named else ""),
            steps_text(one["valid_steps"], steps),
            f"{one['symptom']} {SYMPTOMS[one['symptom']].title}",
        )
        for one in sorted(document["starts"], key=lambda one: float(one["valid_steps"]))[:SHOWN_STARTS]
    ]
    return TextTable(("", "valid steps", "symptom"), tuple(rows))


def examined_facts(document: Mapping[str, Any]) -> list[str]:
    """Return what was scored, in a sentence, and where a few series or channels carry the error."""
    data = document["data"]
    parts = [plural(data["starts"], "start")]
    if data["series"]:
        parts.append(f"{plural(len(data['series']), 'series', 'series')}")
    parts += [plural(len(data["channels"]), "channel"), plural(data["steps"], "step")]
    text = f"Scored: {', '.join(parts)}"
    if document["scores"] is None:
        return [f"{text}."]
    past = f"the past has {plural(data['past_steps'], 'step')}"
    period = "" if data["period"] is None else f" and a period of {number_text(data['period'])}"
    apart = "" if data["n_eff"] == data["starts"] else f"; {data['n_eff']} starts do not overlap"
    unit = (
        f"Errors are in units of what the best trivial forecast gets wrong ({list_text([*TITLES.values()])})."
    )
    return [f"{text}; {past}{period}{apart}. {unit}"]
