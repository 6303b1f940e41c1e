"""A synthetic study as a sweep leaves it: rollouts that are right, drift, die out, collapse or explode."""

import io
import json
import math
from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd

from sweep.config.records import SCORE_FORMAT, Evaluation, Scores, TrialRecord, to_json
from sweep.config.sections import ScoreConfig
from sweep.data.types import Starts
from sweep.diagnosis.trial_diagnosis import DataFacts, TrialEvidence, diagnosed, diagnosis_to_json
from sweep.score.evaluation import scores
from sweep.score.metrics import block_length, nrmse_by_step, rollout_error, valid_steps
from sweep.score.trivial import best_trivial
from sweep.store.folder import StudyFolder

PERIOD, TAIL = 50.0, 100
BUDGET = 900_000
POINTS = tuple(round(BUDGET * share) for share in (0.02, 0.05, 1 / 9, 0.2, 1 / 3, 0.45, 0.6, 0.75, 0.9, 1.0))
RUNGS = [{"at": 1 / 9, "keep": 2 / 3, "horizon": 0.3}, {"at": 1 / 3, "keep": 0.5, "horizon": 1.0}]

SPACE = {
    "optimizer": {
        "sgd": {"lr": {"log": [1e-3, 3.0]}, "momentum": {"log1m": [0.0, 0.99]}},
        "adam": {"lr": {"log": [1e-5, 0.1]}, "momentum": {"log1m": [0.0, 0.99]}},
        "lbfgs": {"lr": {"log": [0.01, 1.0]}},
    },
    "scheduler": {"none": {}, "cosine": {}, "plateau": {}},
    "batch_size": [8, 16, 32, 64],
    "cell": ["lstm", "gru"],
}


def study_document(name: str = "sine", **changes: Any) -> dict[str, Any]:
    """Return study.toml's content; `changes` replace whole tables."""
    return {
        "name": name,
        "description": "Sines of one frequency, fresh phases",
        "data": {"source": "sine"},
        "score": {"warmup": TAIL, "horizon": 400, "starts": 16},
        "model": {"cell": "lstm", "hidden": 51, "layers": 2},
        "training": {"budget": BUDGET, "window": 128},
        "search": {"trials": 40, "seed": 0, "width": 16, "sampler": "tpe"},
        "pruning": {"enabled": True, "startup": 8, "rungs": RUNGS},
        "space": SPACE,
        "run": {"workers": 2},
        "record": {
            "source": "studies/sine.toml",
            "overrides": ["search.trials=40"],
            "data_fingerprint": "0f" * 32,
            "versions": {"sweep": "0.1.0", "torch": "2.13.0"},
            "engine": "torch",
            "period": PERIOD,
            "block": 50,
            "score_format": SCORE_FORMAT,
            "scale_from": ["mean"],
            "n_eff_validation": 12,
            "n_eff_test": 12,
            "channels": ["y"],
            "targets": [0],
        },
        **changes,
    }


def sines(starts: int = 16, horizon: int = 400, channels: int = 1, seed: int = 3) -> Starts:
    """Return rollout tasks on unit sines of random phase."""
    phase = np.random.default_rng(seed).uniform(0, 2 * math.pi, (starts, 1, channels))
    time = np.arange(-TAIL + 1, horizon + 1)[None, :, None]
    wave = np.sin(2 * math.pi * time / PERIOD + phase + np.arange(channels) * 0.7)
    return Starts(
        past=wave[:, :TAIL],
        truth=wave[:, TAIL:],
        mean=np.zeros((starts, channels)),
        std=np.full((starts, channels), math.sqrt(0.5)),
        scale=np.full((starts, channels), math.sqrt(0.5)),
        scale_from=np.full((starts, channels), "mean"),
        exact=np.zeros((starts, channels), dtype=bool),
        series=np.arange(starts),
        owner=np.arange(starts),
        position=np.zeros(starts, int),
        known=np.zeros((starts, TAIL + horizon, 0)),
        n_eff=12,
    )


