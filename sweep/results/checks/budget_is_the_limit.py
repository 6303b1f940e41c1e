"""Is the budget the limit?"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from sweep.config.records import TrialRecord
from sweep.diagnosis.check import CheckSpec
from sweep.diagnosis.finding import Finding
from sweep.diagnosis.trial_diagnosis import Diagnosis
from sweep.results.diagnoses import SHOWN
from sweep.results.wording.numbers import percent_text
from sweep.stats.paired_effect import FLOOR

BEST = 10  # trials that are examined; our choice
LAST = 0.2  # of the budget; facts: D9, the Tuning Playbook's "still improving at the end"
GAINS = 0.1  # decades of rollout error; our choice: a fifth less error
FEWEST = 3
UNFINISHED = ("C02", "C05")  # learning rate too low, undertrained: training ended before it converged
LIMITED = "S12"  # the symptom of a forecast that is as good as the data allow


def budget_is_the_limit(
    records: Sequence[TrialRecord],
    falling: Collection[str] = (),
    diagnoses: Mapping[int, Diagnosis] | None = None,
    has_skill: bool = True,
    fresh: Sequence[TrialRecord] = (),
) -> Finding:
    """Did the best trials that trained to the end still gain in the last fifth of their budget?

    The gain is log10 of the lowest rollout error before the last fifth by the lowest of all, the median over the
    best BEST trials, or over the confirmed configurations on fresh seeds if there are some; it is an issue from GAINS
    on. If the learning rates of most of these trainings fall to zero at the end, a late gain is expected at any
    budget: then the check is not applicable. Nor is it where the diagnoses of most of the best trials say otherwise,
    or where errors stay where they are because nothing has been learnt.

    Args:
        records: of the study.
        falling: names of schedulers whose rate falls to zero at the end of any budget.
        diagnoses: by trial, where stored.
        has_skill: whether the leading configuration beats the trivial forecasts.
        fresh: trainings of today's best configurations on fresh seeds.
    """
    best = sorted(_completed(records), key=lambda record: (record.rollout_error, record.number))[:BEST]
    judged, who = best, f"best {len(best)} trials"
    if len(_gains(again := _completed(fresh))) >= FEWEST:
        judged, who = again, f"{len(again)} networks on fresh seeds"
    gains = _gains(judged)
    if len(gains) < FEWEST:
        text = f"Not known: fewer than {FEWEST} trials have trained to the end."
        return CHECK.finding("not applicable", text, {"trials": len(gains)})
    to_zero = sum(_scheduler(record) in falling for record in judged)
    known = [diagnoses[record.number] for record in best if diagnoses and record.number in diagnoses]
    unfinished = sum(_is_unfinished(diagnosis) for diagnosis in known)
    limited = sum(diagnosis.code == LIMITED for diagnosis in known)
    median = float(np.median(gains))
    evidence = {
        "trials": len(gains),
        "fresh": judged is not best,
        "median_gain": median,
        "last": LAST,
        "threshold": GAINS,
        "falling": to_zero,
        "unfinished": unfinished,
        "data_limited": limited,
        "has_skill": has_skill,
        "longer": False,  # whether a larger budget is worth a try
    }
    gained = f"gained a factor of {10**median:.2g} (median) in the last {percent_text(LAST)} of their budget"
    early = f"the diagnoses of {unfinished} of the best {len(best)} trials say that training ended too early"
    if median < GAINS:
        if 2 * unfinished > len(best):
            text = f"The {who} {gained}, but {early}. To find out, try a larger training.budget."
            return CHECK.finding("not applicable", text, evidence | {"longer": True})
        if not has_skill:
            text = (
                f"The {who} {gained}, but no network beats a trivial forecast, so this does not show that the budget "
                "suffices."
            )
            return CHECK.finding("not applicable", text, evidence | {"longer": True})
        return CHECK.finding("ok", f"The {who} {gained}{f'; {early}' if unfinished else ''}.", evidence)
    if 2 * limited > len(best):
        text = (
            f"The {who} still {gained}, but the diagnoses of {limited} of the best {len(best)} trials say that the "
            "data allow no better forecast."
        )
        return CHECK.finding("not applicable", text, evidence)
    if 2 * to_zero > len(judged):
        text = (
            f"The {who} still {gained}, but the learning rates of {to_zero} of them fall to zero "
            "there, which gives a gain at any budget. To find out, try a larger training.budget."
        )
        return CHECK.finding("not applicable", text, evidence | {"longer": True})
    text = f"The {who} still {gained}: a larger training.budget should help more than further trials."
    return CHECK.finding("issue", text, evidence | {"longer": True})


def _completed(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Return the trainings that ended as planned, with enough evaluations to see a gain."""
    return [
        r for r in records if r.state == "complete" and r.rollout_error is not None and len(r.evaluations) > 2
    ]


def _gains(records: Sequence[TrialRecord]) -> list[float]:
    return [gain for record in records if (gain := late_gain(record)) is not None]


def _is_unfinished(diagnosis: Diagnosis) -> bool:
    """Return whether a diagnosis names a cause by which training ended too early."""
    return any(f.code in UNFINISHED and f.severity in SHOWN for f in diagnosis.findings)


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
    check=lambda tables: budget_is_the_limit(
        tables.study.records,
        tables.study.falling_schedulers,
        tables.study.diagnoses,
        tables.contests.decisive.network_has_skill,
        tables.study.fresh,
    ),
    source='Deep Learning Tuning Playbook, "Is training compute-bound?"; the threshold is our choice',
)
