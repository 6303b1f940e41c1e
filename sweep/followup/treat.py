"""Treatment: a trial's prescriptions as trials, beside the trial unchanged and beside a random change.

A trial that was picked because it failed does better when it is simply run again: part of its failure was bad luck,
and luck does not repeat (regression to the mean). And where a configuration is bad, many a change helps. So a
prescription is worth something only where it beats both, on fresh seeds that all of them share.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError

from sweep.config.changes import config_differences
from sweep.config.engines import engine_name
from sweep.config.errors import SweepError
from sweep.config.known_names import KnownNames
from sweep.config.records import TrialRecord
from sweep.config.seeds import seed_of
from sweep.config.study import StudyConfig
from sweep.config.trial import TrialConfig, trial_config_from_json
from sweep.data import Data
from sweep.diagnosis.finding import Finding
from sweep.followup.advice import Advice, Applied, Wanted, applied
from sweep.followup.confirm import FAILED, error_of, trained_entry
from sweep.followup.random_change import single_change
from sweep.followup.retrain import Arm, Retrained, Retraining, fresh_seeds, retrain, untrained
from sweep.results.selection import FEW_STARTS
from sweep.search import Message, Outcome, Watch, Workers
from sweep.stats.paired_effect import LEAST_TO_CLAIM, effect
from sweep.stats.ranking import iqm_with_interval
from sweep.study.open_study import OpenStudy

PURPOSE = "treat"  # of the fresh seeds, and the name of the folder
SEED = 0  # of the bootstraps, so that equal replications give equal documents
DRAWS_MOST = 100  # of a random change, until it is valid and no other arm's


@dataclass(frozen=True)
class TreatedArm:
    """An arm, what is said of it, and what it differs in from the trial."""

    kind: str  # "unchanged", "prescription" or "random"
    arm: Arm
    advice: Advice | None = None
    differences: Sequence[Mapping[str, Any]] = ()
    same_starts: bool = True


@dataclass(frozen=True)
class Plan:
    """All arms of a treatment, unchanged first and random last, and what was left out of it."""

    arms: tuple[TreatedArm, ...]
    random_reason: str | None  # why there is no random change
    prescriptions: tuple[Applied, ...]  # all that were to be tried
    offered: tuple[Advice, ...]  # all that could have been
    unmended: tuple[Finding, ...]  # causes that only other data mend


def treatment_plan(
    study: StudyConfig, record: TrialRecord, data: Data, wanted: Wanted, known_names: KnownNames
) -> Plan:
    """Return the arms of a treatment: the trial, what is prescribed, and one random change.

    Args:
        study: as run.
        record: of the trial.
        data: of the study.
        wanted: what is to be tried.
        known_names: the names that may be used.

    Raises:
        SweepError: none of the prescriptions can be tried; the text says why.
    """
    base = trial_config_from_json(record.config)
    prescriptions = applied(base, data, wanted.advice, known_names)
    possible = [one for one in prescriptions if one.config is not None]
    if not possible:
        reasons = "\n  ".join(f"{one.advice.name}: {one.reason}" for one in prescriptions)
        raise SweepError(f"nothing can be tried on trial {record.number}:\n  {reasons}")
    arms = [TreatedArm("unchanged", Arm(f"trial {record.number} unchanged", base, record.params))]
    for one in possible:
        assert one.config is not None
        config = _with_engine(one.config, study)
        params = {**record.params, **{entry["path"]: entry["value"] for entry in one.differences}}
        arm = Arm(one.advice.name, config, params)
        arms.append(TreatedArm("prescription", arm, one.advice, one.differences, one.same_starts))
    drawn, reason = random_arm(study, record, {arm.arm.config.key for arm in arms})
    return Plan(
        arms=(*arms, *([] if drawn is None else [drawn])),
        random_reason=reason,
        prescriptions=prescriptions,
        offered=wanted.offered,
        unmended=tuple(finding for finding in wanted.findings if not finding.prescriptions),
    )


def random_arm(
    study: StudyConfig, record: TrialRecord, taken: set[str]
) -> tuple[TreatedArm | None, str | None]:
    """Return the trial with one random change of its hyperparameters, or None and why there is none.

    The draw depends on the study's seed and the trial's number; what cannot be trained, or is another arm
    already, is drawn again.

    Args:
        study: its space is drawn from.
        record: of the trial.
        taken: keys of the other arms' configurations.
    """
    base = trial_config_from_json(record.config)
    rng = np.random.default_rng(seed_of(study.search.seed, PURPOSE, "random", record.number))
    own = {name: tuple(value) if isinstance(value, list) else value for name, value in record.params.items()}
    for _ in range(DRAWS_MOST):
        found = single_change(study.space, own, rng)
        if found is None:
            return None, "no hyperparameter of the search space has another value"
        name, params = found
        try:
            config = study.trial(params)
        except ValidationError:
            continue
        if config.key not in taken:
            differences = config_differences(base, config)
            return TreatedArm(
                "random", Arm(f"random change of {name}", config, params), None, differences
            ), None
    return None, f"of {DRAWS_MOST} random changes none could be trained and was not among the arms already"


def treat_trial(
    study: OpenStudy, record: TrialRecord, plan: Plan, seeds: int, workers: Workers
) -> tuple[Outcome, dict[str, Any] | None]:
    """Train all arms of a treatment on fresh seeds, as far as that has not been done, and store the result.

    Args:
        study: with its lock held.
        record: of the trial.
        plan: its arms.
        seeds: how many fresh seeds, at least 1.
        workers: that train.

    Returns:
        How it ended, and treatment.json; None if it was stopped.

    Raises:
        StoreError, StudyChanged: as `retrain`.
    """
    fresh = fresh_seeds(study.config.search.seed, f"{PURPOSE} {record.number}", seeds)
    retraining = Retraining(tuple(arm.arm for arm in plan.arms), fresh)
    below = study.folder.treatment(record.number)
    _announce(plan, retraining, untrained(retraining, below), study.execution.watch)
    retrained = retrain(retraining, study, below, workers, PURPOSE)
    if retrained.outcome is not Outcome.DONE:
        return retrained.outcome, None
    before = (below.read_document("treatment") or {}).get("tried", [])
    n_eff = (study.facts or {}).get("n_eff_validation")
    document = treatment_document(record, plan, retraining, retrained, n_eff, before)
    below.write_document("treatment", document)
    return retrained.outcome, below.read_document("treatment")


def treatment_document(
    record: TrialRecord,
    plan: Plan,
    retraining: Retraining,
    retrained: Retrained,
    n_eff: int | None,
    before: Sequence[str] = (),
) -> dict[str, Any]:
    """Return treatment.json (docs/report.md): every arm on its fresh seeds, and what each change does.

    Args:
        record: of the trial.
        plan: its arms.
        retraining: the same arms, and their fresh seeds.
        retrained: all of the trainings.
        n_eff: validation starts that do not overlap; below 8, nothing is claimed.
        before: keys of the prescribed configurations that were tried on this trial earlier.
    """
    fresh = retraining.seeds or ()
    seeds = range(len(fresh))
    table = [[retrained.records[arm, seed] for seed in seeds] for arm in range(len(plan.arms))]
    errors = np.array([[error_of(entry) for entry in row] for row in table])
    rng = np.random.default_rng(SEED)
    own = FAILED if record.rollout_error is None else record.rollout_error
    reason = no_claim_reason(len(seeds), n_eff)
    random = len(plan.arms) - 1 if plan.arms[-1].kind == "random" else None
    chance = effect(errors[0], np.full(len(seeds), own), rng)
    entries = []
    for index, arm in enumerate(plan.arms):
        row = table[index]
        beside = {"unchanged": None if index == 0 else 0, "random": None if index in (0, random) else random}
        effects = {
            name: None if other is None else _effect_entry(table, errors, index, other, reason, rng)
            for name, other in beside.items()
        }
        against = effects["random"]
        entries.append(
            {
                "kind": arm.kind,
                "prescription": None if arm.advice is None else arm.advice.number,
                "code": None if arm.advice is None else arm.advice.code,
                "title": None if arm.advice is None else arm.advice.title,
                "changes": [dict(entry) for entry in arm.differences],
                "key": arm.arm.config.key,
                **trained_entry(row, [retrained.numbers[index, seed] for seed in seeds]),
                "iqm": asdict(iqm_with_interval(errors[index], rng)),
                "median": float(np.median(errors[index])),
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
            {**_advice_entry(one.advice), "reason": one.reason}
            for one in plan.prescriptions
            if one.config is None
        ],
        "offered": [_advice_entry(advice) for advice in plan.offered],
        "unmended": [{"code": finding.code, "title": finding.title} for finding in plan.unmended],
        "tried": list(dict.fromkeys([*before, *tried])),
    }


def no_claim_reason(seeds: int, n_eff: int | None) -> str | None:
    """Return why nothing may be claimed whatever the errors, or None."""
    if seeds < LEAST_TO_CLAIM:
        return (
            f"{seeds} seed{'s' * (seeds > 1)} each are too few: fewer than {LEAST_TO_CLAIM} claim nothing, whatever "
            "the errors"
        )
    if n_eff is not None and n_eff < FEW_STARTS:
        return f"only {n_eff} validation starts do not overlap; below {FEW_STARTS} nothing is claimed"
    return None


def _effect_entry(
    table: Sequence[Sequence[TrialRecord]],
    errors: np.ndarray,
    arm: int,
    other: int,
    reason: str | None,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Return an arm beside another one; nothing is claimed where one of them failed on every seed."""
    found = effect(errors[arm], errors[other], rng)
    broken = any(all(record.state == "failed" for record in table[index]) for index in (arm, other))
    verdict = "no claim" if reason is not None or broken else found.verdict
    return {**asdict(found), "verdict": verdict}


def _advice_entry(advice: Advice) -> dict[str, Any]:
    return {
        "prescription": advice.number,
        "code": advice.code,
        "title": advice.title,
        "confidence": advice.confidence,
        "changes": [asdict(change) for change in advice.changes],
    }


def _with_engine(config: TrialConfig, study: StudyConfig) -> TrialConfig:
    """Return a changed configuration with the engine that a study's trial of that shape has."""
    engine = engine_name(study.run.engine, study.kernel, study.run.device, config.model, config.training)
    return config.model_copy(update={"engine": engine})


def _announce(plan: Plan, retraining: Retraining, missing: int, watch: Watch) -> None:
    for one in plan.prescriptions:
        if one.config is None:
            watch(Message(f"{one.advice.name} is left out: {one.reason}"))
    if plan.random_reason is not None:
        watch(Message(f"the random change is left out: {plan.random_reason}"))
    if missing:
        names = ", ".join(arm.arm.label for arm in plan.arms)
        watch(
            Message(
                f"treating: {names}, on {len(retraining.seeds or ())} fresh seeds each, unpruned; "
                f"{missing} of {len(retraining.pairs)} trainings to run"
            )
        )
