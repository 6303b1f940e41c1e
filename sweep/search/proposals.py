"""The configuration of trial n, as a pure function of the records before it."""

from collections.abc import Mapping
from typing import Any, Literal

from sweep.config.records import TrialRecord
from sweep.config.study import StudyConfig
from sweep.search.samplers import SAMPLERS, History


def proposal(
    study: StudyConfig, records: Mapping[int, TrialRecord], number: int
) -> tuple[dict[str, Any], Literal["sampled", "enqueued"]]:
    """Return the hyperparameters of a trial and where they come from.

    It depends on the records of trials 0 .. number - width, the configurations of those in between, and
    the study's seed: not on what else happens to be known.

    Args:
        study: its space, sampler, seed, width and enqueued trials.
        records: by number; all below `number`, of which those up to number - width are settled.
        number: of the trial, 0 or more.
    """
    if number < len(study.enqueue):
        return dict(study.enqueue[number]), "enqueued"
    over = max(0, number - study.search.width + 1)
    settled = [records[k] for k in range(over)]
    history = History(
        settled=tuple((_plain(r.params), r.rollout_error) for r in settled if r.rollout_error is not None),
        running=tuple(_plain(records[k].params) for k in range(over, number)),
    )
    return SAMPLERS[study.search.sampler].propose(study.space, history, study.search.seed, number), "sampled"


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in params.items()}
