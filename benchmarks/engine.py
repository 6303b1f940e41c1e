"""The native engine against torch: training steps, rollouts and memory, beside the core's measured peak.

    python benchmarks/engine.py [--quick] [--alone] [--json]

One core. All rivals take turns within each round; medians over the rounds, of processor time: what else runs on
the core costs a run its caches, not its turn. A turn is one run that is not timed, then runs one after another for
TURN seconds, as training makes them. FLOP are those of matrix products alone, two per multiply-add, a training step
three times its forward pass. Rivals:

    native          the compiled kernel, as it trains: loss and gradient in one call
    torch tuned     nn.LSTM / nn.GRU, glibc's malloc kept from handing memory back (as a worker runs)
    torch default   the same with glibc's default malloc, in a fresh process each time
    cell loop       LSTMCell / GRUCell in a Python loop, as in PyTorch's time_sequence_prediction example
    ... rollout     free-running forecasts without gradients: `window` is their number, `batch` the starts
    projection      an evaluation of variable projection, with the solution of the readout; float64
    its kernel      the kernel's part of it: states of all steps, and the gradient from that of the states
"""

import argparse
import json
import multiprocessing
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from machine import machine
from torch import Tensor, nn

from sweep.config.sections import ModelConfig
from sweep.model import Forecaster, engine
from sweep.model.native.library import instruction_sets, peak_flops

TRAINING = ("native", "torch tuned", "torch default", "cell loop")
ROUNDS, QUICK_ROUNDS = 5, 3
TURN = 0.1  # seconds
STATUS = Path("/proc/self/status")  # of Linux
ROLLOUTS = ("native rollout", "torch rollout")
PROJECTIONS = ("projection", "its kernel")
BURN_IN = 0.2  # share of a projection's windows
DTYPES = {"float32": torch.float32, "float64": torch.float64}


@dataclass(frozen=True)
class Shape:
    """One training step or rollout of a forecaster with one channel, known inputs and an increment readout."""

    cell: str
    hidden: int
    layers: int
    batch: int
    window: int
    dtype: str
    inputs: int = 0  # from outside, beside the channel

    def forecaster(self, name: str) -> Forecaster:
        config = ModelConfig(cell=self.cell, hidden=self.hidden, layers=self.layers)
        return Forecaster(config, 1 + self.inputs, 1, engine(name)).initialise(0).to(DTYPES[self.dtype])

    def flop(self, rollout: bool) -> float:
        forward = 2 * self.forecaster("torch").multiply_adds() * self.batch * self.window
        return forward if rollout else 3 * forward


