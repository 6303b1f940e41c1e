"""Reproduction: a trial trained again from its record, and whether bits and scores agree with it.

The training has a folder of its own, `reproduce/<number>/`, until it ends, so that a killed one resumes. Then it is
compared and the folder is removed: the study holds the same files as before.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from sweep.config.engines import NATIVE, engine_name
from sweep.config.errors import SweepError
from sweep.config.records import Evaluation, TrialRecord, to_json
from sweep.config.study import by_key_path
from sweep.config.trial import TrialConfig, config_of
from sweep.followup.retrain import Arm, Retraining, retrain
from sweep.results.reproduction import Differing, Reproduction
from sweep.score.comparisons import EXACT
from sweep.search import Message, Outcome, Workers
from sweep.study.open_study import OpenStudy

PURPOSE = "reproduce"  # stage of progress events
HOST = ("versions", "machine", "arithmetic")  # of a record
EXECUTION = ("engine", "device", "threads")  # of a trial's configuration


def reproduce_trial(
    study: OpenStudy, record: TrialRecord, tolerance: float, workers: Workers
) -> tuple[Outcome, Reproduction | None]:
    """Train a trial again on its own seed and compare it with its record; nothing of it is kept.

    Args:
        study: with its lock held.
        record: of the trial.
        tolerance: relative difference of two scores that agree.
        workers: that train.

    Returns:
        How it ended, and the comparison; None if it was stopped.

    Raises:
        SweepError: the trial has no score.
        StoreError, StudyChanged: as `retrain`.
    """
    if not record.settled or record.rollout_error is None:
        raise SweepError(
            f"trial {record.number} of {study.folder.name} has no score to reproduce: it is {record.state}"
        )
    config = _here(study, config_of(record))
    arm, below = (
        Arm(f"trial {record.number}", config, record.params),
        study.folder.reproduction(record.number),
    )
    study.execution.watch(Message(f"reproducing: trial {record.number}, on its own seed"))
    retrained = retrain(Retraining((arm,), None), study, below, workers, PURPOSE)
    if retrained.outcome is not Outcome.DONE:
        return retrained.outcome, None
    again = retrained.records[0, 0]
    same_weights = None
    if (
        record.state != "pruned" and again.rollout_error is not None
    ):  # of a pruned one the best checkpoint is early
        same_weights = study.folder.weights(record.number) == below.weights(retrained.numbers[0, 0])
    differing = (*_environment(record, again), *_data(study))
    result = compared_with_record(record, again, same_weights, differing, tolerance)
    below.remove()
    return retrained.outcome, result


def compared_with_record(
    record: TrialRecord,
    again: TrialRecord,
    same_weights: bool | None,
    differing: Sequence[Differing],
    tolerance: float,
) -> Reproduction:
    """Return whether a training agrees with a record, up to where the trial ended or was pruned.

    Bits agree if the losses at all evaluation points are equal, and the weights of the best checkpoint, too. Scores
    agree if the rollout errors differ by at most the tolerance, relative to the larger one, or are both exact.

    Args:
        record: as stored.
        again: of the same trial, trained to its end.
        same_weights: whether the best checkpoints are equal; None: they cannot be compared.
        differing: facts about machine, versions, engine and data that differ.
        tolerance: as above.
    """
    points = len(record.evaluations)
    pairs = list(zip(record.evaluations, again.evaluations[:points], strict=False))
    first = next((old.sequence_steps for old, new in pairs if _trained(old) != _trained(new)), None)
    complete = len(pairs) == points and (record.state == "pruned" or record.state == again.state)
    error = _error(again, points)
    assert record.rollout_error is not None
    return Reproduction(
        number=record.number,
        state=record.state,
        state_again=again.state,
        compared_until=record.sequence_steps,
        bits=complete and first is None and same_weights is not False,
        scores=error is not None and _agree(record.rollout_error, error, tolerance),
        rollout_error=record.rollout_error,
        rollout_error_again=error,
        tolerance=tolerance,
        first_difference=first,
        differing=tuple(differing),
    )


def _here(study: OpenStudy, config: TrialConfig) -> TrialConfig:
    """Return the configuration with an engine of this machine, where it lacks the one of the record."""
    kernel = study.config.kernel
    if not config.engine.startswith(NATIVE) or (kernel and config.engine == NATIVE + kernel.instructions):
        return config
    engine = engine_name("auto", kernel, config.device, config.model, config.training)
    return config.model_copy(update={"engine": engine})


def _trained(evaluation: Evaluation) -> Any:
    """Return what training alone decides at an evaluation point."""
    return to_json([evaluation.sequence_steps, evaluation.updates, evaluation.train_loss, evaluation.lr])


def _error(record: TrialRecord, points: int) -> float | None:
    """Return the lowest rollout error of the first evaluation points; that of the trial if it has no more."""
    if points >= len(record.evaluations):
        return record.rollout_error
    return min(evaluation.scores.rollout_error for evaluation in record.evaluations[:points])


def _agree(one: float, other: float, tolerance: float) -> bool:
    return abs(one - other) <= tolerance * max(one, other) or max(one, other) < EXACT


def _environment(record: TrialRecord, again: TrialRecord) -> Iterator[Differing]:
    """Yield the facts about machine, versions and engine that differ between the record and now."""
    for kind, old, new in (
        ("machine", record.host, again.host),
        ("engine", record.config, again.config),
    ):
        keys = HOST if kind == "machine" else EXECUTION
        before, after = (by_key_path({key: side[key] for key in keys if key in side}) for side in (old, new))
        for path in dict.fromkeys([*before, *after]):
            if before.get(path) != after.get(path):
                yield Differing(_kind(path), path, before.get(path), after.get(path))


def _kind(path: str) -> Literal["machine", "versions", "engine", "threads"]:
    if path.startswith("versions."):
        return "versions"
    return "threads" if path == "threads" else "engine" if path in EXECUTION else "machine"


def _data(study: OpenStudy) -> Iterator[Differing]:
    before, now = (study.facts or {}).get("data_fingerprint"), study.data.fingerprint
    if before is not None and before != now:
        yield Differing("data", "data_fingerprint", before, now)
