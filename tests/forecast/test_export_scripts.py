"""The scripts of an export forecast as sweep does, without sweep: every cell, readout, precision and transform."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

from sweep.data.calendar import CALENDARS
from sweep.data.transforms import TRANSFORMS
from sweep.forecast.ensemble import Ensemble
from sweep.forecast.export import write_export
from sweep.forecast.export.onnx_model import CELL_GRAPHS
from sweep.model import CELLS
from tests.support.made_forecasters import FEEDS, STEP, STEPS, cases
from tests.support.made_forecasters import TRANSFORMS as TRIED
from tests.support.without_sweep import ONNX, PACKAGES, TORCH, alone, forecasts_of

pytestmark = pytest.mark.slow

TOLERANCE = {"float32": 1e-5, "float64": 1e-10}  # of the standard deviation of the past
CASES = cases()


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("exported")
    for case in CASES:
        write_export(root / case.name, case.ensemble, case.model, {}, columns=case.columns, step=STEP)
    return root


@pytest.fixture(scope="module")
def expected() -> dict[str, np.ndarray]:
    return {case.name: case.expected for case in CASES}


def task(case, folder: Path) -> dict:
    return {
        "name": case.name,
        "folder": str(folder),
        "past": case.past.tolist(),
        "steps": STEPS,
        "known": case.known.tolist(),
        "times": [[time.isoformat() for time in row] for row in case.times],
        "names": case.series,
    }


@pytest.fixture(scope="module")
def forecasts(exported) -> dict[str, dict]:
    tasks = [task(case, exported / case.name) for case in CASES]
    return {script: forecasts_of(script, tasks) for script in PACKAGES}


def error_of(forecast, expected, case) -> float:
    """The largest error in standard deviations of the past."""
    assert np.isfinite(expected).all()
    return float(np.max(np.abs(np.asarray(forecast) - expected) / case.past.std(axis=(0, 1))))


@pytest.mark.parametrize("script", PACKAGES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_script_forecasts_what_sweep_does(case, script, forecasts, expected):
    bound = TOLERANCE[str(next(case.ensemble.networks[0].parameters()).dtype).removeprefix("torch.")]
    assert error_of(forecasts[script][case.name], expected[case.name], case) < bound


def test_the_cases_cover_what_can_be_exported():
    models = [case.model for case in CASES]
    assert {model.cell for model in models} == set(CELLS) == set(CELL_GRAPHS)
    assert {name for names in TRIED for name in names} == set(TRANSFORMS)
    assert {name for feed in FEEDS for name in feed[0]} == set(CALENDARS)
    assert {model.feedback for model in models} == {True, False}
    assert {model.output_activation for model in models} == {"none", "relu"}
    assert {(len(model.head) > 0, model.head_activation) for model in models} >= {
        (True, "relu"),
        (True, "tanh"),
    }
    assert {model.layers for model in models} == {1, 2}


@pytest.mark.parametrize("changed", ["names", "known", "times", "last"])
def test_the_control_each_part_of_the_past_counts(changed, exported, expected):
    case = next(
        case
        for case in CASES
        if case.ensemble.coding.calendar and case.model.feedback and "float64" in case.name
    )
    other = task(case, exported / case.name)
    if changed == "names":
        other["names"] = ["west", "south", "west"]
    elif changed == "known":
        other["known"][0][-1][0] += 0.01
    elif changed == "times":
        other["times"][0][-1] = other["times"][0][-2]
    else:
        other["past"][0][-1][0] += 1e-6
    (forecast,) = forecasts_of("forecast_numpy", [other]).values()
    assert error_of(forecast, expected[case.name], case) > 10 * TOLERANCE["float64"]


def test_the_torch_script_is_short(exported):
    for script in PACKAGES:
        lines = (exported / CASES[0].name / f"{script}.py").read_text().splitlines()
        assert len(lines) < {"forecast_torch": 100}.get(script, 140)


@pytest.mark.parametrize(
    ("packages", "module"), [(TORCH, "numpy"), (TORCH, "sweep"), (ONNX, "torch"), (ONNX, "sweep")]
)
def test_the_control_other_packages_cannot_be_imported(packages, module):
    done = alone(f"import {module}", packages)
    assert done.returncode == 1 and f"No module named {module!r}" in done.stderr


def test_a_network_that_diverges_does_not_decide(expected, tmp_path):
    case = next(case for case in CASES if len(case.ensemble.networks) == 1)
    (good,) = case.ensemble.networks
    diverged = copy.deepcopy(good)
    with torch.no_grad():
        diverged.linears[-1].bias.fill_(float("nan"))
    networks = {"good": (good, good, diverged), "bad": (good, diverged)}
    for name, chosen in networks.items():
        ensemble = Ensemble(chosen, case.ensemble.coding)
        write_export(tmp_path / name, ensemble, case.model, {}, columns=case.columns, step=STEP)
    tasks = [task(case, tmp_path / name) | {"name": name} for name in networks]
    for script in PACKAGES:
        forecasts = forecasts_of(script, tasks)
        assert error_of(forecasts["good"], expected[case.name], case) < TOLERANCE["float32"]
        assert not np.isfinite(forecasts["bad"]).any()
