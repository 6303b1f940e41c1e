"""Findings of the cause level: one for every cause, with evidence, confidence and prescriptions."""

import math
from typing import Any

from sweep.diagnosis.causes.case import Case
from sweep.diagnosis.causes.features import FEATURES
from sweep.diagnosis.causes.model import Model, calibrated
from sweep.diagnosis.causes.rules import RULES
from sweep.diagnosis.causes.table import CAUSES, HEALTHY, Cause
from sweep.diagnosis.finding import Finding, Severity

ALSO = 0.1  # probability from which on a cause that is not the first is told; our choice
REASONS = 3  # features that are named for a cause; our choice
COUNTS = 0.2  # what a feature must add to a cause's score to be named; our choice
ORDER = ("issue", "tip", "ok", "not applicable")


def cause_findings(case: Case) -> tuple[Finding, ...]:
    """Return one finding per cause: issues first, each severity by falling confidence.

    issue: the most probable cause of a run of which something is wrong. tip: another that may be, or a rule's. ok:
    looked for and not found. not applicable: cannot be decided here.
    """
    model = calibrated()
    values = {name: feature.read(case) for name, feature in FEATURES.items()}
    probabilities = model.probabilities(values)
    ill = 1.0 - probabilities[HEALTHY] >= model.alarm
    first = max((p, fault) for fault, p in probabilities.items() if fault != HEALTHY)[1]
    found = []
    for cause in CAUSES.values():
        why = inapplicable(case, cause)
        if why:
            found.append(_finding(cause, "not applicable", f"Cannot be decided here: {why}.", {}, 1.0))
        elif cause.name in RULES:
            found.append(_by_rule(case, cause))
        else:
            found.append(_calibrated(case, cause, model, values, probabilities, ill, first))
    place = {severity: number for number, severity in enumerate(ORDER)}
    return tuple(sorted(found, key=lambda one: (place[one.severity], -one.confidence)))


def inapplicable(case: Case, cause: Cause) -> str:
    """Return why a cause cannot be the case with this configuration, "" where it can."""
    training, model = case.config.training, case.config.model
    has_momentum = "momentum" in training.optimizer.settings or training.optimizer.name not in (
        "lbfgs",
        "adagrad",
    )
    reasons = {
        "momentum_high": "" if has_momentum else f"{training.optimizer.name} has no momentum",
        "clip_tight": "" if training.clip > 0 else "no gradient clip is set",
        "noise_large": "" if training.input_noise > 0 else "no input noise is set",
        "weight_decay_large": "" if training.weight_decay > 0 else "no weight decay is set",
        "dead_relu": (
            ""
            if model.output_activation == "relu" or (model.head and model.head_activation == "relu")
            else "the readout has no ReLU"
        ),
        "decay_early": "" if training.scheduler.name != "none" else "the rate never falls",
    }
    return reasons.get(cause.fault, "")


def _finding(
    cause: Cause, severity: Severity, text: str, evidence: dict[str, Any], confidence: float, **more: Any
) -> Finding:
    return Finding(cause.name, cause.title, severity, text, evidence, confidence, **more)


def _by_rule(case: Case, cause: Cause) -> Finding:
    verdict = RULES[cause.name](case)
    if verdict.found is None:
        return _finding(cause, "not applicable", f"Cannot be decided here: {verdict.text}.", {}, 1.0)
    evidence = dict(verdict.evidence)
    if not verdict.found:
        return _finding(cause, "ok", verdict.text, evidence, 0.5)
    text = f"{cause.meaning} {verdict.text}"
    return _finding(cause, "tip", text, evidence, 0.5, prescriptions=cause.prescribe(case))


def _calibrated(
    case: Case,
    cause: Cause,
    model: Model,
    values: dict[str, float],
    probabilities: dict[str, float],
    ill: bool,
    first: str,
) -> Finding:
    probability = probabilities.get(cause.fault, 0.0)
    evidence: dict[str, Any] = {"probability": probability}
    leads = ill and cause.fault == first
    if not leads and not (ill and probability >= ALSO):
        return _finding(cause, "ok", "Not seen.", evidence, 1.0 - probability)
    reasons = _reasons(model, values, cause.fault)
    evidence.update({name: values[name] for name, _ in reasons})
    text = f"{cause.meaning} {_told(model, values, reasons)}".strip()
    severity: Severity = "issue" if leads else "tip"
    return _finding(cause, severity, text, evidence, probability, prescriptions=cause.prescribe(case))


def _reasons(model: Model, values: dict[str, float], fault: str) -> list[tuple[str, float]]:
    known = [one for one in model.reasons(values, fault) if not math.isnan(values[one[0]])]
    return [one for one in known[:REASONS] if one[1] >= COUNTS]


def _told(model: Model, values: dict[str, float], reasons: list[tuple[str, float]]) -> str:
    if not reasons:
        return ""
    parts = []
    for name, _ in reasons:
        place, feature = model.features.index(name), FEATURES[name]
        said = (feature.said(v) for v in (values[name], model.healthy_low[place], model.healthy_high[place]))
        value, low, high = said
        healthy = low if low == high else f"{low} to {high}"
        parts.append(f"{feature.subject} is {value} (healthy runs {healthy})")
    return f"Speaking for it: {'; '.join(parts)}."
