"""The warning about training series that one scaling does not fit: by hand, with controls that must not warn."""

import numpy as np
import pytest

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.config.sections import ScoreConfig
from sweep.data import load
from sweep.data.spread import spread_of, spread_warnings
from sweep.data.transforms import build_transforms

SCORE = ScoreConfig(warmup=10, horizon=10, starts=4)


def wave(size=1.0, level=0.0, steps=200, channels=1):
    time = np.arange(steps)[:, None] + 7 * np.arange(channels)
    return level + size * np.sin(2 * np.pi * time / 20)


def warned(train, transforms=(), channels=("y", "z")):
    labels = [f"series {number}" for number in range(len(train))]
    return spread_warnings(train, build_transforms(transforms, None), channels, labels)


def test_numbers_by_hand():
    spread = spread_of([np.array([[1.0], [-1]]), np.array([[13.0], [7]])])
    assert spread.std[:, 0].tolist() == [1, 3] and spread.mean[:, 0].tolist() == [0, 10]
    assert spread.ratio.tolist() == [3]
    assert spread.within == pytest.approx([np.sqrt(5)])  # of the variances 1 and 9
    assert spread.distance == pytest.approx([10 / np.sqrt(5)])
    assert spread.apart.tolist() == [False]


def test_longer_series_weigh_more_within():
    spread = spread_of([np.array([[1.0], [-1]] * 3), np.array([[13.0], [7]])])
    assert spread.within == pytest.approx([np.sqrt((6 * 1 + 2 * 9) / 8)])


def test_series_of_another_scale():
    (text,) = warned([wave(), wave(1e6), wave(10)])
    assert text.startswith(
        "the training series differ in scale by a factor of 1e+06: in channel 'y' the standard deviation is 0.707 "
        "(series 0) to 7.07e+05 (series 1)."
    )
    assert 'data.scaling = "series"' in text and "other channel" not in text


def test_series_at_another_level():
    (text,) = warned([wave(), wave(level=50)])
    assert text.startswith("the training series differ in level: in channel 'y' the mean is ")
    assert "to 50 (series 1), with a standard deviation of 0.707 within the series." in text


@pytest.mark.parametrize(("size", "level"), [(9.0, 0.0), (1.0, 6.5)])
def test_smaller_differences_are_no_reason(size, level):
    assert warned([wave(), wave(size, level)]) == ()


@pytest.mark.parametrize(("size", "level"), [(11.0, 0.0), (1.0, 7.5)])
def test_these_are(size, level):
    # the control of the test above, on the other side of both limits
    assert len(warned([wave(), wave(size, level)])) == 1


def test_one_series_has_nothing_to_differ_from():
    assert warned([wave(1e6, 1e9)]) == ()


def test_the_worst_channel_is_named_and_the_others_are_counted():
    first, second = wave(channels=2), wave(channels=2) * [20.0, 300.0]
    (text,) = warned([first, second])
    assert "factor of 300: in channel 'z'" in text and "; so it is in 1 other channel." in text


def test_it_is_about_transformed_values():
    train = [np.exp(wave()), 1000 * np.exp(wave())]
    assert len(warned(train)) == 1
    (text,) = warned([np.exp(wave()), np.exp(wave(20))], ("log",))
    assert "in channel 'y' after the transforms" in text
    assert warned(train, ("log", "difference")) == ()


def test_a_constant_series_has_no_scale_and_is_mentioned():
    flat = np.zeros((200, 1))
    assert warned([wave(), flat]) == ()
    (text,) = warned([wave(), wave(100), flat])
    assert "factor of 100:" in text
    assert text.endswith("; it needs the data without 1 series that is constant in a channel")


def written(path, scales):
    rows = ["unique_id,y"]
    for name, size in scales.items():
        rows += [f"{name},{value}" for value in wave(size)[:, 0]]
    (path / "ids.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_loading_warns_where_series_are_scaled_together(tmp_path):
    base = written(tmp_path, {"small": 1.0, "large": 1e6})
    data = load(DataConfig(path="ids.csv"), SCORE, base)
    texts = [text for text in data.warnings if "differ in scale" in text]
    assert len(texts) == 1
    assert "(ids.csv, series 'small') to 7.07e+05 (ids.csv, series 'large')" in texts[0]
    for scaling in ("series", "none"):
        other = load(DataConfig(path="ids.csv", scaling=scaling), SCORE, base)
        assert not [text for text in other.warnings if "differ in scale" in text]


def test_what_the_warning_proposes_can_be_refused_only_for_the_series_that_it_mentions(tmp_path):
    base = written(tmp_path, {"small": 1.0, "large": 1e6, "flat": 0.0})
    (text,) = [t for t in load(DataConfig(path="ids.csv"), SCORE, base).warnings if "differ in scale" in t]
    assert "without 1 series that is constant" in text
    with pytest.raises(DataError, match="series 'flat'"):
        load(DataConfig(path="ids.csv", scaling="series"), SCORE, base)


def test_names_come_from_ids_and_starts_know_their_series(tmp_path):
    base = written(tmp_path, {"b": 1.0, "a": 2.0})
    data = load(DataConfig(path="ids.csv"), SCORE, base)
    assert data.series_names == ("b", "a")
    for part in (data.validation, data.test):
        assert part.owner.tolist() == [0, 0, 1, 1] == part.series.tolist()
        size = np.abs(part.past[..., 0]).max(axis=1)
        assert size == pytest.approx(np.array([1.0, 2.0])[part.owner], rel=0.05)


def test_names_do_not_change_the_data(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    first = load(DataConfig(path="ids.csv"), SCORE, written(tmp_path / "one", {"b": 1.0, "a": 2.0}))
    second = load(DataConfig(path="ids.csv"), SCORE, written(tmp_path / "two", {"x": 1.0, "y": 2.0}))
    assert first.fingerprint == second.fingerprint and first.series_names != second.series_names


def test_series_of_arrays_are_named_by_their_numbers_and_those_of_sources_have_no_names(tmp_path):
    np.save(tmp_path / "values.npy", np.stack([wave(), wave(2.0)]))
    assert load(DataConfig(path="values.npy"), SCORE, tmp_path).series_names == ("0", "1")
    assert load(DataConfig(source="sine"), SCORE).series_names == ()
