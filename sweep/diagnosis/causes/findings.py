"""Findings of the cause level: one for every cause, with evidence, confidence and prescriptions."""

import math
from collections.abc import Mapping
from typing import Any

from sweep.config.feedback import NO_FEEDBACK, OF_FEEDBACK
from sweep.diagnosis.causes.case import Case
from sweep.diagnosis.causes.cause_model import CauseModel, shipped_model
from sweep.diagnosis.causes.features import FEATURES
from sweep.diagnosis.causes.known_causes import CAUSES, Cause
from sweep.diagnosis.causes.pooled_series import POOLED, pooled_apart, pooled_evidence, pooled_text
from sweep.diagnosis.causes.tip_rules import PRUNED, TIP_RULES
from sweep.diagnosis.finding import Change, Finding, Severity

ALSO = 0.1  # least probability of a cause beside the first to be a tip; our choice
UNCLEAR = 0.05  # the same if the rollout fails without an alarm; our choice
LEAKED = 0.05  # least share of validation stretches in the training data that is a leak
REASONS = 3  # most features named for a cause; our choice
COUNTS = 0.2  # least contribution to a cause's score of a named feature; our choice
# causes that do not need a whole training by mini-batches, the only kind in the calibration
OF_TASK = ("window_short", "dead_relu", "data_scale", "distribution_gap", "leak", "warmup_short")
OF_DATA = ("distribution_gap", "leak")  # causes that no training removes
ORDER = ("issue", "tip", "ok", "not applicable")


def cause_findings(case: Case, failing: bool = False, hopeless: str = "") -> tuple[Finding, ...]:
    """Return one finding per cause: issues first, each severity by falling confidence.

    issue: the most probable cause of a run with an alarm. tip: another probable cause, a cause found by a rule, or the
    most probable causes of a failing rollout without an alarm. Series that one scaling does not fit are an issue
    wherever rollouts fail. ok: not found. not applicable: cannot be decided here.

    Args:
        case: the trial.
        failing: whether the trial's symptom is a failure.
        hopeless: why no forecast is known to be better than a trivial one. Only causes in the data can be named then.
    """
    model = shipped_model()
    values = {name: feature.read(case) for name, feature in FEATURES.items()}
    alarm, possible = likely(case, model, values)
    # baselines share the scaling: where none of them has skill, that may be the cause, too
    pooled = (failing or bool(hopeless)) and pooled_apart(case)
    if pooled:
        alarm, possible = True, {**possible, POOLED: 1.0}
    first = max(possible, key=lambda fault: (possible[fault], fault == "leak"))
    findings = []
    for cause in CAUSES.values():
        why = inapplicable(case, cause) or (hopeless if cause.fault not in OF_DATA else "")
        if pooled and cause.fault == POOLED:
            found = _finding(
                cause,
                "issue",
                pooled_text(case),
                pooled_evidence(case),
                1.0,
                prescriptions=prescribed(case, cause),
            )
            findings.append(found)
        elif why:
            findings.append(_finding(cause, "not applicable", f"Cannot be decided here: {why}.", {}, 1.0))
        elif cause.name in TIP_RULES:
            findings.append(_by_rule(case, cause))
        else:
            severity: Severity = "issue" if alarm and cause.fault == first else "tip"
            probability = possible[cause.fault]
            shown = (alarm or failing) and (
                severity == "issue" or probability >= (ALSO if alarm else UNCLEAR)
            )
            findings.append(_calibrated(case, cause, model, values, probability, severity if shown else "ok"))
    place = {severity: number for number, severity in enumerate(ORDER)}
    return tuple(
        sorted(findings, key=lambda finding: (place[finding.severity], -(finding.confidence or 0.0)))
    )


