"""Splits: in time, by series, and by files."""

import numpy as np
import pytest

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.config.sections import ScoreConfig
from sweep.data import load
from sweep.data.recording import Recording, Series
from sweep.data.split import split

SCORE = ScoreConfig(warmup=10, horizon=12, starts=6)


def recording(count, length=50, **fields):
    series = tuple(
        Series(f"s{n}", np.full((length, 1), float(n)), name=chr(97 + n), **fields) for n in range(count)
    )
    return Recording("made", ("y",), series)


def parts_of(made):
    """The names of the series of each part, which they must fill."""
    result = {"train": "", "validation": "", "test": ""}
    for series in made.series:
        whole = [part for part, (begin, end) in series.parts.items() if end > begin]
        assert len(whole) == 1 and len(series.values) == 50
        result[whole[0]] += series.name
    return result


def by_series(**settings):
    return DataConfig(path="x.csv", split_by="series", **settings)


def test_each_series_is_in_one_part_in_the_shares_of_the_study():
    parts = parts_of(split(recording(20), by_series()))
    assert [len(names) for names in parts.values()] == [14, 3, 3]
    assert sorted("".join(parts.values())) == [chr(97 + n) for n in range(20)]
    assert parts["validation"] not in ("abc", "opq")  # drawn, neither the first nor the last
    assert parts == parts_of(split(recording(20), by_series()))  # the same in every run


def test_three_series_are_enough_and_two_are_not():
    assert all(len(names) == 1 for names in parts_of(split(recording(3), by_series())).values())
    with pytest.raises(DataError, match=r"got 2 series: give more series"):
        split(recording(2), by_series())


def test_named_series_are_taken_and_the_others_drawn():
    parts = parts_of(split(recording(20), by_series(test_series=("c", "d"))))
    assert parts["test"] == "cd" and len(parts["validation"]) == 3 and len(parts["train"]) == 15
    parts = parts_of(split(recording(5), by_series(test_series=("c",), validation_series=("a",))))
    assert parts == {"train": "bde", "validation": "a", "test": "c"}


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"test_series": ("q",)}, r"data.test_series: no series named 'q'\..*Known: a, b, c"),
        ({"test_series": ("a",), "validation_series": ("a",)}, r"both name 'a': name it once"),
        ({"test_series": ("a",), "validation_series": ("b", "c")}, r"needs series for training"),
    ],
)
def test_refusals(settings, text):
    with pytest.raises(DataError, match=text):
        split(recording(3), by_series(**settings))


def test_a_part_with_a_file_takes_nothing_of_the_others():
    made = split(recording(1, 100), DataConfig(path="x.csv", test_path="t.csv"))
    assert made.series[0].ends == (82, 100)  # 0.7 to 0.15
    made = split(recording(1, 100), DataConfig(path="x.csv", validation_path="v.csv", test_path="t.csv"))
    assert made.series[0].ends == (100, 100)
    made = split(recording(1, 100), DataConfig(path="x.csv", validation_path="v.csv"))
    assert made.series[0].ends == (82, 82)


def written(folder, **arrays):
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values)


def test_files_of_their_own_for_validation_and_test(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {name: rng.normal(size=(3, 60, 1)) + 100 * n for n, name in enumerate(("a", "v", "t"))}
    written(tmp_path, **arrays)
    config = DataConfig(path="a.npy", validation_path="v.npy", test_path="t.npy")
    data = load(config, SCORE, tmp_path)
    assert [len(values) for values in data.train_raw] == [60, 60, 60]
    np.testing.assert_allclose(data.codec.mean[0], arrays["a"].mean(axis=(0, 1)))
    assert 90 < data.validation.truth.mean() < 110 and 190 < data.test.past.mean() < 210
    assert (data.validation.series == -1).all()
    written(tmp_path, t=arrays["t"] * 2)
    other = load(config, SCORE, tmp_path)
    np.testing.assert_array_equal(other.train_raw[0], data.train_raw[0])
    np.testing.assert_array_equal(other.validation.truth, data.validation.truth)
    assert other.fingerprint != data.fingerprint


def test_files_with_other_channels_are_refused(tmp_path):
    written(tmp_path, a=np.random.default_rng(0).normal(size=(100, 2)), t=np.zeros((100, 1)))
    with pytest.raises(DataError, match=r"t.npy: the channels are y, but those of a.npy are x0, x1"):
        load(DataConfig(path="a.npy", test_path="t.npy"), SCORE, tmp_path)


def test_files_with_other_steps_are_refused(tmp_path):
    for name, step in (("a", 1), ("t", 2)):
        rows = (f"{step * n},{n % 7}" for n in range(100))
        (tmp_path / f"{name}.csv").write_text("\n".join(["ds,y", *rows]))
    config = DataConfig(path="a.csv", test_path="t.csv")
    with pytest.raises(DataError, match=r"t.csv: the step is 2, but that of a.csv is 1: set data.resample"):
        load(config, SCORE, tmp_path)


def test_statistics_are_of_the_training_series_alone(tmp_path):
    values = np.random.default_rng(0).normal(size=(10, 60, 1))
    written(tmp_path, a=values)
    config = DataConfig(path="a.npy", split_by="series", validation_series=("2",), test_series=("5", "6"))
    before = load(config, SCORE, tmp_path)
    values[[2, 5, 6]] += 1000.0
    written(tmp_path, a=values)
    after = load(config, SCORE, tmp_path)
    np.testing.assert_array_equal(before.codec.mean, after.codec.mean)
    np.testing.assert_array_equal(before.codec.std, after.codec.std)
    assert (after.validation.truth > 900).all() and (after.test.truth > 900).all()
    assert all(abs(values).max() < 100 for values in after.train_raw)
    values[3] += 1000.0  # the control: a training series
    written(tmp_path, a=values)
    assert (load(config, SCORE, tmp_path).codec.mean != before.codec.mean).all()


@pytest.mark.parametrize("settings", [{"validation_series": ("a",)}, {"test_series": ("a",)}])
def test_named_series_need_a_split_by_series(settings):
    with pytest.raises(ValueError, match=r'need split_by = "series"'):
        DataConfig(path="x.csv", **settings)


def test_settings_of_files_need_a_file():
    with pytest.raises(ValueError, match=r'missing, split_by need path = "file"'):
        DataConfig(source="sine", missing="cut", split_by="series")
