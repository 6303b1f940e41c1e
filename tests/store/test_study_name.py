"""Names of studies: whatever a file name may hold, but nothing that leaves the folder or breaks a line."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.config.errors import UsageError
from sweep.store import StudyFolder, checked_study_name, study_folders

VALID = [
    "sine",
    "a",
    "2024-01.run_3",
    "my study (2)",
    "a, b & c",
    "naïve Größe",
    "売上 予測",
    "50%",
    "it's 'quoted'",
    "<b>{{7*7}}",
    "x" * 255,
    "é" * 127,
]
INVALID = [
    ("", "it is empty"),
    (".", "begins with '.'"),
    ("..", "begins with '.'"),
    (".hidden", "begins with '.'"),
    ("-rf", "begins with '-'"),
    ("a/b", "path separator, '/'"),
    ("../up", "path separator"),
    ("/abs", "path separator"),
    ("a\\b", "path separator"),
    ("a ", "ends with ' '"),
    ("a\u00a0", r"ends with '\\xa0'"),
    ("a.", "ends with '.'"),
    ("a\n", r"control character '\\n'"),
    ("a\x00b", "control character"),
    ("\x1b[31mred", "control character"),
    ("a\u2028b", "control character"),
    ("gpj.\u202eexe", "control character"),
    ("a\udcff", "control character"),
    ("x" * 256, "256 bytes, 255 are allowed"),
    ("é" * 128, "256 bytes"),
]


@pytest.mark.parametrize("name", VALID)
def test_a_valid_name_names_a_folder(tmp_path, name):
    assert checked_study_name(name) == name
    StudyFolder(tmp_path / name).write_study({"name": name})
    assert [folder.name for folder in study_folders(tmp_path)] == [name]
    assert StudyFolder(tmp_path / name).read_study() == {"name": name}


@pytest.mark.parametrize(("name", "reason"), INVALID)
def test_an_invalid_name_is_refused_with_the_reason_and_the_option(name, reason):
    with pytest.raises(UsageError, match=rf"cannot be the name of a study: .*{reason}.*--name"):
        checked_study_name(name)


@settings(deadline=None)
@given(st.text(max_size=300))
def test_an_accepted_name_is_one_folder_and_one_line(name):
    try:
        checked_study_name(name)
    except UsageError as error:
        assert len(str(error).splitlines()) == 1
        return
    assert name not in {"", ".", ".."} and not {"/", "\\", "\0"} & set(name)
    assert len(name.splitlines()) == 1
    assert len(name.encode()) <= 255
