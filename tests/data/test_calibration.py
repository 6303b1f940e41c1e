"""Samples that choose nothing: which they are, and that nothing else knows them."""

from dataclasses import replace

import numpy as np
import pytest

from sweep.config.data_section import DataConfig
from sweep.config.sections import ScoreConfig
from sweep.config.summary_words import split_text
from sweep.data import load, summary_of
from sweep.data.calibration import MOST_STARTS, with_kept_samples, with_more_series
from sweep.data.positions import apart, n_apart
from sweep.data.recording import Need, Recording, Series

SCORE = ScoreConfig(warmup=10, horizon=12, starts=6)


def parts(made):
    return [series.parts["calibration"] for series in made.series]


def made_of(*ends, length=100):
    series = tuple(Series(f"s{n}", np.zeros((length, 1)), ends=end) for n, end in enumerate(ends))
    return Recording("made", ("y",), series)


def test_the_latest_validation_samples_are_kept():
    made = with_kept_samples(made_of((60, 80)), 0.5)
    assert made.series[0].parts == {
        "train": (0, 60),
        "validation": (60, 70),
        "calibration": (70, 80),
        "test": (80, 100),
    }


def test_of_several_validation_series_whole_ones_are_kept():
    made = with_kept_samples(made_of((100, 100), (0, 100), (0, 100), (0, 100), (0, 0)), 0.4)
    assert parts(made) == [(100, 100), (100, 100), (100, 100), (0, 100), (0, 0)]


def test_without_a_share_nothing_is_kept():
    assert parts(with_kept_samples(made_of((60, 80)), 0.0)) == [(80, 80)]


@pytest.mark.parametrize(("first", "last", "horizon"), [(0, 99, 10), (5, 5, 7), (3, 40, 12), (10, 9, 5)])
def test_places_do_not_overlap_and_are_as_many_as_fit(first, last, horizon):
    for seed in range(20):
        found = apart(first, last, horizon, np.random.default_rng(seed))
        assert len(found) == max(0, -(-(last - first + 1) // horizon))
        assert (np.diff(found) >= horizon).all()
        assert all(first <= place <= last for place in found)
        assert n_apart(found, np.zeros(len(found)), horizon) == len(found)


def test_places_differ_by_the_draw():
    drawn = {tuple(apart(0, 58, 10, np.random.default_rng(seed)).tolist()) for seed in range(20)}
    assert len(drawn) > 5  # room of 8 steps between 6 starts


def test_calibration_starts_lie_within_their_part(tmp_path):
    path = tmp_path / "a.csv"
    values = np.sin(np.arange(600) / 5) + np.arange(600) * 1e-6
    path.write_text("y\n" + "\n".join(repr(float(value)) for value in values))
    config = DataConfig(path=str(path), split=(0.5, 0.4, 0.1), calibration=0.5)
    data = load(config, SCORE, calibrated=True)
    starts = data.calibration
    assert starts.n_eff == len(starts.position) == 10  # 120 samples, horizons of 12
    assert starts.position.min() >= 420 and starts.position.max() + 12 <= 540
    assert data.validation.position.max() + 12 <= 420
    np.testing.assert_array_equal(starts.truth[0, :, 0], values[starts.position[0] :][:12])
    # a changed calibration sample changes neither training nor validation, but the fingerprint
    lines = path.read_text().splitlines()
    lines[1 + 430] = "0.123"
    path.write_text("\n".join(lines))
    other = load(config, SCORE)
    assert other.calibration is None and other.fingerprint != data.fingerprint
    np.testing.assert_array_equal(other.train[0], data.train[0])
    np.testing.assert_array_equal(other.validation.truth, data.validation.truth)


def test_a_source_with_a_series_for_each_start_makes_more_of_them():
    config = DataConfig(source="sine")
    plain, data = load(config, SCORE), load(config, SCORE, calibrated=True)
    assert plain.calibration is None and len(data.calibration.position) == SCORE.starts
    assert plain.fingerprint == data.fingerprint
    np.testing.assert_array_equal(plain.test.truth, data.test.truth)
    seen = np.concatenate([data.validation.past[:, 0, 0], data.test.past[:, 0, 0]])
    assert not np.isin(data.calibration.past[:, 0, 0], seen).any()


def test_more_series_are_taken_only_if_those_that_are_there_stay_the_same():
    need = Need(past=10, horizon=12, starts=2)
    made = made_of((100, 100), (0, 100), (0, 100))
    four = made_of((100, 100), *[(0, 100)] * 4)
    assert parts(with_more_series(made, need, lambda more: four)) == [(100, 100)] * 3 + [(0, 100)] * 2
    other = replace(four, series=tuple(replace(one, values=one.values + 1) for one in four.series))
    for unfit in (other, made):  # a draw that depends on the number of starts; no more than before
        assert with_more_series(made, need, lambda more, unfit=unfit: unfit) is made


def test_a_source_of_one_long_validation_series_needs_a_share():
    small = {"train": 500, "validation": 600, "test": 300}
    assert load(DataConfig(source="rossler", options=small), SCORE, calibrated=True).calibration is None
    kept = load(DataConfig(source="rossler", options=small, calibration=0.5), SCORE, calibrated=True)
    assert len(kept.calibration.position) == 25  # 300 samples
    assert MOST_STARTS > 25


def test_a_part_too_short_for_a_rollout_gives_none(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("y\n" + "\n".join(str(np.sin(step)) for step in range(200)))
    config = DataConfig(path=str(path), split=(0.6, 0.2, 0.2), calibration=0.2)
    assert load(config, SCORE, calibrated=True).calibration is None


def test_the_summary_counts_samples_and_starts_without_loading_them():
    small = {"train": 500, "validation": 600, "test": 300}
    config = DataConfig(source="rossler", options=small, calibration=0.5)
    data = load(config, SCORE)
    seen = summary_of(data)
    assert data.calibration is None and seen.calibration == (300, 25)
    assert seen.samples == (500, 300, 300)
    assert "300 samples for calibration with 25 starts that do not overlap" in split_text(seen.document())
    plain = summary_of(load(DataConfig(source="rossler", options=small), SCORE))
    assert plain.calibration is None and "calibration" not in split_text(plain.document())
