"""Rivals of the diagnosis: guesses, plain classifiers, and the rules of one-step training doctors."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from benchmarks.diagnosis.faults import HEALTHY
from sweep.config.trial import TrialConfig
from sweep.data.types import Array
from sweep.diagnosis.causes import Case
from sweep.diagnosis.causes.features import FEATURES
from sweep.diagnosis.causes.features.feature import decades
from sweep.train import OPTIMIZERS, SCHEDULERS

Row = Mapping[str, float]


def configuration(config: TrialConfig) -> dict[str, float]:
    """Return every setting that a person could read from a trial, including those that plant faults.

    Nothing that was measured. Rates and momenta are told by optimizer, as they mean different things.
    """
    training, model = config.training, config.model
    settings = training.optimizer.settings
    row = {
        "lr": decades(float(settings.get("lr", 0.0))),
        "averaging": -decades(1 - float(settings.get("momentum", 0.0))),
        "budget": decades(training.budget),
        "evaluations": float(training.evaluations),
        "batch_size": decades(training.batch_size),
        "window": decades(training.window),
        "burn_in": float(training.unscored(training.window)),
        "input_noise": training.input_noise,
        "clip": decades(training.clip) if training.clip else 3.0,
        "weight_decay": decades(training.weight_decay),
        "hidden": decades(model.hidden),
        "head": float(len(model.head)),
        "relu_output": float(model.output_activation == "relu"),
        "increment": float(model.readout == "increment"),
        "init_gain": model.init_gain,
        "forget_bias": model.forget_bias,
        "lstm": float(model.cell == "lstm"),
        "scaled": float(config.data.scaling != "none"),
        "warmup": decades(config.score.warmup),
        "horizon": np.nan if config.score.horizon is None else float(config.score.horizon),
    }
    row |= {f"optimizer {name}": float(training.optimizer.name == name) for name in OPTIMIZERS}
    row |= {f"scheduler {name}": float(training.scheduler.name == name) for name in SCHEDULERS}
    return row


class Forest:
    """A random forest, the kind of classifier of DeepFD, on our features."""

    def __init__(self, names: Sequence[str], seed: int = 0) -> None:
        self.names = tuple(names)
        self.forest = RandomForestClassifier(500, random_state=seed, class_weight="balanced_subsample")
        self.centre = np.zeros(len(self.names))

    def _design(self, rows: Sequence[Row]) -> Array:
        values = np.asarray([[row[name] for name in self.names] for row in rows])
        return np.where(np.isnan(values), self.centre, values)

    def fit(self, rows: Sequence[Row], answers: Sequence[str]) -> "Forest":
        """Fit the forest to runs with known causes and return it."""
        values = np.asarray([[row[name] for name in self.names] for row in rows])
        self.centre = np.nanmedian(values, axis=0)
        self.forest.fit(self._design(rows), np.asarray(answers))
        return self

    def probabilities(self, rows: Sequence[Row]) -> list[dict[str, float]]:
        """Return the shares of trees by answer."""
        shares = self.forest.predict_proba(self._design(rows))
        return [dict(zip(self.forest.classes_.tolist(), row.tolist(), strict=True)) for row in shares]


def deep_diagnosis(case: Case) -> list[str]:
    """Return the causes that DeepDiagnosis's rules name, in the order of its decision list.

    Source: Wardat et al. (2022), ICSE; its thresholds, on our traces.
    """
    ratio = case.curve("update_ratio")
    norms = case.curve("gradient_norm")
    loss = case.curve("loss")
    size = sum(np.prod(shape) for shape in ((case.config.model.hidden, 4 * case.config.model.hidden),))
    rules: list[tuple[bool, str]] = [
        (case.probe("units", "silent_output") >= 0.7 or case.probe("units", "dead_head") >= 0.7, "dead_relu"),
        (FEATURES["gate_saturation"].read(case) > 0.5, "gate_saturation"),
        (case.facts.input_size > 1.0 and case.facts.input_spread > 3.0, "data_scale"),
        (len(ratio) > 0 and float(np.median(ratio)) > 0.1, "lr_high"),
        (len(ratio) > 0 and float(np.median(ratio)) < 1e-5, "lr_low"),
        (len(norms) > 0 and float(np.median(norms)) / np.sqrt(size) < 1e-7, "short_memory"),
        (len(loss) >= 5 and float(np.mean(loss[-5:])) >= float(np.max(loss[-5:])), "lr_low"),
        (not np.isfinite(loss).all() or case.record.state == "diverged", "lr_high"),
    ]
    return list(dict.fromkeys(cause for found, cause in rules if found))


def auto_trainer(case: Case) -> list[str]:
    """Return the causes that AutoTrainer's symptoms stand for, in its order of priority.

    Accuracy curves are read as curves of the one-step skill, 1 - loss / variance. Its ratio of the first to the last
    layer's gradient is not in our traces: the largest norm by the median stands for it.

    Source: Zhang et al. (2021), ICSE; thresholds of reproduce.py.
    """
    loss, norms = case.curve("loss"), case.curve("gradient_norm")
    if not len(loss):
        return ["lr_high"]
    skill = np.clip(1 - loss / max(case.facts.input_spread**2, 1e-12), 0, 1)
    explodes = float(np.nanmax(case.curve("gradient_norm_max"))) / max(float(np.median(norms)), 1e-30) > 70
    dead = case.probe("units", "silent_output") >= 0.7 or case.probe("units", "dead_head") >= 0.7
    rules: list[tuple[bool, str]] = [
        (not np.isfinite(loss).all() or float(loss.max()) >= 1e3, "exploding_gradient"),
        (dead, "dead_relu"),
        (explodes, "exploding_gradient"),
        (float(np.median(norms)) < 1e-4 and float(np.median(norms[:5])) < 1e-4, "short_memory"),
        (_oscillations(skill) >= 0.2 * len(skill), "lr_high"),
        (float(np.max(np.diff(skill), initial=0.0)) < 0.01, "lr_low"),
        (float(skill.max()) < 0.6, "undertrained"),
    ]
    return list(dict.fromkeys(cause for found, cause in rules if found))


RULES: Mapping[str, Callable[[Case], list[str]]] = {
    "DeepDiagnosis's rules": deep_diagnosis,
    "AutoTrainer's rules": auto_trainer,
}


def _oscillations(skill: Array) -> int:
    rising = np.sign(np.diff(skill))
    turns = np.flatnonzero(rising[1:] * rising[:-1] < 0) + 1
    values = skill[turns]
    return int(np.sum(np.abs(np.diff(values)) >= 0.03) // 2)


def majority(answers: Sequence[str]) -> list[str]:
    """Return all causes, the most frequent first: the answer of a guess by frequency."""
    causes = [answer for answer in answers if answer != HEALTHY]
    return sorted(set(causes), key=lambda cause: (-causes.count(cause), cause))
