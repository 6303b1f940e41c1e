"""For how long a computed trajectory of a chaotic flow is the true one: integrators, tolerances, rounding.

    python benchmarks/truth.py [--flow lorenz] [--starts 16] [--times 40] [--json]

From states on the attractor, the trajectory of the source is compared with others of the same system. Printed: the
Lyapunov times until two of them are 0.01 apart (RMS over the coordinates, each by its spread), median and range over
the starts. "the same steps, longer numbers" repeats the source's own steps with 64 instead of 53 bits: what is left is
rounding, the only error that a network which learns from the source's own samples cannot learn. (Where numpy's
longdouble has 53 bits, that row shows no difference.)
"""

import argparse
import json
import math
from collections.abc import Callable

import numpy as np
from machine import machine
from scipy.integrate import solve_ivp

from sweep.data.sources import SOURCES
from sweep.data.sources.chen import CHEN_FLOW
from sweep.data.sources.flow import Flow, trajectory
from sweep.data.sources.halvorsen import HALVORSEN_FLOW
from sweep.data.sources.lorenz import LORENZ_FLOW
from sweep.data.sources.rossler import ROSSLER_FLOW

FLOWS = {flow.name: flow for flow in (LORENZ_FLOW, ROSSLER_FLOW, CHEN_FLOW, HALVORSEN_FLOW)}
APART = 0.01  # of the spread
Method = Callable[[Flow, np.ndarray, int], np.ndarray]  # (flow, state, samples) -> (sample, 3)


def ours(flow: Flow, start: np.ndarray, samples: int, finer: int = 1, number: type = float) -> np.ndarray:
    """Return the trajectory of the source's integrator, with a step `finer` times as small."""
    velocity = flow.velocity(**flow.published)
    point = tuple(number(value) for value in start)
    return trajectory(velocity, point, samples, flow.dt, flow.largest_step / finer)


def dop853(flow: Flow, start: np.ndarray, samples: int, tolerance: float) -> np.ndarray:
    """Return the trajectory of scipy's Runge-Kutta method of eighth order."""
    velocity = flow.velocity(**flow.published)
    times = np.arange(samples) * flow.dt
    solved = solve_ivp(
        lambda _, state: velocity(*state),
        (0, times[-1]),
        start,
        "DOP853",
        times,
        rtol=tolerance,
        atol=tolerance,
    )
    return np.asarray(solved.y.T)


METHODS: dict[str, Method] = {
    "the source": ours,
    "half the step": lambda flow, start, samples: ours(flow, start, samples, finer=2),
    "the same steps, longer numbers": lambda flow, start, samples: ours(
        flow, start, samples, number=np.longdouble
    ),
    "DOP853, 1e-11": lambda flow, start, samples: dop853(flow, start, samples, 1e-11),
    "DOP853, 1e-13": lambda flow, start, samples: dop853(flow, start, samples, 1e-13),
}
PAIRS = (
    ("the source", "the same steps, longer numbers"),
    ("the source", "half the step"),
    ("the source", "DOP853, 1e-13"),
    ("DOP853, 1e-11", "DOP853, 1e-13"),
)


def times_together(one: np.ndarray, other: np.ndarray, spread: np.ndarray, lyapunov_time: float) -> float:
    """Return the Lyapunov times before two trajectories are APART; infinite if they never are."""
    distance = np.sqrt((((one - other) / spread) ** 2).mean(axis=1))
    apart = distance > APART
    return float(apart.argmax() / lyapunov_time) if apart.any() else math.inf


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--flow", default="lorenz", choices=FLOWS)
    parser.add_argument("--starts", type=int, default=16)
    parser.add_argument("--times", type=float, default=40.0, help="Lyapunov times to follow (default 40)")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()

    flow = FLOWS[given.flow]
    lyapunov_time = SOURCES[flow.name].lyapunov_time(SOURCES[flow.name].complete({}))
    assert lyapunov_time is not None
    samples = math.ceil(given.times * lyapunov_time)
    before = math.ceil(flow.transient / flow.dt)
    long = flow.trajectory(flow.near, before + 500 * given.starts, flow.dt)[before:]
    made = {name: [method(flow, start, samples) for start in long[::500]] for name, method in METHODS.items()}
    rows = []
    for one, other in PAIRS:
        together = [
            times_together(a, b, long.std(axis=0), lyapunov_time)
            for a, b in zip(made[one], made[other], strict=True)
        ]
        low, middle, high = np.quantile(together, (0, 0.5, 1))
        rows.append({"pair": [one, other], "lowest": low, "median": middle, "highest": high})
    if given.json:
        print(json.dumps({"flow": flow.name, "machine": machine(), "rows": rows}, indent=1))
        return
    print(machine())
    print(
        f"{flow.name}: {given.starts} starts, {samples} samples, {lyapunov_time:.1f} samples per Lyapunov time\n"
    )
    print("| one | other | Lyapunov times until 0.01 apart, median (lowest to highest) |")
    print("|---|---|---|")
    for row in rows:
        one, other = row["pair"]
        print(f"| {one} | {other} | {row['median']:.1f} ({row['lowest']:.1f} to {row['highest']:.1f}) |")


if __name__ == "__main__":
    main()
