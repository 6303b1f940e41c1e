import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from reservoirpy.nodes import Reservoir as Node

from sweep.score.baselines import echo_state as esn
from sweep.score.baselines.simple import CannotServe
from sweep.score.metrics import rollout_error
from tests.support.made_data import data_of, sine_data, tiny

SETTINGS = {
    "units": 60,
    "spectral_radius": 0.9,
    "leak": 0.6,
    "input_scaling": 0.3,
    "bias": 0.2,
    "seed": 1,
    "ridge": 1e-10,
}


def test_the_states_are_those_of_reservoirpy():
    reservoir = esn.build(SETTINGS, 2)
    values = np.random.default_rng(0).normal(size=(30, 2))
    node = Node(
        W=reservoir.recurrent,
        Win=reservoir.inputs,
        bias=reservoir.bias.ravel(),
        lr=reservoir.leak,
        input_dim=2,
    )
    wanted = node.run(values)
    state = np.zeros((60, 1))
    for step, row in enumerate(values):
        state = reservoir.advanced(state, row[:, None])
        assert state.ravel() == pytest.approx(wanted[step])


def test_no_temporary_folder_is_left(tmp_path: Path):
    code = f"from sweep.score.baselines import echo_state as esn; esn.build({SETTINGS}, 1)"
    place = {"TMPDIR": str(tmp_path), "TEMP": str(tmp_path), "TMP": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env={**os.environ, **place}, check=True)
    assert not list(tmp_path.iterdir())


def test_the_reservoir_is_what_its_settings_say_and_repeats():
    reservoir, again = (esn.build(SETTINGS, 1) for _ in range(2))
    radius = np.abs(np.linalg.eigvals(reservoir.recurrent.toarray())).max()
    assert radius == pytest.approx(0.9, rel=1e-3)
    assert np.abs(reservoir.inputs) == pytest.approx(np.full((60, 1), 0.3))
    assert 0 < np.abs(reservoir.bias).max() <= 0.2
    assert np.array_equal(reservoir.recurrent.toarray(), again.recurrent.toarray())
    assert np.array_equal(reservoir.inputs, again.inputs) and np.array_equal(reservoir.bias, again.bias)
    other = esn.build({**SETTINGS, "seed": 2}, 1)
    assert not np.array_equal(reservoir.recurrent.toarray(), other.recurrent.toarray())


def test_the_readout_is_ridge_regression_with_a_free_constant():
    rng = np.random.default_rng(2)
    features = np.concatenate([np.ones((50, 1)), rng.normal(size=(50, 4))], axis=1)
    goals = rng.normal(size=(50, 2)) + 7
    triangle = np.linalg.qr(np.concatenate([features, goals], axis=1), mode="r")
    punished = np.diag([0, 1, 1, 1, 1]) * 0.1 * 50
    wanted = np.linalg.solve(features.T @ features + punished, features.T @ goals)
    assert esn.readout(triangle, 50, 0.1, 2) == pytest.approx(wanted)


def test_regression_over_groups_equals_regression_over_all():
    data = sine_data(series=3)
    uneven = data_of(
        [data.train_raw[0][:600], data.train_raw[1], data.train_raw[2][:600]],
        np.zeros((1, 20, 1)),
        np.zeros((1, 20, 1)),
        10,
    )
    reservoir = esn.build(SETTINGS, 1)
    triangle, rows = esn._regression(reservoir, uneven)
    blocks = [esn._features(reservoir, group, 1) for group in esn._by_length(uneven.train)]
    assert [len(block) for block in blocks] == [2 * 499, 899]
    assert rows == 2 * 499 + 899
    everything = np.concatenate(blocks)
    assert triangle.T @ triangle == pytest.approx(everything.T @ everything, rel=1e-9, abs=1e-6)


def test_features_stand_beside_the_next_value():
    reservoir = esn.build(SETTINGS, 1)
    group = np.random.default_rng(3).normal(size=(2, 20, 1))
    rows = esn._features(reservoir, group, 1).reshape(-1, 2, 63)  # washout 5: steps 5 .. 18
    assert len(rows) == 14
    state = np.zeros((60, 1))
    for step in range(19):
        state = reservoir.advanced(state, group[1, step][:, None])
        if step >= 5:
            assert rows[step - 5, 1] == pytest.approx(
                [1, group[1, step, 0], *state.ravel(), group[1, step + 1, 0]]
            )


def test_several_readouts_at_once_are_each_on_its_own():
    data = sine_data(series=3, count=3)
    reservoir = esn.build(SETTINGS, 1)
    triangle, rows = esn._regression(reservoir, data)
    readouts = [esn.readout(triangle, rows, ridge, 1) for ridge in (1e-8, 1e-2)]
    together = esn.rollouts(reservoir, readouts, data, data.validation, 50)
    for weights, made in zip(readouts, together, strict=True):
        assert made == pytest.approx(esn.rollouts(reservoir, [weights], data, data.validation, 50)[0])
    assert np.abs(together[0] - together[1]).max() > 1e-6


