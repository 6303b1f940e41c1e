"""The audit of pruning: a few pruned trials trained again to their end, to see whether pruning was right.

The score of a pruned trial is an early one; its final score is unknown. So some pruned trials are trained again with
their own seeds, and are not pruned. Half of them came nearest to being kept, where a wrong decision is most likely;
the other half are drawn from the rest, which they represent.
"""

from collections.abc import Sequence
from typing import Any

from sweep.config.records import TrialRecord, to_json
from sweep.config.seeds import seed_of
from sweep.config.text import plural
from sweep.config.trial import config_of
from sweep.followup.retrain import Arm, Retraining, retrain, untrained
from sweep.search import Message, Outcome, Workers
from sweep.study.open_study import OpenStudy

PURPOSE = "audit"  # the name of the folder, and of the draw


def audit_pruning(
    study: OpenStudy, records: Sequence[TrialRecord], count: int, workers: Workers
) -> tuple[Outcome, dict[str, Any] | None]:
    """Train some pruned trials to their end, reusing earlier trainings, and store the result.

    Args:
        study: with its lock held.
        records: of the study's trials.
        count: how many pruned trials at most; fewer if fewer were pruned.
        workers: that train.

    Returns:
        How it ended, and audit.json (docs/audit.md); None if it was stopped, or if no trial was pruned.

    Raises:
        StoreError, StudyChanged: as `retrain`.
    """
    folder = study.folder
    near, drawn = audited(records, count, study.config.search.seed)
    picked = [*near, *drawn]
    if not picked:
        return Outcome.DONE, None
    arms = [Arm(f"trial {record.number}", config_of(record), record.params) for record in picked]
    retraining, below = Retraining(tuple(arms), None), folder.below(PURPOSE)
    missing = untrained(retraining, below)
    if missing:
        text = f"auditing: {plural(len(picked), 'pruned trial')} to the end; {plural(missing, 'training')} to run"
        study.execution.watch(Message(text))
    retrained = retrain(retraining, study, below, workers, PURPOSE)
    if retrained.outcome is not Outcome.DONE:
        return retrained.outcome, None
    entries = [
        entry_of(record, retrained.records[index, 0], retrained.numbers[index, 0], record in near)
        for index, record in enumerate(picked)
    ]
    folder.write_document(PURPOSE, {"trials": entries})
    return retrained.outcome, folder.read_document(PURPOSE)


def audited(
    records: Sequence[TrialRecord], count: int, seed: int
) -> tuple[list[TrialRecord], list[TrialRecord]]:
    """Return the pruned trials to audit: those nearest to being kept, and some drawn from the rest.

    The nearest are those with the lowest rollout errors when they were pruned; they are half of all, rounded up. The
    draw depends on the study's seed and the trials' numbers alone, so a larger audit contains a smaller one. A trial
    with the configuration of a lower-numbered trial is left out: it would be the same training.

    Args:
        records: of the study.
        count: how many in all, at most.
        seed: of the study.
    """
    pruned: dict[tuple[str, int], TrialRecord] = {}
    for record in sorted(records, key=lambda record: record.number):
        if record.state == "pruned" and record.rollout_error is not None:
            config = config_of(record)
            pruned.setdefault((config.key, config.seed), record)
    ranked = sorted(pruned.values(), key=lambda record: (record.rollout_error, record.number))
    near = ranked[: (count + 1) // 2]
    rest = sorted(ranked[len(near) :], key=lambda record: seed_of(seed, PURPOSE, record.number))
    return near, rest[: count - len(near)]


def entry_of(record: TrialRecord, whole: TrialRecord, replication: int, near: bool) -> dict[str, Any]:
    """Return the entry of one trial in audit.json.

    Args:
        record: of the pruned trial.
        whole: of the same trial, trained to its end.
        replication: its number in the audit's folder.
        near: whether it was picked because it came near to being kept; False: it was drawn.
    """
    same = [to_json(e.scores) for e in record.evaluations] == [
        to_json(e.scores) for e in whole.evaluations[: len(record.evaluations)]
    ]
    return {
        "number": record.number,
        "picked": "near" if near else "drawn",
        "pruned_at": record.sequence_steps,
        "pruned_error": record.rollout_error,
        "state": whole.state,
        "error": whole.rollout_error,
        "valid_steps": None if whole.scores is None else whole.scores.valid_steps,
        "replication": replication,
        "reproduced": same,  # up to where it was pruned
    }
