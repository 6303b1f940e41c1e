"""Which file and which results folder a command means."""

from pathlib import Path

import pytest

from sweep.config.errors import UsageError
from sweep.study.find import chosen_study, stored_study


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def written(path: str) -> str:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("")
    return path


def name_of(study: str, name: str | None = None) -> str:
    return chosen_study(study, name, Path("results")).folder.name


def test_a_study_is_named_after_its_file():
    assert name_of(written("my study (2).toml")) == "my study (2)"
    assert name_of(written("folder/Größe.toml")) == "Größe"
    assert name_of(written("study.toml")) == "study"
    assert name_of(written("folder/study.toml")) == "study"


def test_a_stored_study_is_named_after_its_folder(monkeypatch):
    file = written("results/sines/study.toml")
    Path("results/sines/trials").mkdir()
    assert name_of(file) == name_of("sines") == "sines"
    monkeypatch.chdir("results/sines")
    assert name_of("study.toml") == "sines"
    assert stored_study(".", Path("nowhere")).name == "sines"


def test_a_name_that_is_given_is_used():
    assert name_of(written("a.toml"), "b (3)") == "b (3)"


@pytest.mark.parametrize("name", ["", "a/b", ".a"])
def test_an_invalid_name_is_refused(name):
    with pytest.raises(UsageError, match="--name"):
        name_of(written("a.toml"), name)


def test_an_invalid_file_name_is_refused_unless_a_name_is_given():
    file = written("-a.toml")
    with pytest.raises(UsageError, match=r"begins with '-'.*--name"):
        name_of(file)
    assert name_of(file, "a") == "a"
