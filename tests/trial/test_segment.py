"""A segment is a pure function: equal configurations and checkpoints give equal bits, whatever else runs."""

import ctypes
import io
import json
import math
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sweep.config.errors import DataError, StoreError
from sweep.config.records import to_json
from sweep.config.trial import TrialConfig
from sweep.train import OPTIMIZERS
from sweep.trial import Segment, run_segment
from sweep.trial.checkpoint import read_checkpoint
from sweep.trial.process import keep_freed_memory, trial_process
from sweep.trial.segment import Run

Made = Any


def bits(segment: Segment) -> str:
    """All that a segment says, without its time, as text."""
    state = read_checkpoint(segment.checkpoint)

    def plain(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return [str(value.dtype), value.tolist()]
        if isinstance(value, dict):
            return {str(key): plain(entry) for key, entry in value.items()}
        return [plain(entry) for entry in value] if isinstance(value, list | tuple) else repr(value)

    return json.dumps([plain(state), to_json(segment.evaluation), segment.diverged], sort_keys=True)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs", "muon"])
def test_the_same_bits_twice_and_after_other_trials(cell: str, optimizer: str, trial: Made, segments: Made):
    config = trial(optimizer, cell, budget=960)
    first = [bits(segment) for segment in segments(config)]
    segments(trial("rmsprop", "gru", input_noise=0.1))
    np.random.seed(0)
    torch.manual_seed(0)
    assert [bits(segment) for segment in segments(config)] == first
    assert [bits(segment) for segment in segments(trial(optimizer, cell, budget=960, seed=8))] != first


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_that_were_set_before_change_nothing(threads: int, trial: Made):
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    expected = bits(run_segment(trial(), None, 0))
    try:
        torch.set_num_threads(threads)
        assert bits(run_segment(trial(), None, 0)) == expected
        assert torch.get_num_threads() == threads  # and they are given back
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_default_type_that_was_set_before_changes_nothing(dtype: torch.dtype, trial: Made):
    expected = bits(run_segment(trial(), None, 0))
    torch.set_default_dtype(dtype)
    try:
        assert bits(run_segment(trial(), None, 0)) == expected
        assert torch.get_default_dtype() == dtype
    finally:
        torch.set_default_dtype(torch.float32)


def test_another_process_gives_the_same_bits(trial: Made, tmp_path: Path):
    config = trial("nadam", input_noise=0.1)
    first = run_segment(config, None, 0)
    (tmp_path / "checkpoint").write_bytes(first.checkpoint)
    (tmp_path / "config").write_text(config.model_dump_json())
    script = (
        "import sys, pickle; from pathlib import Path\n"
        "from sweep.config.trial import TrialConfig\n"
        "from sweep.trial import run_segment\n"
        "folder = Path(sys.argv[1])\n"
        "config = TrialConfig.model_validate_json((folder / 'config').read_text())\n"
        "segment = run_segment(config, (folder / 'checkpoint').read_bytes(), 1)\n"
        "(folder / 'segment').write_bytes(pickle.dumps(segment))\n"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "PYTHONHASHSEED": "5"}
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, env=environment, timeout=120)
    other = pickle.loads((tmp_path / "segment").read_bytes())
    assert bits(other) == bits(run_segment(config, first.checkpoint, 1))


SLOW_TO_IMPORT = ("torch._dynamo", "scipy.stats", "scipy.signal", "matplotlib")


