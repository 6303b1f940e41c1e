"""A forecast is compared with the study's baselines by the study's objective."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sweep.config.plugins import using
from sweep.config.records import PREFIXES
from sweep.diagnosis.symptoms import RolloutEvidence, start_symptoms
from sweep.score.metrics import rollout_error

PLUGIN = """
from sweep.score.objectives import ObjectiveSpec
COUNT = ObjectiveSpec("count", "a share of steps", lambda f, t, s, b: f.shape[1] / 1000, "test")
"""


@pytest.fixture
def evidence() -> RolloutEvidence:
    rng = np.random.default_rng(0)
    truth, past = rng.normal(size=(6, 100, 1)), rng.normal(size=(6, 20, 1))
    return RolloutEvidence(0.5 * truth, truth, past, np.zeros((6, 1)), np.ones((6, 1)), block=10)


def test_the_errors_of_a_forecast_are_those_of_the_objective(evidence, monkeypatch, tmp_path: Path):
    errors: list[tuple[float, ...]] = []

    def spy(limit, squares, valid, of_forecast, baselines):
        errors.append(of_forecast)
        return np.zeros(len(valid), dtype=bool)

    monkeypatch.setattr(start_symptoms, "as_far_as_possible", spy)
    start_symptoms.start_symptoms_of(evidence)
    (tmp_path / "mine.py").write_text(PLUGIN)
    with using([tmp_path / "mine.py"]):
        start_symptoms.start_symptoms_of(replace(evidence, objective="count"))
    own, plugin = errors
    assert own[-1] == rollout_error(evidence.forecast, evidence.truth, evidence.scale, 10)
    assert plugin == pytest.approx([100 * share / 1000 for share in PREFIXES])
