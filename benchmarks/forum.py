"""The forum's run, epoch by epoch: what its loss says, what its rollout does, and how that fails.

    python benchmarks/forum.py [--seed 0] [--json]

The first trial of studies/forum.toml with an evaluation at the end of each of its 50 epochs. `--seed` 0 is the
study's own trial; others are fresh seeds. Printed per epoch: training loss, one-step error, rollout error over
1000 steps, valid steps, the symptom of the rollout, and the causes that a training which ended there would be told,
from its best checkpoint and its curves so far.
"""

import argparse
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from machine import machine

from sweep.config.records import Evaluation, TrialRecord
from sweep.config.seeds import seed_of
from sweep.config.trial import TrialConfig
from sweep.diagnosis.symptoms import SYMPTOMS, RolloutEvidence, symptom_of_trial
from sweep.results.diagnoses import SHOWN, is_cause
from sweep.score import block_length, forecasts
from sweep.study.open_study import open_study
from sweep.trial import finish
from sweep.trial.process import trial_process
from sweep.trial.segment import Run

EPOCHS = 50


@dataclass(frozen=True)
class Epoch:
    """One epoch's end."""

    epoch: int
    loss: float
    one_step_error: float
    rollout_error: float
    nrmse: float
    valid_steps: float
    symptom: str
    shares: dict[str, float]  # of starts, by code
    causes: list[str]  # codes of issues, then of tips


def post(seed: int) -> TrialConfig:
    """Return the post's own setting with an evaluation per epoch; seed 0 is that of the study's trial."""
    study = open_study("forum").config
    config = study.trial(study.enqueue[0])
    training = config.training.model_copy(update={"evaluations": EPOCHS})
    fresh = config.seed if seed == 0 else seed_of("forum", seed)
    return config.model_copy(update={"training": training, "rungs": (), "seed": fresh})


def symptom(run: Run) -> tuple[str, dict[str, float]]:
    """Return the main symptom's code of the network as it is, and the shares of all."""
    data, starts = run.data, run.data.validation
    with torch.no_grad():
        said = forecasts(run.network, run.task)
    found = symptom_of_trial(
        RolloutEvidence(
            forecast=np.asarray(said.rollout),
            truth=starts.truth,
            past=starts.past[:, -250:],
            std=starts.std,
            scale=starts.scale,
            block=block_length(data.period, starts.truth.shape[1]),
            period=data.period,
        )
    )
    return found.code, dict(found.shares)


def causes(config: TrialConfig, run: Run, evaluations: Sequence[Evaluation]) -> list[str]:
    """Return the codes of the causes that are found in the training so far, issues first."""
    state = io.BytesIO()
    torch.save(run.state(), state)
    errors = [one.scores.rollout_error for one in evaluations]
    one_step = [one.scores.one_step_error for one in evaluations]
    best = errors.index(min(errors))
    record = TrialRecord(
        0, "complete", {}, config.model_dump(mode="json"), "enqueued", tuple(evaluations), errors[best], best,
        one_step.index(min(one_step)), updates=run.trainer.updates, sequence_steps=run.trainer.consumed,
    )  # fmt: skip
    found = json.loads(finish(config, state.getvalue(), None, record).files["diagnosis.json"])["findings"]
    return [
        finding["code"]
        for severity in SHOWN
        for finding in found
        if finding["severity"] == severity and is_cause(finding["code"])
    ]


def epochs(config: TrialConfig) -> list[Epoch]:
    """Return what each epoch ends with."""
    rows: list[Epoch] = []
    evaluations: list[Evaluation] = []
    with trial_process():
        run = Run(config)
        for point in range(EPOCHS):
            evaluation = run.advance(point)
            evaluations.append(evaluation)
            code, shares = symptom(run)
            s = evaluation.scores
            rows.append(
                Epoch(
                    point + 1, evaluation.train_loss, s.one_step_error, s.rollout_error, s.nrmse, s.valid_steps,
                    code, shares, causes(config, run, evaluations),
                )
            )  # fmt: skip
            if run.trainer.diverged:
                break
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    rows = epochs(post(args.seed))
    if args.json:
        print(json.dumps({"machine": machine(), "epochs": [asdict(row) for row in rows]}, indent=1))
        return
    print("epoch      loss  one-step   rollout  valid  symptom, causes")
    for row in rows:
        print(
            f"{row.epoch:5d}  {row.loss:8.2g}  {row.one_step_error:8.3f}  {row.rollout_error:8.3f}"
            f"  {row.valid_steps:5.0f}  {row.symptom} {SYMPTOMS[row.symptom].title}; "
            f"{' '.join(row.causes)}"
        )


if __name__ == "__main__":
    main()
