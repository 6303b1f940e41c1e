"""The beginning of a file that has grown: the same data, bit for bit, or a refusal that says what differs."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sweep.config.data_section import DataConfig
from sweep.config.errors import StudyChanged
from sweep.config.sections import ScoreConfig
from sweep.data import Data, load
from sweep.data.beginning import rows_document, rows_from_document

SCORE = ScoreConfig(warmup=10, horizon=10, starts=4)
RNG = np.random.default_rng(0)
VALUES = {name: RNG.standard_normal((260, 2)) for name in ("b", "d", "c")}


def written(path: Path, rows: dict[str, int], ahead: int = 0, hole: bool = False) -> DataConfig:
    """Write series of y and the input u; the last rows have the input alone."""
    tables = []
    for name, count in rows.items():
        frame = pd.DataFrame(VALUES[name][: count + ahead], columns=["y", "u"])
        frame.insert(0, "ds", pd.date_range("2024-01-01", periods=len(frame)))
        frame.insert(0, "unique_id", name)
        frame.loc[count:, "y"] = np.nan
        tables.append(frame.drop(index=range(50, 53)) if hole else frame)
    pd.concat(tables).to_csv(path, index=False)
    return DataConfig(
        path=str(path), known=("u",), calendar=("time_of_year",), calibration=0.4, missing="cut"
    )


def grown(config: DataConfig, old: Data) -> Data:
    assert old.rows is not None
    return load(config, SCORE, beginning=rows_from_document(rows_document(old.rows)))


@pytest.mark.parametrize("hole", [False, True], ids=["even", "gap"])
@pytest.mark.parametrize("ahead", [0, 7], ids=["complete", "inputs ahead"])
def test_the_beginning_of_a_file_that_has_grown_is_the_old_data(tmp_path, ahead, hole):
    old = load(written(tmp_path / "old.csv", {"b": 200, "c": 150}, ahead, hole), SCORE)
    config = written(tmp_path / "new.csv", {"b": 240, "d": 90, "c": 170}, ahead, hole)  # d is new, in between
    assert load(config, SCORE).fingerprint != old.fingerprint
    assert (grown(config, old).fingerprint, grown(config, old).rows) == (old.fingerprint, old.rows)
    whole = load(config, SCORE).rows
    assert whole is not None and whole.complete == 500 - 3 * 3 * hole


def test_a_changed_value_a_missing_series_and_fewer_rows_are_seen(tmp_path):
    old = load(written(tmp_path / "old.csv", {"b": 200, "c": 150}), SCORE)
    VALUES["b"][199, 0] += 1e-9
    try:
        config = written(tmp_path / "new.csv", {"b": 240, "c": 170})
    finally:
        VALUES["b"][199, 0] -= 1e-9
    assert grown(config, old).rows != old.rows  # also where no start reads the value
    with pytest.raises(StudyChanged, match="the series c is missing"):
        grown(written(tmp_path / "new.csv", {"b": 240, "d": 170}), old)
    with pytest.raises(StudyChanged, match=r"new\.csv, series 'c' has 149 rows instead of 150 or more"):
        grown(written(tmp_path / "new.csv", {"b": 240, "c": 149}), old)