def test_a_rollout_agrees_with_plain_loops():
    data = sine_data(series=3, count=2, warmup=30, horizon=20)
    reservoir = esn.build(SETTINGS, 1)
    triangle, rows = esn._regression(reservoir, data)
    weights = esn.readout(triangle, rows, 1e-8, 1)
    made = esn.rollouts(reservoir, [weights], data, data.validation, 20)[0]
    for start in range(2):
        state = np.zeros((60, 1))
        for value in data.validation.past[start]:
            state = reservoir.advanced(state, value[:, None])
        value = data.validation.past[start, -1]
        for step in range(20):
            value = np.concatenate([[1.0], value, state.ravel()]) @ weights
            assert made[start, step] == pytest.approx(value, abs=1e-9)
            state = reservoir.advanced(state, value[:, None])


def with_inputs(data, count=2):
    """Return the same data with known inputs that nothing depends on."""
    rng = np.random.default_rng(7)

    def inputs(starts):
        steps = starts.past.shape[1] + starts.truth.shape[1]
        return replace(starts, known=rng.normal(size=(len(starts.past), steps, count)))

    known = tuple(rng.normal(size=(len(values), count)) for values in data.train)
    return replace(data, train_known=known, validation=inputs(data.validation), test=inputs(data.test))


def test_features_hold_the_known_inputs_of_the_time_that_is_forecast():
    data = with_inputs(sine_data(series=1))
    reservoir = esn.build({**SETTINGS, "known": 2}, 3)
    (group,) = esn._by_length(esn._drives(data, 2))
    rows = esn._features(reservoir, group, 1)  # washout 100
    values, known = data.train[0], data.train_known[0]
    state = np.zeros((60, 1))
    for step in range(103):
        seen = [*values[step], *known[step + 1]]
        state = reservoir.advanced(state, np.array(seen)[:, None])
    assert rows[2] == pytest.approx([1, *seen, *state.ravel(), *values[103]])
    assert len(rows) == 899 and rows[-1, 2:4] == pytest.approx(known[999])


def test_a_driven_rollout_agrees_with_plain_loops():
    data = with_inputs(sine_data(series=3, count=2, warmup=30, horizon=20))
    settings = {**SETTINGS, "known": 2}
    made = esn.echo_state_network(data, settings)(data.validation, 20)
    reservoir = esn.build(settings, 3)
    weights = esn.readout(*esn._regression(reservoir, data), settings["ridge"], 1)
    for start in range(2):
        past, known = data.validation.past[start], data.validation.known[start]
        state = np.zeros((60, 1))
        for step in range(50):
            value = past[step] if step < 30 else made[start, step - 30]
            seen = np.concatenate([value, known[step + 1 if step < 49 else 49]])
            state = reservoir.advanced(state, seen[:, None])
            if 29 <= step < 49:
                wanted = np.concatenate([[1.0], seen, state.ravel()]) @ weights
                assert made[start, step - 29] == pytest.approx(wanted, abs=1e-9)


def test_settings_without_known_inputs_forecast_without_them():
    # a study that chose its reservoir before the inputs were used is scored on test by that reservoir
    data = sine_data(series=3, count=2, warmup=30, horizon=20)
    plain = esn.echo_state_network(data, SETTINGS)(data.test, 20)
    np.testing.assert_array_equal(esn.echo_state_network(with_inputs(data), SETTINGS)(data.test, 20), plain)


def test_a_small_search_solves_the_sine(monkeypatch):
    monkeypatch.setattr(esn, "RESERVOIRS", 3)
    monkeypatch.setattr(esn, "UNITS", 100)
    data = sine_data(count=4, warmup=300, horizon=600)
    settings = esn.choose_reservoir(data)
    made = esn.echo_state_network(data, settings)(data.test, 600)
    assert rollout_error(made, data.test.truth, data.test.scale, 120) < 0.01
    # control: with a heavy ridge the same reservoir is lost
    heavy = esn.echo_state_network(data, {**settings, "ridge": 1e3})(data.test, 600)
    assert rollout_error(heavy, data.test.truth, data.test.scale, 120) > 0.3


def test_too_little_training_data_is_a_reason():
    with pytest.raises(CannotServe, match="too few for a readout"):
        esn.choose_reservoir(tiny([1.0, 2.0], train=np.arange(40)))
    with pytest.raises(CannotServe, match="too few for a readout"):
        esn.choose_reservoir(tiny([1.0, 2.0], train=np.arange(4)))


def test_many_points_are_thinned_by_series_and_cut_to_their_ends(monkeypatch):
    monkeypatch.setattr(esn, "POINTS_MOST", 100)
    groups = esn._by_length(tuple(np.full((40, 1), float(i)) for i in range(6)))
    assert [group[:, 0, 0].tolist() for group in groups] == [[0, 3]]
    assert esn._by_length((np.arange(500.0)[:, None],))[0].shape == (1, 100, 1)
    assert esn._by_length((np.arange(500.0)[:, None],))[0][0, -1, 0] == 499
