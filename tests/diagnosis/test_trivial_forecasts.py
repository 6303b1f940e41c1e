"""Diagnoses of data on which a trivial forecast is as good or exact, and of data far from 0."""

from collections.abc import Mapping

import numpy as np
import pytest

from sweep.config.data_section import DataConfig
from sweep.config.sections import ScoreConfig
from sweep.data import Data, load
from sweep.diagnosis.symptoms import TrialSymptom, stored_evidence, symptom_of_trial
from sweep.score import best_trivial, block_length, scores
from sweep.score.metrics import rollout_error

SCORE = ScoreConfig(warmup=60, horizon=50, starts=16)
RNG_SEED = 4


@pytest.fixture
def loaded(tmp_path):
    def load_values(values, score=SCORE):
        np.save(tmp_path / "values.npy", np.asarray(values, dtype=float)[:, None])
        return load(DataConfig(path="values.npy"), score, tmp_path)

    return load_values


def persistence(data: Data) -> np.ndarray:
    starts = data.validation
    return np.repeat(starts.past[:, -1:], starts.truth.shape[1], axis=1)


def seen(data: Data, forecast: np.ndarray, baselines: Mapping[str, float] | None = None) -> TrialSymptom:
    """Return the symptom of a rollout as it is stored; `baselines` are rollout errors by name."""
    starts = data.validation
    trivial = best_trivial(starts, data.targets, data.period, rollout_error)
    arrays = {
        "forecast": forecast,
        "truth": starts.truth,
        "past": starts.past[:, -12:],
        "std": starts.std,
        "scale": starts.scale,
        "exact": starts.exact,
        "series": starts.series,
        "position": starts.position,
        "block": np.asarray(block_length(data.period, starts.truth.shape[1])),
        "trivial": np.asarray(trivial.name),
        "trivial_error": np.asarray(trivial.rollout_error),
        "trivial_noise": np.asarray(trivial.noise),
        "trivial_exact": np.asarray(trivial.exact),
        "trivial_valid_steps": trivial.valid_steps,
    }
    known = {"mean": 1.0, trivial.name: trivial.rollout_error, **(baselines or {})}
    errors = {name: (error,) * 4 for name, error in known.items()}
    return symptom_of_trial(stored_evidence(arrays, period=data.period, baselines=errors))


def scored(data: Data, forecast: np.ndarray):
    return scores(forecast, forecast, data.validation, data.targets, data.period)


def walk(steps: float = 1.0, level: float = 50.0) -> np.ndarray:
    return level + steps * np.cumsum(np.random.default_rng(RNG_SEED).normal(size=1500))


def test_a_ramp_is_never_fine_and_is_called_exact(loaded):
    data = loaded(0.0002 * np.arange(3000))
    off = data.validation.truth + 0.02 * data.validation.std[:, None]  # a fiftieth of the data's spread
    symptom = seen(data, off)
    assert any("is exact: the straight line" in text for text in data.warnings)
    assert not any("consider" in text for text in data.warnings)
    assert "S01" not in symptom.shares and symptom.numbers["valid_steps"] == 0
    assert symptom.hopeless == "the trivial forecast drift is exact on these data, so use that"
    assert scored(data, off).trivial_skill is None
    assert abs(symptom.numbers["level_late"]) == pytest.approx(0.02, rel=1e-3)  # in standard deviations
    assert symptom.shares == {"S08": 1.0}
    assert "+0.02 training standard deviations from the truth's" in symptom.text
    assert symptom.text.endswith("The trivial forecast drift is exact on these data, so use that.")


def test_without_skill_it_is_not_fine_although_it_holds(loaded):
    # against the training mean, 100 scales away, everything near the last value looks right
    data = loaded(walk(level=0) + np.arange(1500.0) * 0.2)
    worse = persistence(data) + 0.4 * data.validation.scale[:, None]
    own = scored(data, worse)
    assert own.trivial_skill is not None and own.trivial_skill < 0
    symptom = seen(data, worse, {"ar": 0.3})
    assert "S01" not in symptom.shares
    # control: a forecast with skill is
    good = data.validation.truth + 0.1 * data.validation.scale[:, None]
    assert seen(data, good, {"ar": 0.3}).code == "S01" and scored(data, good).trivial_skill > 0.8