def forecasts(kind: str, size: float, starts: Starts, seed: int = 0) -> np.ndarray:
    """Return rollouts that fail in one way; `size` is how fast, per period: 0 is perfect."""
    rng = np.random.default_rng(seed)
    count, horizon, _ = starts.truth.shape
    step = np.arange(1, horizon + 1)[None, :, None]
    spread = rng.uniform(0.6, 1.4, (count, 1, 1))
    whole = np.concatenate([starts.past, starts.truth], axis=1)
    angle = np.arctan2(np.gradient(whole, axis=1) * PERIOD / (2 * math.pi), whole)[:, TAIL:]
    if kind == "drift":
        return np.sin(np.pi / 2 - angle + size * spread * step / PERIOD * 2 * math.pi)
    if kind == "damped":
        return starts.truth * np.exp(-size * spread * step / PERIOD)
    if kind == "collapsed":
        return starts.truth * np.exp(-step / 4.0) + 0.1 * size
    if kind == "exploding":
        with np.errstate(over="ignore"):
            growth = 1e-3 * np.exp(size * spread * step)
            return np.where(growth > 1e12, np.inf, starts.truth + growth)
    return starts.truth + size * 1e-3 * np.sin(step / 7.0)


def draw_params(rng: np.random.Generator) -> dict[str, Any]:
    """Return hyperparameters drawn from SPACE."""
    optimizer = str(rng.choice(["sgd", "adam", "lbfgs"], p=[0.45, 0.4, 0.15]))
    params: dict[str, Any] = {"optimizer": optimizer}
    low, high = SPACE["optimizer"][optimizer]["lr"]["log"]  # type: ignore[index]
    params[f"{optimizer}.lr"] = float(low * (high / low) ** rng.uniform())
    if optimizer != "lbfgs":
        params[f"{optimizer}.momentum"] = float(1 - 0.01 ** rng.uniform())
    params["scheduler"] = str(rng.choice(["none", "cosine", "plateau"]))
    if optimizer != "lbfgs":
        params["batch_size"] = int(rng.choice([8, 16, 32, 64]))
    params["cell"] = str(rng.choice(["lstm", "gru"]))
    return params


def failure_of(params: Mapping[str, Any], rng: np.random.Generator) -> tuple[str, float, float]:
    """Return how a configuration fails, how badly (1 untrained, 0 perfect), and its final one-step error."""
    optimizer = params["optimizer"]
    low, high = SPACE["optimizer"][optimizer]["lr"]["log"]  # type: ignore[index]
    position = math.log(params[f"{optimizer}.lr"] / low) / math.log(high / low)
    momentum = params.get(f"{optimizer}.momentum", 0.5)
    bad = min(
        1.0, abs(position - 0.72) * 1.3 + 0.25 * momentum**4 + (0.15 if params["cell"] == "lstm" else 0)
    )
    bad = float(np.clip(bad + rng.normal(0, 0.05), 0.0, 1.0))
    one_step = 10 ** (-1.2 - 2.5 * position + rng.normal(0, 0.3))
    if optimizer != "lbfgs" and position > 0.93:
        return "exploding", 0.2, one_step
    if bad > 0.75:
        return "collapsed", bad, one_step
    return ("damped" if rng.uniform() < 0.4 else "drift"), 0.03 + bad**2 * 0.7, one_step


