"""The summary of data: of a recording before there is a horizon, and of loaded data."""

import json

import numpy as np
import pytest

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.config.sections import ScoreConfig
from sweep.config.summary_words import forecast_text, seen_text
from sweep.data import load, load_recording, summary_of, summary_of_recording
from sweep.data.gaps import without_gaps
from sweep.data.recording import Recording, Series
from sweep.data.split import split_in_time

SPLIT = (0.5, 0.25, 0.25)


def recording(*values: np.ndarray, stamps=None, **facts) -> Recording:
    series = [Series(f"series {n}", one.reshape(len(one), -1), stamps=stamps) for n, one in enumerate(values)]
    channels = tuple("abc"[: series[0].values.shape[1]])
    made = split_in_time(Recording("made", channels, tuple(series), **facts), SPLIT)
    return without_gaps(made, "cut", 5, 0)


def test_counts_period_and_spread():
    wave = np.sin(2 * np.pi * np.arange(400) / 20)
    summary = summary_of_recording(recording(wave, 50 * wave[:200]), [0])
    assert (summary.rows, summary.series, summary.lengths, summary.train_lengths) == (
        600,
        2,
        (400, 200),
        (200, 100),
    )
    assert summary.samples == (300, 150, 150)
    assert summary.period == pytest.approx(20, rel=0.01)
    assert summary.spread == pytest.approx(50)
    assert summary.starts is None and summary.step_seconds is None


def test_inputs_from_outside_are_named_and_no_channels(tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "a.npy", rng.standard_normal((300, 3)))
    config = DataConfig(path=str(tmp_path / "a.npy"), known=("x1",))
    data = load(config, ScoreConfig(warmup=5, horizon=10, starts=3))
    for summary in (summary_of_recording(load_recording(config), [0, 1]), summary_of(data)):
        assert (summary.channels, summary.known) == (("x0", "x2"), ("x1",))
        seen = summary.document()
        assert "2 channels and 1 input from outside" in seen_text(seen)
        assert forecast_text(seen) == "All 2 channels are forecast and scored: x0, x2; known ahead: x1"
    del seen["known"]  # of a study that an earlier version stored
    assert "input" not in seen_text(seen) and forecast_text(seen).endswith("x0, x2")


def test_series_of_one_length_have_one_number_of_rows(tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "a.npy", rng.standard_normal((2, 300, 1)))
    seen = summary_of_recording(load_recording(DataConfig(path=str(tmp_path / "a.npy"))), [0]).document()
    assert "2 series of 300 rows each, 600 in all" in seen_text(seen)
    assert "2 series of 300 to 400 rows each" in seen_text({**seen, "longest": 400})


def test_pieces_of_a_series_are_one_series_in_the_spread():
    wave = np.sin(2 * np.pi * np.arange(400) / 20)
    wave[:80] /= 50  # quiet before the gap
    wave[80] = np.nan
    assert summary_of_recording(recording(wave), [0]).spread == 1
    assert summary_of_recording(recording(wave[:80], wave[81:]), [0]).spread > 10  # the control: two series


def test_only_the_targets_count():
    wave = np.sin(2 * np.pi * np.arange(400) / 20)
    noise = np.random.default_rng(0).standard_normal(400)
    both = recording(np.stack([wave, noise], axis=1))
    assert summary_of_recording(both, [0]).noise < 1e-3 < 0.8 < summary_of_recording(both, [1]).noise
    assert summary_of_recording(both, [0, 1]).noise > 0.8


def test_a_trend_and_what_a_difference_leaves():
    line = np.arange(400.0)
    assert summary_of_recording(recording(line), [0]).difference is None
    walk = np.random.default_rng(0).standard_normal(400).cumsum()
    summary = summary_of_recording(recording(line + walk), [0])
    assert summary.trend > 0.9 and summary.difference == pytest.approx(1, abs=0.1)


def test_times():
    stamps = np.datetime64("2024-01-01T00:00", "ns") + np.arange(400) * np.timedelta64(30, "m")
    noise = np.random.default_rng(0).standard_normal(400)
    made = recording(noise, stamps=stamps, step="30 minutes", span=("2024-01-01", "2024-01-09 07:30"))
    summary = summary_of_recording(made, [0])
    assert (summary.step_seconds, summary.step, summary.steps_per_day) == (1800, "30 minutes", 48)
    assert (summary.first, summary.last) == ("2024-01-01", "2024-01-09 07:30")


def test_gaps_are_counted_and_what_is_missing_is_no_sample():
    noise = np.random.default_rng(0).standard_normal(400)
    noise[[50, 51, 300]] = np.nan
    summary = summary_of_recording(recording(noise), [0])
    assert summary.gaps == 2 and summary.rows == 400 and summary.samples == (198, 100, 99)
    assert summary.train_lengths == (50, 148) and summary.lengths == (400,)


def test_a_file_is_summarised_without_a_horizon(tmp_path):
    np.save(tmp_path / "short.npy", np.random.default_rng(0).standard_normal(40))
    config = DataConfig(path=str(tmp_path / "short.npy"))
    with pytest.raises(DataError, match="too few"):
        load(config, ScoreConfig())
    assert summary_of_recording(load_recording(config), [0]).rows == 40
    with pytest.raises(DataError, match=r"data\.path is missing"):
        load_recording(DataConfig(source="sine"))


def test_loaded_data_have_the_same_summary_and_their_starts(tmp_path):
    np.save(tmp_path / "noise.npy", np.random.default_rng(0).standard_normal((300, 2)))
    config = DataConfig(path=str(tmp_path / "noise.npy"), target=("x1",))
    data = load(config, ScoreConfig(warmup=5, horizon=10, starts=3))
    before, after = summary_of_recording(load_recording(config), [1]), summary_of(data)
    assert after.starts == (3, 3) and after.n_eff == (data.validation.n_eff, data.test.n_eff)
    for name in ("targets", "lengths", "train_lengths", "samples", "period", "noise", "trend", "difference"):
        assert getattr(before, name) == getattr(after, name), name
    assert json.loads(json.dumps(after.document(), allow_nan=False))["rows"] == 300


def test_values_that_cannot_be_squared_are_refused(tmp_path):
    values = np.random.default_rng(0).standard_normal((100, 2)) * [1, 1e200]
    np.save(tmp_path / "huge.npy", values)
    with pytest.raises(DataError, match="channel 'x1': the values are too large"):
        load_recording(DataConfig(path=str(tmp_path / "huge.npy")))