def test_a_forecast_that_holds_beside_a_better_trivial_one_has_a_symptom_of_its_own(loaded):
    # few starts hold a jump: from the others the mean is right, so it is valid as long as the forecast
    values = 0.01 * np.random.default_rng(RNG_SEED).normal(size=1500)
    values[1262:] += 2
    data = loaded(values)
    worse = data.validation.mean[:, None] + 0.2 * data.validation.scale[:, None] + 0 * data.validation.truth
    symptom = seen(data, worse, {"ar": 0.01})
    assert symptom.code == "S14" and not symptom.mixture and scored(data, worse).trivial_skill < 0
    assert symptom.text.endswith("The median start holds for 50 of 50 steps, mean for 50.")
    assert "the trivial forecast mean is as good or better (skill against it -" in symptom.text


@pytest.mark.parametrize("steps", [1.0, 1e-9])
def test_a_random_walk_at_its_last_value_is_as_good_as_the_data_allow(loaded, steps):
    data = loaded(walk(steps, level=50 * steps))
    symptom = seen(data, persistence(data) + 0.02 * data.validation.scale[:, None], {"ar": 0.66})
    assert symptom.code == "S12"
    assert "neither a baseline nor this forecast is clearly better than the trivial forecast" in symptom.text
    # control: a baseline that does better shows that the data allow more
    other = seen(data, persistence(data) + 0.02 * data.validation.scale[:, None], {"ar": 0.3})
    assert other.code != "S12" and other.hopeless == ""


@pytest.mark.parametrize(("errors", "code"), [(1.5, "S12"), (2.5, "other")])
def test_a_baseline_that_is_better_by_chance_excuses_the_forecast_still(loaded, errors, code):
    # the best of many baselines on few starts is better than the last value by a standard error or two
    data = loaded(walk())
    trivial = best_trivial(data.validation, data.targets, data.period, rollout_error)
    assert trivial.noise > 0.05 * trivial.rollout_error
    symptom = seen(data, persistence(data), {"ar": trivial.rollout_error - errors * trivial.noise})
    assert (symptom.code == "S12" and symptom.hopeless != "") == (code == "S12")


def test_far_from_the_last_value_it_is_not_as_good_as_the_data_allow(loaded):
    data = loaded(walk())
    symptom = seen(data, np.full_like(data.validation.truth, data.validation.mean[0, 0]), {"ar": 0.66})
    assert symptom.code != "S12" and symptom.hopeless != ""


def test_rare_demand_at_random_times_allows_the_mean_and_no_more(loaded):
    rng = np.random.default_rng(RNG_SEED)
    data = loaded((rng.random(2000) < 0.1) * rng.integers(1, 6, 2000))
    symptom = seen(
        data, persistence(data) * 0 + data.validation.mean[:, None], {"ar": 1.0, "random_readout": 0.99}
    )
    assert symptom.code == "S12"


@pytest.mark.parametrize("offset", [3e7, 1e9, 1e12])
@pytest.mark.parametrize("speed", [1.0, 1.03])
def test_a_level_changes_no_diagnosis(loaded, offset, speed):
    score = ScoreConfig(warmup=100, horizon=200, starts=8)
    wave = np.sin(np.arange(2000) * 2 * np.pi / 40)
    symptoms = []
    for level in (0.0, offset):
        data = loaded(wave + level, score)
        starts = data.validation
        time = starts.position[:, None] + np.arange(200) * speed
        forecast = level + 0.95 * np.sin(time * 2 * np.pi / 40)[..., None]
        symptoms.append((seen(data, forecast), scored(data, forecast)))
    (plain, near), (moved, far) = symptoms
    assert moved.code == plain.code == ("S01" if speed == 1 else "S05")
    assert far.valid_steps == near.valid_steps == moved.numbers["valid_steps"]
    for name in ("amplitude_late", "frequency_error", "valid_steps"):
        assert moved.numbers[name] == pytest.approx(plain.numbers[name], rel=1e-2, abs=1e-4)
    assert far.rollout_error == pytest.approx(near.rollout_error, rel=1e-2)


def test_a_forecast_that_leaves_the_truth_by_ten_deviations_has_diverged(loaded):
    data = loaded(walk() + np.arange(1500.0))
    starts = data.validation
    reach = np.maximum(starts.scale, starts.std)
    for factor, code in ((9.9, "S04"), (10.1, "S13")):
        forecast = starts.truth + factor * reach[:, None] * np.linspace(0, 1, 50)[None, :, None]
        assert seen(data, forecast).code == code
        assert scored(data, forecast).diverged_fraction == (code == "S13")
