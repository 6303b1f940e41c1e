"""What a settled trial leaves behind: three files, and scores that anybody can make again from them."""

import csv
import io
import json
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sweep.config.data_section import DataConfig
from sweep.config.records import TrialRecord
from sweep.config.trial import TrialConfig
from sweep.data import load
from sweep.diagnosis.probes import always_on
from sweep.diagnosis.symptoms import SYMPTOMS
from sweep.diagnosis.trial_diagnosis import (
    CODES,
    TrialEvidence,
    diagnosed,
    diagnosis_from_json,
    diagnosis_to_json,
)
from sweep.score import (
    Task,
    best_trivial,
    exposure_gap_by_step,
    forecasts,
    nrmse_by_step,
    scores,
    swapped,
    traced,
    valid_steps,
)
from sweep.score.metrics import rollout_error
from sweep.trial import data_facts, finish, probe_trial, score_on_test
from sweep.trial.checkpoint import read_checkpoint
from sweep.trial.network import trained
from sweep.trial.segment import Run

Made = Any
finish_module = sys.modules["sweep.trial.finish"]  # its name is the function's


@pytest.fixture(scope="module", params=["float32", "float64"])
def settled(request: pytest.FixtureRequest, trial: Made, segments: Made) -> tuple[TrialConfig, list, Any]:
    config = trial({"name": "adam", "lr": 0.05}, budget=1920, evaluations=6, precision=request.param)
    done = segments(config)
    return config, done, finish(config, done[-1].checkpoint)


def arrays_of(files: dict[str, bytes]) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(files["rollout.npz"]), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def test_the_files(settled: Made):
    _, _, finished = settled
    assert sorted(finished.files) == [
        "checkpoint.pt", "curves.csv", "diagnosis.json", "rollout.npz"
    ]  # fmt: skip
    assert finished.seconds > 0


def test_the_checkpoint_holds_the_best_weights_and_its_configuration(settled: Made):
    config, done, finished = settled
    content = read_checkpoint(finished.files["checkpoint.pt"])
    assert set(content) == {"state_dict", "config"}
    assert TrialConfig.model_validate_json(content["config"]) == config
    network = trained(config, load(config.data, config.score), finished.files["checkpoint.pt"])
    vector = torch.cat([p.detach().reshape(-1) for p in network.parameters()])
    assert torch.equal(vector, read_checkpoint(done[-1].checkpoint)["best_weights"])
    assert vector.dtype == (torch.float64 if config.training.precision == "float64" else torch.float32)
    assert len(finished.files["checkpoint.pt"]) < 3 * vector.numel() * 8 + 10_000  # no optimizer's state


def test_the_rollout_is_that_of_the_best_evaluation(settled: Made):
    config, done, finished = settled
    data, arrays = load(config.data, config.score), arrays_of(finished.files)
    best = min((segment.evaluation for segment in done), key=lambda one: one.scores.rollout_error)
    network = trained(config, data, finished.files["checkpoint.pt"])
    dtype = torch.float64 if config.training.precision == "float64" else torch.float32
    task = Task(data, data.validation, dtype, "cpu")
    forecast = forecasts(network, task)
    again = scores(forecast.rollout, forecast.one_step, data.validation, data.targets, data.period)
    assert again.rollout_error == pytest.approx(best.scores.rollout_error, rel=1e-9)
    starts = data.validation
    assert np.array_equal(arrays["forecast"], forecast.rollout) and arrays["forecast"].dtype == np.float64
    assert np.array_equal(arrays["truth"], starts.truth) and np.array_equal(arrays["scale"], starts.scale)
    assert np.array_equal(arrays["one_step"], forecast.one_step[:4])
    assert np.array_equal(arrays["past"], starts.past[:, -arrays["past"].shape[1] :])
    assert arrays["past"].shape[1] <= 5  # a quarter of the horizon
    assert arrays["nrmse"] == pytest.approx(
        nrmse_by_step(forecast.rollout, starts.truth, starts.scale), rel=1e-5
    )
    steps = valid_steps(forecast.rollout, starts.truth, starts.scale, int(arrays["block"]))
    assert np.array_equal(arrays["valid_steps"], steps)
    gap = exposure_gap_by_step(
        forecast.rollout, swapped(network, task, traced(network, task)), starts.truth, starts.scale
    )
    assert arrays["exposure_gap"] == pytest.approx(gap, abs=1e-5)
    assert finished.exposure_gap == pytest.approx(float(gap.mean()), rel=1e-9)
    assert gap[0] == 0 and abs(gap.mean()) > 1e-3
    assert {"mean", "std", "exact", "targets", "series", "position", "one_step_nrmse"} <= set(arrays)
    assert np.array_equal(arrays["scale_from"], starts.scale_from)
    trivial = best_trivial(starts, data.targets, data.period, rollout_error)
    assert (str(arrays["trivial"]), float(arrays["trivial_error"])) == (trivial.name, trivial.rollout_error)
    assert np.array_equal(arrays["trivial_valid_steps"], trivial.valid_steps)
    assert best.scores.trivial_skill == pytest.approx(1 - best.scores.rollout_error / trivial.rollout_error)


