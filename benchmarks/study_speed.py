"""What a study costs on the native engine, on torch's, and as plain Optuna with the example's cell loop.

    python benchmarks/study_speed.py [study] [trials]

The study's first configurations, each cut to a tenth of its budget and evaluations, take turns on all three in one
process with one thread; processor time per sequence-step, medians over the configurations by cell. The first two run
whole trials (training, evaluations, records); the third trains alone, the way the PyTorch example does, batch by batch
through LSTMCell or GRUCell, and evaluates nothing. Scaled to a study of equal sequence-steps the ratios stay.
"""

import statistics
import sys
import time

import torch
from engine import CellLoop, Shape
from machine import machine

from sweep.config.records import TrialRecord
from sweep.config.trial import TrialConfig
from sweep.search.proposals import proposal
from sweep.study.open_study import open_study
from sweep.train import OPTIMIZERS
from sweep.trial import run_segment
from sweep.trial.process import trial_process
from sweep.trial.segment import Run

SHARE = 10  # of the budget, and of the evaluations


def configurations(name: str, count: int, budget: int | None, evaluations: int) -> list[TrialConfig]:
    """Return the first mini-batch configurations of a study, cut in budget: to a tenth where it is None."""
    cut = [f"training.evaluations={evaluations}", "pruning.enabled=false", "search.sampler=random"]
    if budget is None:
        budget = open_study(name, name="study-speed", overrides=cut).config.training.budget // SHARE
    overrides = [*cut, f"training.budget={budget}"]
    study = open_study(name, name="study-speed", overrides=overrides).config
    records: dict[int, TrialRecord] = {}
    found = []
    while len(found) < count:
        number = len(records)
        params, origin = proposal(study, records, number)
        records[number] = TrialRecord(number, "running", params, {}, origin)
        config = study.trial(params)
        if not OPTIMIZERS[config.training.optimizer.name].full_batch:
            found.append(config)
    return found


def whole_trial(config: TrialConfig, engine: str) -> float:
    """Return seconds per sequence-step of a trial on an engine."""
    config = config.model_copy(update={"engine": engine})
    checkpoint, began = None, time.process_time()
    for point in range(len(config.points)):
        segment = run_segment(config, checkpoint, point)
        checkpoint = segment.checkpoint
        if segment.diverged:
            break
    return (time.process_time() - began) / segment.evaluation.sequence_steps


def cell_loop(config: TrialConfig) -> float:
    """Return seconds per sequence-step of training alone through cell modules."""
    with trial_process():
        trainer = Run(config).trainer
        model, settings = config.model, trainer.settings
        size = (config.training.batch_size, config.training.window, config.training.precision)
        network = CellLoop(Shape(model.cell, model.hidden, model.layers, *size))
        optimizer = OPTIMIZERS[config.training.optimizer.name].build([*network.parameters()], settings, 0.0)
        began, steps = time.process_time(), 0
        while steps < config.training.budget:
            inputs, targets = trainer._batch(trainer._next_picks())
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(network(inputs)[0], targets).backward()
            optimizer.step()
            steps += inputs.shape[0] * inputs.shape[1]
        return (time.process_time() - began) / steps


def main() -> None:
    """Measure and print."""
    name = sys.argv[1] if len(sys.argv) > 1 else "sine"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 16
    configs = configurations(name, count, None, evaluations=3)
    rows: dict[str, list[tuple[float, float, float]]] = {}
    for config in configs:
        taken = (whole_trial(config, config.engine), whole_trial(config, "torch"), cell_loop(config))
        rows.setdefault(config.model.cell, []).append(taken)
    print(f"{machine()}; {name}, {count} configurations, {configs[0].engine}")
    print(
        "| cell | configurations | native us per sequence-step | torch | cell loop | torch/native | loop/native |"
    )
    print("|---|---|---|---|---|---|---|")
    rows["all"] = [taken for listed in rows.values() for taken in listed]
    for cell, listed in rows.items():
        medians = [1e6 * statistics.median(taken[k] for taken in listed) for k in range(3)]
        ratios = [statistics.median(taken[k] / taken[0] for taken in listed) for k in (1, 2)]
        shown = [f"{value:.2f}" for value in medians] + [f"{value:.1f}" for value in ratios]
        print("| " + " | ".join([cell, str(len(listed)), *shown]) + " |")


if __name__ == "__main__":
    main()
