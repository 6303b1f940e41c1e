"""What the driver itself costs per trial as a study grows: the default study with trials that do nothing.

    python benchmarks/driver.py 5000
    python benchmarks/driver.py 5000 --set search.history=0    # TPE on all trials

Everything is real but training: sampling by TPE, the segments of each trial, resume files, records, the database. Then
the stored study is taken up again, and its report is written. Processor time, as other work slows the clock alone.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from machine import machine

from sweep.api import run, run_study
from sweep.config.records import PREFIXES, Evaluation, Scores
from sweep.config.seeds import seed_of
from sweep.config.trial import TrialConfig
from sweep.diagnosis.probes.errors import log_spaced
from sweep.report.write import write_report
from sweep.search import Message, Progress, Settled
from sweep.search.tasks import Functions
from sweep.store import StudyFolder
from sweep.trial import Finished, Segment

BIN = 250  # trials over which the time per trial is averaged
CHECKPOINT = bytes(500_000)  # about that of a 2 x 51 LSTM with Adam
BY_STEP = dict.fromkeys(map(str, log_spaced(1000)), 0.123456789012345)
EVIDENCE = {  # as large as that of an evaluation
    "gate_saturation": [0.123456789012345] * 2,
    **dict.fromkeys(
        ("input_gradient_by_lag", "loss_gradient_by_lag", "nrmse_by_step", "one_step_nrmse_by_step"), BY_STEP
    ),
}


def segment(config: TrialConfig, checkpoint: bytes | None, point: int) -> Segment:
    """Return an invented evaluation: a pure function of the trial's seed."""
    error = 0.2 + 0.8 * (seed_of(config.seed, point) % 1000) / 1000
    scores = Scores(error, (error,) * len(PREFIXES), error, 100.0, 50.0, 200.0, 0.0, error / 10, error / 10)
    evaluation = Evaluation(point, config.points[point], point + 1, scores, error, 1e-3, EVIDENCE)
    return Segment(CHECKPOINT, evaluation, None, 0.0)


def finish(config: TrialConfig, checkpoint: bytes, baselines: object, record: object) -> Finished:
    """Return no files: they are the worker's work."""
    return Finished({}, 0.0, 0.0)


def no_baselines(*which: object) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return no baselines, whose search takes a minute and is not the driver's."""
    return {}, {}


def megabytes() -> float:
    """Return the largest memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)


def drive(folder: str, trials: int, overrides: list[str]) -> None:
    """Run a study up to a total of trials, and print what the trials of each bin cost."""
    marks: list[float] = []

    def watch(event: Settled | Message | Progress) -> None:
        if isinstance(event, Settled):
            marks.append(time.process_time())
            if len(marks) % BIN == 0:
                each = 1000 * (marks[-1] - marks[-BIN]) / (BIN - 1)
                print(f"| {len(marks) - BIN} to {len(marks)} | {each:.1f} | {megabytes():.0f} |", flush=True)

    began = time.process_time()
    run_study._baselines_of = no_baselines
    run_study.name_best = run_study.calibrate = lambda *which: None  # type: ignore[assignment]
    functions = Functions(segment, finish)
    settings: dict[str, Any] = {
        "confirm": False,
        "executor": "inline",
        "plots": False,
        "functions": functions,
    }
    run("sine", trials=trials, results=folder, overrides=overrides, watch=watch, **settings)
    if not marks:
        seconds = time.process_time() - began
        print(f"taking up {trials} stored trials: {seconds:.1f} s, {megabytes():.0f} MB")


def report(folder: str) -> None:
    """Write the report of the study, and print what it cost and how large its files are."""
    began = time.process_time()
    paths = write_report(StudyFolder(Path(folder) / "sine"))
    seconds = time.process_time() - began
    sizes = [(path.name, path.stat().st_size / 1e6) for path in (paths.page, paths.document, paths.table)]
    listed = ", ".join(f"{name} {size:.1f} MB" for name, size in sizes)
    print(f"report: {seconds:.1f} s, {megabytes():.0f} MB; {listed}")


def main() -> None:
    """Run the parts, each in a process of its own, so that each has its own memory."""
    parser = argparse.ArgumentParser()
    parser.add_argument("trials", type=int, nargs="?", default=1000)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--results", help="keep the study here, or continue it")
    parser.add_argument("--part", choices=("run", "report"), help="only this part")
    options = parser.parse_args()
    if options.part == "run":
        drive(options.results, options.trials, options.overrides)
    elif options.part == "report":
        report(options.results)
    else:
        print(machine())
        print("| trials | ms of processor per trial | peak memory, MB |\n|---|---|---|", flush=True)
        with tempfile.TemporaryDirectory() as temporary:
            common = [
                sys.executable,
                __file__,
                str(options.trials),
                "--results",
                options.results or temporary,
            ]
            common += [f"--set={text}" for text in options.overrides]
            for part in ("run", "run", "report"):
                subprocess.run([*common, "--part", part], check=True)


if __name__ == "__main__":
    main()
