"""Fit the weights of the model of causes to the calibration runs alone, and write them into the package.

    python -m benchmarks.diagnosis.calibrate --cache DIR --labels labels.json [--seeds 5] [--out FILE]

Runs of `--split calibrate` that are in the cache are used; the others are left out. What does not bite by the
labels is not used. Prints, as JSON, what cross-validation over backgrounds and over kinds of data says; nothing
of the scoring split is read.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from benchmarks.diagnosis.cases import all_features
from benchmarks.diagnosis.faults import HEALTHY
from benchmarks.diagnosis.run import whole_split
from benchmarks.diagnosis.runs import Key
from sweep.diagnosis.causes.cause_model import CauseModel
from sweep.diagnosis.causes.features import FEATURES
from sweep.diagnosis.causes.known_causes import CAUSES

SHRINKING = 0.3  # C of the logistic regression: best of 0.03, 0.1, 0.3, 1 with each kind left out in turn
FALSE_ALARMS = (
    0.04  # share of held-out healthy calibration runs above the alarm; a little under the goal of 0.05
)
FOLDS = 6
SEEN = 0.005  # share of calibration runs at either end of a feature that is clipped
OUT = Path(__file__).parents[2] / "sweep" / "diagnosis" / "causes" / "calibration.json"


def fitted(rows: Sequence[Mapping[str, float]], answers: Sequence[str], names: Sequence[str]) -> CauseModel:
    """Return the model fitted to some runs, with an alarm level of 0.5.

    Args:
        rows: features by name.
        answers: the planted fault of each, or "healthy".
        names: the features that are used.
    """
    values = np.asarray([[row[name] for name in names] for row in rows])
    truth = np.asarray(answers)
    centre = np.nanmedian(values, axis=0)
    spread = np.nanstd(values, axis=0)
    spread = np.where(spread > 1e-9, spread, 1.0)
    well = values[truth == HEALTHY]
    low, high = np.nanquantile(well, [0.05, 0.95], axis=0)
    classes = tuple(sorted(set(answers)))
    nothing = np.zeros((len(classes), len(names)))
    ends = np.nanquantile(values, [SEEN, 1 - SEEN], axis=0)
    blank = CauseModel(tuple(names), classes, *ends, centre, spread, nothing, nothing[:, 0], low, high, 0.5)
    design = np.stack([blank.standardised(row) for row in rows])
    regression = LogisticRegression(C=SHRINKING, max_iter=5000).fit(design, truth)
    return CauseModel(
        tuple(names), tuple(regression.classes_), *ends, centre, spread, regression.coef_, regression.intercept_,
        low, high, 0.5,
    )  # fmt: skip


def held_out(
    rows: Sequence[Mapping[str, float]], answers: Sequence[str], groups: Sequence[str], names: Sequence[str]
) -> list[dict[str, float]]:
    """Return each run's probabilities by a model that was fitted without its group."""
    folds = min(FOLDS, len(set(groups)))
    found: list[dict[str, float]] = [{} for _ in rows]
    for train, test in GroupKFold(folds).split(rows, answers, groups):
        model = fitted([rows[i] for i in train], [answers[i] for i in train], names)
        for i in test:
            found[i] = model.probabilities(rows[i])
    return found


def top(probabilities: Mapping[str, float]) -> list[str]:
    """Return the causes, most probable first, without "healthy"."""
    causes = [answer for answer in probabilities if answer != HEALTHY]
    return sorted(causes, key=lambda answer: -probabilities[answer])


def shares_right(probabilities: Sequence[Mapping[str, float]], answers: Sequence[str]) -> dict[str, float]:
    """Return the shares of held-out runs whose planted cause is the first, and among the first three."""
    ill = [i for i, answer in enumerate(answers) if answer != HEALTHY]
    first = [top(probabilities[i])[0] == answers[i] for i in ill]
    three = [answers[i] in top(probabilities[i])[:3] for i in ill]
    return {"top_1": float(np.mean(first)), "top_3": float(np.mean(three)), "ill": len(ill)}


def usable(
    folder: Path, labels: Path | None, split: str, seeds: int, workers: int
) -> dict[Key, dict[str, float]]:
    """Return the features of a split's runs that are in the cache and bite, by key."""
    found = all_features(folder, whole_split(split, seeds, labels), workers)
    return {key: row for key, row in found if row is not None}


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit, write, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--labels", type=Path, help="only what bites there; without it every planted fault")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args(arguments)
    found_runs = usable(options.cache, options.labels, "calibrate", options.seeds, options.workers)
    decided = {cause.fault for cause in CAUSES.values() if cause.decided == "calibrated"} | {HEALTHY}
    runs = {key: row for key, row in found_runs.items() if key.cause in decided}
    keys, rows = list(runs), list(runs.values())
    answers = [key.cause for key in keys]
    backgrounds = [key.place for key in keys]
    names = list(FEATURES)
    by_background = held_out(rows, answers, backgrounds, names)
    by_kind = held_out(rows, answers, [key.kind for key in keys], names)
    well = [
        1.0 - one[HEALTHY] for one, answer in zip(by_background, answers, strict=True) if answer == HEALTHY
    ]
    alarm = float(np.quantile(well, 1 - FALSE_ALARMS))
    model = fitted(rows, answers, names)
    found: dict[str, Any] = {
        "runs": len(keys),
        "by_answer": dict(Counter(answers)),
        "by_kind": dict(Counter(key.kind for key in keys)),
        "backgrounds_left_out": shares_right(by_background, answers),
        "kinds_left_out": shares_right(by_kind, answers),
    }
    document = {**model.json(), "alarm": float(f"{alarm:.4g}"), "fitted_to": found}
    options.out.write_text(json.dumps(document) + "\n")
    print(json.dumps(found, indent=1))
    print(f"written: {options.out.name}, alarm at {alarm:.3f}", file=sys.stderr)


if __name__ == "__main__":
    main()
