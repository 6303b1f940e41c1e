"""Where a trial's processor time goes: the recurrent network in training, and everything around it.

    python benchmarks/around_kernel.py [study] [trials]

The study's first mini-batch configurations, whole budget, in one process with one thread. "Network" is loss and
gradient of the updates; "evaluation" the forecasts and scores of the evaluation points; "end" the
last task of a trial, its diagnosis and files; "plot" its picture. The rest is batches, optimizer steps, records and
checkpoints.
"""

import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from machine import machine
from study_speed import configurations

from sweep.config.records import TrialRecord
from sweep.config.trial import TrialConfig
from sweep.report.plots.trial import draw_trial
from sweep.search.worker import serve
from sweep.store import StudyFolder
from sweep.study.open_study import open_study
from sweep.train.loop import Trainer
from sweep.trial import finish, run_segment
from sweep.trial.segment import Run

PARTS = ("network", "rest", "evaluation", "end", "plot")


def timed(spent: Counter[str], name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that adds its processor time under a name."""

    def run(*args: Any, **kwargs: Any) -> Any:
        began = time.process_time()
        try:
            return function(*args, **kwargs)
        finally:
            spent[name] += time.process_time() - began

    return run


def trial(config: TrialConfig, spent: Counter[str], folder: StudyFolder) -> None:
    """Run a whole trial, adding up its parts."""
    began = time.process_time()
    checkpoint, evaluations = None, []
    for point in range(len(config.points)):
        segment = serve(run_segment, config, checkpoint, point)  # as a worker runs it
        checkpoint = segment.checkpoint
        evaluations.append(segment.evaluation)
        if segment.diverged:
            break
    spent["rest"] += time.process_time() - began - spent["network"] - spent["evaluation"]
    assert checkpoint is not None
    errors = [evaluation.scores.rollout_error for evaluation in evaluations]
    best = errors.index(min(errors))
    record = TrialRecord(
        0, "complete", {}, config.model_dump(mode="json"), "sampled", tuple(evaluations), errors[best], best, best,
        sequence_steps=config.training.budget,
    )  # fmt: skip
    finished = timed(spent, "end", finish)(config, checkpoint, {}, record)
    folder.write_record(record)
    folder.write_files(0, finished.files)
    timed(spent, "plot", draw_trial)(folder, 0)


def main() -> None:
    """Measure and print."""
    name = sys.argv[1] if len(sys.argv) > 1 else "sine"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 12
    torch.set_num_threads(1)
    torch.manual_seed(0)
    training = open_study(name, name="around-kernel").config.training
    configs = configurations(name, count, training.budget, training.evaluations)
    shares: list[dict[str, float]] = []
    seconds = []
    loss, evaluated = Trainer._loss, Run._evaluated
    with tempfile.TemporaryDirectory() as place:
        folder = StudyFolder(Path(place) / name)
        folder.write_study({})
        for number in range(-1, count):  # the first one twice: what loads once is not counted
            spent: Counter[str] = Counter()
            Trainer._loss = timed(spent, "network", loss)  # type: ignore[method-assign]
            Run._evaluated = timed(spent, "evaluation", evaluated)  # type: ignore[method-assign]
            trial(configs[max(0, number)], spent, folder)
            if number >= 0:
                total = sum(spent[part] for part in PARTS)
                shares.append({part: spent[part] / total for part in PARTS})
                seconds.append(total)
    print(f"{machine()}; {name}, {count} configurations, {statistics.median(seconds):.1f} s each (median)\n")
    print("| " + " | ".join(PARTS) + " |\n|" + "---|" * len(PARTS))
    print("| " + " | ".join(f"{statistics.median(s[part] for s in shares):.1%}" for part in PARTS) + " |")


if __name__ == "__main__":
    main()