def likely(case: Case, model: CauseModel, values: Mapping[str, float]) -> tuple[bool, dict[str, float]]:
    """Return whether there is an alarm, and by fault the probability of each calibrated cause that is applicable.

    The data decide whether there is a leak, so its probability is 0 or 1.
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
    """Return why a cause is impossible or cannot be told with this configuration and data; "" if it is possible."""
    training, model = case.config.training, case.config.model
    # a training that diverged did not end for lack of budget or because its rate was too low
    diverged = "" if case.record.diverged_at is None else "training ended by diverging"
    reasons = {
        "momentum_high": "" if case.setup.has_momentum else f"{training.optimizer.name} has no momentum",
        "clip_tight": "" if training.clip > 0 else "no gradient clip is set",
        "noise_large": (
            "no input noise is set"
            if training.input_noise == 0
            else ""
            if model.feedback
            else "without feedback the network does not see the noise"
        ),
        "weight_decay_large": "" if training.weight_decay > 0 else "no weight decay is set",
        "dead_relu": (
            ""
            if model.output_activation == "relu" or (model.head and model.head_activation == "relu")
            else "the readout has no ReLU"
        ),
        "decay_early": "" if training.scheduler.name != "none" else "the learning rate never falls",
        "distribution_gap": (
            "the data have inputs from outside, and other inputs look like another law"
            if case.facts.inputs
            else ""
        ),
        "exposure_bias": "" if model.feedback else NO_FEEDBACK,
        "undertrained": diverged,
        "lr_low": diverged,
    }
    why = reasons.get(cause.fault, "")
    return why or ("" if cause.fault in OF_TASK or cause.decided == "rule" else _outside(case))


def _outside(case: Case) -> str:
    """Return why the training itself cannot be judged; "" if it can."""
    if case.record.state == "pruned":
        return PRUNED
    if case.setup.full_batch:
        return "the calibration covers training by mini-batches only"
    return ""


def _finding(
    cause: Cause, severity: Severity, text: str, evidence: dict[str, Any], confidence: float, **more: Any
) -> Finding:
    return Finding(cause.name, severity, text, evidence, cause.title, confidence, **more)


def prescribed(case: Case, cause: Cause) -> tuple[tuple[Change, ...], ...]:
    """Return a cause's prescriptions without changes that the trial already has, or that have no effect on it."""
    settings = case.config.model_dump(mode="json")
    vain = () if case.config.model.feedback else tuple(f"training.{name}" for name in OF_FEEDBACK)
    left = []
    for changes in cause.prescribe(case):
        new = tuple(change for change in changes if change.path not in vain and not _is_so(settings, change))
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
    result = TIP_RULES[cause.name](case)
    if result.found is None:
        return _finding(cause, "not applicable", f"Cannot be decided here: {result.text}.", {}, 1.0)
    evidence = dict(result.evidence)
    if not result.found:
        return _finding(cause, "ok", result.text, evidence, 0.5)
    text = f"{cause.meaning} {result.text}"
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
        return _finding(cause, "ok", "Not found.", evidence, 1.0 - probability)
    reasons = _reasons(model, values, cause.fault)
    evidence.update({name: values[name] for name, _ in reasons})
    text = f"{cause.meaning} {_reasons_text(model, values, reasons)}".strip()
    return _finding(cause, severity, text, evidence, probability, prescriptions=prescribed(case, cause))


def _reasons(model: CauseModel, values: dict[str, float], fault: str) -> list[tuple[str, float]]:
    known = [reason for reason in model.reasons(values, fault) if not math.isnan(values[reason[0]])]
    return [reason for reason in known[:REASONS] if reason[1] >= COUNTS]


def _reasons_text(model: CauseModel, values: dict[str, float], reasons: list[tuple[str, float]]) -> str:
    if not reasons:
        return ""
    parts = []
    for name, _ in reasons:
        place, feature = model.features.index(name), FEATURES[name]
        numbers = (values[name], model.healthy_low[place], model.healthy_high[place])
        value, low, high = (feature.value_text(number) for number in numbers)
        healthy = low if low == high else f"{low} to {high}"
        parts.append(f"{feature.subject} is {value} (healthy runs: {healthy})")
    return f"Evidence: {'; '.join(parts)}."
