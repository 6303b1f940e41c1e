"""Confirmation: the best configurations of a study, trained again on fresh seeds and ranked by those scores.

A selected score is the best of many draws and looks better than it is. So the best configurations are trained again,
unpruned, on seeds that no choice depended on, and ranked by their errors there, still on validation data. Only then is
one of them named (`sweep.followup.winner`) and scored on the locked test.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from sweep.config.records import TrialRecord, error_of
from sweep.config.seeds import fresh_seeds
from sweep.config.text import plural
from sweep.config.trial import config_of
from sweep.followup.retrain import Arm, Retrained, Retraining, retrain, untrained
from sweep.results.selection import FEW_STARTS, candidates, confirmation_verdict, is_current
from sweep.search import Message, Outcome, Workers
from sweep.stats.bootstrap import iqm, percentile_interval
from sweep.stats.ranking import deviation_between_seeds, optimism, ranking, worse_median
from sweep.store import StudyFolder
from sweep.study.open_study import OpenStudy

PURPOSE = "confirm"  # of the fresh seeds, and the name of the folder
SEED = 0  # of the bootstraps, so that equal trainings give equal documents


def confirm_best(
    study: OpenStudy, records: Sequence[TrialRecord], top: int, seeds: int, workers: Workers
) -> tuple[Outcome, dict[str, Any] | None]:
    """Train the best configurations on fresh seeds, reusing earlier trainings, and store the result.

    Args:
        study: with its lock held.
        records: of the study's trials.
        top: how many configurations at most; fewer if fewer have learnt anything.
        seeds: how many fresh seeds, at least 1.
        workers: that train.

    Returns:
        How it ended, and confirmation.json; None if it was stopped, or if no configuration is worth confirming.

    Raises:
        StoreError, StudyChanged: as `retrain`.
    """
    folder = study.folder
    best, _ = candidates(records, folder.baselines())
    if not best:
        return Outcome.DONE, None
    arms = [Arm(f"trial {record.number}", config_of(record), record.params) for record in best[:top]]
    retraining = Retraining(tuple(arms), fresh_seeds(study.config.search.seed, PURPOSE, seeds))
    below = folder.below(PURPOSE)
    missing = untrained(retraining, below)
    if missing:
        text = (
            f"confirming: the best {plural(len(arms), 'configuration')} on {plural(seeds, 'fresh seed')} each, "
            f"unpruned; {missing} of {plural(len(retraining.pairs), 'training')} to run"
        )
        study.execution.watch(Message(text))
    retrained = retrain(retraining, study, below, workers, PURPOSE)
    if retrained.outcome is not Outcome.DONE:
        return retrained.outcome, None
    n_eff = (study.facts or {}).get("n_eff_validation")
    document = confirmation_document(best[:top], retraining, retrained, n_eff, top)
    folder.write_document("confirmation", document)
    return retrained.outcome, folder.read_document("confirmation")


def covers(folder: StudyFolder, records: Sequence[TrialRecord], top: int, seeds: int) -> bool:
    """Return whether the stored confirmation has today's best trials, and at least as many of them and of seeds."""
    confirmation = folder.read_document("confirmation")
    baselines = folder.baselines()
    if confirmation is None or not is_current(confirmation, records, baselines):
        return False
    best, _ = candidates(records, baselines)
    return len(confirmation["arms"]) >= min(top, len(best)) and confirmation["seeds"] >= seeds


def confirmation_document(
    best: Sequence[TrialRecord],
    retraining: Retraining,
    retrained: Retrained,
    n_eff: int | None,
    top: int,
) -> dict[str, Any]:
    """Return confirmation.json: every arm with its fresh seeds, best first, and the verdict.

    Args:
        best: the selected trials, one per arm.
        retraining: of the arms on their fresh seeds.
        retrained: all the trainings.
        n_eff: validation starts that do not overlap; below 8, no arm can be told apart from another.
        top: how many configurations were requested.
    """
    seeds = retraining.seeds or ()
    shape = len(retraining.arms), len(seeds)
    table = [[retrained.records[arm, seed] for seed in range(shape[1])] for arm in range(shape[0])]
    errors = np.array([[error_of(record) for record in row] for row in table])
    rng = np.random.default_rng(SEED)
    ranks = ranking(errors, rng)
    claims = n_eff is None or n_eff >= FEW_STARTS
    entries = []
    for arm in ranks.order:
        row, record = table[arm], best[arm]
        difference = ranks.differences[arm]
        assert record.rollout_error is not None
        entries.append(
            {
                "number": record.number,
                "key": retraining.arms[arm].config.key,
                "selected": record.rollout_error,
                "selected_state": record.state,
                **trained_entry(row, [retrained.numbers[arm, seed] for seed in range(shape[1])]),
                "iqm": asdict(ranks.estimates[arm]),
                "median": worse_median(errors[arm].tolist()),
                "optimism": asdict(optimism(errors[arm], record.rollout_error, rng)),
                "difference": None if difference is None else asdict(difference.iqm),
                "leader_wins": None if difference is None else difference.leader_wins,
                "p": None if difference is None else difference.p,
                "told_apart": None if difference is None or not claims else difference.told_apart,
            }
        )
    verdict, reason = confirmation_verdict(ranks, claims, n_eff, shape)
    equals = ranks.equals if claims else ranks.order[1:]
    selected = np.array([error_of(record) for record in best])
    return {
        "top": top,
        "seeds": shape[1],
        "fresh_seeds": list(seeds),
        "verdict": verdict,
        "reason": reason,
        "leader": best[ranks.leader].number,
        "equals": [best[arm].number for arm in equals],
        "optimism": _mean_optimism(errors, selected, rng),
        "seed_noise": deviation_between_seeds(errors),
        "arms": entries,
    }


def trained_entry(row: Sequence[TrialRecord], numbers: Sequence[int]) -> dict[str, Any]:
    """Return the part of a document about an arm's trainings, by seed.

    Args:
        row: records of the arm, one per seed.
        numbers: of the trainings, in the folder of the retraining.
    """
    return {
        "replications": list(numbers),
        "errors": [error_of(record) for record in row],
        "rmse": [[] if record.scores is None else list(record.scores.rmse) for record in row],
        "valid_steps": [None if record.scores is None else record.scores.valid_steps for record in row],
        "failed": sum(record.state == "failed" for record in row),
        "diverged": sum(record.state == "diverged" for record in row),
    }


def _mean_optimism(
    errors: np.ndarray, selected: np.ndarray, rng: np.random.Generator
) -> dict[str, float | None]:
    """Return the mean optimism of the arms (IQM minus selected score); its interval draws seeds within each arm.

    Args:
        errors: (arm, seed), on fresh seeds.
        selected: (arm,).
        rng: draws seeds with replacement.
    """
    value = float((iqm(errors, axis=1) - selected).mean())
    arms, seeds = errors.shape
    if seeds < 3:
        return {"value": value, "low": None, "high": None}
    drawn = rng.integers(0, seeds, size=(2000, arms, seeds))
    draws = iqm(errors[np.arange(arms)[None, :, None], drawn], axis=2) - selected
    low, high = percentile_interval(draws.mean(axis=1))
    return {"value": value, "low": low, "high": high}