def test_a_trial_starts_without_what_takes_a_second_to_import(trial: Made, tmp_path: Path):
    (tmp_path / "configs").write_text(
        json.dumps([trial(name, budget=960).model_dump_json() for name in OPTIMIZERS])
    )
    script = (
        "import json, sys; from pathlib import Path\n"
        "from sweep.config.trial import TrialConfig\n"
        "from sweep.trial import finish, run_segment\n"
        "for text in json.loads(Path(sys.argv[1]).read_text()):\n"
        "    config = TrialConfig.model_validate_json(text)\n"
        "    first = run_segment(config, None, 0).checkpoint\n"
        "    finish(config, run_segment(config, first, 1).checkpoint)\n"
        "print(*sys.modules)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "configs")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=240)
    assert not set(SLOW_TO_IMPORT) & set(done.stdout.split())


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_segments_chained_equal_one_run_that_never_stopped(optimizer: str, trial: Made, segments: Made):
    config = trial(optimizer, scheduler="plateau", budget=1920)
    chained = segments(config)
    with trial_process():
        run = Run(config)
        evaluations = [run.advance(point) for point in range(len(config.points))]
    assert [to_json(segment.evaluation) for segment in chained] == [to_json(one) for one in evaluations]
    assert torch.equal(
        read_checkpoint(chained[-1].checkpoint)["trainer"]["weights"], run.trainer.flat.snapshot()
    )


def test_a_segment_ends_at_its_evaluation_point(trial: Made, segments: Made):
    config = trial(batch_size=6)
    done = segments(config)
    assert config.points == (
        160,
        240,
        480,
    )  # thirds of the budget, the rung at its half instead of the second
    for segment, point in zip(done, config.points, strict=True):
        assert point <= segment.evaluation.sequence_steps < point + 60
    assert [segment.evaluation.point for segment in done] == list(range(len(config.points)))
    assert all(segment.diverged is None and segment.seconds > 0 for segment in done)


class Attack:
    """Pickled, it runs code when it is read."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, ("true",))


def test_checkpoints_are_read_without_running_code(trial: Made):
    content = run_segment(trial(), None, 0).checkpoint
    assert set(torch.load(io.BytesIO(content), weights_only=True)) == set(read_checkpoint(content))
    buffer = io.BytesIO()
    torch.save({"trainer": Attack()}, buffer)
    with pytest.raises(StoreError, match="holds more than tensors and plain values"):
        read_checkpoint(buffer.getvalue())


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "lbfgs", "muon"])
@pytest.mark.parametrize("readout", ["increment", "value"])
def test_a_rate_of_a_million_is_a_result(optimizer: str, readout: str, trial: Made, segments: Made):
    config = trial({"name": optimizer, "lr": 1e6}, budget=960)
    config = config.model_copy(update={"model": config.model.model_copy(update={"readout": readout})})
    for segment in segments(config):
        scores = segment.evaluation.scores
        assert 0 <= scores.rollout_error <= 1 and 0 <= scores.one_step_error <= 1
        assert not math.isnan(scores.nrmse)
        json.dumps(to_json(segment.evaluation), allow_nan=False)


def test_a_trial_that_diverges_at_once_has_no_update(trial: Made):
    config = trial({"name": "sgd", "lr": 3e38}, clip=0.0)
    run = Run(config)
    run.trainer.windows = replace(run.trainer.windows, rows=run.trainer.windows.rows * np.float32(1e30))
    evaluation = run.advance(0)
    assert run.trainer.diverged is not None
    assert evaluation.updates == 0 and math.isnan(evaluation.train_loss)
    assert run.best_weights is None and run.best_error == math.inf  # nothing learnt, nothing to choose
    assert torch.isfinite(run.trainer.flat.vector).all()


def test_an_evaluation_is_reused_where_nothing_has_changed(trial: Made, monkeypatch: pytest.MonkeyPatch):
    config = trial(
        "lbfgs", budget=700, evaluations=12
    )  # a full batch is 6 windows a series: far more than a point
    run = Run(config)
    calls = 0
    original = run._evaluated

    def counted() -> Any:
        nonlocal calls
        calls += 1
        return original()

    monkeypatch.setattr(run, "_evaluated", counted)
    evaluations = [run.advance(point) for point in range(len(config.points))]
    changes = {evaluation.updates for evaluation in evaluations}
    assert calls == len(changes) < len(evaluations)
    assert len(run.rollout_errors) == calls  # the plateau scheduler does not wait for what did not happen
    for one, two in pairwise(evaluations):
        if one.updates == two.updates:
            assert two.scores == one.scores and two.evidence == one.evidence and math.isnan(two.train_loss)


def test_weights_that_went_back_are_evaluated_anew(trial: Made, monkeypatch: pytest.MonkeyPatch):
    run = Run(trial("lbfgs", budget=50_000))
    run.advance(0)
    first = run.latest_changes
    original = run.trainer._full_loss

    def broken() -> float:
        original()
        return math.nan

    monkeypatch.setattr(run.trainer, "_full_loss", broken)
    run.trainer.optimizer.memo = []
    run.advance(1)
    assert run.trainer.diverged is not None and run.latest_changes > first


def test_the_best_weights_are_those_of_the_lowest_rollout_error(trial: Made):
    config = trial({"name": "adam", "lr": 0.3}, budget=1920, evaluations=8)
    run = Run(config)
    kept = []
    for point in range(len(config.points)):
        evaluation = run.advance(point)
        kept.append((evaluation.scores.rollout_error, run.trainer.flat.snapshot()))
    best = min(kept, key=lambda entry: entry[0])
    assert run.best_error == best[0] and torch.equal(run.best_weights, best[1])
    assert best[0] < kept[-1][0]  # the last is not the best here, so the test can tell


def test_evidence_is_plain(trial: Made):
    evidence = run_segment(trial(), None, 0).evaluation.evidence
    assert len(evidence["gate_saturation"]) == 2
    assert (
        list(evidence["input_gradient_by_lag"])
        == list(evidence["loss_gradient_by_lag"])
        == ["1", "2", "4", "8"]
    )
    assert list(evidence["nrmse_by_step"]) == ["1", "2", "5", "10", "20"]
    # the first step is not yet fed with an own forecast; later ones are
    free, forced = evidence["nrmse_by_step"], evidence["one_step_nrmse_by_step"]
    assert free["1"] == forced["1"] and free["20"] != forced["20"]
    json.dumps(to_json(evidence), allow_nan=False)


def test_data_that_cannot_be_loaded_say_why(trial: Made):
    broken = trial().model_copy(update={"data": trial().data.model_copy(update={"options": {"length": 1}})})
    with pytest.raises(DataError, match="length"):
        run_segment(TrialConfig.model_validate(broken.model_dump()), None, 0)


def test_memory_is_kept_where_the_system_can():
    glibc = sys.platform.startswith("linux") and hasattr(ctypes.CDLL(None), "mallopt")
    assert keep_freed_memory() is glibc
