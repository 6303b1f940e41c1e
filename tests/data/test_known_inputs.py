"""Inputs from outside: roles, scaling by training data, and that they are there for every step of a horizon."""

import numpy as np
import pandas as pd
import pytest

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.config.sections import ScoreConfig
from sweep.data import load, window_source

SCORE = ScoreConfig(warmup=10, horizon=12, starts=4)


def frame(length=300, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {"y": rng.normal(size=length), "u": 100 + 7 * rng.normal(size=length), "size": np.full(length, 3.0)}
    )


def loaded(folder, table, **settings):
    table.to_csv(folder / "a.csv", index=False)
    roles = {"channels": ("y",), "known": ("u",), "static": ("size",), **settings}
    return load(DataConfig(path="a.csv", **roles), SCORE, folder)


def test_inputs_are_no_channels_and_scaled_by_the_training_part(tmp_path):
    table = frame()
    data = loaded(tmp_path, table)
    assert data.channels == ("y",) and data.known == ("u", "size") and data.inputs == 3
    training = table["u"].to_numpy()[:210]
    scaled = (table["u"].to_numpy() - training.mean()) / training.std()
    np.testing.assert_allclose(data.train_known[0][:, 0], scaled[:210])
    np.testing.assert_array_equal(data.train_known[0][:, 1], 0.0)  # constant: scale 1
    assert any("input 'size' is constant in the training data" in text for text in data.warnings)
    for part in (data.validation, data.test):
        for position, known in zip(part.position, part.known, strict=True):
            np.testing.assert_allclose(known[:, 0], scaled[position - 10 : position + 12])


def test_starts_have_the_inputs_as_recorded_beside_past_and_truth(tmp_path):
    table = frame()
    starts = loaded(tmp_path, table, transforms=("difference",)).validation
    for position, inputs in zip(starts.position, starts.inputs, strict=True):
        np.testing.assert_array_equal(inputs, table[["u", "size"]][position - 11 : position + 12])
    assert loaded(tmp_path, table, known=(), static=()).validation.inputs is None


def test_the_row_of_a_time_holds_the_input_of_the_next(tmp_path):
    data = loaded(tmp_path, frame(), static=())
    source = window_source(data, 8)
    inputs, targets = source.batch(source.offsets(None))
    np.testing.assert_array_equal(inputs[0, :, 1], data.train_known[0][1:9, 0])
    np.testing.assert_array_equal(targets[0, :, 0], data.train[0][1:9, 0])


def test_a_later_input_changes_no_statistic(tmp_path):
    table = frame()
    before = loaded(tmp_path, table)
    table.loc[210:, "u"] += 1e4
    after = loaded(tmp_path, table)
    np.testing.assert_array_equal(before.train_known[0], after.train_known[0])
    assert before.fingerprint != after.fingerprint


def test_a_missing_input_is_a_gap(tmp_path):
    table = frame()
    table.loc[250, "u"] = np.nan
    with pytest.raises(DataError, match=r"1 sample missing in 1 gap"):
        loaded(tmp_path, table)
    data = loaded(tmp_path, table, missing="cut")
    for part in (data.validation, data.test):
        assert not any(position - 10 <= 250 < position + 12 for position in part.position)


def test_an_input_of_a_piece_is_filled_as_a_channel_is(tmp_path):
    table = frame()
    table.loc[100, "u"] = np.nan
    data = loaded(tmp_path, table, missing="fill", static=())
    neighbours = data.train_known[0][[99, 101], 0]
    assert data.train_known[0][100, 0] == pytest.approx(neighbours.mean())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"known": ("v",)}, r"no column 'v' \(data.known\)"),
        ({"static": ("u",), "known": ()}, r"column 'u', line 3: changes from .*name it in data.known"),
        ({"known": ("u", "y"), "channels": ()}, r"no column of numbers"),
        ({"target": ("u",)}, r"data.target: no channel named 'u'"),
    ],
)
def test_refusals(tmp_path, settings, message):
    with pytest.raises(DataError, match=message):
        loaded(tmp_path, frame(), **settings)


def test_static_inputs_of_many_series(tmp_path):
    parts = [frame(seed=n).assign(unique_id=f"s{n}", size=float(n)) for n in range(4)]
    data = loaded(tmp_path, pd.concat(parts))
    assert not any("constant" in text for text in data.warnings)
    sizes = [known[0, 1] for known in data.train_known]
    np.testing.assert_allclose(sizes, (np.arange(4) - 1.5) / np.std(np.arange(4.0)))


def test_inputs_of_an_array(tmp_path):
    np.save(tmp_path / "a.npy", frame()[["u", "y"]].to_numpy())
    data = load(DataConfig(path="a.npy", known=("x0",)), SCORE, tmp_path)
    assert data.channels == ("x1",) and data.known == ("x0",) and data.inputs == 2
    with pytest.raises(DataError, match=r"no channel beside the inputs \(x0, x1\)"):
        load(DataConfig(path="a.npy", known=("x0", "x1")), SCORE, tmp_path)
