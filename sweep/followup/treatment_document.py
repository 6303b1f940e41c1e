"""The document of a treatment: every arm on its fresh seeds, and the effect of each change."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from sweep.config.records import TrialRecord, error_of
from sweep.config.text import plural
from sweep.followup.confirm import trained_entry
from sweep.followup.prescriptions import Prescription
from sweep.followup.retrain import Retrained, Retraining
from sweep.followup.treatment_plan import Plan
from sweep.results.selection import FEW_STARTS
from sweep.stats.paired_effect import LEAST_TO_CLAIM, effect
from sweep.stats.ranking import iqm_with_interval, worse_median

SEED = 0  # of the bootstraps, so that equal trainings give equal documents


def treatment_document(
    record: TrialRecord,
    plan: Plan,
    retraining: Retraining,
    retrained: Retrained,
    n_eff: int | None,
    tried_before: Sequence[str] = (),
) -> dict[str, Any]:
    """Return treatment.json (docs/report.md): every arm on its fresh seeds, and the effect of each change.

    Args:
        record: of the trial.
        plan: its arms.
        retraining: of the same arms on their fresh seeds.
        retrained: all the trainings.
        n_eff: validation starts that do not overlap; below 8, nothing is claimed.
        tried_before: keys of the prescribed configurations that were tried on this trial earlier.
    """
    fresh = retraining.seeds or ()
    seeds = range(len(fresh))
    table = [[retrained.records[arm, seed] for seed in seeds] for arm in range(len(plan.arms))]
    errors = np.array([[error_of(entry) for entry in row] for row in table])
    rng = np.random.default_rng(SEED)
    reason = no_claim_reason(len(seeds), n_eff)
    random = len(plan.arms) - 1 if plan.arms[-1].kind == "random" else None
    chance = effect(errors[0], np.full(len(seeds), error_of(record)), rng)
    entries = []
    for index, arm in enumerate(plan.arms):
        row = table[index]
        others = {"unchanged": None if index == 0 else 0, "random": None if index in (0, random) else random}
        effects = {
            name: None if other is None else _effect_entry(table, errors, index, other, reason, rng)
            for name, other in others.items()
        }
        against = effects["random"]
        entries.append(
            {
                "kind": arm.kind,
                "prescription": None if arm.prescription is None else arm.prescription.number,
                "code": None if arm.prescription is None else arm.prescription.code,
                "title": None if arm.prescription is None else arm.prescription.title,
                "changes": [dict(entry) for entry in arm.differences],
                "key": arm.arm.config.key,
                **trained_entry(row, [retrained.numbers[index, seed] for seed in seeds]),
                "iqm": asdict(iqm_with_interval(errors[index], rng)),
                "median": worse_median(errors[index].tolist()),
                "budget": arm.arm.config.training.budget,
                "same_starts": arm.same_starts,
                "against_unchanged": effects["unchanged"],
                "against_random": against,
                "verdict": None if effects["unchanged"] is None else effects["unchanged"]["verdict"],
                "beats_random": None
                if against is None or against["verdict"] == "no claim"
                else against["verdict"] == "helps",
            }
        )
    tried = [arm.arm.config.key for arm in plan.arms if arm.kind == "prescription"]
    return {
        "number": record.number,
        "rollout_error": record.rollout_error,
        "state": record.state,
        "seeds": len(seeds),
        "fresh_seeds": list(fresh),
        "reason": reason,
        "chance": asdict(chance),
        "arms": entries,
        "random_reason": plan.random_reason,
        "left_out": [
            {**_prescription_entry(entry.prescription), "reason": entry.reason}
            for entry in plan.prescriptions
            if entry.config is None
        ],
        "offered": [_prescription_entry(prescription) for prescription in plan.offered],
        "unmended": [{"code": finding.code, "title": finding.title} for finding in plan.unmended],
        "tried": list(dict.fromkeys([*tried_before, *tried])),
    }


def no_claim_reason(seeds: int, n_eff: int | None) -> str | None:
    """Return why nothing may be claimed, whatever the errors; None if claims are possible."""
    if seeds < LEAST_TO_CLAIM:
        return (
            f"{plural(seeds, 'seed')} each {'is' if seeds == 1 else 'are'} too few: below {LEAST_TO_CLAIM} nothing "
            "is claimed, whatever the errors"
        )
    if n_eff is not None and n_eff < FEW_STARTS:
        few = plural(n_eff, "validation start does", "validation starts do")
        return f"only {few} not overlap; below {FEW_STARTS} nothing is claimed"
    return None


def _effect_entry(
    table: Sequence[Sequence[TrialRecord]],
    errors: np.ndarray,
    arm: int,
    other: int,
    reason: str | None,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Return the effect of an arm against another; nothing is claimed if one of them failed on every seed."""
    change = effect(errors[arm], errors[other], rng)
    broken = any(all(record.state == "failed" for record in table[index]) for index in (arm, other))
    verdict = "no claim" if reason is not None or broken else change.verdict
    return {**asdict(change), "verdict": verdict}


def _prescription_entry(prescription: Prescription) -> dict[str, Any]:
    return {
        "prescription": prescription.number,
        "code": prescription.code,
        "title": prescription.title,
        "confidence": prescription.confidence,
        "changes": [asdict(change) for change in prescription.changes],
    }
