"""Does a baseline forecast better than the networks?"""

from collections.abc import Sequence

from sweep.diagnosis.check import CheckSpec
from sweep.diagnosis.finding import Finding
from sweep.results.contest import Contender, Contest, Contests
from sweep.results.wording.numbers import number_text


def beaten_by_baseline(contests: Contests) -> Finding:
    """Does a baseline beat the leading configuration?

    A selected score is the best of many draws, a baseline's is not: if there are fresh seeds, their error is
    compared. On the locked test the configuration is compared again, and that decides.
    """
    here, there, decisive = contests.validation, contests.test, contests.decisive
    if here.baseline is None:
        return CHECK.finding("not applicable", "No baseline has been scored yet.")
    if here.network is None:
        return CHECK.finding("not applicable", "No trial has a score yet.")
    whom = f"the configuration of {here.network.name}" if here.seeds else "the best selected score"
    text = f"On {'fresh seeds' if here.seeds else 'validation'} {_comparison(here, whom, here.network)}."
    if there is not None and there.network is not None:
        text += f" On the locked test {_comparison(there, 'it', there.network)}."
    evidence = {
        "better": [entry.name for entry in decisive.better],
        "number": here.network.number,
        "confirmed": here.seeds > 0,
        "part": decisive.part,
        "validation_error": here.network.rollout_error,
        "better_on_validation": [entry.name for entry in here.better],
        "test_error": None if there is None or there.network is None else there.network.rollout_error,
        "better_on_test": [] if there is None else [entry.name for entry in there.better],
    }
    return CHECK.finding("issue" if decisive.better else "ok", text, evidence)


def _comparison(contest: Contest, whom: str, network: Contender) -> str:
    """Return which baselines beat a configuration, or which one is nearest, with all errors."""
    whom = f"{whom} ({number_text(network.rollout_error)})"
    if contest.better:
        return f"{_named(contest.better)} {'beats' if len(contest.better) == 1 else 'beat'} {whom}"
    return f"no baseline beats {whom}; the nearest is {_named(contest.baselines[:1])}"


def _named(entries: Sequence[Contender]) -> str:
    return ", ".join(
        f"{entry.name} ({'exact' if entry.exact else number_text(entry.rollout_error)})" for entry in entries
    )


CHECK = CheckSpec(
    name="beaten_by_baseline",
    titles=("A baseline is better", "No baseline is better"),
    check=lambda tables: beaten_by_baseline(tables.contests),
    source="our choice: the locked test before fresh seeds, fresh seeds before selected scores",
)
