"""Are the differences between the best trials larger than the differences between seeds?"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sweep.config.records import TrialRecord
from sweep.config.text import plural
from sweep.diagnosis.check import CheckSpec
from sweep.diagnosis.finding import Finding
from sweep.results.selection import leading_arm
from sweep.results.wording.numbers import list_text, number_text
from sweep.stats.paired_effect import FLOOR
from sweep.stats.ranking import deviation_between_seeds

REACH = 1.96 * math.sqrt(2)  # standard deviations that hold 95 % of differences of two equal normals


def within_seed_noise(records: Sequence[TrialRecord], confirmation: Mapping[str, Any] | None) -> Finding:
    """How many trials are so close to the best one that the seed alone could have decided their order?

    The noise is the standard deviation of log10 rollout errors between seeds of one configuration, pooled over the
    confirmed configurations, which are the best ones. Two trials of equal configurations differ by less than
    1.96 sqrt(2) of it in 95 % of cases; it is an issue if other trials than the best are within that. The best is the
    configuration that leads on fresh seeds. The other confirmed ones are compared by their fresh errors, and do not
    count if the confirmation distinguishes them from the best; all other trials by their selected scores.

    Args:
        records: of the study.
        confirmation: confirmation.json of today's best trials, None if there is none.
    """
    noise = None if confirmation is None else log_noise([arm["errors"] for arm in confirmation["arms"]])
    if confirmation is None or noise is None:
        text = (
            "Not known until the best configurations are trained on at least two fresh seeds each (sweep confirm): "
            "every trial has been trained once."
        )
        return CHECK.finding("not applicable", text)
    best = leading_arm(confirmation)
    others = [arm for arm in confirmation["arms"] if arm is not best]
    told_apart = {arm["number"] for arm in others if arm["told_apart"]}
    errors = {r.number: r.rollout_error for r in records if r.settled and r.rollout_error is not None}
    errors |= {arm["number"]: arm["iqm"]["value"] for arm in confirmation["arms"]}
    reach, bar = REACH * noise, math.log10(max(errors.pop(best["number"]), FLOOR))
    within = {number for number, error in errors.items() if math.log10(max(error, FLOOR)) - bar <= reach}
    near = within - told_apart
    evidence = {
        "decades": noise,
        "factor": 10**noise,
        "reach": 10**reach,
        "best": best["number"],
        "near_best": len(near),
        "trials": len(errors) + 1,
        "configurations": len(confirmation["arms"]),
        "seeds": confirmation["seeds"],
    }
    text = (
        f"Another seed changes the rollout error of one configuration by a factor of {_factor_text(10**noise)} "
        f"(standard deviation, the best {len(confirmation['arms'])} on {plural(confirmation['seeds'], 'seed')} each). "
    )
    most = (
        f"at most {_factor_text(10**reach)} times that of trial {best['number']} on fresh seeds "
        f"({number_text(best['iqm']['value'])})"
    )
    if near:
        text += (
            f"{len(near)} of the {plural(len(errors), 'other trial')} {'has' if len(near) == 1 else 'have'} an error "
            f"of {most}, as another seed of the same configuration may have: their order may be chance."
        )
        return CHECK.finding("issue", text, evidence)
    text += f"No other trial has an error of {most}"
    unclear = [arm["number"] for arm in others if not arm["told_apart"]]
    if unclear:
        text += f", but the confirmation does not distinguish it from trial {list_text(unclear)}."
        return CHECK.finding("not applicable", text, evidence)
    text += ", unless the confirmation distinguishes it." if within else "."
    return CHECK.finding("ok", text, evidence)


def _factor_text(factor: float) -> str:
    """Return a factor with two digits, or with three where two would say 1."""
    return number_text(factor, 2 if factor >= 1.1 else 3)


def log_noise(errors: Sequence[Sequence[float]]) -> float | None:
    """Return the standard deviation of log10 errors between seeds, pooled over arms; None with one seed.

    Args:
        errors: by arm and seed, in [0, 1]; below FLOOR they count as FLOOR.
    """
    return deviation_between_seeds(np.log10(np.maximum(np.array(errors, dtype=float), FLOOR)))


CHECK = CheckSpec(
    name="within_seed_noise",
    titles=("The best ranks are within seed noise", "The best trial is beyond seed noise"),
    check=lambda tables: within_seed_noise(tables.study.records, tables.study.confirmation),
    source="Bouthillier et al. (2021), on benchmarks whose differences are within the variance of seeds",
)
