"""Treatment: a trial's prescriptions, trained beside the unchanged trial and a random change.

A trial that was picked because it failed does better when it is simply run again: part of its failure was bad luck,
and luck does not repeat (regression to the mean). And if a configuration is bad, many changes help. So a
prescription has proved itself only if it beats both, on fresh seeds that all arms share.
"""

from typing import Any

from sweep.config.records import TrialRecord
from sweep.config.seeds import fresh_seeds
from sweep.config.text import plural
from sweep.followup.retrain import Retraining, retrain, untrained
from sweep.followup.treatment_document import treatment_document
from sweep.followup.treatment_plan import PURPOSE, Plan
from sweep.search import Message, Outcome, Watch, Workers
from sweep.study.open_study import OpenStudy


def treat_trial(
    study: OpenStudy, record: TrialRecord, plan: Plan, seeds: int, workers: Workers
) -> tuple[Outcome, dict[str, Any] | None]:
    """Train all arms of a treatment on fresh seeds, reusing earlier trainings, and store the result.

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
    tried_before = (below.read_document("treatment") or {}).get("tried", [])
    n_eff = (study.facts or {}).get("n_eff_validation")
    document = treatment_document(record, plan, retraining, retrained, n_eff, tried_before)
    below.write_document("treatment", document)
    return retrained.outcome, below.read_document("treatment")


def _announce(plan: Plan, retraining: Retraining, missing: int, watch: Watch) -> None:
    """Report the prescriptions that are left out and the trainings to run."""
    for entry in plan.prescriptions:
        if entry.config is None:
            watch(Message(f"{entry.prescription.name} is left out: {entry.reason}"))
    if plan.random_reason is not None:
        watch(Message(f"the random change is left out: {plan.random_reason}"))
    if missing:
        names = ", ".join(arm.arm.label for arm in plan.arms)
        watch(
            Message(
                f"treating: {names}, on {plural(len(retraining.seeds or ()), 'fresh seed')} each, unpruned; "
                f"{missing} of {plural(len(retraining.pairs), 'training')} to run"
            )
        )
