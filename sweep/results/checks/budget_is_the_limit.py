"""Is the budget the limit?"""

from collections.abc import Collection, Sequence

import numpy as np

from sweep.config.records import TrialRecord
from sweep.diagnosis.check import CheckSpec
from sweep.diagnosis.finding import Finding
from sweep.results.wording.numbers import percent_text
from sweep.stats.paired_effect import FLOOR

BEST = 10  # trials that are examined; our choice
LAST = 0.2  # of the budget; facts: D9, the Tuning Playbook's "still improving at the end"
GAINS = 0.1  # decades of rollout error; our choice: a fifth less error
FEWEST = 3


def budget_is_the_limit(records: Sequence[TrialRecord], falling: Collection[str] = ()) -> Finding:
    """Did the best trials that trained to the end still gain in the last fifth of their budget?

    The gain is log10 of the lowest rollout error before the last fifth by the lowest of all, the median over the
    best BEST trials; it is an issue from GAINS on. If the learning rates of most of these trials fall to zero at the
    end, a late gain is expected at any budget: then the check is not applicable.

    Args:
        records: of the study.
        falling: names of schedulers whose rate falls to zero at the end of any budget.
    """
    done = [
        r for r in records if r.state == "complete" and r.rollout_error is not None and len(r.evaluations) > 2
    ]
    best = sorted(done, key=lambda record: (record.rollout_error, record.number))[:BEST]
    gains = [gain for record in best if (gain := late_gain(record)) is not None]
    to_zero = sum(_scheduler(record) in falling for record in best)
    if len(gains) < FEWEST:
        text = f"Not known: fewer than {FEWEST} trials have trained to the end."
        return CHECK.finding("not applicable", text, {"trials": len(gains)})
    median = float(np.median(gains))
    evidence = {
        "trials": len(gains),
        "median_gain": median,
        "last": LAST,
        "threshold": GAINS,
        "falling": to_zero,
    }
    gained = f"gained a factor of {10**median:.2g} (median) in the last {percent_text(LAST)} of their budget"
    if median < GAINS:
        return CHECK.finding("ok", f"The best {len(gains)} trials {gained}.", evidence)
    if 2 * to_zero > len(best):
        text = (
            f"The best {len(gains)} trials still {gained}, but the learning rates of {to_zero} of them fall to zero "
            "there, which gives a gain at any budget. To find out, try a larger training.budget."
        )
        return CHECK.finding("not applicable", text, evidence)
    text = (
        f"The best {len(gains)} trials still {gained}: a larger training.budget should help more than "
        "further trials."
    )
    return CHECK.finding("issue", text, evidence)


def _scheduler(record: TrialRecord) -> str:
    scheduler = (record.config.get("training") or {}).get("scheduler") or {}
    return str(scheduler.get("name", ""))


def late_gain(record: TrialRecord) -> float | None:
    """Return the decades by which a trial's rollout error fell in the last fifth, None without checkpoints before."""
    end = (1 - LAST) * record.sequence_steps
    errors = [max(FLOOR, e.scores.rollout_error) for e in record.evaluations]
    before = [error for error, e in zip(errors, record.evaluations, strict=True) if e.sequence_steps <= end]
    return float(np.log10(min(before) / min(errors))) if before else None


CHECK = CheckSpec(
    name="budget_is_the_limit",
    titles=("The budget is the limit", "The budget was enough"),
    check=lambda tables: budget_is_the_limit(tables.study.records, tables.study.falling_schedulers),
    source='Deep Learning Tuning Playbook, "Is training compute-bound?"; the threshold is our choice',
)
