"""Data for training alone: every sample of every part, and the scaling of other data."""

import numpy as np
import pandas as pd
import pytest

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.config.sections import ScoreConfig
from sweep.data import load
from sweep.data.coding import coding_of

SCORE = ScoreConfig(warmup=10, horizon=12, starts=3)


def table(rows: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    parts = [
        pd.DataFrame(
            {
                "unique_id": name,
                "ds": pd.date_range("2024-01-01", periods=rows, freq="h"),
                "y": level + rng.normal(size=rows).cumsum(),
                "u": rng.normal(size=rows),
            }
        )
        for name, level in (("a", 0.0), ("b", 100.0))
    ]
    return pd.concat(parts)


@pytest.fixture
def config(tmp_path):
    table().to_csv(tmp_path / "two.csv", index=False)
    path = str(tmp_path / "two.csv")
    return DataConfig(path=path, known=("u",), scaling="series", split=(0.4, 0.4, 0.2), calibration=0.5)


def test_every_sample_is_for_training(config):
    whole = load(config, SCORE, whole=True)
    for piece, (_, series) in zip(whole.train_raw, table().groupby("unique_id"), strict=True):
        np.testing.assert_allclose(piece[:, 0], series["y"], rtol=1e-12)
    assert whole.recorded.samples == (400, 0, 0)
    assert len(load(config, SCORE).train_raw[0]) == 80
    assert len(whole.validation.position) == len(whole.test.position) == 0 and whole.warnings == ()


def test_the_scaling_is_that_of_all_samples(config):
    whole, values = load(config, SCORE, whole=True), table().groupby("unique_id")["y"]
    np.testing.assert_allclose(whole.codec.mean[:2, 0], values.mean(), rtol=1e-12)
    np.testing.assert_allclose(whole.codec.std[:2, 0], values.std(ddof=0), rtol=1e-12)
    np.testing.assert_allclose(whole.input_scaling.mean, [table()["u"].mean()])


def test_series_of_other_parts_and_files_are_included(tmp_path, config):
    table(30).to_csv(tmp_path / "test.csv", index=False)
    for changed in (
        {"split_by": "series", "split": (0.5, 0.0001, 0.4999), "calibration": 0.0},
        {"test_path": str(tmp_path / "test.csv")},
    ):
        given = config.model_copy(update=changed)
        assert load(given, SCORE, whole=True).recorded.samples == (
            460 if "test_path" in changed else 400,
            0,
            0,
        )


def test_a_source_gives_all_its_series():
    sine = DataConfig(source="sine", options={"T": 3, "length": 60, "series": 7})
    apart, whole = load(sine, SCORE), load(sine, SCORE, whole=True)
    made = sum(apart.recorded.samples)
    assert whole.recorded.samples == (made, 0, 0) and made > sum(map(len, apart.train))


def test_a_coding_scales_other_data_by_its_own_statistics(tmp_path, config):
    whole = load(config, SCORE, whole=True)
    coding = coding_of(whole, config)
    assert (coding.warmup, coding.series) == (10, ("a", "b"))
    again = load(config, SCORE, whole=True, coding=coding)
    assert again.fingerprint == whole.fingerprint
    other = table(60)
    other["unique_id"] = other["unique_id"].map({"a": "c", "b": "b"})
    other.to_csv(tmp_path / "other.csv", index=False)
    new = load(
        config.model_copy(update={"path": str(tmp_path / "other.csv")}), SCORE, whole=True, coding=coding
    )
    rows = dict(zip(("c", "b"), new.train_series, strict=True))
    assert rows == {"c": -1, "b": 1}
    for values, (name, series) in zip(new.train, other.groupby("unique_id", sort=False), strict=True):
        scaled = (series["y"] - coding.mean[rows[name], 0]) / coding.std[rows[name], 0]
        np.testing.assert_allclose(values[:, 0], scaled, rtol=1e-9)
    np.testing.assert_array_equal(new.codec.mean, whole.codec.mean)
    inputs = (other["u"].to_numpy() - coding.inputs.mean) / coding.inputs.scale
    np.testing.assert_allclose(np.concatenate(new.train_known)[:, 0], inputs, rtol=1e-9)
    assert coding_of(new, config).series == ("a", "b")


def test_a_single_series_without_a_name_has_the_first_row(tmp_path):
    table()[:200][["y"]].to_csv(tmp_path / "one.csv", index=False)
    config = DataConfig(path=str(tmp_path / "one.csv"))
    coding = coding_of(load(config, SCORE, whole=True), config)
    assert load(config, SCORE, whole=True, coding=coding).train_series == (0,)


def test_series_of_an_array_keep_their_order(tmp_path):
    values = np.random.default_rng(0).normal(size=(3, 80, 1)) * [[[1.0]], [[5.0]], [[9.0]]]
    np.save(tmp_path / "a.npy", values)
    config = DataConfig(path=str(tmp_path / "a.npy"), scaling="series")
    coding = coding_of(load(config, SCORE, whole=True), config)
    assert load(config, SCORE, whole=True, coding=coding).train_series == (0, 1, 2)
    np.save(tmp_path / "b.npy", values[:2])
    fewer = config.model_copy(update={"path": str(tmp_path / "b.npy")})
    assert load(fewer, SCORE, whole=True, coding=coding).train_series == (0, 1)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            lambda frame: frame.rename(columns={"y": "z"}),
            "other: wanted the channels y, got z: give data with",
        ),
        (
            lambda frame: frame.assign(ds=frame["ds"].iloc[0] + 2 * (frame["ds"] - frame["ds"].iloc[0])),
            "other: wanted steps of 3600 s, as those of the networks' data, got 7200 s: give data of the same step",
        ),
    ],
    ids=["channels", "step"],
)
def test_data_of_another_shape_are_refused(tmp_path, config, change, why):
    coding = coding_of(load(config, SCORE, whole=True), config)
    change(table(60)).to_csv(tmp_path / "other.csv", index=False)
    other = config.model_copy(update={"path": str(tmp_path / "other.csv")})
    with pytest.raises(DataError, match=why):
        load(other, SCORE, whole=True, coding=coding)


def test_a_channel_that_is_constant_in_new_data_is_no_mistake(tmp_path, config):
    coding = coding_of(load(config, SCORE, whole=True), config)
    table(60).assign(y=7.0).to_csv(tmp_path / "other.csv", index=False)
    other = config.model_copy(update={"path": str(tmp_path / "other.csv")})
    assert load(other, SCORE, whole=True, coding=coding).recorded.samples == (120, 0, 0)
    with pytest.raises(DataError, match="constant 7 throughout the training part"):
        load(other, SCORE, whole=True)
