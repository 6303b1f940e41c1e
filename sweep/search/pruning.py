"""Which trials go on at a rung: a rule that does not depend on timing."""

import math
from collections.abc import Sequence
from typing import Literal

from sweep.config.records import PREFIXES, Evaluation
from sweep.config.sections import Rung

# A lower-numbered trial at a rung: its score there; "missed" if it will never get there; "pending" if it may.
AtRung = float | Literal["missed", "pending"]


def rung_score(evaluations: Sequence[Evaluation], rung: Rung) -> float:
    """Return what a trial is judged by at a rung: its lowest rollout error so far, over the rung's share of H.

    The lowest so far, not the latest: rollout errors jump between checkpoints, and a trial's final score is
    that of its best one (benchmarks/README.md compares the candidates).

    Args:
        evaluations: of the trial up to the rung, at least one.
        rung: the rung; its `horizon` is one of PREFIXES.
    """
    nearest = min(range(len(PREFIXES)), key=lambda k: abs(PREFIXES[k] - rung.horizon))
    return min(evaluation.scores.prefix_errors[nearest] for evaluation in evaluations)


def goes_on(score: float, earlier: Sequence[AtRung], keep: float, startup: int) -> bool | None:
    """Return whether a trial goes on at a rung; None while that cannot be known.

    It goes on if it is among the best ceil(keep * n) of itself and the lower-numbered trials that reached
    the rung, ties going on. Trials that are pruned or fail before the rung do not count; one that diverged
    before it counts with score 1.

    Args:
        score: of the trial, smaller is better.
        earlier: every lower-numbered trial, by number.
        keep: share that goes on, in (0, 1].
        startup: trials numbered below this always go on.
    """
    if len(earlier) < startup:
        return True
    if "pending" in earlier:
        return None
    reached = [other for other in earlier if isinstance(other, float)]
    allowed = math.ceil(keep * (len(reached) + 1) - 1e-9)
    better = sum(other < score for other in reached)
    return better < allowed
