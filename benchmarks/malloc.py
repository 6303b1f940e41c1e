"""What glibc's default malloc costs a training step on long windows, and that a worker does not pay it.

    python benchmarks/malloc.py

Times one training step of a 2 x 51 LSTM, batch 16, window 999, in fresh processes that take turns: as torch
runs by default, and as a worker runs.
"""

import statistics
import subprocess
import sys
import time

from machine import machine

ROUNDS, STEPS = 5, 8


def step_milliseconds(worker: bool) -> float:
    """Return the median time of a training step, in this process."""
    import torch

    from sweep.config.sections import ModelConfig
    from sweep.model import Forecaster
    from sweep.trial.process import trial_process

    def measure() -> float:
        torch.set_num_threads(1)
        network = Forecaster(ModelConfig(), 1, 1).initialise(0)
        inputs, targets = torch.zeros(16, 999, 1), torch.zeros(16, 999, 1)
        times = []
        for _ in range(STEPS + 2):
            began = time.perf_counter()
            forecasts, _ = network(inputs)
            torch.nn.functional.mse_loss(forecasts, targets).backward()
            times.append(1000 * (time.perf_counter() - began))
        return statistics.median(times[2:])

    if not worker:
        return measure()
    with trial_process():
        return measure()


def main() -> None:
    """Run both kinds in turn and print medians and their ratio."""
    if len(sys.argv) > 1:
        print(step_milliseconds(sys.argv[1] == "worker"))
        return
    print(machine())
    times: dict[str, list[float]] = {"default": [], "worker": []}
    for _ in range(ROUNDS):
        for kind, values in times.items():
            done = subprocess.run(
                [sys.executable, __file__, kind], capture_output=True, text=True, check=True
            )
            values.append(float(done.stdout))
    medians = {kind: statistics.median(values) for kind, values in times.items()}
    print(
        f"default malloc {medians['default']:.0f} ms, worker {medians['worker']:.0f} ms per training step; "
        f"ratio {medians['default'] / medians['worker']:.2f}"
    )


if __name__ == "__main__":
    main()