class CellLoop(nn.Module):
    """The example's network: one cell module per layer, called step by step."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        kind = {"lstm": nn.LSTMCell, "gru": nn.GRUCell}[shape.cell]
        self.cells = nn.ModuleList(
            kind(shape.hidden if layer else 1 + shape.inputs, shape.hidden) for layer in range(shape.layers)
        )
        self.linear = nn.Linear(shape.hidden, 1)
        self.to(DTYPES[shape.dtype])

    def forward(self, inputs: Tensor) -> tuple[Tensor, None]:
        states: list[Any] = [None] * len(self.cells)
        outputs = []
        for x in inputs.split(1, dim=1):
            h = x[:, 0]
            for number, cell in enumerate(self.cells):
                states[number] = cell(h, states[number])
                h = states[number][0] if isinstance(states[number], tuple) else states[number]
            outputs.append(self.linear(h)[:, None] + x[..., :1])
        return torch.cat(outputs, dim=1), None


def work(shape: Shape, rival: str) -> Callable[[], None]:
    """Return what is timed."""
    phase = torch.arange(shape.batch)[:, None] + 0.05 * torch.arange(shape.window)
    speeds = torch.arange(1, 2 + shape.inputs)
    inputs = torch.sin(phase[..., None] * speeds).to(DTYPES[shape.dtype])
    channel = inputs[..., :1].contiguous()
    name = f"native-{instruction_sets()[-1]}" if rival.startswith("native") else "torch"
    if rival in ROLLOUTS:
        forecaster = shape.forecaster(name)
        state = forecaster.zero_state(inputs)
        known = inputs[..., 1:]

        def roll() -> None:
            with torch.no_grad():
                forecaster.run_free(channel[:, 0], state, known)

        return roll
    if rival == "native":
        from sweep.train.flat import FlatParameters  # here: the rivals' processes start sooner without

        forecaster = shape.forecaster(name)
        flat = FlatParameters(forecaster)
        loss_gradient = forecaster.loss_gradient()
        targets = channel.roll(-1, dims=1)  # the last one is nonsense, and takes its time all the same

        def train() -> None:
            flat.gradient.zero_()
            loss_gradient(inputs, targets, 1.0)

        return train

    if rival in PROJECTIONS:
        return projected(shape, inputs, rival == "projection")

    network = CellLoop(shape) if rival == "cell loop" else shape.forecaster(name)
    parameters = list(network.parameters())

    def step() -> None:
        for parameter in parameters:
            parameter.grad = None
        forecasts, _ = network(inputs)
        torch.nn.functional.mse_loss(forecasts[:, :-1], channel[:, 1:]).backward()

    return step


def projected(shape: Shape, inputs: Tensor, whole: bool) -> Callable[[], None]:
    """Return an evaluation of variable projection, or the kernel's part of it alone."""
    from sweep.train.flat import FlatParameters
    from sweep.train.projection import Projection

    forecaster = shape.forecaster(f"native-{instruction_sets()[-1]}")
    projection = Projection(forecaster, int(BURN_IN * shape.window), 1e-14)
    flat = FlatParameters(forecaster, projection.solved)
    targets = inputs[..., :1].roll(-1, dims=1)
    given = inputs.new_ones(shape.batch, shape.window, shape.hidden)

    def evaluate() -> None:
        flat.gradient.zero_()
        projection.loss(lambda size: iter([(inputs, targets)]), shape.batch, shape.window)

    def kernel() -> None:
        flat.gradient.zero_()
        forecaster.activations(inputs).backward(given)

    return evaluate if whole else kernel


def serve(pipe: Any, tuned: bool) -> None:
    """Answer (shape, rival) with the milliseconds of a run, in a process with one kind of malloc."""
    torch.set_num_threads(1)
    if tuned:
        from sweep.trial.process import keep_freed_memory

        keep_freed_memory()
    ready: dict[tuple[Shape, str], Callable[[], None]] = {}
    while (asked := pipe.recv()) is not None:
        if asked not in ready:
            ready = {key: made for key, made in ready.items() if key[0] == asked[0]}
            ready[asked] = work(*asked)
        pipe.send(turn(ready[asked]))


def turn(run: Callable[[], None]) -> float:
    """Return the median milliseconds of a rival's runs in a row."""
    run()
    times: list[float] = []
    while sum(times) < TURN:
        began = time.process_time()
        run()
        times.append(time.process_time() - began)
    return 1000 * statistics.median(times)


class Servers:
    """A process with the workers' malloc; with glibc's default malloc a fresh one each time.

    Fresh, since that malloc learns from what it was given back: who has freed a longer window's memory keeps a shorter
    one's, and is tuned from then on.
    """

    def __init__(self) -> None:
        # spawned: forks of one process would share its heap's luck
        self.context = multiprocessing.get_context("spawn")
        self.tuned = self._started(True)

    def milliseconds(self, shape: Shape, rival: str) -> float:
        pipe = self._started(False) if rival == "torch default" else self.tuned
        pipe.send((shape, rival))
        found = pipe.recv()
        if pipe is not self.tuned:
            pipe.send(None)
        return found

    def _started(self, tuned: bool) -> Any:
        mine, theirs = self.context.Pipe()
        self.context.Process(target=serve, args=(theirs, tuned), daemon=True).start()
        return mine

    def close(self) -> None:
        self.tuned.send(None)


