"""Mackey-Glass: the integrator against a slow twin, its order, its exponent; and what it shares with Lorenz."""

import numpy as np
import pytest

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.config.sections import ScoreConfig
from sweep.data import load
from sweep.data.sources.lorenz import LORENZ
from sweep.data.sources.mackey_glass import LYAPUNOV_TIME, MACKEY_GLASS, continue_history

GLASS = {"tau": 17.0, "beta": 0.2, "gamma": 0.1, "n": 10.0}
SCORE = ScoreConfig(warmup=100, horizon=500, starts=32)


def glass_exponent(tau, time_units):
    """Largest exponent by two neighbours that are drawn together again and again (Benettin): whole histories."""
    h, apart, every = 0.1, 1e-7, 50
    span = int(np.floor(tau / h)) + 3
    settings = {**GLASS, "tau": tau}
    one = continue_history(np.full(span, 0.9), 20_000, h, **settings)[-span:]
    wave = np.sin(np.arange(span))
    two = one + apart * wave / np.linalg.norm(wave)
    growth = []
    for _ in range(time_units // every):
        one = np.concatenate([one, continue_history(one, int(every / h), h, **settings)])[-span:]
        two = np.concatenate([two, continue_history(two, int(every / h), h, **settings)])[-span:]
        stretch = np.linalg.norm(two - one) / apart
        two = one + (two - one) / stretch
        growth.append(np.log(stretch) / every)
    return np.mean(growth[20:])


def plain_mackey_glass(history, steps, h, tau, beta, gamma, n):
    """The same method in plain loops: one Runge-Kutta step at a time, Lagrange's cubic for the delay."""
    x = list(history)

    def delayed(step, share):
        at = step + share - tau / h
        left = int(np.floor(at + 1e-9))
        s = at - left
        total = 0.0
        for i in (-1, 0, 1, 2):
            weight = 1.0
            for j in (-1, 0, 1, 2):
                if j != i:
                    weight *= (s - j) / (i - j)
            total += weight * x[left + i]
        return total

    for step in range(len(history) - 1, len(history) - 1 + steps):
        drives = [beta * d / (1 + d**n) for d in (delayed(step, share) for share in (0, 0.5, 1))]
        k1 = drives[0] - gamma * x[step]
        k2 = drives[1] - gamma * (x[step] + h / 2 * k1)
        k3 = drives[1] - gamma * (x[step] + h / 2 * k2)
        k4 = drives[2] - gamma * (x[step] + h * k3)
        x.append(x[step] + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4))
    return np.array(x[len(history) :])


@pytest.mark.parametrize(("h", "tau"), [(0.1, 17.0), (0.25, 17.1), (0.5, 3.3)])
def test_mackey_glass_equals_its_slow_twin(h, tau):
    history = 0.9 + 0.2 * np.sin(np.arange(int(tau / h) + 5) * h)
    settings = {**GLASS, "tau": tau}
    ours = continue_history(history, 700, h, **settings)
    np.testing.assert_allclose(ours, plain_mackey_glass(history, 700, h, **settings), rtol=1e-11)


def test_mackey_glass_is_of_fourth_order():
    # on a stretch shorter than the delay the history is the only forcing, and it is smooth
    def end(h):
        grid = np.arange(-round(20 / h), 1) * h
        return continue_history(0.9 + 0.2 * np.sin(grid / 2), round(16 / h), h, **GLASS)[-1]

    exact = end(1 / 64)
    ratio = abs(end(0.5) - exact) / abs(end(0.25) - exact)
    assert np.log2(ratio) == pytest.approx(4, abs=0.5)


def test_mackey_glass_exponent_is_the_published_one():
    # 60,000 time units: the standard error of the mean is about 0.0003
    assert glass_exponent(17.0, 60_000) == pytest.approx(1 / LYAPUNOV_TIME, abs=0.0006)


def test_mackey_glass_exponent_test_can_fail():
    # control: below tau 16.8 the attractor is a cycle (exponent 0); at tau 23 the published time is 106
    assert abs(glass_exponent(14.0, 10_000)) < 0.0008
    assert glass_exponent(23.0, 30_000) == pytest.approx(1 / 106, abs=0.001)


def test_mackey_glass_refuses_what_it_cannot_integrate():
    with pytest.raises(ValueError, match="history must hold at least 173 values, got 100"):
        continue_history(np.ones(100), 5, 0.1, **GLASS)
    with pytest.raises(ValueError, match="tau must be at least 4 h"):
        continue_history(np.ones(100), 5, 0.1, 0.3, 0.2, 0.1, 10.0)


@pytest.mark.parametrize("source", [LORENZ, MACKEY_GLASS], ids=lambda source: source.name)
@pytest.mark.parametrize("horizon", [500, 1000])
def test_enough_starts_do_not_overlap(source, horizon):
    data = load(DataConfig(source=source.name), SCORE.model_copy(update={"horizon": horizon}))
    for part in (data.validation, data.test):
        assert len(part.position) == 32
        assert part.n_eff >= 8


def test_lyapunov_time_only_where_it_is_published():
    assert LORENZ.lyapunov_time(LORENZ.complete({})) == pytest.approx(55.212, abs=0.001)
    assert LORENZ.lyapunov_time(LORENZ.complete({"dt": 0.01})) == pytest.approx(110.42, abs=0.01)
    assert LORENZ.lyapunov_time(LORENZ.complete({"rho": 35.0})) is None
    assert MACKEY_GLASS.lyapunov_time(MACKEY_GLASS.complete({})) == 197.0
    assert MACKEY_GLASS.lyapunov_time(MACKEY_GLASS.complete({"tau": 30.0})) is None


@pytest.mark.parametrize("source", [LORENZ, MACKEY_GLASS], ids=lambda source: source.name)
def test_seed_and_noise_are_separate(source):
    def values(**options):
        short = {"train": 200, "validation": 700, "test": 700}
        data = load(DataConfig(source=source.name, options={**short, **options}), SCORE)
        return data.train_raw[0]

    clean, noisy = values(), values(noise=0.05)
    np.testing.assert_array_equal(clean, values())
    assert (noisy - clean).std() == pytest.approx(0.05, rel=0.2)
    assert np.abs(values(seed=1) - clean).max() > 0.1


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("lorenz", {"dt": 0.5}, "dt must be 0.19 or less"),
        ("lorenz", {"train": 0}, "train must be above 0"),
        ("mackey_glass", {"tau": 0.5}, "tau must be at least 1"),
        ("mackey_glass", {"seed": -1}, "seed must not be negative"),
    ],
)
def test_wrong_options_are_refused(source, options, message):
    with pytest.raises(DataError, match=message):
        load(DataConfig(source=source, options=options), SCORE)
