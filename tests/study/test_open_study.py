"""Opening a study with plug-ins that are missing or broken."""

import os

import pytest

from sweep.config.errors import StudyFileError
from sweep.config.plugins import VARIABLE
from sweep.store import StudyFolder
from sweep.study.open_study import open_study

STUDY = "[data]\nsource = 'sine'\n[space]\noptimizer = ['lion']\n"


def test_a_missing_plugin_of_a_stored_study_is_named_with_its_origin(tmp_path):
    (tmp_path / "mine.toml").write_text(STUDY)
    opened = open_study(str(tmp_path / "mine.toml"), tmp_path / "results")
    with pytest.raises(StudyFileError, match="no optimizer named 'lion'"):
        _ = opened.config
    StudyFolder(tmp_path / "results/mine").write_study({"plugins": {"optimizer lion": "lion-sweep 0.2"}})
    with pytest.raises(
        StudyFileError, match=r"the optimizer lion comes from lion-sweep 0\.2, .*: install it"
    ):
        _ = opened.config


def test_a_broken_file_is_one_warning_whatever_the_number_of_tables(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text("1 / 0\n")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "mine.py") + os.pathsep)
    warnings = open_study("sine", tmp_path).warnings
    assert [line for line in warnings if "mine.py" in line] == [
        f"plug-in file {tmp_path / 'mine.py'}: ZeroDivisionError: division by zero"
    ]
