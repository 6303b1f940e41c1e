"""Trials with plug-ins: their models and cells are trained, scored and probed; a process without them refuses."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sweep.config.plugins import PluginError, using
from sweep.config.sections import ModelConfig
from sweep.config.trial import TrialConfig
from sweep.diagnosis.probes import PROBES
from sweep.model import CELLS, MODELS
from sweep.trial import finish, probe_trial, run_segment
from sweep.trial.plugins import check_plugins
from tests.support import plugin_models
from tests.support.plugin_cells import MGU


@pytest.fixture(autouse=True)
def plugins(tmp_path: Path) -> Iterator[None]:
    files = [tmp_path / "models.py", tmp_path / "mgu.py"]
    for file, text in zip(files, (plugin_models.MODELS, MGU), strict=True):
        file.write_text(text)
    with using(files):
        yield


def of_model(config: TrialConfig, kind: str, **options) -> TrialConfig:
    return config.model_copy(
        update={
            "model": ModelConfig(kind=kind, options=options),
            "plugins": (f"model {kind} = {MODELS.origin(kind)}",),
        }
    )


@pytest.mark.parametrize("kind", ["elman", "memoryless"])
def test_a_trial_of_a_plugin_s_model_is_trained_scored_and_probed(kind: str, trial, segments):
    config = of_model(trial(budget=960, readout_refit=True), kind)
    done = segments(config)
    errors = [segment.evaluation.scores.one_step_nrmse for segment in done]
    assert all(segment.diverged is None for segment in done) and np.isfinite(errors).all()
    assert errors[-1] != errors[0]
    evidence = done[-1].evaluation.evidence
    assert "gate_saturation" not in evidence and len(evidence["input_gradient_by_lag"]) > 2
    assert "no readout that can be refitted" in evidence["readout_refit"]["reason"]
    files = finish(config, done[-1].checkpoint).files
    assert set(files) == {"curves.csv", "checkpoint.pt", "rollout.npz", "diagnosis.json"}
    probes = json.loads(files["diagnosis.json"])["probes"]
    assert probes["training_fit"].keys() > {"rollout_training"} and probes["swap_test"].keys() > {"by_step"}
    assert probes["units"] == {"reason": "a model of a plug-in: its cells and its readout are not known"}
    measured = probe_trial(config, files["checkpoint.pt"], PROBES.values())
    without = {name for name, numbers in measured.items() if set(numbers) == {"reason"}}
    assert without == {"noise_gain", "driven", "units", "lyapunov", "readout_refit", "fixed_points"}


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_trial_of_a_plugin_s_model_is_pure(optimizer: str, trial, segments):
    config = of_model(trial(optimizer, budget=1440), "elman")
    one, two = segments(config), segments(config)
    assert [segment.checkpoint for segment in one] == [segment.checkpoint for segment in two]
    assert finish(config, one[-1].checkpoint).files == finish(config, two[-1].checkpoint).files


def test_a_model_without_finite_forecasts_diverges(trial):
    done = run_segment(of_model(trial(), "faulty", fault="nan"), None, 0)
    assert done.diverged is not None and "loss nan" in done.diverged
    assert done.evaluation.scores.rollout_error == 1.0


def test_an_error_of_a_model_fails_the_trial_in_one_line(trial):
    with pytest.raises(PluginError, match=r"^plug-in model 'faulty' of models\.py .*IndexError: index 7"):
        run_segment(of_model(trial(), "faulty", fault="raises"), None, 0)


@pytest.mark.parametrize("cell", ["mgu", "leaky"])
def test_a_trial_of_a_plugin_s_cell_is_probed_as_sweep_s_own(cell: str, trial, segments):
    config = trial(cell=cell, budget=960).model_copy(
        update={"plugins": (f"cell {cell} = {CELLS.origin(cell)}",)}
    )
    done = segments(config)
    assert done[-1].diverged is None
    measured = json.loads(finish(config, done[-1].checkpoint).files["diagnosis.json"])["probes"]
    without = {name: numbers["reason"] for name, numbers in measured.items() if set(numbers) == {"reason"}}
    if cell == "mgu":
        assert without == {} and len(done[-1].evaluation.evidence["gate_saturation"]) == 2
        assert measured["units"]["keeping"] == []
    else:
        assert without == {"units": "the cell 'leaky' has weights of its own"}


COUNTING = """
import fractions
import torch
from sweep.extend import OptimizerSpec


class Counting(torch.optim.SGD):
    def state_dict(self):
        return {**super().state_dict(), "seen": fractions.Fraction(1, 3)}


COUNTING = OptimizerSpec("counting", lambda params, s, decay: Counting(params, lr=s["lr"]), {"lr": 0.1}, {}, "test")
"""


def test_a_state_that_no_checkpoint_holds_is_one_line_that_names_the_optimizer(trial, tmp_path: Path):
    file = tmp_path / "counting.py"
    file.write_text(COUNTING)
    line = r"^plug-in optimizer 'counting' of counting\.py sha256:\w+: its state_dict holds more than tensors"
    with using([file]), pytest.raises(PluginError, match=line):
        run_segment(trial("counting"), None, 0)


# --- the same plug-ins -------------------------------------------------------------------------------


def test_the_plugins_of_a_trial_are_those_of_this_process():
    check_plugins(())
    check_plugins((f"model elman = {MODELS.origin('elman')}", f"cell mgu = {CELLS.origin('mgu')}"))


def test_another_version_is_refused_with_the_difference():
    wanted = "model elman = models.py sha256:0000000000000000"
    line = r"^model elman: the trial uses models\.py sha256:0{16}, this process has models\.py sha256:\w{16}$"
    with pytest.raises(PluginError, match=line):
        check_plugins((wanted,))


def test_a_missing_one_is_refused():
    both = ("optimizer lion = lion-sweep 0.2", "cell gru = gru-sweep 1.0")
    line = (
        "optimizer lion: the trial uses lion-sweep 0.2, this process has none of this name; "
        "cell gru: the trial uses gru-sweep 1.0, this process has sweep's own cell"
    )
    with pytest.raises(PluginError, match=f"^{line}$"):
        check_plugins(both)


def test_a_segment_and_the_last_task_check_their_plugins(trial):
    config = trial().model_copy(update={"plugins": ("optimizer adam = adam-sweep 0.2",)})
    with pytest.raises(PluginError, match="optimizer adam: the trial uses adam-sweep"):
        run_segment(config, None, 0)
    with pytest.raises(PluginError, match="optimizer adam: the trial uses adam-sweep"):
        finish(config, b"")