def timed(servers: Servers, shape: Shape, rivals: tuple[str, ...], rounds: int) -> Iterator[dict[str, Any]]:
    """Yield a row per rival, medians over rounds in which all take turns, the peak measured among them."""
    times: dict[str, list[float]] = {rival: [] for rival in rivals}
    peaks = []
    for _ in range(rounds):
        peaks.append(peak_flops(instruction_sets()[-1], 4 if shape.dtype == "float32" else 8))
        for rival in rivals:
            times[rival].append(servers.milliseconds(shape, rival))
    for rival, values in times.items():
        milliseconds = statistics.median(values)
        gflops = shape.flop(rival in ROLLOUTS) / milliseconds / 1e6
        yield {
            **asdict(shape),
            "rival": rival,
            "milliseconds": milliseconds,
            "gflops": gflops,
            "peak_fraction": gflops * 1e9 / statistics.median(peaks),
        }


def peak_memory(shape: Shape, rival: str, pipe: Any) -> None:
    """Send the bytes by which three training steps raise a fresh process's memory at most, looked at all the time.

    Pages of files do not count: a system may take those of libraries back meanwhile, which would hide a part.
    """
    torch.set_num_threads(1)
    small = Shape(shape.cell, shape.hidden, shape.layers, 1, 2, shape.dtype)
    work(small, rival)()  # what loads once
    step = work(shape, rival)
    seen, over = [anonymous()], threading.Event()

    def look() -> None:
        while not over.wait(0.0005):
            seen.append(anonymous())

    looking = threading.Thread(target=look)
    looking.start()
    for _ in range(3):
        step()
    over.set()
    looking.join()
    pipe.send(max(seen) - seen[0])


