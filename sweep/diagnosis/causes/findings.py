"""Findings of the cause level: one for every cause, with evidence, confidence and prescriptions."""

import math
from collections.abc import Mapping
from typing import Any

from sweep.diagnosis.causes.case import Case
from sweep.diagnosis.causes.cause_model import CauseModel, shipped_model
from sweep.diagnosis.causes.features import FEATURES
from sweep.diagnosis.causes.known_causes import CAUSES, Cause
from sweep.diagnosis.causes.tip_rules import PRUNED, TIP_RULES
from sweep.diagnosis.finding import Change, Finding, Severity

ALSO = 0.1  # probability from which on a cause that is not the first is told; our choice
UNCLEAR = 0.05  # the same where a rollout fails and there is no alarm; our choice
LEAKED = 0.05  # share of validation stretches in the training data from which on there is a leak; facts: D23
REASONS = 3  # features that are named for a cause; our choice
COUNTS = 0.2  # what a feature must add to a cause's score to be named; our choice
# Causes that are not read off a whole training by mini-batches, which is what the calibration knows.
OF_TASK = ("window_short", "dead_relu", "data_scale", "distribution_gap", "leak", "warmup_short")
ORDER = ("issue", "tip", "ok", "not applicable")


def cause_findings(case: Case, failing: bool = False) -> tuple[Finding, ...]:
    """Return one finding per cause: issues first, each severity by falling confidence.

    issue: the most probable cause of a run of which something is wrong. tip: another that may be, a rule's, or what
    speaks a little of a rollout that fails though no cause stands out. ok: looked for and not found. not applicable:
    cannot be decided here.

    Args:
        case: the trial.
        failing: whether its symptom is a failure.
    """
    model = shipped_model()
    values = {name: feature.read(case) for name, feature in FEATURES.items()}
    alarm, possible = likely(case, model, values)
    first = max(possible, key=lambda fault: possible[fault])
    found = []
    for cause in CAUSES.values():
        why = inapplicable(case, cause)
        if why:
            found.append(_finding(cause, "not applicable", f"Cannot be decided here: {why}.", {}, 1.0))
        elif cause.name in TIP_RULES:
            found.append(_by_rule(case, cause))
        else:
            told = alarm or failing
            severity: Severity = "issue" if alarm and cause.fault == first else "tip"
            probability = possible[cause.fault]
            seen = told and (severity == "issue" or probability >= (ALSO if alarm else UNCLEAR))
            found.append(_calibrated(case, cause, model, values, probability, severity if seen else "ok"))
    place = {severity: number for number, severity in enumerate(ORDER)}
    return tuple(sorted(found, key=lambda one: (place[one.severity], -(one.confidence or 0.0))))


def likely(case: Case, model: CauseModel, values: Mapping[str, float]) -> tuple[bool, dict[str, float]]:
    """Return whether something is wrong, and by fault the probability of each calibrated cause that can be.

    A leak is no matter of probability: the data say whether there is one.
    """
    leak = case.facts.leaked >= LEAKED
    found = {**model.probabilities(values), "leak": float(leak)}
    possible = {
        cause.fault: found[cause.fault]
        for cause in CAUSES.values()
        if cause.fault in found and not inapplicable(case, cause)
    }
    return sum(possible.values()) >= model.alarm, possible


def inapplicable(case: Case, cause: Cause) -> str:
    """Return why a cause cannot be the case with this configuration, "" where it can."""
    training, model = case.config.training, case.config.model
    # what stopped a training that diverged was no lack of budget, and no rate that was too low
    diverged = "" if case.record.diverged_at is None else "training ended by diverging"
    reasons = {
        "momentum_high": "" if case.setup.has_momentum else f"{training.optimizer.name} has no momentum",
        "clip_tight": "" if training.clip > 0 else "no gradient clip is set",
        "noise_large": "" if training.input_noise > 0 else "no input noise is set",
        "weight_decay_large": "" if training.weight_decay > 0 else "no weight decay is set",
        "dead_relu": (
            ""
            if model.output_activation == "relu" or (model.head and model.head_activation == "relu")
            else "the readout has no ReLU"
        ),
        "decay_early": "" if training.scheduler.name != "none" else "the rate never falls",
        "undertrained": diverged,
        "lr_low": diverged,
    }
    why = reasons.get(cause.fault, "")
    return why or ("" if cause.fault in OF_TASK or cause.decided == "rule" else _outside(case))


def _outside(case: Case) -> str:
    """Return why the training itself cannot be judged, "" where it can."""
    if case.record.state == "pruned":
        return PRUNED
    if case.setup.full_batch:
        return "the calibration knows training by mini-batches only"
    return ""


def _finding(
    cause: Cause, severity: Severity, text: str, evidence: dict[str, Any], confidence: float, **more: Any
) -> Finding:
    return Finding(cause.name, severity, text, evidence, cause.title, confidence, **more)


def prescribed(case: Case, cause: Cause) -> tuple[tuple[Change, ...], ...]:
    """Return a cause's prescriptions without what the trial has already."""
    settings = case.config.model_dump(mode="json")
    left = []
    for changes in cause.prescribe(case):
        new = tuple(change for change in changes if not _is_so(settings, change))
        if new and new not in left:
            left.append(new)
    return tuple(left)


def _is_so(settings: Any, change: Change) -> bool:
    for key in change.path.split("."):
        if not isinstance(settings, dict) or key not in settings:
            return False
        settings = settings[key]
    return bool(settings == change.value)


def _by_rule(case: Case, cause: Cause) -> Finding:
    verdict = TIP_RULES[cause.name](case)
    if verdict.found is None:
        return _finding(cause, "not applicable", f"Cannot be decided here: {verdict.text}.", {}, 1.0)
    evidence = dict(verdict.evidence)
    if not verdict.found:
        return _finding(cause, "ok", verdict.text, evidence, 0.5)
    text = f"{cause.meaning} {verdict.text}"
    return _finding(cause, "tip", text, evidence, 0.5, prescriptions=prescribed(case, cause))


def _calibrated(
    case: Case,
    cause: Cause,
    model: CauseModel,
    values: dict[str, float],
    probability: float,
    severity: Severity,
) -> Finding:
    evidence: dict[str, Any] = {"probability": probability}
    if severity == "ok":
        return _finding(cause, "ok", "Not seen.", evidence, 1.0 - probability)
    reasons = _reasons(model, values, cause.fault)
    evidence.update({name: values[name] for name, _ in reasons})
    text = f"{cause.meaning} {_told(model, values, reasons)}".strip()
    return _finding(cause, severity, text, evidence, probability, prescriptions=prescribed(case, cause))


def _reasons(model: CauseModel, values: dict[str, float], fault: str) -> list[tuple[str, float]]:
    known = [one for one in model.reasons(values, fault) if not math.isnan(values[one[0]])]
    return [one for one in known[:REASONS] if one[1] >= COUNTS]


def _told(model: CauseModel, values: dict[str, float], reasons: list[tuple[str, float]]) -> str:
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
