"""The settings of a training on all data: what validation decided for the networks of the same configuration.

A training on all data has no validation left that could pick a checkpoint, a ridge or the moment at which a plateau
lowers the rate. Networks that had a validation part say what it would pick.

Source: Goodfellow, Bengio & Courville (2016), Deep Learning, algorithm 7.2, early stopping to learn how long to train,
then training anew on all data for as many updates.
"""

import math
from collections.abc import Sequence
from statistics import median, median_high
from typing import Any

from sweep.config.fitted import Fitted
from sweep.config.records import TrialRecord
from sweep.config.trial import TrialConfig, config_of
from sweep.data import WindowSource
from sweep.stats.ranking import worse_median
from sweep.train import OPTIMIZERS, SCHEDULERS
from sweep.train.loop import full_batch_cost


def fitted_of(records: Sequence[TrialRecord]) -> Fitted:
    """Return the settings for all data from the records of networks with a validation part.

    The end is the median of their shares of the budget. The ridge is the median of theirs, of an even number the larger
    of the middle two; half of them without a refit, and there is none. The errors that a scheduler reads are those of
    the network with the median rollout error, of an even number the worse of the middle two.

    Args:
        records: of one configuration, scored, with their evidence; at least one.
    """
    stop = median(best_share(record) for record in records)
    ridges = [ridge for record in records if (ridge := kept_ridge(record)) is not None]
    middle = worse_median([_score(record) for record in records])
    network = next(record for record in records if _score(record) == middle)
    return Fitted(
        stop=stop,
        ridge=median_high(ridges) if 2 * len(ridges) > len(records) else None,
        errors=read_errors(network),
    )


def best_share(record: TrialRecord) -> float:
    """Return the share of the budget at a network's best checkpoint, in (0, 1]; before a readout refit at the end."""
    budget = int(record.config["training"]["budget"])
    return min(1.0, record.evaluations[_best(record)].sequence_steps / budget)


def kept_ridge(record: TrialRecord) -> float | None:
    """Return the ridge of a network's best checkpoint, None if it kept the readout that training gave it."""
    config = config_of(record)
    if config.training.projected:
        found: float | None = _refit(record, _best(record)).get("ridge")
        return found
    refit, last = _refit(record, -1), record.evaluations[-1]
    kept = refit.get("ridge") is not None and last.scores.rollout_error < refit["latest"]
    return float(refit["ridge"]) if kept else None


def read_errors(record: TrialRecord) -> tuple[float | None, ...]:
    """Return the rollout errors that a network's scheduler read, by evaluation point; None: unchanged weights."""
    errors: list[float | None] = list(_errors(record))
    for k in range(1, len(errors)):
        now, before = record.evaluations[k], record.evaluations[k - 1]
        if now.updates == before.updates and now.scores == before.scores:
            errors[k] = None
    return tuple(errors)


def lowered_at(config: TrialConfig) -> list[float]:
    """Return the shares of the budget at which the errors that the scheduler reads lower the rate of a fit.

    Args:
        config: of a training on all data.
    """
    fitted, training = config.fitted, config.training
    if fitted is None:
        raise ValueError("wanted a training on all data")
    scheduler = SCHEDULERS[training.scheduler.name]
    settings = {**scheduler.defaults, **training.scheduler.settings}
    shares = []
    for point in range(1, len(config.points)):
        share = config.points[point - 1] / training.budget
        before, now = (scheduler.factor(share, settings, fitted.errors_at(k)) for k in (point - 1, point))
        if now < before:
            shares.append(share)
    return shares


def equal_budget(config: TrialConfig, budget: int, before: tuple[int, int], now: tuple[int, int]) -> int:
    """Return the budget with as many updates on other data as a budget had.

    An update of a mini-batch costs the same on all data. A full batch costs more, the more windows there are.

    Args:
        config: of the trial.
        budget: in sequence-steps.
        before: windows of an epoch and steps of a window, of the data of that budget.
        now: the same of the other data.
    """
    training = config.training
    if not OPTIMIZERS[training.optimizer.name].full_batch:
        return budget
    cost = [full_batch_cost(training, config.model, *size) for size in (before, now)]
    return max(1, round(budget * cost[1] / cost[0]))


def size_of(windows: WindowSource) -> tuple[int, int]:
    """Return the windows of an epoch, and the steps of a window."""
    return len(windows.offsets(None)), windows.window


def _score(record: TrialRecord) -> float:
    assert record.rollout_error is not None
    return record.rollout_error


def _best(record: TrialRecord) -> int:
    """Return the index of the best checkpoint, before a readout refit at the end."""
    errors = [
        error if evaluation.updates else math.inf
        for error, evaluation in zip(_errors(record), record.evaluations, strict=True)
    ]
    return errors.index(min(errors))


def _errors(record: TrialRecord) -> list[float]:
    """Return the rollout errors of training, without what a readout refit at the end gained."""
    errors = [evaluation.scores.rollout_error for evaluation in record.evaluations]
    errors[-1] = _refit(record, -1).get("latest", errors[-1])
    return errors


def _refit(record: TrialRecord, index: int) -> dict[str, Any]:
    """Return the evidence of a readout refit at an evaluation, empty without one."""
    return dict(record.evaluations[index].evidence.get("readout_refit") or {})