def anonymous() -> int:
    """Return the bytes of this process's resident memory that are no file's."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith("RssAnon"))
    return 1024 * int(line.split()[1])


def memory(shape: Shape) -> dict[str, Any]:
    """Return the megabytes of a training step, by rival."""
    context = multiprocessing.get_context("spawn")
    row: dict[str, Any] = asdict(shape)
    for rival in ("native", "torch default"):
        mine, theirs = context.Pipe()
        process = context.Process(target=peak_memory, args=(shape, rival, theirs))
        process.start()
        row[rival] = mine.recv() / 1e6
        process.join()
    return row


def shapes(quick: bool) -> list[tuple[Shape, tuple[str, ...]]]:
    """Return what is measured, by which rivals."""
    cells, dtypes = ("lstm", "gru"), ("float32", "float64")
    sizes = [(batch, window) for batch in ((16,) if quick else (4, 16, 32, 97)) for window in (128, 999)]
    listed = [
        (Shape(cell, 51, 2, batch, window, dtype), TRAINING)
        for dtype in dtypes
        for cell in cells
        for batch, window in sizes
        if not (quick and (window > 128 and dtype == "float64"))
    ]
    if not quick:
        listed += [
            (Shape(cell, hidden, 2, batch, 64, dtype), TRAINING[:3])
            for dtype in dtypes
            for cell in cells
            for hidden in (16, 128, 256, 384)
            for batch in (16, 97)
        ]
    listed += [
        (Shape(cell, hidden, layers, batch, 500, "float64"), PROJECTIONS)
        for cell, hidden, layers in (("lstm", 64, 1), ("gru", 51, 2))
        for batch in ((16,) if quick else (16, 25, 48))
    ]
    starts = (1, 16) if quick else (1, 16, 32)
    listed += [(Shape(cell, 51, 2, batch, 1000, "float32"), ROLLOUTS) for cell in cells for batch in starts]
    wide = [(cell, inputs) for cell in cells for inputs in (1, 8)]
    listed += [(Shape(cell, 51, 2, 16, 128, "float32", inputs), TRAINING) for cell, inputs in wide]
    listed += [(Shape(cell, 51, 2, 16, 1000, "float32", inputs), ROLLOUTS) for cell, inputs in wide]
    return listed


def print_tables(rows: list[dict[str, Any]], memories: list[dict[str, Any]]) -> None:
    """Print Markdown tables."""
    keys = ("cell", "hidden", "batch", "window", "dtype", "inputs")
    grouped: dict[tuple[Any, ...], dict[str, dict[str, Any]]] = {}
    for row in rows:
        grouped.setdefault(tuple(row[key] for key in keys), {})[row["rival"]] = row
    print("\n| " + " | ".join((*keys, "native ms", "of peak", *TRAINING[1:])) + " |")
    print("|" + "---|" * (len(keys) + 5))
    for shape, rivals in grouped.items():
        if "native" not in rivals:
            continue
        mine = rivals["native"]
        others = [
            f"{rivals[name]['milliseconds'] / mine['milliseconds']:.1f}x" if name in rivals else ""
            for name in TRAINING[1:]
        ]
        shown = [*map(str, shape), f"{mine['milliseconds']:.2f}", f"{mine['peak_fraction']:.0%}", *others]
        print("| " + " | ".join(shown) + " |")
    print("\n| cell | starts | inputs | native us per step | torch us per step | of peak |")
    print("|---|---|---|---|---|---|")
    for shape, rivals in grouped.items():
        if "native rollout" in rivals:
            each = [1000 * rivals[name]["milliseconds"] / shape[3] for name in ROLLOUTS if name in rivals]
            shown = [shape[0], str(shape[2]), str(shape[5]), *(f"{value:.1f}" for value in each)]
            shown += [""] * (len(ROLLOUTS) - len(each))
            print("| " + " | ".join([*shown, f"{rivals['native rollout']['peak_fraction']:.0%}"]) + " |")
    print(
        "\n| cell | hidden | layers | windows of 500 | evaluation ms | its kernel of peak | outside the kernel |"
    )
    print("|---|---|---|---|---|---|---|")
    for rivals in grouped.values():
        if "projection" in rivals:
            whole, kernel = (rivals[name] for name in PROJECTIONS)
            outside = 1 - kernel["milliseconds"] / whole["milliseconds"]
            shown = [str(whole[key]) for key in ("cell", "hidden", "layers", "batch")]
            shown += [f"{whole['milliseconds']:.1f}", f"{kernel['peak_fraction']:.0%}", f"{outside:.0%}"]
            print("| " + " | ".join(shown) + " |")
    if memories:
        print("\n| " + " | ".join((*keys, "native MB", "torch MB", "share")) + " |")
        print("|" + "---|" * (len(keys) + 3))
    for row in memories:
        share = row["native"] / row["torch default"]
        shown = [str(row[key]) for key in keys]
        print(
            "| "
            + " | ".join([*shown, f"{row['native']:.0f}", f"{row['torch default']:.0f}", f"{share:.2f}"])
            + " |"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="2 x 51 at batch 16 alone, within a minute")
    parser.add_argument("--alone", action="store_true", help="the native engine without its rivals")
    parser.add_argument("--json", action="store_true", help="one list of rows on stdout")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    servers = Servers()
    rows = []
    rounds = QUICK_ROUNDS if asked.quick else ROUNDS
    for shape, listed in shapes(asked.quick):
        own = ("native", *PROJECTIONS)
        rivals = tuple(name for name in listed if name.startswith(own)) if asked.alone else listed
        rows += timed(servers, shape, rivals, rounds)
    servers.close()
    if asked.json:
        print(json.dumps(rows))
        return
    cells, dtypes = ("lstm", "gru"), ("float32", "float64")
    batches = () if asked.quick or asked.alone else (16, 97)
    memories = [memory(Shape(c, 51, 2, b, 999, d)) for d in dtypes for c in cells for b in batches]
    peaks = [peak_flops(instruction_sets()[-1], size) / 1e9 for size in (4, 8)]
    print(f"{machine()}, {instruction_sets()[-1]}; peak of one core {peaks[0]:.0f} / {peaks[1]:.0f} GFLOP/s")
    print_tables(rows, memories)


if __name__ == "__main__":
    main()
