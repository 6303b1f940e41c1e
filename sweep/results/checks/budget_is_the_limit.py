"""Is the budget the limit? What the best trials still gained at their end."""

from collections.abc import Sequence

import numpy as np

from sweep.config.records import TrialRecord
from sweep.results.checks.study_findings import Finding
from sweep.stats.paired_effect import FLOOR

BEST = 10  # trials that are looked at; our choice
LAST = 0.2  # of the budget; facts: D9, the Tuning Playbook's "still improving at the end"
GAINS = 0.1  # decades of rollout error; our choice: a fifth less error
FEWEST = 3
FALLING = (
    "cosine",
    "warmup_cosine",
    "one_cycle",
)  # schedules whose rate falls to nothing at the end of any budget


def budget_is_the_limit(records: Sequence[TrialRecord]) -> Finding:
    """Did the best trials that trained to the end still gain in the last fifth of their budget?

    The gain is log10 of the lowest rollout error before the last fifth by the lowest of all, the median over the
    best BEST trials; found from GAINS on. Where most of them end with a rate that falls to nothing, a late gain is
    what such a schedule gives at any budget: then it is unknown.

    Source: Deep Learning Tuning Playbook, "Is training compute-bound?"; the threshold is our choice.
    """
    done = [
        r for r in records if r.state == "complete" and r.rollout_error is not None and len(r.evaluations) > 2
    ]
    best = sorted(done, key=lambda record: (record.rollout_error, record.number))[:BEST]
    gains = [gain for record in best if (gain := late_gain(record)) is not None]
    falling = sum(_schedule(record) in FALLING for record in best)
    if len(gains) < FEWEST:
        text = f"Fewer than {FEWEST} trials have trained to the end: whether the budget is the limit cannot be said."
        return Finding("budget_is_the_limit", "unknown", text, {"trials": len(gains)})
    median = float(np.median(gains))
    evidence = {
        "trials": len(gains),
        "median_gain": median,
        "last": LAST,
        "threshold": GAINS,
        "falling": falling,
    }
    share = f"in the last {LAST:.0%} of their budget"
    if median >= GAINS and 2 * falling > len(best):
        text = (
            f"The best {len(gains)} trials still gained a factor of {10**median:.2g} (median) {share}, but the rates "
            f"of {falling} of them fall to nothing there, which gains at any budget: try a larger training.budget "
            "to know."
        )
        return Finding("budget_is_the_limit", "unknown", text, evidence)
    if median >= GAINS:
        text = (
            f"The best {len(gains)} trials still gained a factor of {10**median:.2g} (median) {share}: a larger "
            "training.budget should help more than further trials."
        )
        return Finding("budget_is_the_limit", "found", text, evidence)
    text = (
        f"The best {len(gains)} trials gained a factor of {10**median:.2g} (median) {share}: it was enough."
    )
    return Finding("budget_is_the_limit", "clear", text, evidence)


def _schedule(record: TrialRecord) -> str:
    scheduler = (record.config.get("training") or {}).get("scheduler") or {}
    return str(scheduler.get("name", ""))


def late_gain(record: TrialRecord) -> float | None:
    """Return the decades by which a trial's rollout error fell in the last fifth, None without checkpoints before."""
    end = (1 - LAST) * record.sequence_steps
    errors = [max(FLOOR, e.scores.rollout_error) for e in record.evaluations]
    before = [error for error, e in zip(errors, record.evaluations, strict=True) if e.sequence_steps <= end]
    return float(np.log10(min(before) / min(errors))) if before else None