DOCUMENTED = Path(__file__).parents[2] / "results" / "README.md"


@pytest.mark.parametrize("known", [("u", "w"), ()])
def test_inputs_from_outside_are_stored_in_data_units_as_documented(
    trial: Made, segments: Made, tmp_path: Path, known: tuple[str, ...]
):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(200, 3)) * [1, 50, 2] + [0, 1e3, 0]
    np.savetxt(tmp_path / "a.csv", values, delimiter=",", header="y,u,w", comments="")
    settings = {
        "path": str(tmp_path / "a.csv"),
        "channels": ("y",),
        "known": known,
        "transforms": ("difference",),
    }
    config = trial().model_copy(update={"data": DataConfig(**settings)})
    done = segments(config)
    arrays = arrays_of(finish(config, done[-1].checkpoint).files)
    assert ("inputs" in arrays, "input_names" in arrays) == (bool(known), bool(known))
    if known:
        assert arrays["input_names"].tolist() == ["u", "w"]
        steps = arrays["past"].shape[1]
        for start, position in enumerate(arrays["position"]):
            rows = values[position - steps : position + 20]
            np.testing.assert_array_equal(arrays["inputs"][start], rows[:, 1:])
            np.testing.assert_array_equal(arrays["past"][start], rows[:steps, :1])
        (line,) = (row for row in DOCUMENTED.read_text().splitlines() if "rollout.npz" in row)
        assert all(f"`{name}`" in line for name in ("inputs", "input_names"))


def test_the_curves_are_plain_numbers(settled: Made):
    _, done, finished = settled
    rows = list(csv.DictReader(io.StringIO(finished.files["curves.csv"].decode())))
    assert [int(row["bin"]) for row in rows] == sorted({int(row["bin"]) for row in rows})
    assert int(rows[-1]["sequence_steps"]) == done[-1].evaluation.sequence_steps
    assert int(rows[-1]["updates"]) == done[-1].evaluation.updates
    wanted = {"loss", "gradient_norm", "update_ratio", "clip_fraction", "lr", "loss_max", "share"}
    assert wanted <= set(rows[0])
    cosines = [float(row.pop("gradient_cosine")) for row in rows]
    assert all(math.isnan(cosine) or -1 <= cosine <= 1 for cosine in cosines) and not all(
        map(math.isnan, cosines)
    )
    assert all(np.isfinite(float(value)) for row in rows for value in row.values())
    assert float(rows[0]["lr"]) > float(rows[-1]["lr"]) > 0  # the cosine


def test_the_diagnosis_is_the_one_that_the_stored_files_give(settled: Made):
    config, _, finished = settled
    data = load(config.data, config.score)
    probes = probe_trial(config, finished.files["checkpoint.pt"], always_on())
    facts = data_facts(config)
    assert (facts.period, facts.lyapunov_time) == (data.period, data.lyapunov_time)
    evidence = TrialEvidence(config, arrays_of(finished.files), probes=probes, facts=facts)
    document = json.loads(finished.files["diagnosis.json"])
    assert set(document["probes"]) == {probe.name for probe in always_on()}
    assert document == json.loads(json.dumps(diagnosis_to_json(diagnosed(evidence))))
    assert diagnosis_to_json(diagnosis_from_json(document)) == document
    assert [finding["code"] for finding in document["findings"]] == list(SYMPTOMS)  # no record, no causes


def test_with_a_record_there_is_a_finding_for_every_code(settled: Made):
    config, done, _ = settled
    evaluations = tuple(segment.evaluation for segment in done)
    best = min(range(len(done)), key=lambda i: evaluations[i].scores.rollout_error)
    record = TrialRecord(
        3, "complete", {}, {}, "sampled", evaluations, evaluations[best].scores.rollout_error, best, best
    )
    finished = finish(config, done[-1].checkpoint, record=record)
    document = json.loads(finished.files["diagnosis.json"])
    assert sorted(finding["code"] for finding in document["findings"]) == sorted(CODES)
    assert diagnosis_to_json(diagnosis_from_json(document)) == document


def test_equal_trials_have_equal_bytes_which_hold_no_seconds(settled: Made):
    config, done, finished = settled
    again = finish(config, done[-1].checkpoint)
    assert again.files["diagnosis.json"] == finished.files["diagnosis.json"]
    assert b"second" not in finished.files["diagnosis.json"]


def test_findings_see_the_whole_trial(settled: Made, monkeypatch: pytest.MonkeyPatch):
    config, done, _ = settled
    seen: list[TrialEvidence] = []

    def look(evidence: TrialEvidence) -> Any:
        seen.append(evidence)
        return diagnosed(evidence)

    monkeypatch.setattr(finish_module, "diagnosed", look)
    record = TrialRecord(3, "complete", {}, {}, "sampled")
    baselines = {"ar": (0.0, 0.0, 0.0, 0.1)}
    finished = finish(config, done[-1].checkpoint, baselines, record)
    (evidence,) = seen
    assert evidence.config == config and evidence.baselines == baselines
    assert evidence.record == replace(record, exposure_gap=finished.exposure_gap)
    rows = list(csv.DictReader(io.StringIO(finished.files["curves.csv"].decode())))
    assert [float(row["loss"]) for row in rows] == evidence.curves["loss"].tolist()
    stored = arrays_of(finished.files)
    assert all(np.array_equal(stored[name], evidence.rollout[name]) for name in stored)


