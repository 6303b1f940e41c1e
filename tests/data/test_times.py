"""The times of rollout tasks: those of the file, for the same steps as the values; none without dates."""

import numpy as np
import pandas as pd
import pytest

from sweep.config.data_section import DataConfig
from sweep.config.sections import ScoreConfig
from sweep.data import load
from sweep.data.some_starts import some_starts

DAYS = pd.date_range("2024-01-01", periods=300, freq="D")
SCORE = ScoreConfig(warmup=20, horizon=15, starts=4)


def written(tmp_path, **columns):
    path = tmp_path / "days.csv"
    pd.DataFrame({**columns, "y": np.arange(300.0) + np.sin(np.arange(300))}).to_csv(path, index=False)
    return load(DataConfig(path=str(path)), SCORE)


@pytest.mark.parametrize("part", ["validation", "test"])
def test_each_step_has_its_time(tmp_path, part):
    starts = getattr(written(tmp_path, ds=DAYS), part)
    assert starts.times.shape == (len(starts.truth), 20 + 15)
    for row, position in enumerate(starts.position):
        assert starts.times[row, 20] == DAYS[position].to_datetime64()
        assert starts.times[row, -1] == DAYS[position + 14].to_datetime64()
        assert starts.truth[row, 0, 0] == pytest.approx(position + np.sin(position))
    assert some_starts(starts, 2).times.shape == (2, 35)


def test_without_dates_there_are_no_times_and_the_fingerprint_is_the_same(tmp_path):
    plain, dated = written(tmp_path), written(tmp_path, ds=DAYS)
    assert plain.validation.times is None
    assert plain.fingerprint == dated.fingerprint
