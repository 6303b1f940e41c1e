"""What the driver itself costs per trial: the default study with trials that do nothing.

    python benchmarks/driver_overhead.py [trials]

Everything is real but training: sampling by TPE, 19 segments per trial, resume files, records, the database.
"""

import sys
import tempfile
import time
from typing import Any

from machine import machine

from sweep.api import run
from sweep.config.records import PREFIXES, Evaluation, Scores
from sweep.config.seeds import seed_of
from sweep.config.trial import TrialConfig
from sweep.diagnosis.probes.errors import log_spaced
from sweep.model import Forecaster
from sweep.search.tasks import Functions
from sweep.trial import Finished, Segment, load_data
from sweep.trial.finish import weights_bytes

WEIGHTS: dict[str, bytes] = {}  # by cell
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
    scores = Scores(error, (error,) * len(PREFIXES), error, 100, 50, 200, 0.0, error / 10, error / 10)
    evaluation = Evaluation(point, config.points[point], point + 1, scores, error, 1e-3, EVIDENCE)
    return Segment(CHECKPOINT, evaluation, None, 0.0)


def finish(config: TrialConfig, checkpoint: bytes, baselines: object, record: object) -> Finished:
    """Return no files but a checkpoint, which the winner's test needs; made once per cell: no driver work."""
    if config.model.cell not in WEIGHTS:
        data = load_data(config.data, config.score)
        network = Forecaster(config.model, data.inputs, len(data.channels)).initialise(0)
        WEIGHTS[config.model.cell] = weights_bytes(config, network)
    return Finished({"checkpoint.pt": WEIGHTS[config.model.cell]}, 0.0, 0.0)


def main() -> None:
    """Run and print."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        functions = Functions(segment, finish)
        settings: dict[str, Any] = {"results": folder, "confirm": False, "executor": "inline", "plots": False}
        settings["functions"] = functions
        run("sine", trials=1, **settings)
        began, busy = time.perf_counter(), time.process_time()
        run("sine", trials=trials + 1, **settings)
        seconds, busy = time.perf_counter() - began, time.process_time() - busy
    each, own = 1000 * seconds / trials, 1000 * busy / trials
    print(f"{trials} trials in {seconds:.2f} s: {each:.1f} ms per trial, {own:.1f} of them on the processor")


if __name__ == "__main__":
    main()
