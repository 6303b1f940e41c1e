"""The verdict of a study: use a configuration, use a baseline, or nothing beats a trivial forecast."""

from dataclasses import dataclass
from typing import Literal

from sweep.results.contest import Contender, Contest
from sweep.results.loss_choice import LossChoice

Kind = Literal["configuration", "baseline", "nothing", "unknown"]


@dataclass(frozen=True)
class Verdict:
    """What to use, and by which scores.

    `use` is the configuration or the baseline to use; where nothing beats a trivial forecast, that trivial forecast.
    `other` is the best of the other kind: the best baseline beside a configuration, else the best configuration.
    """

    kind: Kind
    contest: Contest  # whose scores decide
    use: Contender | None
    other: Contender | None
    loss: LossChoice | None  # only if it is clearly worse and there are enough starts to claim that


def verdict_of(contest: Contest, loss: LossChoice | None = None) -> Verdict:
    """Return the verdict. Of equal errors a trivial forecast wins before a network, a network before a baseline.

    Args:
        contest: whose scores decide.
        loss: the choice of the loss, None where nothing can be claimed about it.
    """
    network = contest.network
    if network is None:
        return Verdict("unknown", contest, None, None, None)
    loss = loss if loss is not None and loss.costs else None
    best = contest.better[0] if contest.better else network
    if not contest.has_skill(best):
        return Verdict("nothing", contest, contest.trivial, network, None)
    if best.kind == "configuration":
        return Verdict("configuration", contest, network, contest.baseline, loss)
    return Verdict("baseline", contest, best, network, loss)
