"""What plain Optuna picks on the one-step loss, with the same space and the same budget per trial.

    python benchmarks/one_step_optuna.py [study] [trials]

TPE as Optuna ships it, no pruning; every trial is trained to its full budget and told its teacher-forced error on
validation at the end, as one does with a loss. Printed: the pick by that error, and the pick from the very same
trials by rollout error, both scored on the locked test starts.
"""

import sys
import warnings

import optuna
from joblib import Parallel, delayed
from machine import machine

from sweep.config.ranges import suggest
from sweep.config.study import StudyConfig
from sweep.score import forecasts, scores
from sweep.study.open_study import open_study
from sweep.trial import load_data, run_segment
from sweep.trial.checkpoint import read_checkpoint
from sweep.trial.inputs import locked_task
from sweep.trial.process import trial_process
from sweep.trial.segment import Run

WORKERS = 2


def outcome(study: StudyConfig, params: dict) -> dict:
    """Train a trial to its end; return its last and its best-rollout checkpoint's scores, and both on test."""
    config = study.trial(params)
    checkpoint, evaluations = None, []
    for point in range(len(config.points)):
        segment = run_segment(config, checkpoint, point)
        checkpoint = segment.checkpoint
        evaluations.append(segment.evaluation.scores)
        if segment.diverged:
            break
    with trial_process():
        run = Run(config)
        run.restore(read_checkpoint(checkpoint))
        data, task = load_data(config.data, config.score), locked_task(config)
        tests = {}
        for name, weights in (("last", None), ("best rollout", run.best_weights)):
            if weights is not None:
                run.trainer.flat.restore(weights)
            said = forecasts(run.network, task)
            tests[name] = scores(said.rollout, said.one_step, data.test, data.targets, data.period)
    return {
        "params": params,
        "one_step": evaluations[-1].one_step_nrmse,
        "rollout": min(e.rollout_error for e in evaluations),
        "tests": tests,
    }


def main() -> None:
    """Run and print."""
    name = sys.argv[1] if len(sys.argv) > 1 else "sine"
    trials = int(sys.argv[2]) if len(sys.argv) > 2 else 40
    print(machine())
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = open_study(name, name="one-step-optuna-comparison").config
    plain = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
    results = []
    with Parallel(n_jobs=WORKERS) as parallel:
        while len(results) < trials:
            asked = [plain.ask() for _ in range(WORKERS)]
            params = [
                study.space.draw(lambda axis, t=trial: suggest(t, axis.name, axis.span)) for trial in asked
            ]
            for trial, found in zip(asked, parallel(delayed(outcome)(study, p) for p in params), strict=True):
                plain.tell(trial, min(found["one_step"], 1e6))
                results.append(found)
    by_loss = min(results, key=lambda found: found["one_step"])
    by_rollout = min(results, key=lambda found: found["rollout"])
    rows = (
        ("one-step error, last checkpoint", by_loss, "last"),
        ("rollout, best checkpoint", by_rollout, "best rollout"),
    )
    print(f"{name}, {len(results)} trials of {study.training.budget:,} sequence-steps\n")
    print("| picked by | test rollout error | test nrmse | valid steps | configuration |")
    print("|---|---|---|---|---|")
    for label, found, checkpoint in rows:
        test = found["tests"][checkpoint]
        shown = " ".join(
            f"{k}={v:.3g}" if isinstance(v, float) else f"{k}={v}" for k, v in found["params"].items()
        )
        print(f"| {label} | {test.rollout_error:.3g} | {test.nrmse:.3g} | {test.valid_steps:.0f} | {shown} |")


if __name__ == "__main__":
    main()
