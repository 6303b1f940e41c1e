"""The stored forecasts of the best baseline: the study has them, and so have its trainings on fresh seeds."""

import io

import numpy as np
import pytest

from sweep.config.errors import StoreError
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


def packed(**changes):
    buffer = io.BytesIO()
    np.savez(buffer, **{**ARRAYS, **changes})
    return buffer.getvalue()


DAMAGED = {
    "empty": (b"", "File is not a zip file"),
    "text": (b"no archive", "File is not a zip file"),
    "channels": (packed(last=np.zeros((2, 2))), "last has 2 along channel, other arrays have 1"),
    "starts": (packed(last=np.zeros((3, 1))), "last has 3 along start, other arrays have 2"),
    "no steps": (packed(forecast=np.zeros((2, 0, 1))), "there is no step"),
    "number as name": (packed(name=np.array(3.0)), "name is of the kind float64"),
    "not finite": (packed(last=np.full((2, 1), np.nan)), "last has values that are not finite"),
}


@pytest.mark.parametrize("place", [".", "confirm"])
@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_file_is_named(tmp_path, kind, place):
    content, reason = DAMAGED[kind]
    study = StudyFolder(tmp_path / "results" / "sine")
    study.write_study({"name": "sine"})
    (study.path / "baseline.npz").write_bytes(content)
    remedy = "remove it and baselines.json, and sweep run scores the baselines again"
    with pytest.raises(StoreError, match=f"sine/baseline.npz is damaged: {reason}; {remedy}"):
        StudyFolder(study.path / place).baseline_forecast()
