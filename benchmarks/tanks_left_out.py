"""How settings of the cascaded tanks simulate parts of the training record that were left out of training.

    python benchmarks/tanks_left_out.py --data FOLDER [--seeds 2]

The test record is not read. Each fold trains on the rest of cascaded_tanks_train.csv and simulates the part that was
left out, from its beginning after 50 samples: RMSE in V of the last weights, median over seeds. The last 13 % of the
rest are each training's validation, which chooses nothing here.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from machine import machine

from sweep.config.data_section import DataConfig
from sweep.config.section import Component
from sweep.config.sections import ModelConfig, ScoreConfig, TrainingConfig
from sweep.config.trial import TrialConfig
from sweep.data import Data, load
from sweep.model.native.library import instruction_sets
from sweep.score import Task, forecasts
from sweep.trial.process import trial_process
from sweep.trial.segment import Run

FOLDS = {  # samples of the training record: to train on, and left out
    "first third": ((350, 1024), (0, 350)),
    "last third": ((0, 674), (674, 1024)),
    "last 308": ((0, 716), (716, 1024)),
}
SCORE = ScoreConfig(warmup=50, horizon=60, starts=6, from_start="test")
GRU = {"cell": "gru", "hidden": 32, "layers": 1, "readout": "increment"}
BLIND = {**GRU, "readout": "value", "feedback": False}
ADAM = Component(name="adam", settings={"lr": 3.5e-3, "momentum": 0.5})
TRAINING = {
    "window": 200, "burn_in": 40, "batch_size": 4, "budget": 400_000, "evaluations": 8, "optimizer": ADAM,
    "scheduler": Component(name="cosine"),
}  # fmt: skip
VARIANTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "GRU 32, noise 0.02": (GRU, {"input_noise": 0.02}),
    "GRU 32, noise 0.1": (GRU, {"input_noise": 0.1}),
    "GRU 32, noise 0.3": (GRU, {"input_noise": 0.3}),
    "GRU 16, noise 0.2": ({**GRU, "hidden": 16}, {"input_noise": 0.2}),
    "LSTM 32, noise 0.2": ({**GRU, "cell": "lstm"}, {"input_noise": 0.2}),
    "GRU 32, noise 0.3, value readout": ({**GRU, "readout": "value"}, {"input_noise": 0.3}),
    "GRU 32, noise 0.2, 140 steps unrolled": (GRU, {"input_noise": 0.2, "unroll": 140}),
    "GRU 32, no feedback": (BLIND, {"burn_in": 60}),
}


def fold_data(record: pd.DataFrame, fold: str, folder: Path) -> tuple[DataConfig, Data]:
    """Return the settings and the data of a fold, whose test is the part that was left out."""
    files = [folder / f"{fold} {part}.csv" for part in ("train", "test")]
    for file, (begin, end) in zip(files, FOLDS[fold], strict=True):
        record[begin:end].to_csv(file, index=False)
    config = DataConfig(
        path=str(files[0]), test_path=str(files[1]), time_column="t", channels=("y",), known=("u",),
        split=(0.83, 0.12, 0.05),
    )  # fmt: skip
    return config, load(config, SCORE)


def left_out_rmse(config: DataConfig, data: Data, variant: str, seed: int) -> float:
    """Return the RMSE in V of a training's last weights over the part that was left out."""
    model, changes = VARIANTS[variant]
    trial = TrialConfig(
        data=config,
        score=SCORE,
        model=ModelConfig.model_validate(model),
        training=TrainingConfig.model_validate({**TRAINING, **changes}),
        seed=seed,
        engine=f"native-{instruction_sets()[-1]}",
    )
    with trial_process():
        run = Run(trial, data)
        for point in range(len(trial.points)):
            run.advance(point)
        rollout = forecasts(run.network, Task(data, data.test, run.dtype, trial.device)).rollout
    return float(np.sqrt(np.mean((rollout - data.test.truth) ** 2)))


def main() -> None:
    """Train and print; a row as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of cascaded_tanks_train.csv")
    parser.add_argument("--seeds", type=int, default=2)
    given = parser.parse_args()
    record = pd.read_csv(given.data / "cascaded_tanks_train.csv")
    print(machine() + "\n")
    print(f"| settings | {' | '.join(FOLDS)} |\n{'|---' * (1 + len(FOLDS))}|", flush=True)
    with tempfile.TemporaryDirectory() as place:
        folds = {fold: fold_data(record, fold, Path(place)) for fold in FOLDS}
        for variant in VARIANTS:
            cells = [
                np.median([left_out_rmse(*folds[fold], variant, seed) for seed in range(1, 1 + given.seeds)])
                for fold in FOLDS
            ]
            print(f"| {variant} | " + " | ".join(f"{cell:.2f}" for cell in cells) + " |", flush=True)


if __name__ == "__main__":
    main()
