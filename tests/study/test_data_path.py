"""One rule for relative paths: they are relative to the place where they are written."""

import numpy as np
import pytest

from sweep.config.errors import DataError
from sweep.study.open_study import open_study
from tests.support.command_line import invoke

STUDY = """
[data]
path = "x.csv"
[score]
warmup = 10
horizon = 10
starts = 2
[training]
window = 16
budget = 1000
evaluations = 1
[model]
hidden = 2
layers = 1
[confirm]
top = 0
[run]
workers = 1
executor = "inline"
[space]
forget_bias = [0.0, 1.0]
"""


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A study file and its data in `there`, other data of the same name in `here`, the current directory."""
    rng = np.random.default_rng(0)
    for name in ("here", "there", "elsewhere"):
        folder = tmp_path / name
        folder.mkdir()
        values = "\n".join(str(value) for value in np.sin(np.arange(200) / 3) + 0.1 * rng.normal(size=200))
        (folder / "x.csv").write_text(f"y\n{values}\n")
    (tmp_path / "there" / "my study (2).toml").write_text(STUDY)
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def path_of(*overrides: str, file: str = "../there/my study (2).toml") -> str | None:
    return open_study(file, "results", overrides=overrides).config.data.path


def test_in_a_study_file_it_is_relative_to_the_folder_of_the_file(folders):
    assert path_of() == str(folders / "there/x.csv")


def test_in_an_override_it_is_relative_to_the_current_directory(folders):
    for text in ("data.path=x.csv", 'data.path="x.csv"', " data . path = ./x.csv", 'data={path = "x.csv"}'):
        assert path_of(text) == str(folders / "here/x.csv"), text
    assert path_of("data.path=../elsewhere/x.csv") == str(folders / "elsewhere/x.csv")


def test_an_absolute_path_and_the_home_folder_are_taken_as_they_are(folders, monkeypatch):
    monkeypatch.setenv("HOME", str(folders / "elsewhere"))
    absolute = str(folders / "elsewhere/x.csv")
    assert path_of(f"data.path={absolute}") == path_of("data.path=~/x.csv") == absolute
    home = folders / "there/home.toml"
    home.write_text(STUDY.replace('"x.csv"', '"~/x.csv"'))
    assert path_of(file=str(home)) == absolute


def test_other_overrides_stay_as_they_are_written(folders):
    opened = open_study(
        "../there/my study (2).toml", "results", overrides=["data.target=['y']", "score.starts=3"]
    )
    assert opened.overrides == ("data.target=['y']", "score.starts=3")


def test_a_study_with_an_override_is_resumed_from_another_directory(folders, monkeypatch):
    results, file = str(folders / "results"), str(folders / "there/my study (2).toml")
    done = invoke("run", file, "--trials", "1", "--results", results, "--set", "data.path=x.csv")
    assert done.exit_code == 0, done.stderr
    monkeypatch.chdir(folders / "elsewhere")
    done = invoke("run", file, "--trials", "2", "--results", results)
    assert done.exit_code == 0, done.stderr
    assert open_study(file, results).config.data.path == str(folders / "here/x.csv")
    # control: the file of the same name here holds other data
    done = invoke("run", file, "--trials", "2", "--results", results, "--set", "data.path=x.csv")
    assert done.exit_code != 0 and "data of the study" in done.stderr


def test_a_file_that_is_only_in_the_current_directory_is_not_found_and_the_rule_is_given(folders):
    (folders / "there/x.csv").unlink()
    opened = open_study("../there/my study (2).toml", "results")
    with pytest.raises(DataError, match=r"there/x.csv: no such file .* relative to the folder of that file"):
        _ = opened.data


def test_a_study_file_with_spaces_and_parentheses_in_its_name_runs_and_is_reported(folders):
    done = invoke("run", "../there/my study (2).toml", "--trials", "1")
    assert done.exit_code == 0, done.stderr
    assert (folders / "here/results/my study (2)/trials/0000/trial.json").is_file()
    shown = invoke("show", "0", "my study (2)", "--results", "results")
    assert shown.exit_code == 0 and "sweep diagnose 0 'my study (2)'" in shown.stdout  # can be pasted back
    done = invoke("report", "my study (2)")
    assert done.exit_code == 0 and "my study (2): 1 trial" in done.stdout, done.stderr
    assert "results/my study (2)/report/index.html" in " ".join(done.stdout.split())
