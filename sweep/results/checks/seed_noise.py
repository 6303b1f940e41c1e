"""Are the differences between trials larger than what another seed would make of the same trial?"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sweep.config.records import TrialRecord
from sweep.results.checks.study_findings import Finding
from sweep.results.wording.numbers import number_text
from sweep.stats import ranking as fresh_seeds
from sweep.stats.paired_effect import FLOOR

CODE = "seed_noise"
APART = 1.96 * math.sqrt(2)  # standard deviations within which 95 % of differences of two equal normals lie


def seed_noise(records: Sequence[TrialRecord], confirmation: Mapping[str, Any] | None) -> Finding:
    """How many trials lie so near to the best one that the seed alone may have put them in this order?

    The noise is the standard deviation of log10 rollout errors between seeds of one configuration, pooled over those
    that were confirmed: it is known of the best alone. Two trials of equal configurations differ by less than
    1.96 sqrt(2) of it in 95 % of cases; found where others than the best trial lie within that.

    Source: Bouthillier et al. (2021), on benchmarks whose differences are within the variance of seeds.

    Args:
        records: of the study.
        confirmation: confirmation.json, where it is of today's best trials.
    """
    noise = None if confirmation is None else log_noise([arm["errors"] for arm in confirmation["arms"]])
    if confirmation is None or noise is None:
        text = (
            "Not known before the best configurations are trained on at least two fresh seeds each (sweep confirm): "
            "every trial has been trained once."
        )
        return Finding(CODE, "unknown", text)
    errors = sorted(
        max(record.rollout_error, FLOOR)
        for record in records
        if record.settled and record.rollout_error is not None
    )
    reach = APART * noise
    near = sum(math.log10(error / errors[0]) <= reach for error in errors) - 1
    evidence = {
        "decades": noise,
        "factor": 10**noise,
        "told_apart_from": 10**reach,
        "near_best": near,
        "trials": len(errors),
        "configurations": len(confirmation["arms"]),
        "seeds": confirmation["seeds"],
    }
    text = (
        f"Another seed changes the rollout error of one configuration by a factor of {number_text(10**noise, 2)} "
        f"(standard deviation, the best {len(confirmation['arms'])} on {confirmation['seeds']} seeds each). "
    )
    if near:
        text += (
            f"{near} of the {len(errors) - 1} other trials lie within a factor of {number_text(10**reach, 2)} of the "
            "best one, as two seeds of one configuration do: their order says little."
        )
        return Finding(CODE, "found", text, evidence)
    text += f"No other trial lies within a factor of {number_text(10**reach, 2)} of the best one."
    return Finding(CODE, "clear", text, evidence)


def log_noise(errors: Sequence[Sequence[float]]) -> float | None:
    """Return the standard deviation of log10 errors between seeds, pooled over arms; None with one seed.

    Args:
        errors: by arm and seed, in [0, 1]; below FLOOR they count as FLOOR.
    """
    return fresh_seeds.deviation_between_seeds(np.log10(np.maximum(np.array(errors, dtype=float), FLOOR)))
