"""The last task of a trial: roll out and diagnose its best checkpoint, and return its files."""

import contextlib
import csv
import io
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from sweep.config.breakdown import Breakdown
from sweep.config.records import Scores, TrialRecord
from sweep.config.trial import TrialConfig
from sweep.data.coding import coding_of
from sweep.diagnosis.probes import Subject, always_on
from sweep.diagnosis.probes.closed_loop import fed_back
from sweep.diagnosis.symptoms import Baselines
from sweep.diagnosis.trial_diagnosis import (
    CannotJudge,
    Diagnosis,
    TrialEvidence,
    diagnosed,
    diagnosis_to_json,
)
from sweep.model import Network
from sweep.score import breakdown_of, exposure_gap_by_step, forecasts, objective_of, scores
from sweep.score.rollout_record import rollout_record
from sweep.trial.checkpoint import read_checkpoint
from sweep.trial.inputs import data_facts, load_data, locked_task
from sweep.trial.network import trained
from sweep.trial.plugins import check_plugins
from sweep.trial.probing import probed
from sweep.trial.process import release_freed_memory, trial_process
from sweep.trial.segment import Run
from sweep.trial.setup_facts import setup_facts


@dataclass(frozen=True)
class Finished:
    """The files of a trial by name, and the numbers that only the rollout of its best checkpoint gives."""

    files: dict[str, bytes]
    exposure_gap: float | None  # mean over steps; None if it is not finite, or without feedback
    seconds: float
    breakdown: Breakdown | None = None  # None with one series and one channel


def finish(
    config: TrialConfig,
    checkpoint: bytes,
    baselines: Baselines | None = None,
    record: TrialRecord | None = None,
    probes: Sequence[str] = (),
) -> Finished:
    """Return curves.csv, checkpoint.pt, rollout.npz and diagnosis.json of a trial's best checkpoint.

    Pure: equal arguments give equal bytes. Without a rollout that can be judged there is no diagnosis.json. A network
    that is trained on all data has no rollout; its coding.json holds the scaling of its data.

    Args:
        config: the trial.
        checkpoint: of its last segment. If no checkpoint counts as the best, the latest weights are used.
        baselines: rollout errors of the study's baselines: if one is clearly better, the data do not excuse a failure.
            None if they are not known.
        record: of the trial so far, without seconds and host, for findings.
        probes: names of plug-ins' probes to take beside the cheap ones.
    """
    began = time.perf_counter()
    check_plugins(config.plugins)
    with trial_process():
        run = Run(config)
        run.restore(read_checkpoint(checkpoint))
        if run.best_weights is not None:
            run.trainer.flat.restore(run.best_weights)
        curves = run.trainer.log.columns()
        files = {"curves.csv": _csv_bytes(curves), "checkpoint.pt": weights_bytes(config, run.network)}
        if config.fitted is not None:
            files["coding.json"] = _json_bytes(coding_of(run.data, config.data).document())
            return Finished(files, None, time.perf_counter() - began)
        subject = Subject(run.network, run.task, config.seed)
        arrays, mean_gap = _rollout_arrays(subject)
        gap = mean_gap if np.isfinite(mean_gap) else None
        breakdown = breakdown_of(run.data, run.task.starts, arrays["forecast"])
        files["rollout.npz"] = _npz_bytes(arrays)
        facts = data_facts(config)
        evidence = TrialEvidence(
            config=config,
            rollout=arrays,
            curves={name: np.asarray(column, dtype=float) for name, column in curves.items()},
            probes=probed(subject, always_on(probes)),
            facts=facts,
            setup=setup_facts(config, facts.channels),
            baselines=baselines or {},
            record=record and replace(record, exposure_gap=gap),
        )
        with contextlib.suppress(CannotJudge):
            files["diagnosis.json"] = diagnosis_bytes(diagnosed(evidence))
        del run, subject
        release_freed_memory()
    return Finished(files, gap, time.perf_counter() - began, breakdown)


def score_on_test(config: TrialConfig, weights: bytes) -> Scores:
    """Return a trained network's scores on the locked test starts.

    Args:
        config: the trial.
        weights: the bytes of its checkpoint.pt.
    """
    with trial_process():
        data = load_data(config.data, config.score)
        network = trained(config, data, weights)
        forecast = forecasts(network, locked_task(config))
        objective = objective_of(data.objective)
        return scores(forecast.rollout, forecast.one_step, data.test, data.targets, data.period, objective)


def _rollout_arrays(subject: Subject) -> tuple[dict[str, np.ndarray], float]:
    task = subject.task
    data, starts = task.data, task.starts
    # not the subject's traced rollout, whose bits may differ from those of the evaluation
    forecast = forecasts(subject.network, task)
    chosen = list(data.targets)
    truth, scale = starts.truth[..., chosen], starts.scale[:, chosen]
    rollout = forecast.rollout[..., chosen]
    if fed_back(subject.network):
        gap = exposure_gap_by_step(rollout, subject.swapped[..., chosen], truth, scale)
    else:  # no forecast returns as an input: there is nothing to swap
        gap = np.full(truth.shape[1], np.nan)
    stored = rollout_record(data, starts, forecast.rollout, forecast.one_step, gap)
    with np.errstate(invalid="ignore"):
        return stored, float(np.mean(gap))


def weights_bytes(config: TrialConfig, network: Network) -> bytes:
    """Return a checkpoint.pt: the network's weights and, as JSON text, the trial's configuration."""
    buffer = io.BytesIO()
    state = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
    torch.save({"state_dict": state, "config": config.model_dump_json()}, buffer)
    return buffer.getvalue()


def _csv_bytes(columns: dict[str, list[Any]]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return buffer.getvalue().encode()


def _npz_bytes(arrays: dict[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def diagnosis_bytes(diagnosis: Diagnosis) -> bytes:
    """Return diagnosis.json."""
    return _json_bytes(diagnosis_to_json(diagnosis))


def _json_bytes(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=1, allow_nan=False) + "\n").encode()
