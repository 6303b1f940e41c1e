"""Sources with a known input: equations by hand, another integrator, and what the parts are."""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.config.sections import ScoreConfig
from sweep.data import SOURCES, load
from sweep.data.recording import Need
from sweep.data.sources.duffing import MEMORY, SAMPLE, motion, random_force
from sweep.data.sources.narendra_li import published_input, response

DRIVEN = ("narendra_li", "duffing")
SCORE = ScoreConfig(warmup=30, horizon=40, starts=5)


def made(name, **options):
    return SOURCES[name].generate(SOURCES[name].complete(options), Need(past=30, horizon=40, starts=5))


def test_driven_sources_are_all_that_have_inputs():
    score = ScoreConfig(warmup=5, horizon=10, starts=1)
    assert {name for name in SOURCES if load(DataConfig(source=name), score).known} == set(DRIVEN)


@pytest.mark.parametrize("name", DRIVEN)
def test_the_input_is_no_channel(name):
    data = load(DataConfig(source=name), SCORE)
    assert data.channels == ("y",) and data.known == ("u",) and data.inputs == 2
    recorded = made(name)
    force, position = recorded.series[0].known[:, 0], recorded.series[0].values[:, 0]
    np.testing.assert_array_equal(data.train_raw[0][:, 0], position)
    np.testing.assert_allclose(data.train_known[0][:, 0], (force - force.mean()) / force.std())


@pytest.mark.parametrize("name", DRIVEN)
def test_more_starts_begin_with_the_same_and_parts_have_other_inputs(name):
    few = load(DataConfig(source=name), SCORE)
    many = load(DataConfig(source=name), SCORE.model_copy(update={"starts": 9}))
    assert few.validation.n_eff == 5
    np.testing.assert_array_equal(few.validation.past, many.validation.past[:5])
    np.testing.assert_array_equal(few.validation.known, many.validation.known[:5])
    firsts = [*few.validation.known[:, 0, 0], few.test.known[0, 0, 0], few.train_known[0][0, 0]]
    assert len(set(firsts)) == 7


@pytest.mark.parametrize("name", DRIVEN)
def test_noise_is_added_to_the_output_alone(name):
    clean, noisy = made(name, noise=0.0), made(name, noise=0.2)
    added = noisy.series[0].values - clean.series[0].values
    assert added.std() == pytest.approx(0.2, rel=0.05)
    for one, other in zip(clean.series, noisy.series, strict=True):
        np.testing.assert_array_equal(one.known, other.known)


@pytest.mark.parametrize("name", DRIVEN)
def test_the_seed_changes_the_input(name):
    assert not np.array_equal(made(name).series[0].known, made(name, seed=1).series[0].known)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("narendra_li", {"length": 1}, "length must be at least 2, got 1"),
        ("narendra_li", {"noise": -0.1}, "noise must not be negative"),
        ("duffing", {"mass": 0.0}, "mass must be above 0"),
        ("duffing", {"cubic": -1.0}, "cubic must not be negative"),
        ("duffing", {"length": 1}, "length must be at least 2"),
        # too stiff for the integrator
        ("duffing", {"damping": 1e6}, r"channel 'y', sample 0 .* is not a finite number"),
    ],
)
def test_wrong_options_are_refused(name, options, message):
    with pytest.raises(DataError, match=message):
        load(DataConfig(source=name, options=options), SCORE)


# --- Narendra and Li


def test_narendra_li_by_hand():
    # at rest, u = 1: x2 = 1 / (1 + 1 + 0.5) = 0.4. Then u = 2: x1 = sin 0.4, x2 = 0.4 cos 0.4 + 8 / (5 + 0.5 cos 0.4)
    first, second = math.sin(0.4), 0.4 * math.cos(0.4) + 8 / (5 + 0.5 * math.cos(0.4))
    third = (
        (first / (1 + first**2) + 1) * math.sin(second),
        second * math.cos(second) + first * math.exp(-(first**2 + second**2) / 8),
    )

    def output(x1, x2):
        return x1 / (1 + 0.5 * math.sin(x2)) + x2 / (1 + 0.5 * math.sin(x1))

    wanted = [0, output(0, 0.4), output(first, second), output(*third)]
    assert response(np.array([1.0, 2.0, 0.0, 5.0])) == pytest.approx(wanted)


def test_the_test_record_is_the_published_one():
    record = made("narendra_li").series[-1]
    k = np.arange(1, 201)
    assert record.ends == (0, 0) and len(record.values) == 200
    np.testing.assert_allclose(
        record.known[:, 0], np.sin(2 * np.pi * k / 10) + np.sin(2 * np.pi * k / 25), atol=1e-12
    )
    np.testing.assert_array_equal(record.values[:, 0], response(published_input(200)))  # without noise
    training = made("narendra_li").series[0]
    noise = training.values[:, 0] - response(training.known[:, 0])
    assert noise.var() == pytest.approx(0.1, rel=0.05)
    assert np.abs(training.known).max() == pytest.approx(2.5, rel=1e-3)


def test_a_record_of_one_start_begins_at_its_start():
    data = load(DataConfig(source="narendra_li"), ScoreConfig(warmup=50, horizon=150, starts=1))
    assert data.test.position.tolist() == [50] and data.test.past[0, 0, 0] == 0


# --- Duffing


def test_motion_agrees_with_another_integrator():
    force = random_force(1.0, 200, [0])
    spring = {"mass": 2.0, "damping": 0.3, "stiffness": 0.7, "cubic": 1.5}
    state, wanted = np.zeros(2), []
    for u in force:
        wanted.append(state[0])

        def velocity(_, state, u=u):
            x, v = state
            return [v, (u - 0.3 * v - 0.7 * x - 1.5 * x**3) / 2]

        state = solve_ivp(velocity, (0, SAMPLE), state, "DOP853", rtol=1e-10, atol=1e-12).y[:, -1]
    assert motion(force, **spring) == pytest.approx(np.array(wanted), abs=1e-5)
    assert np.std(wanted) > 0.3


def test_a_linear_spring_rests_where_the_force_holds_it():
    held = motion(np.full(2000, 3.0), mass=1.0, damping=0.5, stiffness=2.0, cubic=0.0)
    assert held[-1] == pytest.approx(1.5)
    hard = motion(np.full(2000, 3.0), mass=1.0, damping=0.5, stiffness=2.0, cubic=1.0)
    assert hard[-1] == pytest.approx(1.0)  # 2 x + x^3 = 3


def test_the_force_has_its_size_and_its_memory():
    force = random_force(2.0, 50_000, [3])
    assert force.std() == pytest.approx(2.0, rel=0.03)
    assert np.corrcoef(force[1:], force[:-1])[0, 1] == pytest.approx(MEMORY, abs=0.01)
    assert random_force(2.0, 10, [3]) == pytest.approx(force[:10])


def test_the_spring_is_hard_enough_to_matter():
    values = made("duffing").series[0].values[:, 0]
    assert np.mean(np.abs(values) > 1) > 0.2  # beyond 1 the cubic part of the force is the larger one