def test_a_rollout_that_cannot_be_judged_costs_no_trial(settled: Made, monkeypatch: pytest.MonkeyPatch):
    config, done, finished = settled
    original = finish_module._rollout_arrays

    def beyond_float32(run: Run) -> Any:
        arrays, gap = original(run)
        return {**arrays, "scale": 0 * arrays["scale"]}, gap

    monkeypatch.setattr(finish_module, "_rollout_arrays", beyond_float32)
    files = finish(config, done[-1].checkpoint).files
    assert set(finished.files) - set(files) == {"diagnosis.json"}


def test_the_locked_test_is_scored_from_the_stored_weights(settled: Made):
    config, _, finished = settled
    data = load(config.data, config.score)
    network = trained(config, data, finished.files["checkpoint.pt"])
    dtype = torch.float64 if config.training.precision == "float64" else torch.float32
    forecast = forecasts(network, Task(data, data.test, dtype, "cpu"))
    expected = scores(forecast.rollout, forecast.one_step, data.test, data.targets, data.period)
    on_test = score_on_test(config, finished.files["checkpoint.pt"])
    assert on_test.rollout_error == pytest.approx(expected.rollout_error, rel=1e-9)
    on_validation = forecasts(network, Task(data, data.validation, dtype, "cpu"))
    other = scores(on_validation.rollout, on_validation.one_step, data.validation, data.targets, data.period)
    assert on_test.rollout_error != other.rollout_error


@pytest.mark.parametrize("name", ["sgd", "lbfgs"])
def test_a_trial_without_an_update_can_be_finished(name: str, trial: Made):
    config = trial({"name": name, "lr": 0.1})
    run = Run(config)
    run.trainer.diverged = "loss nan at update 1"
    run.advance(0)
    buffer = io.BytesIO()
    torch.save(run.state(), buffer)
    finished = finish(config, buffer.getvalue())
    assert finished.files["curves.csv"].decode().count("\n") == 1  # only the header
    untrained = Run(config).trainer.flat.snapshot()
    weights = read_checkpoint(finished.files["checkpoint.pt"])["state_dict"]
    assert torch.equal(torch.cat([value.reshape(-1) for value in weights.values()]), untrained)


def test_a_network_of_nan_can_be_finished(trial: Made, segments: Made):
    config = trial()
    state = read_checkpoint(segments(config)[-1].checkpoint)
    state["best_weights"] = torch.full_like(state["best_weights"], float("nan"))
    buffer = io.BytesIO()
    torch.save(state, buffer)
    finished = finish(config, buffer.getvalue())
    assert finished.exposure_gap == 0.0
    diagnosis = diagnosis_from_json(json.loads(finished.files["diagnosis.json"]))
    assert diagnosis.code == "S13" and "finite" in diagnosis.probes["driven"]["reason"]
    arrays = arrays_of(finished.files)
    assert np.isnan(arrays["forecast"]).all() and (arrays["valid_steps"] == 0).all()
    assert np.isinf(arrays["nrmse"]).all()
    json.dumps(finished.exposure_gap)


@pytest.mark.parametrize("offset", [0.0, 3e7, 1e9])
def test_the_stored_rollout_gives_the_score_at_any_offset(
    trial: Made, segments: Made, tmp_path: Path, offset: float
):
    np.save(tmp_path / "far.npy", offset + np.sin(np.arange(400) * 2 * np.pi / 20)[:, None])
    config = trial({"name": "adam", "lr": 0.05}, budget=1920)
    config = config.model_copy(update={"data": DataConfig(path=str(tmp_path / "far.npy"))})
    done = segments(config)
    arrays = arrays_of(finish(config, done[-1].checkpoint).files)
    best = min((segment.evaluation.scores for segment in done), key=lambda one: one.rollout_error)
    case = arrays["forecast"], arrays["truth"], arrays["scale"]
    assert rollout_error(*case, int(arrays["block"])) == best.rollout_error
    assert nrmse_by_step(*case).tolist() == arrays["nrmse"].tolist()
    assert np.median(valid_steps(*case, int(arrays["block"]))) == best.valid_steps
    facts = data_facts(config)
    symptom = diagnosed(TrialEvidence(config, arrays, facts=facts)).symptom
    assert symptom["numbers"]["valid_steps"] == best.valid_steps and facts.period == pytest.approx(20)
    assert symptom["numbers"]["trivial_skill"] == pytest.approx(best.trivial_skill)
    # control: in float32 it would not
    rounded = [values.astype(np.float32).astype(float) for values in case]
    assert offset == 0 or rollout_error(*rounded, int(arrays["block"])) != pytest.approx(
        best.rollout_error, rel=0.01
    )
