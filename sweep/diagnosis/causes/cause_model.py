"""The model of causes: a softmax over the causes and "healthy", with weights fitted to planted faults."""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np

from sweep.data.types import Array


@dataclass(frozen=True)
class CauseModel:
    """Weights of a multinomial logistic regression on standardised features.

    benchmarks/diagnosis/calibrate.py fits them to the calibration runs only.
    """

    features: tuple[str, ...]
    answers: tuple[str, ...]  # faults, and "healthy"
    # (feature,): 0.5 % and 99.5 % quantiles of the calibration runs. Values beyond are clipped: otherwise one extreme
    # feature could outweigh all others, also in favour of "healthy".
    low: Array
    high: Array
    centre: Array  # (feature,): median of the calibration runs; replaces a missing feature
    spread: Array  # (feature,): > 0
    weights: Array  # (answer, feature)
    bias: Array  # (answer,)
    healthy_low: Array  # (feature,): 5 % and 95 % quantiles of healthy calibration runs
    healthy_high: Array
    alarm: float  # a run with at least this probability of a cause is diagnosed as not healthy

    def standardised(self, values: Mapping[str, float]) -> Array:
        """Return the clipped and standardised features, (feature,); 0 for a missing one."""
        raw = np.asarray([values.get(name, np.nan) for name in self.features], dtype=np.float64)
        scaled = (np.clip(raw, self.low, self.high) - self.centre) / self.spread
        return np.asarray(np.where(np.isnan(raw), 0.0, scaled))

    def probabilities(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return the probability of each answer; they sum to 1."""
        scores = self.weights @ self.standardised(values) + self.bias
        shares = np.exp(scores - scores.max())
        shares /= shares.sum()
        return dict(zip(self.answers, shares.tolist(), strict=True))

    def reasons(self, values: Mapping[str, float], answer: str) -> list[tuple[str, float]]:
        """Return (feature, contribution to the answer's score above the mean of all answers), largest first."""
        row = self.answers.index(answer)
        added = (self.weights[row] - self.weights.mean(axis=0)) * self.standardised(values)
        order = np.argsort(-added)
        return [(self.features[index], float(added[index])) for index in order]

    def json(self) -> dict[str, Any]:
        """Return the model as JSON values, numbers with six digits."""
        arrays = ("low", "high", "centre", "spread", "weights", "bias", "healthy_low", "healthy_high")
        return {
            "features": list(self.features),
            "answers": list(self.answers),
            "alarm": self.alarm,
            **{name: _digits(getattr(self, name)) for name in arrays},
        }


def _digits(values: Array) -> list[Any]:
    if values.ndim > 1:
        return [_digits(row) for row in values]
    return [float(f"{value:.6g}") for value in values]


def cause_model_from_json(document: Mapping[str, Any]) -> CauseModel:
    """Return the model that `CauseModel.json` wrote.

    Raises:
        KeyError: a field is missing.
        ValueError: a shape is wrong.
    """
    features, answers = tuple(document["features"]), tuple(document["answers"])
    shapes = {
        "low": (len(features),),
        "high": (len(features),),
        "centre": (len(features),),
        "spread": (len(features),),
        "weights": (len(answers), len(features)),
        "bias": (len(answers),),
        "healthy_low": (len(features),),
        "healthy_high": (len(features),),
    }
    arrays = {name: np.asarray(document[name], dtype=np.float64) for name in shapes}
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name} has shape {arrays[name].shape}, wanted {shape}")
    return CauseModel(features, answers, alarm=float(document["alarm"]), **arrays)


@functools.cache
def shipped_model() -> CauseModel:
    """Return the model of calibration.json, which is part of the package."""
    text = resources.files("sweep.diagnosis.causes").joinpath("calibration.json").read_text()
    return cause_model_from_json(json.loads(text))
