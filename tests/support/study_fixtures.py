"""Fixtures of tests that read a stored study: a synthetic one, an empty one, one of a single trial."""

from pathlib import Path

import pytest

from sweep.store.folder import StudyFolder
from tests.support.made_study import rollout_files, sines, study_document, write_study, write_trial


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> StudyFolder:
    """Return a study of 40 trials. Shared: tests that write make their own."""
    return write_study(StudyFolder(tmp_path_factory.mktemp("results") / "sine"))


@pytest.fixture
def empty(tmp_path: Path) -> StudyFolder:
    """Return the folder of a study that has just begun: no trial, no baselines."""
    folder = StudyFolder(tmp_path / "sine")
    folder.write_study(study_document())
    return folder


@pytest.fixture
def one(empty: StudyFolder) -> StudyFolder:
    """Return a study with a single trial, which drifts a little."""
    params = {"optimizer": "sgd", "sgd.lr": 0.03, "sgd.momentum": 0.9, "scheduler": "cosine", "cell": "gru"}
    write_trial(empty, 0, params, "drift", 0.05, 0.01)
    return empty


@pytest.fixture(scope="session")
def writer():
    """Return the functions that make studies, for tests that need their own."""
    return write_study, write_trial, study_document, sines, rollout_files