def config_of(params: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a TrialConfig as the plain values that trial.json holds."""
    optimizer = params.get("optimizer", "adam")
    owned = {key.split(".", 1)[1]: value for key, value in params.items() if key.startswith(f"{optimizer}.")}
    return {
        "data": document["data"],
        "score": document["score"],
        "model": {"cell": params.get("cell", "lstm"), "hidden": 51, "layers": 2},
        "training": {
            "budget": BUDGET,
            "optimizer": {"name": optimizer, **owned},
            "scheduler": {"name": params.get("scheduler", "none")},
            "batch_size": params.get("batch_size", 32),
        },
        "rungs": [rung["at"] for rung in RUNGS],
        "seed": 1,
        "device": "cpu",
    }


def rollout_files(
    starts: Starts, forecast: np.ndarray, one_step: np.ndarray, targets: tuple[int, ...] = (0,)
) -> dict[str, bytes]:
    """Return rollout.npz as a trial writes it."""
    chosen = list(targets)
    block = block_length(PERIOD, starts.truth.shape[1])
    free = (forecast[..., chosen], starts.truth[..., chosen], starts.scale[:, chosen])
    forced = nrmse_by_step(one_step[..., chosen], free[1], free[2])
    by_step = nrmse_by_step(*free)
    with np.errstate(over="ignore", invalid="ignore"):
        arrays = {
            "forecast": forecast,
            "truth": starts.truth,
            "past": starts.past,
            "one_step": one_step[:4],
            "nrmse": by_step,
            "one_step_nrmse": forced,
            "exposure_gap": by_step - forced,
            "valid_steps": valid_steps(*free, block),
            "scale": starts.scale,
            "mean": starts.mean,
            "std": starts.std,
            "scale_from": starts.scale_from,
            "exact": starts.exact,
        }
    trivial = best_trivial(starts, targets, PERIOD, rollout_error)
    arrays |= {
        "trivial": np.array(trivial.name),
        "trivial_error": np.array(trivial.rollout_error),
        "trivial_noise": np.array(trivial.noise),
        "trivial_exact": np.array(trivial.exact),
        "trivial_valid_steps": trivial.valid_steps,
    }
    buffer = io.BytesIO()
    np.savez(buffer, **arrays, block=np.array(block), targets=np.array(targets))
    return {"rollout.npz": buffer.getvalue()}


def diagnosis_file(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return diagnosis.json as a trial with that rollout.npz has it; the fixture's networks cannot be probed."""
    with np.load(io.BytesIO(files["rollout.npz"])) as stored:
        arrays = {name: stored[name] for name in stored.files}
    evidence = TrialEvidence(cast(Any, SimpleNamespace(score=ScoreConfig())), arrays, facts=FACTS)
    probes = {"driven": {"reason": "no network"}}
    document = diagnosis_to_json(replace(diagnosed(evidence), probes=probes))
    return {"diagnosis.json": json.dumps(document).encode()}


def write_trial(
    folder: StudyFolder,
    number: int,
    params: Mapping[str, Any],
    kind: str,
    size: float,
    one_step_error: float,
    stop: int = len(POINTS),
    state: str = "complete",
    starts: Starts | None = None,
    document: Mapping[str, Any] | None = None,
    **changes: Any,
) -> TrialRecord:
    """Write a whole trial that was evaluated at the first `stop` points, and return its record."""
    starts = sines() if starts is None else starts
    document = study_document() if document is None else document
    targets = tuple(document["record"]["targets"])
    rng = np.random.default_rng(number)
    evaluations, rollouts = [], []
    for index in range(stop):
        share = index / (len(POINTS) - 1)
        early = (1 - share) ** 3
        jitter = float(np.exp(rng.normal(0, 0.25)))
        late_kind = kind if share > 0.3 or kind in ("collapsed", "exploding") else "damped"
        forecast = forecasts(late_kind, size * jitter + 1.5 * early, starts, number)
        wrong = one_step_error * (1 + 60 * early) * (1 + 0.1 * rng.normal())
        one_step = starts.truth + abs(wrong) * math.sqrt(0.5) * rng.standard_normal(starts.truth.shape)
        result: Scores = scores(forecast, one_step, starts, targets, PERIOD)
        rollouts.append((forecast, one_step))
        evaluations.append(
            Evaluation(
                index, POINTS[index], POINTS[index] // 2000, result, wrong**2 / 2, 0.01 * (1 - share), {}
            )
        )
    chosen = (
        {}
        if not evaluations
        else {
            "best": min(range(stop), key=lambda k: evaluations[k].scores.rollout_error),
            "best_one_step": min(range(stop), key=lambda k: evaluations[k].scores.one_step_error),
        }
    )
    done = POINTS[stop - 1] if stop else 0
    record = TrialRecord(
        **{
            "number": number,
            "state": state,
            "params": dict(params),
            "config": config_of(params, document),
            "origin": "sampled",
            "evaluations": tuple(evaluations),
            "rollout_error": evaluations[chosen["best"]].scores.rollout_error if evaluations else None,
            "exposure_gap": 0.1 if evaluations else None,
            "sequence_steps": done,
            "updates": done // 2000,
            "seconds": done / 50_000,
            "host": {"torch": "2.13.0"},
            **chosen,
            **changes,
        }
    )
    folder.write_record(record)
    files: dict[str, bytes] = {}
    if evaluations:
        files |= rollout_files(starts, *rollouts[chosen["best"]], targets)
        if record.settled:
            files |= diagnosis_file(files)
        share = np.linspace(0.005, done / BUDGET, max(2, int(200 * done / BUDGET)))
        loss = (one_step_error * (1 + 60 * (1 - share) ** 9)) ** 2 * np.exp(rng.normal(0, 0.2, len(share)))
        curves = pd.DataFrame(
            {"bin": range(len(share)), "share": share, "sequence_steps": share * BUDGET, "loss": loss}
        )
        files["curves.csv"] = curves.to_csv(index=False).encode()
    folder.write_files(number, files)
    return record


BASELINES = {
    "mean": {
        "rollout_error": 1.0,
        "nrmse": 1.0,
        "valid_steps": 4.0,
        "diverged_fraction": 0.0,
        "settings": {},
    },
    "persistence": {
        "rollout_error": 0.91,
        "nrmse": 1.4,
        "valid_steps": 6.0,
        "diverged_fraction": 0.0,
        "settings": {},
    },
    "seasonal": {
        "rollout_error": 2e-11,
        "nrmse": 3e-11,
        "valid_steps": 400.0,
        "diverged_fraction": 0.0,
        "settings": {"season": 50},
        "seconds": 0.01,
    },
    "ar": {
        "rollout_error": 0.31,
        "nrmse": 0.4,
        "valid_steps": 300.0,
        "diverged_fraction": 0.0,
        "settings": {"p": 8},
    },
    "esn": {"reason": "the extra `baselines` is not installed"},
}


def write_study(folder: StudyFolder, trials: int = 40, seed: int = 5, **changes: Any) -> StudyFolder:
    """Write a study of random configurations with prunings, divergence, a failure and one still running."""
    document = study_document(**changes)
    folder.write_study(document)
    folder.write_document("baselines", {"baselines": BASELINES})
    rng = np.random.default_rng(seed)
    records = []
    for number in range(trials):
        params = draw_params(rng)
        kind, size, one_step = failure_of(params, rng)
        stop, state, more = len(POINTS), "complete", {}
        if kind == "exploding":
            state, stop = "diverged", int(rng.integers(2, 8))
            more = {"reason": "the loss became NaN", "diverged_at": POINTS[stop - 1] + 512}
        elif number >= 8 and (kind == "collapsed" or size > 0.25):
            rung = int(rng.integers(0, 2))
            state, stop = "pruned", (3, 5)[rung]
            more = {"reason": f"rung {('1/9', '1/3')[rung]} of the budget: rank 9 of 12, the best 8 go on"}
        if number == trials - 1 and trials > 3:
            state, stop, more = "running", 4, {"rollout_error": None}
        if number == trials - 2 and trials > 3:
            state, stop, more = "failed", 0, {"reason": "ValueError: cannot reshape", "rollout_error": None}
        records.append(
            write_trial(folder, number, params, kind, size, one_step, stop, state, document=document, **more)
        )
    scored = [
        r for r in records if r.state == "complete" and r.rollout_error is not None and r.rollout_error < 1
    ]
    if scored:
        best = min(scored, key=lambda r: r.rollout_error or 0.0)
        test = {
            **to_json(best.evaluations[best.best or 0].scores),
            "rollout_error": (best.rollout_error or 0) * 1.1,
        }
        winner = {
            "basis": "selected",
            "number": best.number,
            "reason": None,
            "test": test,
            "baselines_test": {name: entry for name, entry in BASELINES.items() if "reason" not in entry},
        }
        folder.write_document("winner", winner)
    return folder


FACTS = DataFacts(
    period=PERIOD,
    lyapunov_time=None,
    memory=PERIOD / 4,
    samples=1000,
    longest=500,
    channels=1,
    input_size=1.5,
    input_mean=0.0,
    input_spread=1.0,
    linear_training=1e-3,
    linear_validation=1e-3,
    leaked=0.0,
    nearest_training=0.01,
    nearest_validation=0.01,
)
