"""Diagnoses of data with inputs from outside: what the inputs do is not blamed on the data."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sweep.config.data_section import DataConfig
from sweep.config.sections import ScoreConfig
from sweep.data import Data, load
from sweep.diagnosis.causes import CAUSES
from sweep.diagnosis.causes.features import FEATURES
from sweep.diagnosis.causes.findings import cause_findings, inapplicable
from sweep.diagnosis.facts import facts_of
from sweep.diagnosis.symptoms import stored_evidence, symptom_of_trial
from sweep.diagnosis.symptoms.limits import limit_of
from sweep.results.checks.horizon_too_long import horizon_too_long
from tests.diagnosis.test_causes import case_of
from tests.support.made_contests import made_contest

RNG = np.random.default_rng(0)
ROLES: dict[str, Any] = {"channels": ("x0",), "known": ("x1",)}


def driven(inputs: np.ndarray) -> np.ndarray:
    """Return (time, 2): a value that its input of the same time moves, and the input."""
    values = np.zeros(len(inputs))
    for time in range(1, len(inputs)):
        values[time] = 0.8 * values[time - 1] + inputs[time]
    return np.stack([values, inputs], axis=1)


def loaded(folder: Path, values: np.ndarray, **settings: Any) -> Data:
    np.save(folder / "a.npy", values)
    config = DataConfig(path="a.npy", split=(0.6, 0.2, 0.2), **{**ROLES, **settings})
    return load(config, ScoreConfig(warmup=20, horizon=40, starts=6), folder)


def test_the_linear_forecast_sees_the_inputs(tmp_path: Path):
    values = driven(RNG.normal(size=1000))
    with_input = facts_of(loaded(tmp_path, values))
    without = facts_of(loaded(tmp_path, values, known=()))
    assert with_input.linear_training < 1e-6 and with_input.linear_validation < 1e-6
    assert without.linear_training > 0.3 and without.linear_validation > 0.3
    assert (with_input.inputs, without.inputs) == (1, 0)


@pytest.mark.parametrize("transforms", [("difference",), ("difference", "difference")])
def test_inputs_stay_beside_their_times_if_a_transform_consumes_samples(
    tmp_path: Path, transforms: tuple[str, ...]
):
    facts = facts_of(loaded(tmp_path, driven(RNG.normal(size=1000)), transforms=transforms))
    assert facts.linear_training < 1e-6 and facts.linear_validation < 1e-6


def test_other_inputs_are_no_distance_and_no_distribution_gap(tmp_path: Path):
    inputs = RNG.normal(size=1000)
    inputs[600:] = 5 + 3 * inputs[600:]  # the valve is opened wide after the training part; the law stays
    facts = facts_of(loaded(tmp_path, driven(inputs)))
    assert math.isnan(facts.nearest_training) and math.isnan(facts.nearest_validation)
    plain = case_of()
    case = replace(plain, facts=replace(plain.facts, **{**vars(facts), "series": 1}))
    for name in ("apart", "window_by_cycle", "warmup_by_cycle"):
        assert math.isnan(FEATURES[name].read(case)) and not math.isnan(FEATURES[name].read(plain))
    assert "other inputs look like another law" in inapplicable(case, CAUSES["C13"])
    assert inapplicable(plain, CAUSES["C13"]) == ""
    severities = {finding.code: finding.severity for finding in cause_findings(case, failing=True)}
    assert severities["C13"] == "not applicable"


def test_static_inputs_explain_no_change(tmp_path: Path):
    series = np.stack([driven(np.sin(np.arange(400) / 9 + n)) for n in range(3)])
    series[..., 1] = np.arange(3)[:, None]
    facts = facts_of(loaded(tmp_path, series, known=(), static=("x1",)))
    assert facts.inputs == 0 and facts.nearest_validation > 0


def test_a_leak_has_the_same_inputs(tmp_path: Path):
    inputs = RNG.normal(size=500)
    first, twin = driven(inputs), driven(inputs)
    twin[:300] = first[200:]  # the second series trains on what the first is validated on
    assert facts_of(loaded(tmp_path, np.stack([first, twin]))).leaked > 0.3
    twin[:300, 1] += 1.0  # the same values under other inputs
    assert facts_of(loaded(tmp_path, np.stack([first, twin]))).leaked == 0


def arrays_of(data: Data) -> dict[str, np.ndarray]:
    """Return the arrays of the best forecast without the inputs: the last value decays."""
    starts = data.validation
    forecast = starts.past[:, -1:] * 0.8 ** np.arange(1, 41)[:, None]
    arrays = {
        "truth": starts.truth, "past": starts.past, "std": starts.std, "scale": starts.scale, "forecast": forecast
    }  # fmt: skip
    return arrays if starts.inputs is None else {**arrays, "inputs": starts.inputs}


def test_plain_forecasts_show_no_limit_of_driven_data(tmp_path: Path):
    values = driven(RNG.normal(size=1000))
    seen = stored_evidence(arrays_of(loaded(tmp_path, values)))
    blind = stored_evidence(arrays_of(loaded(tmp_path, values, known=())))
    assert seen.driven and not blind.driven
    assert symptom_of_trial(blind).code == "S12"
    symptom = symptom_of_trial(seen)
    assert symptom.code != "S12" and "do not see the inputs from outside" in symptom.numbers["limit"]
    truth, past = (one.scaled(values) for one, values in ((seen, seen.truth), (seen, seen.past)))
    assert limit_of(past, truth, 10, None, None, None, None).limited
    assert not limit_of(past, truth, 10, None, None, None, None, driven=True).limited
    assert limit_of(past, truth, 10, 2.0, None, None, None, driven=True).limited  # chaos is one all the same


def test_baselines_that_see_no_inputs_excuse_nothing(tmp_path: Path):
    data = loaded(tmp_path, driven(RNG.normal(size=1000)))
    arrays = arrays_of(data)
    trivial = {
        "trivial": np.array("mean"), "trivial_error": np.array(0.5), "trivial_exact": np.array(False),
        "trivial_noise": np.array(0.01), "trivial_valid_steps": np.full(6, 5.0),
    }  # fmt: skip
    useless = {"ar": (1.0,) * 4}
    seen = symptom_of_trial(stored_evidence({**arrays, **trivial}, baselines=useless))
    del arrays["inputs"]
    blind = symptom_of_trial(stored_evidence({**arrays, **trivial}, baselines=useless))
    assert "neither a baseline nor this forecast" in blind.hopeless and seen.hopeless == ""
    # a baseline that sees the inputs and is no better shows that nothing is known to be
    sighted = {**useless, "arx": (1.0,) * 4}
    lost = symptom_of_trial(stored_evidence({**arrays_of(data), **trivial}, baselines=sighted))
    assert "neither a baseline nor this forecast" in lost.hopeless
    good = {**useless, "arx": (0.1,) * 4}
    assert symptom_of_trial(stored_evidence({**arrays_of(data), **trivial}, baselines=good)).hopeless == ""
    exact = {**trivial, "trivial_exact": np.array(True)}
    assert "is exact" in symptom_of_trial(stored_evidence({**arrays_of(data), **exact})).hopeless


def test_a_lack_of_skill_shows_no_limit_of_the_horizon():
    hard = made_contest(0.7, {"mean": 0.9, "ar": 0.8})
    finding = horizon_too_long(hard, driven=True)
    assert finding.severity == "not applicable" and "shows no limit of the data" in finding.text
    sighted = horizon_too_long(
        made_contest(0.7, {"mean": 0.9, "ar": 0.8, "fir": 0.75, "arx": 0.8}), driven=True
    )
    assert sighted.severity == "issue" and "2 baselines saw the inputs from outside" in sighted.text
    by_input = horizon_too_long(made_contest(0.9, {"mean": 0.9, "arx": 0.2}), driven=True)
    assert (by_input.severity, by_input.evidence["by"]) == ("ok", "arx")
    assert horizon_too_long(made_contest(0.2, {"mean": 0.9}), driven=True).severity == "ok"
