"""Flows of three coordinates: laws by hand, another integrator, the order, and the exponents of each."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from sweep.config.data_section import DataConfig
from sweep.config.sections import ScoreConfig
from sweep.data import SOURCES, load
from sweep.data.sources.chen import CHEN_FLOW
from sweep.data.sources.flow import Flow, trajectory
from sweep.data.sources.halvorsen import HALVORSEN_FLOW
from sweep.data.sources.lorenz import LORENZ_FLOW
from sweep.data.sources.rossler import ROSSLER_FLOW
from sweep.data.sources.thomas import THOMAS_FLOW

FLOWS = {flow.name: flow for flow in (LORENZ_FLOW, ROSSLER_FLOW, CHEN_FLOW, HALVORSEN_FLOW, THOMAS_FLOW)}
# Divergence of the velocity, the sum of the exponents, where it is the same everywhere
DIVERGENCE = {"lorenz": -10 - 1 - 8 / 3, "chen": -35 + 28 - 3, "halvorsen": -3 * 1.27, "thomas": -3 * 0.18}


def published(flow: Flow):
    return flow.velocity(**flow.published)


def on_attractor(flow: Flow) -> np.ndarray:
    samples = int(flow.transient / flow.dt)
    return flow.trajectory(flow.near, samples, flow.dt)[-1]


def exponents(flow: Flow, lyapunov_times: float, **parameters: float) -> np.ndarray:
    """All three exponents: neighbours in three directions, made orthogonal again after each sample (Benettin)."""
    apart, skipped = 1e-7, 50
    point, directions = on_attractor(flow), np.eye(3)
    steps = int(lyapunov_times / flow.exponent / flow.dt)
    growth = np.zeros((steps, 3))
    for step in range(steps):
        after = flow.trajectory(tuple(point.tolist()), 2, flow.dt, **parameters)[-1]
        neighbours = [
            flow.trajectory(tuple((point + apart * d).tolist()), 2, flow.dt, **parameters)[-1] - after
            for d in directions.T
        ]
        directions, triangle = np.linalg.qr(np.array(neighbours).T)
        growth[step] = np.log(np.abs(np.diag(triangle)) / apart)
        point = after
    return growth[skipped:].mean(axis=0) / flow.dt


@pytest.mark.parametrize(
    ("name", "point", "wanted"),
    [
        ("lorenz", (1, 2, 3), (10 * 1, 1 * 25 - 2, 2 - 8)),
        ("rossler", (1, 2, 3), (-5, 1.4, 0.2 + 3 * (1 - 5.7))),
        ("chen", (1, 2, 3), (35, -7 - 3 + 56, 2 - 9)),
        ("halvorsen", (1, 2, 3), (-1.27 - 8 - 12 - 4, -2.54 - 12 - 4 - 9, -3.81 - 4 - 8 - 1)),
        ("thomas", (np.pi / 2, np.pi / 6, 0), (0.5 - 0.09 * np.pi, -0.03 * np.pi, 1)),
    ],
)
def test_velocities_by_hand(name, point, wanted):
    assert published(FLOWS[name])(*point) == pytest.approx(wanted)


def test_a_flow_without_a_hand_checked_velocity_is_missed():
    assert set(FLOWS) == {name for name in SOURCES if "dt" in SOURCES[name].defaults}


def test_trajectory_by_hand():
    # x' = x, y' = 0, z' = 1: one Runge-Kutta step multiplies x by 1 + h + h^2/2 + h^3/6 + h^4/24
    h = 0.5
    factor = 1 + h + h**2 / 2 + h**3 / 6 + h**4 / 24
    out = trajectory(lambda x, y, z: (x, 0.0, 1.0), (2.0, 3.0, 0.0), 3, 1.0, 0.5)
    assert out[:, 0] == pytest.approx([2, 2 * factor**2, 2 * factor**4])
    assert out[:, 1].tolist() == [3, 3, 3] and out[:, 2] == pytest.approx([0, 1, 2])


def test_a_sample_takes_the_fewest_steps_that_are_small_enough():
    calls = []

    def still(x, y, z):
        calls.append(x)
        return 0.0, 0.0, 0.0

    for dt, steps in ((0.02, 4), (0.0201, 5), (0.004, 1)):
        calls.clear()
        trajectory(still, (0.0, 0.0, 0.0), 1, dt, 0.005)
        assert len(calls) == 4 * steps


@pytest.mark.parametrize("name", FLOWS)
def test_a_trajectory_agrees_with_another_integrator(name):
    # for two Lyapunov times; the error of a step, at most 2e-7 of the spread, adds up and grows 7-fold
    flow = FLOWS[name]
    start = on_attractor(flow)
    velocity = published(flow)
    times = np.arange(int(2 / flow.exponent / flow.dt)) * flow.dt
    other = solve_ivp(
        lambda _, state: velocity(*state), (0, times[-1]), start, "DOP853", times, rtol=1e-12, atol=1e-12
    ).y.T
    ours = flow.trajectory(tuple(start.tolist()), len(times), flow.dt)
    assert (np.abs(ours - other).max(axis=0) < 3e-4 * other.std(axis=0)).all()


@pytest.mark.parametrize("name", FLOWS)
def test_the_integrator_is_of_fourth_order(name):
    flow = FLOWS[name]
    start, velocity = tuple(on_attractor(flow).tolist()), published(flow)
    dt = 20 * flow.largest_step

    def end(step):
        return trajectory(velocity, start, 6, dt, step)[-1]

    exact = end(flow.largest_step / 16)
    ratio = np.linalg.norm(end(flow.largest_step) - exact) / np.linalg.norm(
        end(flow.largest_step / 2) - exact
    )
    assert np.log2(ratio) == pytest.approx(4, abs=0.5)


@pytest.mark.slow
@pytest.mark.parametrize("name", FLOWS)
def test_exponents_are_the_published_ones(name):
    flow = FLOWS[name]
    largest, zero, smallest = exponents(flow, 400)
    assert largest == pytest.approx(flow.exponent, rel=0.1)
    assert abs(zero) < 0.1 * flow.exponent  # along the flow nothing grows
    if name in DIVERGENCE:
        assert largest + zero + smallest == pytest.approx(DIVERGENCE[name], rel=1e-3)


@pytest.mark.slow
def test_the_exponent_test_can_fail():
    # control: at rho 20 both fixed points of Lorenz' system attract, at rho 40 it is more chaotic
    assert exponents(LORENZ_FLOW, 200, rho=20.0)[0] < 0
    assert exponents(LORENZ_FLOW, 200, rho=40.0)[0] > 1.1 * LORENZ_FLOW.exponent


@pytest.mark.parametrize("name", FLOWS)
def test_every_seed_stays_on_the_attractor(name):
    def values(seed):
        short = {"train": 2000, "validation": 10, "test": 10}
        options = SOURCES[name].complete({"seed": seed, **short})
        return SOURCES[name].generate(options, None).series[0].values

    first = values(0)
    for seed in range(1, 6):
        other = values(seed)
        assert np.abs(other).max() < 2 * np.abs(first).max()
        assert other.std(axis=0) == pytest.approx(first.std(axis=0), rel=0.6)  # no fixed point, no blow-up


@pytest.mark.parametrize("name", FLOWS)
def test_a_turn_has_20_to_60_samples(name):
    # a turn is the time between two maxima of z
    data = load(DataConfig(source=name), ScoreConfig(warmup=50, horizon=50, starts=2))
    z = data.train_raw[0][:, 2]
    samples = len(z) / ((z[1:-1] > z[:-2]) & (z[1:-1] >= z[2:])).sum()
    assert 20 < samples < 60
    assert samples * FLOWS[name].dt == pytest.approx(FLOWS[name].turn, rel=0.1)
