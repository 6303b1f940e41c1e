"""The pruning rule: which trials continue after a rung. It does not depend on timing."""

import math
from collections.abc import Sequence
from typing import Literal

from sweep.config.records import PREFIXES, Evaluation, State
from sweep.config.sections import Rung

# The result of a trial at a rung: its score there; "missed" if it will never get there; "pending" if it may.
RungResult = float | Literal["missed", "pending"]


def rung_score(evaluations: Sequence[Evaluation], rung: Rung) -> float:
    """Return the score of a trial at a rung: its lowest rollout error so far, over the rung's share of H.

    The lowest so far, not the latest: rollout errors jump between checkpoints, and a trial's final score is
    that of its best checkpoint (benchmarks/README.md compares the candidates).

    Args:
        evaluations: of the trial up to the rung, at least one.
        rung: the rung; its `horizon` is one of PREFIXES.
    """
    nearest = min(range(len(PREFIXES)), key=lambda k: abs(PREFIXES[k] - rung.horizon))
    return min(evaluation.scores.prefix_errors[nearest] for evaluation in evaluations)


def rung_result(evaluations: Sequence[Evaluation], state: State, point: int, rung: Rung) -> RungResult:
    """Return the result of a trial at a rung: its score, "missed", or "pending".

    Args:
        evaluations: of the trial so far.
        state: "running", or how the trial ended ("diverged" as soon as that is known).
        point: index of the rung's evaluation point in that trial.
        rung: the rung.
    """
    if len(evaluations) > point:
        return rung_score(evaluations[: point + 1], rung)
    if state == "diverged":
        return 1.0
    return "pending" if state == "running" else "missed"


def is_kept(score: float, earlier: Sequence[RungResult], keep: float, startup: int) -> bool | None:
    """Return whether a trial continues after a rung; None while that cannot be known.

    It continues if it is among the best ceil(keep * n) of itself and the lower-numbered trials that reached
    the rung; tied trials continue. Trials that are pruned or fail before the rung do not count. A trial that
    diverged before the rung counts with score 1.

    Args:
        score: of the trial, smaller is better.
        earlier: results of every lower-numbered trial, by number.
        keep: share of trials that continue, in (0, 1].
        startup: trials numbered below this always continue.
    """
    if len(earlier) < startup:
        return True
    if "pending" in earlier:
        return None
    reached = [other for other in earlier if isinstance(other, float)]
    allowed = math.ceil(keep * (len(reached) + 1) - 1e-9)
    better = sum(other < score for other in reached)
    return better < allowed
