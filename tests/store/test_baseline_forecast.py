"""The stored forecasts of the best baseline: the study has them, and so have its trainings on fresh seeds."""

import numpy as np
import pytest

from sweep.store.folder import StudyFolder

ARRAYS = {"name": np.array("ar"), "forecast": np.arange(6.0).reshape(2, 3, 1), "last": np.zeros((2, 1))}


@pytest.mark.parametrize("place", [".", "confirm", "treat/0003"])
def test_it_is_found_from_the_study_and_its_followups(tmp_path, place):
    study = StudyFolder(tmp_path / "results" / "sine")
    study.path.mkdir(parents=True)
    assert study.baseline_forecast() == {}
    study.write_baseline_forecast(ARRAYS)
    found = StudyFolder(study.path / place).baseline_forecast()
    assert set(found) == set(ARRAYS)
    for name, values in ARRAYS.items():
        np.testing.assert_array_equal(found[name], values)


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_a_damaged_file_is_no_file(tmp_path, content):
    study = StudyFolder(tmp_path / "results" / "sine")
    study.write_study({"name": "sine"})
    (study.path / "baseline.npz").write_bytes(content)
    assert study.baseline_forecast() == {}
