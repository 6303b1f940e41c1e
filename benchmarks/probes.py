"""What probes and the symptom cost, in seconds and as a share of a trial of the default study.

    python benchmarks/probes.py [--quick] [--json]

For LSTM and GRU, one thread: a trial with the budget of studies/sine.toml (Adam, batch 32; --quick trains a tenth
of it and scales its seconds up). The symptom is taken twice: a worker's first trial of a study also looks at the truth.
"""

import argparse
import io
import json
import time
from typing import Any

import numpy as np
import torch
from machine import machine

from sweep.config.data_section import DataConfig
from sweep.config.engines import engine_name
from sweep.config.section import Component
from sweep.config.sections import ModelConfig, TrainingConfig
from sweep.config.trial import TrialConfig
from sweep.diagnosis.probes import PROBES, Subject, always_on, measured
from sweep.diagnosis.symptoms import stored_evidence, symptom_of_trial
from sweep.diagnosis.symptoms.start_symptoms import _truth_facts
from sweep.model import best_kernel
from sweep.study.open_study import open_study
from sweep.trial import finish
from sweep.trial.process import trial_process
from sweep.trial.segment import Run

ROUNDS, BUDGET = 3, 2_000_000


def trial(cell: str, engine: str | None, quick: bool) -> TrialConfig:
    """Return a trial of the default study; a quick one has a tenth of its budget and evaluations."""
    parts = 10 if quick else 1
    training = TrainingConfig(
        budget=BUDGET // parts,
        evaluations=24 // parts,
        window=128,
        burn_in=20,
        optimizer=Component.model_validate({"name": "adam", "lr": 0.005}),
        scheduler=Component(name="cosine"),
    )
    model = ModelConfig(cell=cell)
    name = engine or engine_name("auto", best_kernel(), "cpu", model, training)
    return TrialConfig(
        data=DataConfig(source="sine"),
        score=open_study("sine", name="probes").config.score,
        model=model,
        training=training,
        seed=0,
        engine=name,
    )


def processor_seconds(run: Run) -> dict[str, float]:
    """Return what each probe takes, one after another: what several need is counted where it is needed first.

    The traced rollout is there before: a trial's files need it.
    """
    subject, seconds = Subject(run.network, run.task), {}
    assert subject.rollout
    for probe in PROBES.values():
        began = time.process_time()
        measured(probe, subject)
        seconds[probe.name] = time.process_time() - began
    return seconds


def symptom_seconds(config: TrialConfig, run: Run) -> list[float]:
    """Return what the symptom of the trial's rollout takes, the first time and again."""
    state = io.BytesIO()
    torch.save(run.state(), state)
    with np.load(io.BytesIO(finish(config, state.getvalue()).files["rollout.npz"])) as stored:
        evidence = stored_evidence({name: stored[name] for name in stored.files}, run.data.period)
    _truth_facts.cache_clear()
    seconds = []
    for _ in range(1 + ROUNDS):
        began = time.process_time()
        symptom_of_trial(evidence)
        seconds.append(time.process_time() - began)
    return seconds


def costs(cell: str, engine: str | None, quick: bool) -> dict[str, Any]:
    """Return seconds of a trial and of each probe on its network."""
    config = trial(cell, engine, quick)
    run = Run(config)
    began = time.process_time()
    for point in range(len(config.points)):
        evaluation = run.advance(point)
    seconds = (time.process_time() - began) * BUDGET / config.training.budget
    rounds = [processor_seconds(run) for _ in range(ROUNDS)]
    probes = {name: min(one[name] for one in rounds) for name in rounds[0]}
    symptom = symptom_seconds(config, run)
    cheap = sum(probes[probe.name] for probe in always_on())
    return {
        "cell": cell,
        "engine": config.engine,
        "rollout_error": evaluation.scores.rollout_error,
        "trial_seconds": seconds,
        "probe_seconds": probes,
        "symptom_seconds": {"first": symptom[0], "later": min(symptom[1:])},
        "always_on_seconds": cheap,
        "always_on_share": cheap / seconds,
    }


def main() -> None:
    """Measure both cells and print a table, or one JSON document."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="train a tenth of the budget")
    parser.add_argument("--engine", help='such as "torch"; what a study would choose by default')
    parser.add_argument("--json", action="store_true", help="one document instead of a table")
    arguments = parser.parse_args()
    with trial_process():
        found = [costs(cell, arguments.engine, arguments.quick) for cell in ("lstm", "gru")]
    if arguments.json:
        print(json.dumps({"machine": machine(), "costs": found}, indent=1))
        return
    print(machine())
    for one in found:
        print(
            f"\n{one['cell']}, {one['engine']}: trial {one['trial_seconds']:.1f} s "
            f"(rollout error {one['rollout_error']:.3f})"
        )
        for name, seconds in one["probe_seconds"].items():
            share = seconds / one["trial_seconds"]
            print(f"  {name:14} {PROBES[name].cost:7} {seconds:7.3f} s {share:7.2%}")
        for when, seconds in one["symptom_seconds"].items():
            share = seconds / one["trial_seconds"]
            print(f"  {'symptom, ' + when:22} {seconds:7.3f} s {share:7.2%}")
        print(
            f"  {'cheap probes together':22} {one['always_on_seconds']:7.3f} s {one['always_on_share']:7.2%}"
        )


if __name__ == "__main__":
    main()
